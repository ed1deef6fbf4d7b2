"""Put a letter on everything that can have the focus; the letter's key goes there."""

import string

from textual import events as textual_events
from textual.app import ComposeResult
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Static


class JumpModal(ModalScreen[Widget | None]):
    """Answers with what was chosen, or with None."""

    def __init__(self, screen: Screen[object]) -> None:
        super().__init__()
        inside = (widget for widget in screen.focus_chain if widget.region)
        self._letters = dict(zip(string.ascii_lowercase, inside, strict=False))

    def compose(self) -> ComposeResult:
        """A letter at the left upper corner of each."""
        for letter, widget in self._letters.items():
            label = Static(Content(f" {letter} "), classes="jump")
            label.absolute_offset = widget.region.offset
            yield label

    def on_key(self, event: textual_events.Key) -> None:
        """Go there; any other key goes nowhere."""
        event.stop()
        self.dismiss(self._letters.get(event.key))
