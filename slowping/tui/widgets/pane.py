"""A pane of text that is read line by line with the keys of every list."""

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from slowping.tui.command import Commanded, on_command
from slowping.tui.commands import rows


class Pane(Commanded, VerticalScroll):
    """Shows what it is told."""

    def compose(self) -> ComposeResult:
        """All of it is one text, which can be selected with the mouse."""
        yield Static(id="told")

    def tell(self, what: Content) -> None:
        """Show this."""
        self.query_one("#told", Static).update(what)

    @on_command(rows.DOWN)
    def down(self) -> None:
        """One line down."""
        self.scroll_relative(y=1, animate=False)

    @on_command(rows.UP)
    def up(self) -> None:
        """One line up."""
        self.scroll_relative(y=-1, animate=False)

    @on_command(rows.TOP)
    def top(self) -> None:
        """To the first line."""
        self.scroll_home(animate=False)

    @on_command(rows.BOTTOM)
    def bottom(self) -> None:
        """To the last line."""
        self.scroll_end(animate=False)

    @on_command(rows.HALF_DOWN)
    def half_down(self) -> None:
        """Half a page down."""
        self.scroll_relative(y=self.size.height // 2, animate=False)

    @on_command(rows.HALF_UP)
    def half_up(self) -> None:
        """Half a page up."""
        self.scroll_relative(y=-(self.size.height // 2), animate=False)


def heading(title: str) -> Content:
    """The title of a section."""
    return Content.styled(title, "bold $text-primary")
