"""Wait for the next event of a category, and show it with what becomes of it."""

from collections.abc import Callable, Sequence
from typing import Final

from textual.content import Content
from textual.widgets import Static

from slowping.core import text
from slowping.core.delivery import Delivery, DeliveryState
from slowping.core.event import Event
from slowping.core.feed import DeliveryChanged, EventAccepted, FeedItem
from slowping.tui.widgets import drawing

_PULSE_S: Final = 0.7
_STATES: Final = {
    DeliveryState.DELIVERED: ("✓ delivered", "$text-success"),
    DeliveryState.FAILED: ("✗ failed", "$text-error"),
    DeliveryState.PENDING: ("⟳ waiting", "$text-warning"),
    DeliveryState.LEASED: ("⟳ on its way", "$text-warning"),
    DeliveryState.DISCARDED: ("- discarded", "$text-muted"),
}


class Listening(Static):
    """Says that it listens, until an event of this category comes; then shows the latest."""

    def __init__(self, project: str, category: str, now_ms: Callable[[], int]) -> None:
        super().__init__(classes="listening")
        self._subject = (project, category)
        self._now_ms = now_ms
        self._event: Event | None = None
        self._count = 0
        self._deliveries: dict[str, Delivery] = {}
        self._lost = ""
        self._lit = True

    def on_mount(self) -> None:
        """Pulse, where things may move."""
        if self.app.animation_level != "none":
            self.set_interval(_PULSE_S, self._pulse)
        self._draw()

    def hear(self, batch: Sequence[FeedItem]) -> None:
        """Take in what the feed tells."""
        for item in batch:
            match item:
                case EventAccepted(event=event) if self._subject == (event.project, event.category):
                    self._event, self._deliveries = event, {}
                    self._count += 1
                case DeliveryChanged(delivery=delivery):
                    if self._event is not None and delivery.event_id == self._event.id:
                        self._deliveries[delivery.id] = delivery
        self._draw()

    def lose(self, lamp: str) -> None:
        """Say that the line is lost, by the word of the lamp; without a word, that it stands."""
        self._lost = lamp
        self._draw()

    def _pulse(self) -> None:
        self._lit = not self._lit
        if self._event is None:
            self._draw()

    def _draw(self) -> None:
        self.set_class(self._event is not None, "-live")
        parts = [self._waiting() if self._event is None else self._arrived(self._event)]
        if self._lost:
            said = f"○ {self._lost}: what is sent now shows once the line stands again."
            parts = [Content.styled(said, "$text-warning"), *parts[bool(self._event is None) :]]
        self.update(Content("\n").join(parts))

    def _waiting(self) -> Content:
        mark = ("●", "$text-success") if self._lit else ("○", "$text-muted")
        name = text.one_line(self._subject[1])
        return Content.assemble(mark, f" Listening for an event in {name}…")

    def _arrived(self, event: Event) -> Content:
        when = drawing.clock(event.received_at, self._now_ms())
        said = text.one_line(event.description or "")
        head = Content.assemble(
            ("✓ It came: ", "bold $text-success"), (f"{when} ", "$text-muted"), (said, "bold")
        )
        if self._count > 1:
            head += Content.styled(f"  the latest of {self._count}", "$text-muted")
        lines = [head]
        if event.fields:
            lines.append(Content(f"  {drawing.fields_line(event)}"))
        return Content("\n").join([*lines, *self._outcomes(event)])

    def _outcomes(self, event: Event) -> list[Content]:
        total = sum(event.deliveries.values())
        if not total:
            nobody = "  Nobody is told: the project has no channel for it (3)."
            return [Content.styled(nobody, "$text-muted")]
        lines = [_outcome(each) for each in self._deliveries.values()]
        unheard = total - len(self._deliveries)
        if unheard > 0:
            lines.append(Content.styled(f"  ⟳ {unheard} on the way", "$text-warning"))
        return lines


def _outcome(delivery: Delivery) -> Content:
    words, color = _STATES[delivery.state]
    line = Content.assemble("  ", (words, color), f"  {text.one_line(delivery.channel)}")
    if delivery.last_error and delivery.state is not DeliveryState.DELIVERED:
        line += Content.styled(f"  {text.one_line(delivery.last_error)}", "$text-muted")
    return line
