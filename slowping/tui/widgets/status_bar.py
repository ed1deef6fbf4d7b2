"""The line on top: the lamp, the server, what is being done, and how much comes in."""

import collections
import datetime as dt
from collections.abc import Callable, Sequence
from typing import Final

from textual.app import RenderResult
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from slowping.core import text
from slowping.core.feed import EventAccepted, FeedItem
from slowping.tui.figures import numbers
from slowping.tui.live import Lamp, Link
from slowping.tui.widgets.drawing import sparkline

_SECONDS: Final = 20
_RECENT: Final = 5
"""Seconds over which the rate is told."""
_WITH_BARS: Final = 80
"""Columns from which on there is room for a picture."""
_ROOMY: Final = 110
"""Columns from which on it shows every second."""

_LAMPS: Final = {
    Lamp.CONNECTING: ("◌", "$text-muted", "connecting"),
    Lamp.LIVE: ("●", "$text-success", "live"),
    Lamp.RECONNECTING: ("◌", "$text-warning", "reconnecting"),
    Lamp.OFFLINE: ("○", "$text-error", "offline"),
}


class StatusBar(Widget):
    """Shows what it is told; `tick` once a second keeps countdown and rate moving."""

    link: reactive[Link] = reactive(Link(lamp=Lamp.CONNECTING))
    server: reactive[str] = reactive("")
    project: reactive[str | None] = reactive(None)
    doing: reactive[tuple[str, ...]] = reactive(())
    backlog: reactive[tuple[int, int] | None] = reactive(None)
    """How many deliveries wait, and how many have failed; None where it is not known."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        super().__init__()
        self._now_ms = now_ms
        self._rates: collections.deque[int] = collections.deque([0] * _SECONDS, maxlen=_SECONDS)
        self._this_second = 0

    def count(self, batch: Sequence[FeedItem]) -> None:
        """Count the events that came in."""
        self._this_second += sum(isinstance(item, EventAccepted) for item in batch)

    def tick(self) -> None:
        """A second has gone by."""
        self._rates.append(self._this_second)
        self._this_second = 0
        self.refresh()

    def render(self) -> RenderResult:
        """The lamp and the server on the left; on the right what is done, and the rate."""
        left = Content.assemble(" ", self._lamp(), "  ", self._where())
        right = self._right()
        room = self.size.width - right.cell_length - 1
        if room < 20:
            return left.truncate(self.size.width, ellipsis=True)
        return Content.assemble(left.truncate(room, ellipsis=True, pad=True), right, " ")

    def _lamp(self) -> Content:
        mark, color, word = _LAMPS[self.link.lamp]
        parts = [word]
        if self.link.as_of_ms is not None:
            parts.append(f"as of {time_of_day(self.link.as_of_ms)}")
        if self.link.retry_at_ms is not None:
            left_s = max(0, round((self.link.retry_at_ms - self._now_ms()) / 1000))
            parts.append(f"next try in {left_s} s" if left_s else "trying")
        # The mark alone has the colour, which with some themes is hard to read in words.
        return Content.assemble((mark, color), f" {', '.join(parts)}")

    def _where(self) -> Content:
        server = text.one_line(self.server.partition("://")[2] or self.server)
        project = text.one_line(self.project) if self.project else "all projects"
        reason = f"  {text.one_line(self.link.reason)}" if self.link.reason else ""
        return Content.assemble(
            (server, "$text-muted"), " · ", (project, "bold"), (reason, "$text-warning")
        )

    def _right(self) -> Content:
        if self.doing:
            return Content.styled(f"⟳ {text.one_line(self.doing[-1])}…", "$text-accent")
        rate = sum(list(self._rates)[-_RECENT:]) / _RECENT
        shown = 0 if self.size.width < _WITH_BARS else 10 if self.size.width < _ROOMY else _SECONDS
        bars = sparkline(tuple(self._rates)[_SECONDS - shown :])
        return Content.assemble(self._backlog(), (bars, "$text-accent"), f" {rate:.1f}/s")

    def _backlog(self) -> Content:
        if self.backlog is None:
            return Content("")
        waiting, failed = self.backlog
        told = numbers.backlog(waiting, failed).partition(" · ")
        return Content.assemble(told[0], told[1], (told[2], "bold $text-error"), "  ")


def time_of_day(ms: int) -> str:
    """The time of day on this machine, to the second."""
    return f"{dt.datetime.fromtimestamp(ms / 1000, dt.UTC).astimezone():%H:%M:%S}"
