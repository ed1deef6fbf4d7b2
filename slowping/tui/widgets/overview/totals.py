"""Draw what came in: today, this week and this month as large figures, the last day as bars."""

import datetime as dt
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.app import RenderResult
from textual.content import Content
from textual.geometry import Size
from textual.renderables.digits import Digits
from textual.widget import Widget

from slowping.core.overview import HOURS, Overview
from slowping.tui.figures import numbers
from slowping.tui.widgets import drawing

_BESIDE: Final = 120
"""Cells from which on the bars stand beside the figures."""
_PERIODS: Final = (("Today", "today"), ("This week", "week"), ("This month", "month"))
_PERIOD_WIDTH: Final = 26
_MARGIN: Final = 9
"""Cells beside the bars, for what the largest of them means."""
_MARKED: Final = 6
"""So many hours lie between two that are marked."""
_MUTED: Final = "$text-muted"


class Totals(Widget):
    """Shows what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self._overview: Overview | None = None
        self._as_of = ""

    def show(self, overview: Overview, as_of: str) -> None:
        """Show these figures; `as_of` is a time, where they are not those of now."""
        rows = self._rows(self.size.width)
        self._overview, self._as_of = overview, as_of
        self.refresh(layout=self._rows(self.size.width) != rows)

    def render(self) -> RenderResult:
        """Figures and bars, beside each other or one below the other."""
        if self._overview is None:
            return ""
        width = self.size.width
        if width >= _BESIDE:
            left = _figures(self._overview, _PERIOD_WIDTH)
            beside = width - 3 * _PERIOD_WIDTH
            right = [_busiest(self._overview), *_bars(self._overview, beside, 4)]
            under = (self._said(), "")
            left += [Content.styled(drawing.fit(each, 3 * _PERIOD_WIDTH), _MUTED) for each in under]
            lines = [Content.assemble(*both) for both in zip(left, right, strict=True)]
        else:
            lines = _figures(self._overview, (width - 1) // 3)
            lines += _bars(self._overview, width, 2)
            lines += [Content.styled(self._said(), _MUTED)] if self._as_of else []
        return Content("\n").join(lines)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as are drawn."""
        del container, viewport
        return self._rows(width)

    def _rows(self, width: int) -> int:
        return 6 if width >= _BESIDE else 7 + bool(self._as_of)

    def _said(self) -> str:
        total = self._overview.events.total if self._overview else 0
        as_of = f"as of {self._as_of} · " if self._as_of else ""
        return f" {as_of}{numbers.whole(total)} in all"


def _figures(overview: Overview, width: int) -> list[Content]:
    """A title and three lines, for each period in so many cells."""
    titles = "".join(drawing.fit(f" {title}", width) for title, _ in _PERIODS)
    drawn = [_large(getattr(overview.events, name), width - 2) for _, name in _PERIODS]
    return [
        Content.styled(titles, _MUTED),
        *(
            Content.styled("".join(drawing.fit(f" {line}", width) for line in lines), "bold")
            for lines in zip(*drawn, strict=True)
        ),
    ]


def _large(figure: int, room: int) -> list[str]:
    """The figure in letters of three lines, shortened where there is no room for all of it."""
    shown = numbers.whole(figure, 100)
    if Digits.get_width(shown) > room:
        shown = numbers.whole(figure, 0)
    parts = Digits(shown).render(Style(bold=True))
    return [part.text for part in parts if isinstance(part, Segment) and part != Segment.line()]


def _bars(overview: Overview, width: int, height: int) -> list[Content]:
    """So many lines of bars, and one with the hours that they are for."""
    cells = max(1, (width - _MARGIN) // HOURS)
    drawn = drawing.bars(overview.hours, height, cells)
    drawn[-1] = drawn[-1].replace(" ", "·")
    most = max(overview.hours, default=0)
    largest = f" {numbers.whole(most, 5)}/h" if most else ""
    lines = [Content.styled(f" {line}", "$text-accent") for line in drawn]
    lines[0] = Content.assemble(lines[0], (largest, _MUTED))
    axis = Content.styled(f" {_axis(overview.as_of, cells)}", _MUTED)
    return [*lines, axis]


def _axis(as_of: dt.datetime, cells: int) -> str:
    """When every sixth hour began, below its bar, by the clock of this machine."""
    first = as_of.replace(minute=0, second=0, microsecond=0) - dt.timedelta(hours=HOURS - 1)
    marks = [
        f"{(first + dt.timedelta(hours=hour)).astimezone():%H:%M}".ljust(_MARKED * cells)
        for hour in range(0, HOURS, _MARKED)
    ]
    return "".join(marks)[: HOURS * cells - 3] + "now"


def _busiest(overview: Overview) -> Content:
    most = max(overview.hours, default=0)
    largest = f", at most {numbers.whole(most)} an hour" if most else ""
    return Content.styled(f" Last {HOURS} hours{largest}", _MUTED)
