"""An event: something a sender told us. A draft is what was asked for, before it is accepted."""

import datetime as dt
from typing import Annotated, Any, Final

import msgspec

from slowping.core import errors
from slowping.core.search import Phrase

MAX_EVENTS: Final = 1_000
"""Most events in one request."""

MAX_IMPORT: Final = 200
"""Most events that are imported in one request."""

MAX_FIELDS: Final = 100
"""Most fields of one event."""

MAX_DEPTH: Final = 32
"""How deep the fields may nest; the object that holds them is level one."""

_MAX_INTEGER: Final = 2**63 - 1

Color = Annotated[int, msgspec.Meta(ge=0, le=0xFFFFFF)]
"""A colour as an integer, 0x000000 to 0xFFFFFF."""


class AdHocTarget(msgspec.Struct, frozen=True, kw_only=True):
    """A destination that a request names itself, with the words to be used there."""

    kind: str
    target: str
    """What makes it one channel however often it is named, such as a webhook id."""
    settings: dict[str, Any]
    """As for a channel of that kind, secrets included."""
    title: str | None = None
    description: str | None = None
    color: int | None = None


class EventDraft(msgspec.Struct, frozen=True, kw_only=True):
    """An event as asked for."""

    category: str
    description: str | None = None
    fields: dict[str, Any] = {}
    source: str | None = None
    color: int | None = None
    occurred_at: int | None = None
    """UTC milliseconds."""
    notify: bool = True
    """False stores the event and tells nobody."""
    ad_hoc: AdHocTarget | None = None


class NewEvent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /slowping/v1/events`."""

    category: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    description: str | None = None
    fields: dict[str, Any] | None = None
    source: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    color: Color | None = None
    occurred_at: dt.datetime | None = None
    notify: bool = True
    project: str | None = None
    """A project's id or name; the API key's home project where it is left out."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What a sender gets back: `count` events with consecutive ids from `first_event_id` on."""

    first_event_id: int
    count: int
    received_at: int
    """UTC milliseconds of the first acceptance, also where `deduplicated` is true."""
    deduplicated: bool = False

    @property
    def event_ids(self) -> range:
        """The ids of all events, in the order of the drafts."""
        return range(self.first_event_id, self.first_event_id + self.count)


class AcceptedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What `POST /slowping/v1/events` answers for one event."""

    id: str
    received_at: dt.datetime
    deduplicated: bool = False


class AcceptedEvents(msgspec.Struct, frozen=True, kw_only=True):
    """What `POST /slowping/v1/events` answers for an array."""

    events: tuple[AcceptedEvent, ...]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """An accepted event; it never changes."""

    id: str
    project: str
    category: str
    description: str | None
    fields: dict[str, Any]
    source: str | None
    color: int | None
    dialect: str
    occurred_at: dt.datetime | None
    received_at: dt.datetime
    notify: bool
    deliveries: dict[str, int] = {}
    """How many of its deliveries are in each state; states without any are left out."""


class KeptEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event as it is exported, and imported: with the id and the times that it had."""

    category: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    received_at: dt.datetime
    id: str | None = None
    """Made from the rest where it is left out, and always the same one."""
    description: str | None = None
    fields: dict[str, Any] = {}
    source: str | None = None
    color: Color | None = None
    dialect: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] = "slowping"
    occurred_at: dt.datetime | None = None
    notify: bool = True
    """Whether it was to be told to somebody when it came; nobody is told when it is imported."""
    project: str | None = None
    """A project's id or name; `default` where it is left out."""


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What became of events that were imported."""

    imported: int
    known: int
    """Those that were there already."""


class EventFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which events to list; what is None does not narrow. Times are UTC milliseconds."""

    project_ids: tuple[int, ...] | None = None
    category: str | None = None
    source: str | None = None
    text: tuple[Phrase, ...] = ()
    """All of these stand in its description, its source or its fields."""
    since: int | None = None
    """At or after this moment of acceptance."""
    until: int | None = None
    """Before this moment of acceptance."""


def tidy_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields as they are stored: NUL replaced, integers beyond 64 bits as text.

    Raises:
        InvalidInput: there are more than `MAX_FIELDS`.
        InvalidJson: they nest deeper than `MAX_DEPTH`.
    """
    if len(fields) > MAX_FIELDS:
        raise errors.InvalidInput(f"An event has at most {MAX_FIELDS} fields.")
    for name, value in fields.items():
        kind = type(value)
        if (
            (kind is str and "\0" in value)
            or (kind is int and not -_MAX_INTEGER <= value <= _MAX_INTEGER)
            or kind is dict
            or kind is list
            or "\0" in name
        ):
            return {tidy_text(key): _tidy(inner, 2) for key, inner in fields.items()}
    return fields


def tidy_text(text: str) -> str:
    """The text without NUL, which neither SQLite's functions nor a far side take well."""
    return text.replace("\0", "\ufffd")


def _tidy(value: Any, level: int) -> Any:
    if isinstance(value, str):
        return tidy_text(value)
    if isinstance(value, int) and not -_MAX_INTEGER <= value <= _MAX_INTEGER:
        return str(value)
    if not isinstance(value, dict | list):
        return value
    if level > MAX_DEPTH:
        raise errors.InvalidJson
    if isinstance(value, list):
        return [_tidy(inner, level + 1) for inner in value]
    return {tidy_text(key): _tidy(inner, level + 1) for key, inner in value.items()}
