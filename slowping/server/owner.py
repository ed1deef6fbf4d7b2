"""Tell a project's owner what needs him: a channel that was paused, a disk that is nearly full."""

import contextlib
from typing import Final

from slowping.core import errors
from slowping.core.channel import StoredChannel
from slowping.core.event import EventDraft
from slowping.server.dispatch.consequences import NOTICE
from slowping.server.ingest import Ingest, Submission

CATEGORY: Final = "slowping"
"""Also the source of what slowping itself has to say."""


class Owner:
    """Hears of paused channels. Whoever tells it is made before what it speaks through."""

    def __init__(self) -> None:
        self._ingest: Ingest | None = None

    def speaks_through(self, ingest: Ingest) -> None:
        """What it says goes in by the same door as everything else."""
        self._ingest = ingest

    async def tell(self, channel: StoredChannel, reason: str) -> None:
        """Write an event about the channel, for every channel but this one."""
        # A project that is gone or a store that is full is told to nobody.
        with contextlib.suppress(errors.Refused, errors.Unavailable):
            await self._say(channel.project_id, _notice(channel, reason), but=(channel.id,))

    async def warn(self, project_id: int, text: str) -> bool:
        """Write an event about the server as a whole; whether that could be done."""
        try:
            await self._say(project_id, _warning(text))
        except (errors.Refused, errors.Unavailable):
            return False
        return True

    async def _say(self, project_id: int, draft: EventDraft, but: tuple[int, ...] = ()) -> None:
        if self._ingest is None:
            return
        await self._ingest.accept(
            Submission(
                drafts=(draft,),
                principal=None,
                project_id=project_id,
                dialect=NOTICE,
                create_categories=True,
                skip_channels=but,
            )
        )


def _notice(channel: StoredChannel, reason: str) -> EventDraft:
    return EventDraft(
        category=CATEGORY,
        source=CATEGORY,
        description=f"The channel {channel.name} was paused: {reason.rstrip('.')}. Its deliveries "
        "wait. "
        f"Mend it, then resume it: slowping channel resume {channel.name}",
        fields={"channel": channel.name, "kind": channel.kind, "reason": reason},
    )


def _warning(text: str) -> EventDraft:
    return EventDraft(category=CATEGORY, source=CATEGORY, description=text)
