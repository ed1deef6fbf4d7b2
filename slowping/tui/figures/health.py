"""Ask now and then whether the server accepts events, and say so where it does not."""

from typing import TYPE_CHECKING, Final

from textual.worker import WorkType

from slowping.core import errors
from slowping.tui import act
from slowping.tui.live import Link

if TYPE_CHECKING:
    from slowping.tui.app import SlowpingApp

_EVERY: Final = 10
"""So many ticks go by until it is asked again."""


class Health:
    """Keeps in the link what hinders the server, such as a disk that is full."""

    def __init__(self, app: "SlowpingApp") -> None:
        self._app = app

    def begin(self) -> None:
        """Ask when the line stands, and now and then from there on."""
        self._app.live.connection.subscribe(self._app, self._see_link)
        self._app.set_interval(self._app.tick_s * _EVERY, self.ask)

    def ask(self) -> None:
        """Ask now."""
        if self._app.live.link.stands:
            ask: WorkType[None] = self._ask
            self._app.run_worker(ask, group="health", exclusive=True)

    def _see_link(self, link: Link) -> None:
        if link.stands and not link.hindrance:
            self.ask()

    async def _ask(self) -> None:
        found = await act.answer(self._app.client.health)
        live = self._app.live
        if isinstance(found, errors.Unavailable):
            is_new = live.link.stands and not live.link.hindrance
            live.hinder(act.told(found))
            if is_new:
                self._app.tell(act.told(found), severity="error", title="No events are accepted")
        elif not isinstance(found, errors.SlowpingError):
            live.hinder("")
