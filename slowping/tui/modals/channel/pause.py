"""Ask why a channel is to pause, and close once it does."""

from typing import ClassVar

from textual import getters, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from slowping.core import errors, text
from slowping.core.channel import Channel
from slowping.tui import act
from slowping.tui.app import SlowpingApp

_LONGEST = 500


class PauseModal(ModalScreen[Channel | None]):
    """Answers with the channel as it stands then, or with None."""

    app = getters.app(SlowpingApp)
    reason = getters.query_one(Input)
    state = getters.query_one("#state", Static)

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Cancel"),
        Binding("ctrl+s", "save", "Pause"),
    ]

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self._channel = channel
        self._pausing = False

    def compose(self) -> ComposeResult:
        """What follows, a field for the reason, two buttons."""
        with Vertical(classes="dialog"):
            yield Static(Content.styled(f"Pause {text.one_line(self._channel.name)}?", "bold"))
            yield Static(
                "Its deliveries are made as before and wait. When it is resumed (s), they go out "
                "in order."
            )
            yield Static("Why, for those who wonder", classes="label")
            yield Input(placeholder="optional", max_length=_LONGEST)
            yield Static(id="state")
            with Horizontal(classes="buttons"):
                yield Button("Pause (ctrl+s)", id="save", variant="primary")
                yield Button("Cancel (esc)", id="cancel")

    def on_input_submitted(self) -> None:
        """Enter goes on to the buttons."""
        self.query_one("#save", Button).focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Pause, or leave."""
        if event.button.id == "save":
            self.action_save()
        else:
            self.action_leave()

    def action_leave(self) -> None:
        """Leave, but not before the answer is there."""
        if not self._pausing:
            self.dismiss(None)

    def action_save(self) -> None:
        """Pause; what the server has against it is shown, and the reason stays."""
        if not self._pausing:
            self._pausing = True
            self._pause()

    @work
    async def _pause(self) -> None:
        why = self.reason.value.strip() or None
        self.state.update(Content.styled("Pausing…", "$text-muted"))
        paused = await act.answer(lambda: self.app.client.pause_channel(self._channel.id, why))
        self._pausing = False
        if isinstance(paused, errors.SlowpingError):
            self.state.update(Content.styled(f"✗ {act.told(paused)}", "$text-error"))
        else:
            self.dismiss(paused)
