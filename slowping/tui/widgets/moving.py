"""Move a cursor through rows of one line each with the keys of every list, and the mouse."""

import abc

from rich.style import Style
from textual import events as textual_events
from textual.reactive import reactive
from textual.scroll_view import ScrollView

from slowping.tui.command import Commanded, on_command
from slowping.tui.commands import rows


class Moving(Commanded, ScrollView, can_focus=True):
    """Lines by the thousand, drawn as they come in sight; the one under the cursor stays there."""

    cursor: reactive[int] = reactive(-1, repaint=False)
    """Counted from the first line; -1 where there is none."""

    def __init__(self, **kwargs: str) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]  # id and classes are texts
        self._styles: dict[str, Style] = {}

    @abc.abstractmethod
    def count(self) -> int:
        """How many lines there are."""

    @abc.abstractmethod
    def tell(self) -> None:
        """Tell whoever listens what is under the cursor, if that is something else now."""

    def go(self, index: int) -> None:
        """Put the cursor on a line, or on the one that is nearest to there."""
        self.cursor = max(-1, min(max(0, index), self.count() - 1))
        self.keep_in_sight()

    def keep_in_sight(self) -> None:
        """Scroll as little as is needed to see the cursor."""
        top, height = self.scroll_offset.y, self.size.height
        if self.cursor < top:
            self.scroll_to(y=max(0, self.cursor), animate=False, force=True)
        elif height and self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, force=True)

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
        self.go(self.count() - 1)

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
        if 0 <= index < self.count():
            self.go(index)

    def watch_cursor(self) -> None:
        """Tell of something else under the cursor."""
        self.refresh()
        self.tell()

    def style_of(self, name: str) -> Style:
        """A component's style, kept until the theme changes; without a name, that of the list."""
        if name not in self._styles:
            # Not partial ones: these take the list's background for black, whatever the theme.
            self._styles[name] = self.get_component_rich_style(name) if name else self.rich_style
        return self._styles[name]

    def notify_style_update(self) -> None:
        """The theme has changed, or the focus."""
        super().notify_style_update()
        self._styles.clear()
