"""A table for small sets: rows by key, changed in place, with the same keys as every list."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual import events as textual_events
from textual.binding import BindingType
from textual.message import Message
from textual.widgets import DataTable

from slowping.core import text
from slowping.tui.command import Commanded, on_command
from slowping.tui.commands import rows

TONES: Final = ("muted", "failed", "waiting", "done")
"""What a cell's colour can say; its words say it as well."""

GAP: Final = 2
"""Cells that a column takes beside what stands in it."""

Rows = Mapping[str, Sequence[Text]]
"""Cells by the row's key, in the order in which they are shown."""


def cell(content: str, style: str | Style = "") -> Text:
    """What somebody wrote, as a cell: one line, harmless, never markup."""
    return Text(text.one_line(content), style=style, no_wrap=True, overflow="ellipsis")


def fitting(
    titles: Sequence[str],
    rows: Iterable[Sequence[Text]],
    by_weight: Sequence[str],
    room: int,
) -> tuple[int, ...]:
    """Places of the columns that fit into so many cells, in their order.

    `by_weight` names them, those that matter most first; what is not named there is left out. The
    first one is always there.
    """
    widths = [cell_len(title) for title in titles]
    for row in rows:
        widths = [max(width, each.cell_len) for width, each in zip(widths, row, strict=True)]
    chosen: set[int] = set()
    for title in by_weight:
        place = titles.index(title)
        width = widths[place] + GAP
        if width <= room or not chosen:
            chosen.add(place)
            room -= width
    return tuple(sorted(chosen))


class Table(Commanded, DataTable[Text], inherit_bindings=False):
    """Shows what `show` is given; only what has changed is drawn anew, and the cursor stays."""

    BINDINGS: ClassVar[list[BindingType]] = []
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"table--{tone}" for tone in TONES}

    class Moved(Message):
        """Another row is under the cursor, or none."""

    class Resized(Message):
        """There is more room for columns, or less."""

    def __init__(self, *titles: str, **kwargs: Any) -> None:  # as DataTable takes them
        super().__init__(cursor_type="row", zebra_stripes=False, **kwargs)
        self._titles = titles
        self._rows: dict[str, tuple[Text, ...]] = {}
        self._was: str | None = None
        self._left: str | None = None
        """The row that was under the cursor when the columns changed."""

    def on_mount(self) -> None:
        """The columns come first."""
        self._put_titles()

    def entitle(self, *titles: str) -> None:
        """Have other columns; the rows have to be shown again."""
        if titles == self._titles:
            return
        self._titles = titles
        self._left = self.current or self._left
        self._rows = {}
        self.clear(columns=True)
        self._put_titles()

    def _put_titles(self) -> None:
        for number, title in enumerate(self._titles):
            self.add_column(Text(title), key=str(number))

    def tone(self, name: str) -> Style:
        """How a cell is drawn that says this: one of `TONES`, or an empty one."""
        return self.get_component_rich_style(f"table--{name}", partial=True) if name else Style()

    @property
    def shown(self) -> tuple[str, ...]:
        """The keys of the rows, from the first to the last."""
        return tuple(self._rows)

    def go_to(self, key: str) -> None:
        """Put the cursor on the row of this key, if there is one."""
        if key in self._rows:
            self._go(list(self._rows).index(key))

    @property
    def current(self) -> str | None:
        """The key of the row under the cursor."""
        keys = list(self._rows)
        return keys[self.cursor_row] if 0 <= self.cursor_row < len(keys) else None

    def show(self, given: Rows) -> None:
        """Show these rows."""
        wanted = {key: tuple(cells) for key, cells in given.items()}
        kept = [key for key in self._rows if key in wanted]
        before = self._widths
        # New rows can be put at the end only; any other order is made anew.
        if list(wanted)[: len(kept)] == kept:
            self._change(wanted)
        else:
            self._refill(wanted)
        if self._widths != before:
            self.call_after_refresh(self._draw_anew)
        if self._left is not None:
            self.go_to(self._left)
            self._left = None
        self._tell()

    @property
    def _widths(self) -> tuple[int, ...]:
        """How wide the widest cell of each column is."""
        return tuple(
            max(each.cell_len for each in cells) for cells in zip(*self._rows.values(), strict=True)
        )

    def _draw_anew(self) -> None:
        """Columns are measured after rows are drawn, and what is drawn is kept."""
        self.notify_style_update()
        self.refresh()

    @on_command(rows.DOWN)
    def down(self) -> None:
        """One row down."""
        self._go(self.cursor_row + 1)

    @on_command(rows.UP)
    def up(self) -> None:
        """One row up."""
        self._go(self.cursor_row - 1)

    @on_command(rows.TOP)
    def top(self) -> None:
        """To the first row."""
        self._go(0)

    @on_command(rows.BOTTOM)
    def bottom(self) -> None:
        """To the last row."""
        self._go(len(self._rows) - 1)

    @on_command(rows.HALF_DOWN)
    def half_down(self) -> None:
        """Half a page down."""
        self._go(self.cursor_row + self.size.height // 2)

    @on_command(rows.HALF_UP)
    def half_up(self) -> None:
        """Half a page up."""
        self._go(self.cursor_row - self.size.height // 2)

    @on_command(rows.PAGE_DOWN)
    def page_down(self) -> None:
        """A page down."""
        self._go(self.cursor_row + self.size.height)

    @on_command(rows.PAGE_UP)
    def page_up(self) -> None:
        """A page up."""
        self._go(self.cursor_row - self.size.height)

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Tell of another row under the cursor."""
        event.stop()
        self._tell()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """A click puts the cursor there, which has been told already."""
        event.stop()

    def on_resize(self) -> None:
        """Tell those who choose columns by the room there is."""
        self.post_message(self.Resized())

    def on_focus(self, event: textual_events.Focus) -> None:
        """The keys in the footer are those of the row."""
        del event
        self.post_message(self.Moved())

    def _go(self, row: int) -> None:
        self.move_cursor(row=max(0, min(row, len(self._rows) - 1)), animate=False)

    def _change(self, wanted: dict[str, tuple[Text, ...]]) -> None:
        for key in [key for key in self._rows if key not in wanted]:
            self.remove_row(key)
        for key, cells in wanted.items():
            if key not in self._rows:
                self.add_row(*cells, key=key)
            for number, (old, new) in enumerate(
                zip(self._rows.get(key, cells), cells, strict=True)
            ):
                if old is not new and (old != new or old.style != new.style):
                    self.update_cell(key, str(number), new, update_width=True)
        self._rows = wanted

    def _refill(self, wanted: dict[str, tuple[Text, ...]]) -> None:
        current, top = self.current, self.scroll_offset.y
        self.clear()
        for key, cells in wanted.items():
            self.add_row(*cells, key=key)
        self._rows = wanted
        if current in wanted:
            self.move_cursor(row=list(wanted).index(current), animate=False)
            self.scroll_to(y=top, animate=False)

    def _tell(self) -> None:
        if self.current != self._was:
            self._was = self.current
            self.post_message(self.Moved())
