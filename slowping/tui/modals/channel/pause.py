"""Ask why a channel is to pause, and close once it does."""

from collections.abc import Iterable
from typing import ClassVar, Final

from textual.widgets import Input

from slowping.core.channel import Channel
from slowping.tui.modals.form import FormModal
from slowping.tui.modals.line import Line

_LONGEST: Final = 500


class PauseModal(FormModal[Channel]):
    """Answers with the channel as it stands then, or with None."""

    WAITING: ClassVar[str] = "Pausing…"

    def __init__(self, channel: Channel) -> None:
        super().__init__(f"Pause {channel.name}?", save="Pause")
        self._channel = channel

    def lines(self) -> Iterable[Line]:
        """The reason, which may be left out."""
        yield Line(
            name="reason",
            label="Why",
            control=Input(placeholder="optional, for those who wonder", max_length=_LONGEST),
            help="Its deliveries are made as before and wait. When it is resumed (s), they go out "
            "in order.",
        )

    async def send(self) -> Channel:
        """Have it pause."""
        return await self.app.client.pause_channel(self._channel.id, self.typed("reason") or None)
