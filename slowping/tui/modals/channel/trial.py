"""Show that a test is on its way, and what the far side has made of it."""

from collections.abc import Callable
from typing import ClassVar, Final

from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from slowping.core import errors, text
from slowping.core.channel import Channel, ChannelTest
from slowping.tui import act
from slowping.tui.channel import card

_LONGEST_TOLD: Final = 400
_WAIT: Final = "The far side may take its time, 90 s at most. esc goes on without waiting."


class TrialModal(ModalScreen[bool]):
    """Answers True where another test is to be sent."""

    told = getters.query_one("#told", Static)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(False)", "Close"),
        Binding("t", "again", "Test again"),
        Binding("left,h", "app.focus_previous", show=False),
        Binding("right,l", "app.focus_next", show=False),
    ]

    def __init__(self, channel: Channel, now_ms: Callable[[], int], tick_s: float) -> None:
        """Every `tick_s` seconds it is shown how long the test has been on its way."""
        super().__init__()
        self._channel = channel
        self._now_ms = now_ms
        self._tick_s = tick_s
        self._since_ms = now_ms()
        self._is_over = False

    def compose(self) -> ComposeResult:
        """What is tested, what has come of it, two buttons."""
        name = text.one_line(self._channel.name)
        with Vertical(classes="dialog"):
            yield Static(Content.styled(f"A test of {name}", "bold"), classes="title")
            yield Static(id="told", classes="detail")
            with Horizontal(classes="buttons"):
                yield Button("Test again (t)", id="again")
                yield Button("Close (esc)", id="close")

    def on_mount(self) -> None:
        """Wait."""
        self.query_one("#again", Button).disabled = True
        self.query_one("#close", Button).focus()
        self.set_interval(self._tick_s, self._show_wait)
        self._show_wait()

    def show(self, test: ChannelTest) -> None:
        """Show what has come of it."""
        self._end(card.tested(self._channel, test))

    def refuse(self, error: errors.SlowpingError) -> None:
        """Show why there is no result. It stays: who types on has to see what is typed into."""
        why = f"{text.shorten(act.told(error), _LONGEST_TOLD)} {act.advice(error)}"
        self._end(Content.assemble(("✗ no result", "$text-error"), "\n", why))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Test again, or leave."""
        self.dismiss(event.button.id == "again")

    def action_again(self) -> None:
        """Test again, once this one is over."""
        if self._is_over:
            self.dismiss(True)

    def _end(self, told: Content) -> None:
        self._is_over = True
        self.query_one("#again", Button).disabled = False
        self.told.update(told)

    def _show_wait(self) -> None:
        if not self._is_over:
            seconds = (self._now_ms() - self._since_ms) // 1000
            self.told.update(
                Content.assemble(
                    (f"⟳ on its way for {seconds} s", "$text-accent"), "\n", (_WAIT, "$text-muted")
                )
            )
