"""Ask before something that is hard to reverse: Cancel has the focus, or a name is to be typed."""

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from slowping.core import text

_TYPED: Final = 40
"""Of a longer name its beginning is enough: it has to be seen while it is typed."""


class ConfirmModal(ModalScreen[bool]):
    """Answers True where the person means it."""

    AUTO_FOCUS = "Input, #cancel"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(False)", "Cancel"),
        Binding("n", "answer(False)", "No"),
        Binding("y", "answer(True)", "Yes"),
        Binding("left,h", "app.focus_previous", show=False),
        Binding("right,l", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]

    def __init__(
        self, question: str, detail: str = "", *, yes: str = "Do it", name: str | None = None
    ) -> None:
        """`yes` names the act; a `name` has to be typed as it is shown, and no letter answers.

        Of a name of more than 40 characters only the beginning is asked for.
        """
        super().__init__()
        self._question = question
        self._detail = detail
        self._yes = yes
        self._whole_name = None if name is None else text.one_line(name)
        self._asked_name = self._whole_name and self._whole_name[:_TYPED].strip()

    def compose(self) -> ComposeResult:
        """The question, what follows from it, the name to type, two buttons."""
        no, yes = ("n", "y") if self._asked_name is None else ("esc", "enter")
        with Vertical(classes="dialog"):
            yield Static(Content.styled(text.one_line(self._question), "bold"), classes="title")
            if self._detail:
                yield Static(Content(text.visible(self._detail)), classes="detail loss")
            if self._asked_name is not None:
                is_whole = self._asked_name == self._whole_name
                what = "Type " if is_whole else "Type the beginning of the name, "
                rest = " to go on:" if is_whole else ", to go on:"
                yield Static(Content.assemble(what, (self._asked_name, "bold"), rest))
                yield Input(id="name")
            with Horizontal(classes="buttons"):
                yield Button(Content(f"Cancel ({no})"), id="cancel")
                yield Button(Content(f"{self._yes} ({yes})"), id="yes", variant="error")

    def on_mount(self) -> None:
        """Nothing happens by a stray Enter."""
        self._allow()

    def on_input_changed(self) -> None:
        """See whether the name is typed."""
        self._allow()

    def on_input_submitted(self) -> None:
        """Enter answers yes behind the right name, and nothing behind another."""
        if self._may():
            self.dismiss(True)
        else:
            what = f"Type {self._asked_name} as it stands there, or leave by esc."
            self.app.notify(what, severity="warning", markup=False)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer."""
        self.dismiss(event.button.id == "yes" and self._may())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No letter answers where a name is being typed."""
        if action == "answer" and self._asked_name is not None:
            return False
        return super().check_action(action, parameters)

    def action_answer(self, yes: bool) -> None:
        """Answer by a letter."""
        self.dismiss(yes)

    def _may(self) -> bool:
        if self._asked_name is None:
            return True
        typed = self.query_one("#name", Input).value.strip()
        whole = self._whole_name or ""
        return len(typed) >= len(self._asked_name) and whole.startswith(typed)

    def _allow(self) -> None:
        self.query_one("#yes", Button).disabled = not self._may()
