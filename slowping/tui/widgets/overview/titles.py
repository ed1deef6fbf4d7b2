"""The titles above a list of figures, which stay where they are when it is scrolled."""

from collections.abc import Callable

from textual.app import RenderResult
from textual.content import Content
from textual.widget import Widget


class Titles(Widget):
    """Shows the titles for the room there is."""

    def __init__(self, draw: Callable[[int], Content]) -> None:
        super().__init__()
        self._draw_titles = draw

    def render(self) -> RenderResult:
        """One line."""
        return self._draw_titles(self.size.width)
