"""A list of lines that are drawn as they come in sight: for rows by the thousand that change."""

from collections.abc import Callable, Hashable, Sequence
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from slowping.tui.widgets import drawing
from slowping.tui.widgets.moving import Moving

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


class Lines(Moving):
    """Things by key, in the order in which they are shown; the cursor stays with its thing."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "lines--cursor", *(f"lines--{tone}" for tone in TONES),
    }  # fmt: skip

    class Moved(Message):
        """Something else is under the cursor, or nothing."""

    class Resized(Message):
        """There is more room for columns, or less."""

    def __init__(self, draw: Draw, **kwargs: str) -> None:
        """`draw` is asked for the lines in sight whenever they are shown."""
        super().__init__(**kwargs)
        self.keys: tuple[Hashable, ...] = ()
        """What is shown, from the first to the last."""
        self._draw_line = draw
        self._was: Hashable | None = None
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
            self.keep_in_sight()
        self.refresh()
        self.tell()

    def go_to(self, key: Hashable) -> None:
        """Put the cursor on the thing of this key, if it is shown."""
        if key in self.keys:
            self.go(self.keys.index(key))

    def count(self) -> int:
        """How many lines there are."""
        return len(self.keys)

    def on_resize(self) -> None:
        """Keep the cursor in sight, and tell those who choose columns by the room there is."""
        self.virtual_size = Size(self.size.width, len(self.keys))
        self.keep_in_sight()
        self.post_message(self.Resized())

    # Drawing ----------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """One line of what is in sight."""
        index, width = y + self.scroll_offset.y, self.size.width
        if index >= len(self.keys):
            return Strip.blank(width, self.style_of(""))
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
        self._drawn.clear()

    def _strip(self, pieces: Sequence[Piece], width: int, *, here: bool) -> Strip:
        base = self.style_of("lines--cursor" if here else "")
        segments = [Segment(">" if here else " ", base)]
        for content, tone in pieces:
            toned = base if here or not tone else base + self.style_of(f"lines--{tone}")
            segments.append(Segment(content, toned))
        return Strip(segments).adjust_cell_length(width, base)

    def _place_of(self, key: Hashable | None) -> int:
        """Where this is now, or what stands where it stood."""
        if key is not None and key in self.keys:
            return self.keys.index(key)
        return max(0, min(self.cursor, len(self.keys) - 1)) if self.keys else -1

    def tell(self) -> None:
        """Tell of something else under the cursor."""
        if self.current != self._was:
            self._was = self.current
            self.post_message(self.Moved())
