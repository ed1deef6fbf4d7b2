"""Draw one event whole: its fields, its deliveries, and every attempt at them."""

from collections.abc import Callable
from typing import Final

import msgspec
from textual.app import ComposeResult
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from slowping.core import text, times
from slowping.core.delivery import Attempt, AttemptOutcome, DeliveryDetail, DeliveryState
from slowping.core.event import Event
from slowping.tui.widgets import drawing
from slowping.tui.widgets.pane import Pane, heading

_STATES = {
    DeliveryState.DELIVERED: ("✓", "$text-success"),
    DeliveryState.FAILED: ("✗", "$text-error"),
    DeliveryState.PENDING: ("⟳", "$text-warning"),
    DeliveryState.LEASED: ("⟳", "$text-warning"),
    DeliveryState.DISCARDED: ("-", "$text-muted"),
}

_OUTCOMES = {
    AttemptOutcome.RETRY: "failed",
    AttemptOutcome.UNKNOWN: "no answer, may have arrived",
    AttemptOutcome.LOST: "cut off, may have arrived",
}
"""Words for those that do not say it themselves."""

MOST_LINES: Final = 500
MOST_LETTERS: Final = 20_000
"""Of a text that a sender has written: a megabyte would take a minute to be laid out."""


class Detail(Pane):
    """Shows the event it is given; deliveries follow when they are known."""

    markdown: reactive[bool] = reactive(False, init=False)
    """Whether the description is drawn as Markdown; links in it lead nowhere."""

    def __init__(self, now_ms: Callable[[], int], **kwargs: str) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]  # id and classes are texts
        self._now_ms = now_ms
        self._description = ""

    def compose(self) -> ComposeResult:
        """What stands above the description, the description, and what stands below."""
        yield from super().compose()
        yield Static(id="description")
        yield Static(id="rest")

    def show(
        self,
        event: Event | None,
        deliveries: tuple[DeliveryDetail, ...] | None,
        emoji: str = "",
    ) -> None:
        """Show an event; `deliveries` is None as long as they are not known."""
        rest = Content("")
        if event is None:
            self.tell(Content.styled("No event is selected.", "$text-muted"))
        else:
            self.tell(_head(event, emoji))
            blocks = (_fields(event), _deliveries(deliveries, self._now_ms()), _raw(event))
            rest = Content("\n\n").join([block for block in blocks if block])
        self.query_one("#rest", Static).update(rest)
        self._describe(beginning(text.visible((event.description if event else None) or "")))

    def watch_markdown(self) -> None:
        """Draw the description the other way."""
        description, self._description = self._description, ""
        self._describe(description)

    def _describe(self, description: str) -> None:
        plain = self.query_one("#description", Static)
        plain.display = bool(description) and not self.markdown
        if description == self._description:
            return
        self._description = description
        plain.update(Content(description.expandtabs(4)))
        for drawn in self.query("Markdown"):
            drawn.remove()
        if self.markdown and description:
            from textual.widgets import Markdown  # its parser is loaded for nobody else

            self.mount(Markdown(description, open_links=False), after=plain)


def _head(event: Event, emoji: str) -> Content:
    rows = [
        ("project", event.project),
        ("source", event.source or ""),
        ("came by", event.dialect),
        ("occurred", moment(times.to_ms(event.occurred_at)) if event.occurred_at else ""),
        ("received", moment(times.to_ms(event.received_at))),
        ("id", event.id),
    ]
    title = Content.styled(f"{text.one_line(emoji)} {text.one_line(event.category)}", "bold")
    return Content("\n").join([title, *pairs([(n, v) for n, v in rows if v])])


def _fields(event: Event) -> Content:
    if not event.fields:
        return Content("")
    named = [(name, text.show(value)) for name, value in event.fields.items()]
    return Content("\n").join([heading("Fields"), *pairs(named)])


def pairs(named: list[tuple[str, str]]) -> list[Content]:
    """Names with values, one pair a line; the values stand below each other."""
    width = min(16, max(len(text.one_line(name)) for name, _ in named))
    return [
        Content.assemble(
            (drawing.fit(text.one_line(name), width), "$text-muted"),
            "  ",
            beginning(text.one_line(value)),
        )
        for name, value in named
    ]


def _deliveries(deliveries: tuple[DeliveryDetail, ...] | None, now_ms: int) -> Content:
    if deliveries is None:
        return Content.styled("Loading the deliveries…", "$text-muted")
    if not deliveries:
        return Content.styled("No deliveries: nobody was to be told.", "$text-muted")
    lines = [heading("Deliveries")]
    for each in deliveries:
        lines.append(_delivery(each, now_ms))
        lines += [attempt_line(attempt) for attempt in each.attempts]
    return Content("\n").join(lines)


def _delivery(detail: DeliveryDetail, now_ms: int) -> Content:
    delivery = detail.delivery
    mark, color = _STATES[delivery.state]
    line = Content.assemble(
        (f"{mark} {delivery.state}", color),
        "  ",
        (text.one_line(delivery.channel), "bold"),
        (f" ({text.one_line(delivery.kind)})", "$text-muted"),
    )
    if delivery.due_at is not None and delivery.state is DeliveryState.PENDING:
        wait_s = (times.to_ms(delivery.due_at) - now_ms) // 1000
        line += Content(f"  next in {wait_s} s" if wait_s > 0 else "  due now")
    if delivery.last_error and not detail.attempts:
        line += Content(f"\n    {text.one_line(delivery.last_error)}")
    return line


def attempt_line(attempt: Attempt) -> Content:
    """One try: when, what came of it and how long it took; below, what the far side said."""
    good = attempt.outcome is AttemptOutcome.DELIVERED
    status = "" if attempt.status is None else f" {attempt.status}"
    line = Content.assemble(
        (f"    {attempt.no}. {moment(times.to_ms(attempt.started_at))}", "$text-muted"),
        "  ",
        (
            f"{_OUTCOMES.get(attempt.outcome, attempt.outcome)}{status}",
            "$text-success" if good else "$text-error",
        ),
        (f"  {attempt.duration_ms} ms", "$text-muted"),
    )
    for said in (attempt.reason, attempt.excerpt):
        if said:
            line += Content(f"\n       {text.one_line(said)}")
    return line


def _raw(event: Event) -> Content:
    shown = msgspec.json.format(msgspec.json.encode(event), indent=2).decode()
    return Content("\n").join(
        [heading("As JSON"), Content.styled(beginning(text.visible(shown)), "$text-muted")]
    )


def beginning(words: str) -> str:
    """As much of a text as is shown; where that is not all of it, how long it is."""
    kept = "\n".join(words[:MOST_LETTERS].split("\n", MOST_LINES)[:MOST_LINES])
    if len(kept) == len(words):
        return words
    return f"{kept}{text.ELLIPSIS} ({len(words):,} characters in all; copy the event to have them)"


def moment(ms: int) -> str:
    """Date and time on this machine, to the second."""
    return f"{times.local(times.to_datetime(ms)):%Y-%m-%d %H:%M:%S}"
