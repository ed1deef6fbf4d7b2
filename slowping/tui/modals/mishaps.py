"""Show what went wrong since the start, the latest first."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from slowping.tui.telling import Mishap
from slowping.tui.widgets.status_bar import time_of_day


class MishapsModal(ModalScreen[None]):
    """The errors that toasts have told."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,ctrl+e", "dismiss", "Close"),
        Binding("j", "scroll(1)", show=False),
        Binding("k", "scroll(-1)", show=False),
    ]

    def __init__(self, mishaps: Sequence[Mishap]) -> None:
        super().__init__()
        self._mishaps = mishaps

    def compose(self) -> ComposeResult:
        """One paragraph an error."""
        with VerticalScroll(classes="dialog"):
            yield Static(_drawn(self._mishaps))

    def action_scroll(self, lines: int) -> None:
        """Move through a list that is longer than the screen."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


def _drawn(mishaps: Sequence[Mishap]) -> Content:
    if not mishaps:
        return Content("Nothing has gone wrong so far.")
    return Content("\n\n").join(
        Content.assemble(
            (time_of_day(mishap.at_ms), "$text-muted"), "  ", (mishap.what, "bold"),
            "\n", mishap.why,
        )
        for mishap in mishaps
    )  # fmt: skip
