"""A delivery: the duty to bring one event to one channel, its states and its attempts."""

import datetime as dt
import enum
from typing import Any, Final

import msgspec

from slowping.core.event import Event


class DeliveryState(enum.StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    LEASED = "leased"
    DELIVERED = "delivered"
    FAILED = "failed"
    DISCARDED = "discarded"


MOVES: Final = {
    DeliveryState.PENDING: {
        DeliveryState.LEASED,
        DeliveryState.FAILED,  # its time ran out before anyone could send it
        DeliveryState.DISCARDED,
    },
    DeliveryState.LEASED: {
        DeliveryState.PENDING,
        DeliveryState.DELIVERED,
        DeliveryState.FAILED,
    },
    DeliveryState.DELIVERED: {DeliveryState.PENDING},  # replayed on purpose
    DeliveryState.FAILED: {DeliveryState.PENDING, DeliveryState.DISCARDED},
    DeliveryState.DISCARDED: {DeliveryState.PENDING},
}
"""The only legal moves between states."""


def may_become(state: DeliveryState) -> tuple[DeliveryState, ...]:
    """The states from which a delivery may move to this one."""
    return tuple(before for before, after in MOVES.items() if state in after)


# What came back ------------------------------------------------------------------------------


class Answer(msgspec.Struct, frozen=True):
    """What the far side said, for the record: its status code and the start of its text."""

    status: int | None = None
    excerpt: str | None = None


class Pace(msgspec.Struct, frozen=True):
    """What an answer says of the next messages: so many more, and then a scope has to wait."""

    scope: str
    wait_s: float
    adds_up: bool = False
    """Whether each message costs so much time, however many are on their way at once."""
    remaining: int = 0
    """How many may go before the time is over."""
    limit: int = 0
    """How many may go in the time after that; 0 where nothing is said of it."""
    spare_s: float = 0.0
    """With `adds_up`: this answer alone has cost so much, and nobody waits until the costs are
    more than this."""


class _Came(msgspec.Struct, frozen=True, kw_only=True):
    """What every outcome carries."""

    answer: Answer = Answer()
    paces: tuple[Pace, ...] = ()
    learned: dict[str, Any] | None = None
    """Facts to keep with the channel, such as the id of a DM channel or a chat's new id."""


class Delivered(_Came, frozen=True, kw_only=True):
    """The far side took it."""

    reference: str | None = None
    """The far side's own id for it."""


class Retry(_Came, frozen=True, kw_only=True):
    """It may work later."""

    reason: str
    after: float | None = None
    """Seconds that the far side asks for; the schedule may ask for more."""
    unknown: bool = False
    """Whether it may have arrived all the same."""


class Throttled(_Came, frozen=True, kw_only=True):
    """The far side asks the scope to wait; this is not an attempt."""

    after: float | None
    """Seconds that it asks for; None where it does not say how long."""
    scope: str
    reason: str = "the far side asked to wait"
    untold: bool = False
    """Whether nothing had told of this limit: what the scope took of late is all that it takes."""


class Rejected(_Came, frozen=True, kw_only=True):
    """This message will never be taken."""

    reason: str


class Unusable(_Came, frozen=True, kw_only=True):
    """Nothing is taken until someone acts: webhook deleted, token revoked, recipient gone."""

    reason: str
    scope: str | None = None
    """What it covers where that is more than the one channel, such as a bot's token."""


Outcome = Delivered | Retry | Throttled | Rejected | Unusable


class AttemptOutcome(enum.StrEnum):
    """How an attempt ended, as it is recorded."""

    DELIVERED = "delivered"
    RETRY = "retry"
    UNKNOWN = "unknown"
    """No answer came; it may have arrived."""
    REJECTED = "rejected"
    UNUSABLE = "unusable"
    LOST = "lost"
    """The server stopped in the middle of it; it may have arrived."""


# What is kept --------------------------------------------------------------------------------


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery as it stands."""

    id: str
    event_id: str
    project: str
    category: str
    channel: str
    kind: str
    state: DeliveryState
    attempts: int
    last_error: str | None
    due_at: dt.datetime | None
    """When it is tried next; None once it has ended."""
    created_at: dt.datetime
    ended_at: dt.datetime | None
    reference: str | None = None
    tries: int = 0
    """Attempts within the present round of the schedule, which a retry by hand begins anew."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try at a delivery."""

    no: int
    started_at: dt.datetime
    duration_ms: int
    outcome: AttemptOutcome
    status: int | None
    reason: str | None
    excerpt: str | None


class DeliveryDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery with every attempt."""

    delivery: Delivery
    attempts: tuple[Attempt, ...]


class EventDetail(msgspec.Struct, frozen=True, kw_only=True):
    """An event with its deliveries and every attempt at them."""

    event: Event
    deliveries: tuple[DeliveryDetail, ...]


class DeliveryFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which deliveries to list or act on; what is None does not narrow."""

    project_ids: tuple[int, ...] | None = None
    channel: str | None = None
    """A channel's name."""
    category: str | None = None
    states: tuple[DeliveryState, ...] | None = None
    event_id: int | None = None
    since: int | None = None
    """Created at or after this moment, in UTC milliseconds."""
    until: int | None = None
    error: str | None = None
    """The whole text of the last error."""


class DeliverySelection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a retry or discard of many: by ids, or all that match."""

    ids: tuple[str, ...] | None = None
    project: str | None = None
    channel: str | None = None
    category: str | None = None
    states: tuple[DeliveryState, ...] | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    error: str | None = None
    """The whole text of the last error."""


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """How many deliveries an act on many has moved."""

    moved: int


class DeliveryGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Deliveries that stand alike: one channel, one state, one last error."""

    project: str
    channel: str
    kind: str
    state: DeliveryState
    last_error: str | None
    count: int
    oldest_at: dt.datetime
    """When the oldest of them was created."""
    newest_at: dt.datetime
    next_at: dt.datetime | None = None
    """When the first of them is tried next; None where none waits."""


class Replay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a replay: the events of a time window go out again."""

    since: dt.datetime
    """Events received at or after this moment."""
    until: dt.datetime
    """Events received before this moment."""
    project: str | None = None
    channel: str | None = None
    """A channel's name: only to it. Else to all that have a delivery, or would get one now."""
    category: str | None = None
    again: bool = False
    """Whether what was delivered goes out again too."""
    dry_run: bool = False
    """Whether it is only counted."""


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay did, or would do."""

    events: int
    """Events in the window, without those that were to notify nobody."""
    queued: int
    """Deliveries that go out again."""
    made: int
    """Deliveries that were missing."""


# What the engine works with -------------------------------------------------------------------


class LeasedDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that is claimed, with all that is needed to send it."""

    id: int
    attempts: int
    """Attempts so far, this one included: the number under which it is recorded."""
    tries: int
    """The same within the present round of the schedule."""
    due_at: int
    is_early: bool
    """Whether a probe has claimed it ahead of its schedule, which does not count that."""
    may_be_repeat: bool
    """Whether an earlier attempt may have arrived."""
    created_at: int
    overrides: dict[str, Any]
    """Title, description and colour where the request gave them for this destination."""
    event_id: int
    project: str
    category: str
    emoji: str
    category_color: int
    description: str | None
    fields: dict[str, Any]
    source: str | None
    color: int | None
    dialect: str
    occurred_at: int | None
    received_at: int


class AttemptRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that was made, to be kept; its number is the one of the claim."""

    started_at: int
    duration_ms: int
    outcome: AttemptOutcome
    status: int | None = None
    reason: str | None = None
    excerpt: str | None = None


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a claimed delivery."""

    delivery_id: int
    state: DeliveryState
    """Pending, delivered or failed."""
    due_at: int | None = None
    """When a pending one is tried next; None leaves its place in the line as it was."""
    attempt: AttemptRecord | None = None
    """None where nothing was tried: then the claim is given back and does not count."""
    was_early: bool = False
    """Whether it was claimed ahead of its schedule, which goes on as it was."""
    last_error: str | None = None
    reference: str | None = None


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """A scope that was told to wait."""

    scope: str
    until: int
    why: str
    failures: int = 0
    """How often it was told so in a row without a word of how long; for a breaker, attempts that
    have failed."""
    since: int | None = None
    """When the breaker was opened that this stands for, in UTC milliseconds; None where the far
    side has asked to wait."""


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    """A channel with pending deliveries, and when the first of them is due."""

    channel_id: int
    due_at: int
