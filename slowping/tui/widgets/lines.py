"""A list of lines that are drawn as they come in sight: for rows by the thousand that change."""

from collections.abc import Callable, Hashable, Sequence
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events as textual_events
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from slowping.tui.command import Commanded, on_command
from slowping.tui.commands import rows
from slowping.tui.widgets import drawing

GAP: Final = 2
"""Cells between columns."""

Piece = tuple[str, str]
"""Harmless text, and its tone: one of `TONES`, or an empty one."""

Draw = Callable[[Hashable], Sequence[Piece]]
"""The line of the thing of this key, as wide as it likes."""

TONES: Final = ("muted", "failed", "waiting", "done", "strong")

_KEPT: Final = 500
"""So many drawn lines are kept."""


class Column:
    """One column of a list, of so many cells."""

    __slots__ = ("right", "title", "width")

    def __init__(self, title: str, width: int, *, right: bool = False) -> None:
        self.title = title
        self.width = width
        self.right = right

    def fit(self, content: str) -> str:
        """The content in exactly the width, and a gap after it."""
        if self.right and cell_len(content) < self.width:
            content = " " * (self.width - cell_len(content)) + content
        return drawing.fit(content, self.width) + " " * GAP


class Lines(Commanded, ScrollView, can_focus=True):
    """Things by key, in the order in which they are shown; the cursor stays with its thing."""

    help_title: ClassVar[str] = "In the list"
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "lines--cursor", *(f"lines--{tone}" for tone in TONES),
    }  # fmt: skip

    cursor: reactive[int] = reactive(-1, repaint=False)

    class Moved(Message):
        """Something else is under the cursor, or nothing."""

    class Resized(Message):
        """There is more room for columns, or less."""

    def __init__(self, draw: Draw, **kwargs: str) -> None:
        """`draw` is asked for the lines in sight whenever they are shown."""
        super().__init__(**kwargs)  # type: ignore[arg-type]  # id and classes are texts
        self.keys: tuple[Hashable, ...] = ()
        """What is shown, from the first to the last."""
        self._draw_line = draw
        self._was: Hashable | None = None
        self._styles: dict[str, Style] = {}
        self._drawn: dict[tuple[object, ...], Strip] = {}

    @property
    def current(self) -> Hashable | None:
        """The key of what is under the cursor."""
        return self.keys[self.cursor] if 0 <= self.cursor < len(self.keys) else None

    def show(self, keys: Sequence[Hashable]) -> None:
        """Show these, each as it is now; where the cursor's thing is gone, it stays in place."""
        current, shown = self._was, tuple(keys)
        if shown != self.keys:
            self.keys = shown
            self.virtual_size = Size(self.size.width, len(shown))
            self.set_reactive(Lines.cursor, self._place_of(current))
            self._keep_in_sight()
        self.refresh()
        self._tell()

    def go_to(self, key: Hashable) -> None:
        """Put the cursor on the thing of this key, if it is shown."""
        if key in self.keys:
            self.go(self.keys.index(key))

    def go(self, index: int) -> None:
        """Put the cursor on a line."""
        self.cursor = max(0, min(index, len(self.keys) - 1)) if self.keys else -1
        self._keep_in_sight()

    # Moving about -----------------------------------------------------------------------------

    @on_command(rows.DOWN)
    def down(self) -> None:
        """One row down."""
        self.go(self.cursor + 1)

    @on_command(rows.UP)
    def up(self) -> None:
        """One row up."""
        self.go(self.cursor - 1)

    @on_command(rows.TOP)
    def top(self) -> None:
        """To the first row."""
        self.go(0)

    @on_command(rows.BOTTOM)
    def bottom(self) -> None:
        """To the last row."""
        self.go(len(self.keys) - 1)

    @on_command(rows.HALF_DOWN)
    def half_down(self) -> None:
        """Half a page down."""
        self.go(self.cursor + self.size.height // 2)

    @on_command(rows.HALF_UP)
    def half_up(self) -> None:
        """Half a page up."""
        self.go(self.cursor - self.size.height // 2)

    @on_command(rows.PAGE_DOWN)
    def page_down(self) -> None:
        """A page down."""
        self.go(self.cursor + self.size.height)

    @on_command(rows.PAGE_UP)
    def page_up(self) -> None:
        """A page up."""
        self.go(self.cursor - self.size.height)

    def on_click(self, event: textual_events.Click) -> None:
        """Put the cursor where the mouse is."""
        index = event.y + self.scroll_offset.y
        if 0 <= index < len(self.keys):
            self.go(index)

    def on_resize(self) -> None:
        """Keep the cursor in sight, and tell those who choose columns by the room there is."""
        self.virtual_size = Size(self.size.width, len(self.keys))
        self._keep_in_sight()
        self.post_message(self.Resized())

    def watch_cursor(self) -> None:
        """Tell of something else under the cursor."""
        self.refresh()
        self._tell()

    # Drawing ----------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """One line of what is in sight."""
        index, width = y + self.scroll_offset.y, self.size.width
        if index >= len(self.keys):
            return Strip.blank(width, self._style(""))
        here = index == self.cursor
        pieces = tuple(self._draw_line(self.keys[index]))
        look = (pieces, width, here, here and self.has_focus)
        if look not in self._drawn:
            if len(self._drawn) >= _KEPT:
                self._drawn.clear()
            self._drawn[look] = self._strip(pieces, width, here=here)
        return self._drawn[look]

    def notify_style_update(self) -> None:
        """The theme has changed, or the focus."""
        super().notify_style_update()
        self._styles.clear()
        self._drawn.clear()

    def _strip(self, pieces: Sequence[Piece], width: int, *, here: bool) -> Strip:
        base = self._style("lines--cursor" if here else "")
        segments = [Segment(">" if here else " ", base)]
        for content, tone in pieces:
            toned = base if here or not tone else base + self._style(f"lines--{tone}")
            segments.append(Segment(content, toned))
        return Strip(segments).adjust_cell_length(width, base)

    def _style(self, name: str) -> Style:
        if name not in self._styles:
            # Not partial ones: these take the list's background for black, whatever the theme.
            self._styles[name] = self.get_component_rich_style(name) if name else self.rich_style
        return self._styles[name]

    def _place_of(self, key: Hashable | None) -> int:
        """Where this is now, or what stands where it stood."""
        if key is not None and key in self.keys:
            return self.keys.index(key)
        return max(0, min(self.cursor, len(self.keys) - 1)) if self.keys else -1

    def _keep_in_sight(self) -> None:
        top, height = self.scroll_offset.y, self.size.height
        if self.cursor < top:
            self.scroll_to(y=max(0, self.cursor), animate=False, force=True)
        elif height and self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, force=True)

    def _tell(self) -> None:
        if self.current != self._was:
            self._was = self.current
            self.post_message(self.Moved())
