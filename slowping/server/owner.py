"""Tell a project's owner about a channel that was paused, through its other channels."""

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
        if self._ingest is None:
            return
        # A project that is gone or a store that is full is told to nobody.
        with contextlib.suppress(errors.Refused, errors.Unavailable):
            await self._ingest.accept(
                Submission(
                    drafts=(_notice(channel, reason),),
                    principal=None,
                    project_id=channel.project_id,
                    dialect=NOTICE,
                    create_categories=True,
                    skip_channels=(channel.id,),
                )
            )


def _notice(channel: StoredChannel, reason: str) -> EventDraft:
    return EventDraft(
        category=CATEGORY,
        source=CATEGORY,
        description=f"The channel {channel.name} was paused: {reason}. Its deliveries wait. "
        f"Mend it, then resume it: slowping channel resume {channel.name}",
        fields={"channel": channel.name, "kind": channel.kind, "reason": reason},
    )
