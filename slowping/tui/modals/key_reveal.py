"""Show secrets once: to copy, to select, to save; nothing closes it by accident."""

import asyncio
from collections.abc import Mapping
from typing import ClassVar, Final

from textual import getters, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from slowping.core import text
from slowping.tui import secret_file
from slowping.tui.modals.confirm import ConfirmModal

_ONCE: Final = "Shown this once: the server cannot tell it again."
_SENT: Final = (
    "Sent to your terminal's clipboard. Some terminals, and tmux as it comes, refuse that: "
    "paste it somewhere to see, or save it to a file."
)


class KeyRevealModal(ModalScreen[None]):
    """Shows each secret below its name; leaving takes a second step, unless it was saved."""

    file = getters.query_one("#file", Input)
    state = getters.query_one("#state", Static)

    AUTO_FOCUS = "#close"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter", "close", "Close"),
        Binding("c,y", "copy", "Copy"),
        Binding("w", "ask_file", "Save"),
        Binding("v", "mask", "Show or mask"),
        Binding("left,h", "app.focus_previous", show=False),
        Binding("right,l", "app.focus_next", show=False),
    ]

    def __init__(
        self, title: str, secrets: Mapping[str, str], note: str = "", *, file: str = ""
    ) -> None:
        """`secrets` are values by their names; `file` is what a file is called after."""
        super().__init__()
        self._title = title
        self._secrets = dict(secrets)
        self._note = note
        self._file = file
        self._masked = False
        self._saved = False

    def compose(self) -> ComposeResult:
        """What it is, the secrets, what was done with them, a field for a file, buttons."""
        with Vertical(classes="dialog reveal"):
            yield Static(Content.styled(text.one_line(self._title), "bold"), classes="title")
            if self._note:
                yield Static(Content(text.visible(self._note)))
            for number, name in enumerate(self._secrets):
                yield Static(Content(text.one_line(name)), classes="label")
                yield Static(id=f"secret-{number}", classes="secret")
            yield Static(Content.styled(_ONCE, "$text-warning"), id="state", classes="gap")
            yield Input(secret_file.usual_path(self._file), id="file", classes="gap")
            with Horizontal(classes="buttons"):
                yield Button("Copy (c)", id="copy")
                yield Button("Mask (v)", id="mask")
                yield Button("Save (w)", id="save")
                yield Button("Close (esc)", id="close")

    def on_mount(self) -> None:
        """Nothing is hidden yet, and no file asked for."""
        self.file.display = False
        self._show()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Do what the button says."""
        {
            "copy": self.action_copy,
            "mask": self.action_mask,
            "save": self._save if self.file.display else self.action_ask_file,
            "close": self.action_close,
        }[str(event.button.id)]()

    def on_input_submitted(self) -> None:
        """Enter in the file's field saves."""
        self._save()

    def action_copy(self) -> None:
        """Send them to the terminal's clipboard, and hide them."""
        self.app.copy_to_clipboard(self._written())
        self._masked = True
        self._show()
        self._say(_SENT, "$text-warning")

    def action_mask(self) -> None:
        """Hide them, or show them again."""
        self._masked = not self._masked
        self._show()

    def action_ask_file(self) -> None:
        """Let the person say which file."""
        self.file.display = True
        self.file.focus()
        self._say("Which file? It will be readable by you alone. Enter saves.", "$text-muted")

    @work(exclusive=True)
    async def action_close(self) -> None:
        """Leave the field; else leave, once it is saved or the person has said that it is kept.

        What was copied may be lost: a terminal does not say that it has refused it.
        """
        if self.focused is self.file:
            self._leave_field()
            return
        if self._saved:
            self.dismiss()
            return
        kept = ConfirmModal("Have you kept it?", "It is never shown again.", yes="I have kept it")
        if await self.app.push_screen_wait(kept):
            self.dismiss()

    @work(exclusive=True)
    async def _save(self) -> None:
        where = self.file.value
        problem = await asyncio.to_thread(secret_file.keep, where, f"{self._written()}\n")
        if problem is not None:
            self._say(problem, "$text-error")
            return
        self._saved = True
        self._leave_field()
        self._say(f"Saved to {where.strip()}, readable by you alone.", "$text-success")

    def _leave_field(self) -> None:
        self.file.display = False
        self.query_one("#close", Button).focus()
        self._say(_ONCE, "$text-warning")

    def _written(self) -> str:
        """The bare value where there is one, so that a file of it serves as it is."""
        if len(self._secrets) == 1:
            return next(iter(self._secrets.values()))
        return "\n".join(f"{name}={value}" for name, value in self._secrets.items())

    def _show(self) -> None:
        for number, value in enumerate(self._secrets.values()):
            shown = "•" * len(value) if self._masked else text.one_line(value)
            self.query_one(f"#secret-{number}", Static).update(Content.styled(shown, "bold"))
        self.query_one("#mask", Button).label = "Show (v)" if self._masked else "Mask (v)"

    def _say(self, what: str, style: str) -> None:
        self.state.update(Content.styled(text.visible(what), style))
