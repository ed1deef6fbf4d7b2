"""Ask before something that is hard to reverse; Cancel has the focus."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from slowping.core import text


class ConfirmModal(ModalScreen[bool]):
    """Answers True where the person means it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "dismiss(False)", "Cancel"),
        Binding("y", "confirm", "Yes"),
        Binding("left,h", "app.focus_previous", show=False),
        Binding("right,l", "app.focus_next", show=False),
    ]

    def __init__(
        self, question: str, detail: str = "", *, yes: str = "Do it", name: str | None = None
    ) -> None:
        """`yes` names the act; where `name` is given it has to be typed first."""
        super().__init__()
        self._question = question
        self._detail = detail
        self._yes = yes
        self._asked_name = name

    def compose(self) -> ComposeResult:
        """The question, what follows from it, the name to type, two buttons."""
        with Vertical(classes="dialog"):
            yield Static(Content.styled(text.visible(self._question), "bold"))
            if self._detail:
                yield Static(Content(text.visible(self._detail)), classes="detail")
            if self._asked_name is not None:
                yield Static(Content(f"Type {text.one_line(self._asked_name)} to go on:"))
                yield Input(id="name")
            with Horizontal(classes="buttons"):
                yield Button(Content("Cancel (n)"), id="cancel")
                yield Button(Content(f"{self._yes} (y)"), id="yes", variant="error")

    def on_mount(self) -> None:
        """Nothing happens by a stray Enter."""
        self.query_one("#cancel", Button).focus()
        self._allow()

    def on_input_changed(self) -> None:
        """See whether the name is typed."""
        self._allow()

    def on_input_submitted(self) -> None:
        """Enter in the name's field goes to the buttons, and no further."""
        self.query_one("#yes" if self._may() else "#cancel", Button).focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer."""
        self.dismiss(event.button.id == "yes" and self._may())

    def action_confirm(self) -> None:
        """Answer yes, if that is allowed yet."""
        if self._may():
            self.dismiss(True)
        else:
            self.app.notify("Type the name first.", severity="warning", markup=False)

    def _may(self) -> bool:
        if self._asked_name is None:
            return True
        return self.query_one("#name", Input).value == self._asked_name

    def _allow(self) -> None:
        self.query_one("#yes", Button).disabled = not self._may()
