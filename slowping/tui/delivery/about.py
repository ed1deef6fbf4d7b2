"""Tell all there is to know of one delivery: how it stands, its event, every attempt at it."""

from typing import Final

import msgspec
from textual.content import Content

from slowping.core import text, times
from slowping.core.delivery import Attempt, Delivery, DeliveryState, EventDetail
from slowping.core.event import Event
from slowping.tui.delivery import errand, words
from slowping.tui.delivery.errand import Verb
from slowping.tui.delivery.groups import key_of
from slowping.tui.delivery.lines import Drawing
from slowping.tui.widgets import detail, drawing
from slowping.tui.widgets.pane import heading

_SHORT: Final = 240
"""Characters of an event's description that are shown; the feed has all of it."""

_TONES: Final = {
    "failed": "$text-error",
    "waiting": "$text-warning",
    "done": "$text-success",
    "muted": "$text-muted",
}


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the server told of a delivery beside itself."""

    event: Event | None = None
    attempts: tuple[Attempt, ...] = ()

    @classmethod
    def of(cls, told: EventDetail, delivery_id: str) -> "Known":
        """What is told of one of an event's deliveries."""
        for each in told.deliveries:
            if each.delivery.id == delivery_id:
                return cls(event=told.event, attempts=each.attempts)
        return cls(event=told.event)


def about(delivery: Delivery, known: Known | None, given: Drawing) -> Content:
    """The delivery, its event and its attempts; `known` is None while that is being loaded."""
    event = _event(delivery, known.event if known else None, given)
    loading = Content.styled("Loading the attempts…", "$text-muted")
    attempts = loading if known is None else _attempts(known.attempts)
    blocks = [_head(delivery, given), event, attempts, _facts(delivery)]
    return Content("\n\n").join(blocks)


def _head(delivery: Delivery, given: Drawing) -> Content:
    look = words.look_of(delivery, given.scene)
    tries = words.tries_of(delivery, given.scene, given.schedules)
    said = words.said_of(delivery, tries, given.scene, given.now_ms)
    head = Content.assemble(
        (look.mark, f"bold {_TONES[look.tone]}"),
        (f" {said}", "bold"),
        "\nto ",
        (text.one_line(delivery.channel), "bold"),
        (f" ({text.one_line(delivery.kind)})", "$text-muted"),
    )
    if delivery.last_error:
        head += Content(f"\n{text.one_line(delivery.last_error)}")
    why_not = errand.obstacle(Verb.RETRY, key_of(delivery), delivery.state, given.scene)
    # What is on its way says so already.
    if why_not is not None and delivery.state is not DeliveryState.LEASED:
        head += Content.styled(f"\nNo retry: {why_not}", "$text-muted")
    return head


def _facts(delivery: Delivery) -> Content:
    named = [
        ("project", delivery.project),
        ("attempts", str(delivery.attempts)),
        ("made", detail.moment(times.to_ms(delivery.created_at))),
        ("ended", detail.moment(times.to_ms(delivery.ended_at)) if delivery.ended_at else ""),
        ("reference", delivery.reference or ""),
        ("id", delivery.id),
    ]
    return Content("\n").join(detail.pairs([(name, value) for name, value in named if value]))


def _event(delivery: Delivery, event: Event | None, given: Drawing) -> Content:
    emoji = text.one_line(given.emojis.get((delivery.project, delivery.category), ""))
    lines = [
        Content.assemble(heading("Event"), ("  o shows it in the feed", "$text-muted")),
        Content.styled(f"{emoji} {text.one_line(delivery.category)}".lstrip(), "bold"),
    ]
    if event is not None:
        said = text.one_line(text.shorten(event.description or "", _SHORT))
        lines.append(Content(said or drawing.fields_line(event)))
    return Content("\n").join([line for line in lines if line])


def _attempts(attempts: tuple[Attempt, ...]) -> Content:
    if not attempts:
        return Content.styled("No attempt so far.", "$text-muted")
    # The latest at first: it is what has to be understood.
    latest_first = [detail.attempt_line(attempt) for attempt in reversed(attempts)]
    return Content("\n").join([heading("Attempts"), *latest_first])
