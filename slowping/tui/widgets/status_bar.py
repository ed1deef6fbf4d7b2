"""The line on top: the lamp, the server, what is being done, and how much comes in."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Final

from textual.app import RenderResult
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from slowping.core import text
from slowping.tui.figures import numbers
from slowping.tui.figures.rate import SECONDS, Rate
from slowping.tui.live import Lamp, Link
from slowping.tui.widgets.drawing import sparkline

_WITH_BARS: Final = 80
"""Columns from which on there is room for a picture."""
_ROOMY: Final = 110
"""Columns from which on it shows every second."""
_BARS: Final = 10
"""Seconds of a picture where there is less room."""
_PROJECT: Final = 24
"""Cells of the project's name that have room before anything else has."""
_LEAST: Final = 10
"""Cells below which a cut text says nothing any more."""

_LAMPS: Final = {
    Lamp.CONNECTING: ("◌", "$text-muted", "connecting"),
    Lamp.LIVE: ("●", "$text-success", "live"),
    Lamp.RECONNECTING: ("◌", "$text-warning", "reconnecting"),
    Lamp.OFFLINE: ("○", "$text-error", "offline"),
    Lamp.REFUSED: ("✗", "$text-error", "refused"),
}
_HINDERED: Final = ("✗", "$text-error", "accepts no events")


class StatusBar(Widget):
    """Shows what it is told; `tick` once a second keeps countdown and rate moving."""

    link: reactive[Link] = reactive(Link(lamp=Lamp.CONNECTING))
    server: reactive[str] = reactive("")
    project: reactive[str | None] = reactive(None)
    doing: reactive[tuple[str, ...]] = reactive(())
    backlog: reactive[tuple[int, int] | None] = reactive(None)
    """How many deliveries wait, and how many have failed; None where it is not known."""

    def __init__(self, now_ms: Callable[[], int], rate: Rate) -> None:
        super().__init__()
        self._now_ms = now_ms
        self._rate = rate

    def tick(self) -> None:
        """A second has gone by."""
        self.refresh()

    def render(self) -> RenderResult:
        """The lamp and what is looked at on the left; what is done, or how much comes, right."""
        lamp, width = self._lamp(), self.size.width
        project = Content.styled(
            text.one_line(self.project) if self.project else "all projects", "bold"
        )
        room = width - lamp.cell_length - 6 - min(project.cell_length, _PROJECT)
        right = self._right(room)
        room = width - lamp.cell_length - 4 - (right.cell_length + 2 if right else 0)
        left = Content.assemble(" ", lamp, "  ", self._where(project, room))
        space = max(0, width - left.cell_length - right.cell_length - 1)
        return Content.assemble(left, " " * space, right, " ").truncate(width, ellipsis=True)

    def _lamp(self) -> Content:
        mark, color, word = _HINDERED if self.link.hindrance else _LAMPS[self.link.lamp]
        parts = [word]
        if self.link.as_of_ms is not None:
            parts.append(f"as of {time_of_day(self.link.as_of_ms)}")
        if self.link.retry_at_ms is not None:
            left_s = max(0, round((self.link.retry_at_ms - self._now_ms()) / 1000))
            parts.append(f"next try in {left_s} s" if left_s else "trying")
        # The mark alone has the colour, which with some themes is hard to read in words.
        return Content.assemble((mark, color), f" {', '.join(parts)}")

    def _where(self, project: Content, room: int) -> Content:
        """What is looked at in so many cells: first the project, then what is wrong with the line.

        The server's address goes first where there is little room: it is the same all day.
        """
        project = project.truncate(max(0, room), ellipsis=True)
        room -= project.cell_length
        why = text.one_line(self.link.hindrance or self.link.reason)
        reason = _cut(Content.styled(why, "$text-warning"), room - 2)
        room -= reason.cell_length + 2 if reason else 0
        address = text.one_line(self.server.partition("://")[2] or self.server)
        server = _cut(Content.styled(address, "$text-muted"), room - 3)
        return Content.assemble(
            server, " · " if server else "", project, "  " if reason else "", reason
        )

    def _right(self, room: int) -> Content:
        """What is being done, or as much of the rate and the backlog as has room."""
        if self.doing:
            doing = Content.styled(f"⟳ {text.one_line(self.doing[-1])}…", "$text-accent")
            return _cut(doing, room)
        if not self.link.stands:  # no rate of what was
            return self._backlog() if self.size.width >= _ROOMY else Content("")
        return next((each for each in self._loads() if each.cell_length <= room), Content(""))

    def _loads(self) -> Iterator[Content]:
        """How much comes in and what of it waits, in less and less room."""
        backlog, rate = self._backlog(), f"{self._rate.per_second:.1f}/s"
        gap = "  " if backlog else ""
        if self.size.width >= _WITH_BARS:
            shown = _BARS if self.size.width < _ROOMY else SECONDS
            bars = sparkline(self._rate.seconds[-shown:])
            yield Content.assemble(backlog, gap, (bars, "$text-accent"), " ", rate)
        yield Content.assemble(backlog, gap, rate)
        if backlog:
            yield backlog
        yield Content(rate)

    def _backlog(self) -> Content:
        if self.backlog is None:
            return Content("")
        waiting, failed = self.backlog
        told = numbers.backlog(waiting, failed).partition(" · ")
        return Content.assemble(told[0], told[1], (told[2], "bold $text-error"))


def time_of_day(ms: int) -> str:
    """The time of day on this machine, to the second."""
    return f"{dt.datetime.fromtimestamp(ms / 1000, dt.UTC).astimezone():%H:%M:%S}"


def _cut(said: Content, room: int) -> Content:
    """It in so many cells, or nothing where that would say nothing."""
    if said.cell_length <= room:
        return said
    return said.truncate(room, ellipsis=True) if room >= _LEAST else Content("")
