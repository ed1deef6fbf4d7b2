"""A list of figures: rows of as many lines as each has, and a cursor to walk them."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, Protocol

import msgspec
from textual import events as textual_events
from textual.app import RenderResult
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from slowping.tui.command import Commanded, on_command
from slowping.tui.commands import rows

_CURSOR: Final = "figures--cursor"


class Row(Protocol):
    """Draws itself; equal to another one that looks the same, which is then not drawn again."""

    def __call__(self, width: int, *, here: bool) -> Sequence[Content]:
        """The lines, each at most so many cells; `here` is the cursor."""
        ...


class _Drawn(msgspec.Struct, frozen=True):
    """A row as it was drawn last."""

    row: Row
    width: int
    here: bool
    lines: tuple[Content, ...]


class FigureList(Commanded, Widget, can_focus=True):
    """Shows what `show` is given; whatever it lies in scrolls to keep the cursor in sight."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {_CURSOR}

    cursor: reactive[int] = reactive(0)

    class Moved(Message):
        """Another row is under the cursor, or none."""

        def __init__(self, figures: "FigureList") -> None:
            super().__init__()
            self.figures = figures

    class Left(Message):
        """The cursor was to go `by` rows further than there are rows."""

        def __init__(self, figures: "FigureList", by: int) -> None:
            super().__init__()
            self.figures = figures
            self.by = by

    class Opened(Message):
        """A row was clicked twice."""

    def __init__(self, nothing: str, **kwargs: str) -> None:
        """`nothing` is said where there are no rows."""
        super().__init__(**kwargs)  # type: ignore[arg-type]  # id and classes are texts
        self._nothing = nothing
        self._rows: dict[str, Row] = {}
        self._drawn: dict[str, _Drawn] = {}

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the rows, from the first to the last."""
        return tuple(self._rows)

    @property
    def current(self) -> str | None:
        """The key of the row under the cursor."""
        return self.keys[self.cursor] if self._rows else None

    def show(self, given: Mapping[str, Row]) -> None:
        """Show these rows; the cursor stays on its row."""
        before, current = self._height(self.size.width), self.current
        self._rows = dict(given)
        self._drawn = {key: drawn for key, drawn in self._drawn.items() if key in given}
        keys = self.keys
        there = keys.index(current) if current in keys else min(self.cursor, len(keys) - 1)
        self.cursor = max(0, there)
        self.refresh(layout=self._height(self.size.width) != before)
        if self.current != current:
            self.post_message(self.Moved(self))

    def go(self, index: int) -> None:
        """Put the cursor on a row."""
        self.cursor = max(0, min(index, len(self._rows) - 1))
        self.keep_in_sight()
        self.post_message(self.Moved(self))

    # Moving about -----------------------------------------------------------------------------

    @on_command(rows.DOWN)
    def down(self) -> None:
        """One row down."""
        self._step(1)

    @on_command(rows.UP)
    def up(self) -> None:
        """One row up."""
        self._step(-1)

    @on_command(rows.TOP)
    def top(self) -> None:
        """To the first row."""
        self.go(0)

    @on_command(rows.BOTTOM)
    def bottom(self) -> None:
        """To the last row."""
        self.go(len(self._rows) - 1)

    @on_command(rows.HALF_DOWN)
    def half_down(self) -> None:
        """Half a page down."""
        self._leap(self.screen.size.height // 2)

    @on_command(rows.HALF_UP)
    def half_up(self) -> None:
        """Half a page up."""
        self._leap(-(self.screen.size.height // 2))

    @on_command(rows.PAGE_DOWN)
    def page_down(self) -> None:
        """A page down."""
        self._leap(self.screen.size.height)

    @on_command(rows.PAGE_UP)
    def page_up(self) -> None:
        """A page up."""
        self._leap(-self.screen.size.height)

    def on_click(self, event: textual_events.Click) -> None:
        """Put the cursor where the mouse is; a second click opens."""
        for index, place in enumerate(self._places()):
            if place.y <= event.y < place.bottom:
                self.go(index)
                if event.chain == 2:
                    self.post_message(self.Opened())

    def on_focus(self, event: textual_events.Focus) -> None:
        """The cursor is seen where the focus is."""
        del event
        self.keep_in_sight()
        self.post_message(self.Moved(self))

    def keep_in_sight(self) -> None:
        """Scroll what this lies in, so that the row under the cursor is seen."""
        places = self._places()
        if not places:
            return
        region = places[self.cursor]
        inner: Widget = self
        while isinstance(outer := inner.parent, Widget) and outer is not self.screen:
            region = region.translate(inner.virtual_region.offset)
            outer.scroll_to_region(region, animate=False, force=True, immediate=True)
            region = region.translate(-outer.scroll_offset)
            inner = outer

    def _step(self, by: int) -> None:
        if 0 <= self.cursor + by < len(self._rows):
            self.go(self.cursor + by)
        else:
            self.post_message(self.Left(self, by))

    def _leap(self, lines: int) -> None:
        """So many lines on, and one row at least."""
        places = self._places()
        if not places:
            self.post_message(self.Left(self, lines))
            return
        sought = places[self.cursor].y + lines
        there = max((i for i, place in enumerate(places) if place.y <= sought), default=0)
        if there == self.cursor:
            there += 1 if lines > 0 else -1
        self.go(there)

    # Drawing ----------------------------------------------------------------------------------

    def render(self) -> RenderResult:
        """Every row, the one under the cursor marked where the focus is here."""
        if not self._rows:
            return Content.styled(f" {self._nothing}", "$text-muted")
        lines: list[Content] = []
        for index, key in enumerate(self._rows):
            here = self.has_focus and index == self.cursor
            lines += self._lines(key, self.size.width, here=here)
        return Content("\n").join(lines)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as the rows have."""
        del container, viewport
        return self._height(width)

    def notify_style_update(self) -> None:
        """The theme has changed."""
        super().notify_style_update()
        self._drawn.clear()

    def watch_has_focus(self, focus: bool) -> None:
        """The cursor comes and goes with the focus."""
        super().watch_has_focus(focus)
        self.refresh()

    def _height(self, width: int) -> int:
        return max(1, sum(len(self._lines(key, width)) for key in self._rows))

    def _places(self) -> list[Region]:
        """Where each row is."""
        width, y, found = self.size.width, 0, []
        for key in self._rows:
            height = len(self._lines(key, width))
            found.append(Region(0, y, width, height))
            y += height
        return found

    def _lines(self, key: str, width: int, *, here: bool | None = None) -> Sequence[Content]:
        """The lines of a row; where it does not matter whether it has the cursor, as it had."""
        row, drawn = self._rows[key], self._drawn.get(key)
        if drawn and drawn.width == width and here in (None, drawn.here) and drawn.row == row:
            return drawn.lines
        lines = tuple(_fill(line, width) for line in row(width, here=bool(here)))
        if here:
            cursor = self.get_visual_style(_CURSOR)
            lines = tuple(line.stylize(cursor) for line in lines)
        self._drawn[key] = _Drawn(row, width, bool(here), lines)
        return lines


def _fill(line: Content, width: int) -> Content:
    """The line in exactly the width."""
    if line.cell_length > width:
        return line.truncate(width, ellipsis=True)
    return line.pad_right(width - line.cell_length)
