"""Adwize: an array of events in, a count out; X-API-Key; and a list of what came."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec

from slowping.core import errors, event, times
from slowping.core.api_key import Scope
from slowping.core.event import Event, EventDraft, EventFilter, Receipt
from slowping.server.dialects.body import check_envelope, check_items, decode
from slowping.server.dialects.port import (
    X_API_KEY,
    Call,
    Desk,
    Extra,
    Headers,
    Operation,
    Reading,
    Reply,
)

_MAX_LISTED: Final = 1_000
_DEFAULT_LISTED: Final = 100
_MAX_SKIP: Final = 2**31 - 1

_WORDS: Final[Mapping[type[errors.SlowpingError], tuple[int, str]]] = {
    errors.NoCredential: (401, "Invalid or missing API key"),
    errors.UnknownApiKey: (401, "Invalid or missing API key"),
    errors.ForeignOrigin: (403, "Domain not allowed"),
    errors.ForeignProject: (403, "Project not allowed"),
    errors.RateLimited: (429, "Rate limit exceeded"),
    errors.TooManyGuesses: (429, "Rate limit exceeded"),
    errors.TooLarge: (413, "Request body too large"),
    errors.SlowBody: (408, "Request timeout"),
    errors.UnsupportedEncoding: (415, "Unsupported content encoding"),
    errors.InvalidJson: (422, "body: not valid JSON"),
    errors.IdempotencyKeyReused: (422, str(errors.IdempotencyKeyReused())),
    errors.UnknownPath: (404, "Not Found"),
    errors.WrongMethod: (405, "Method Not Allowed"),
    errors.Unavailable: (503, "Service unavailable"),
}
_FAULT: Final = (500, "Internal server error")

_Text = Annotated[str, msgspec.Meta(min_length=1)]


class AdwizeEvent(msgspec.Struct):
    """An event as Adwize's clients send it."""

    source: _Text
    event_type: _Text
    data: dict[str, Any]


class AdwizeBatchEvent(msgspec.Struct):
    """An event in the second form."""

    type: _Text
    data: dict[str, Any]


class AdwizeBatch(msgspec.Struct):
    """The second form: one source for all."""

    source: _Text
    events: list[AdwizeBatchEvent]


class AdwizeAccepted(msgspec.Struct):
    """How it says yes."""

    ingested: int


class AdwizeRefused(msgspec.Struct):
    """How it says no."""

    detail: str


class AdwizeStored(msgspec.Struct):
    """An event as it is listed."""

    id: str
    source: str | None
    event_type: str
    data: dict[str, Any]
    timestamp: str


class Adwize:
    """Shares its path with PingPanda; `choice` tells them apart."""

    name = "adwize"
    aliases: tuple[str, ...] = ()
    key_header = X_API_KEY
    destinations: tuple[str, ...] = ()
    has_quota = False
    creates_categories = True

    def __init__(self) -> None:
        self.operation = _SEND
        self.extras = (Extra(scope=Scope.READ, operation=_LIST, handle=_list_events),)

    def credentials(self, headers: Headers) -> str:
        """The header, trimmed."""
        key = headers.get(X_API_KEY, b"").strip()
        if not key:
            raise errors.NoCredential
        return key.decode("latin-1")

    def read(self, body: bytes) -> Reading:
        """An array of events, all or nothing; an empty one is no event and no error."""
        sent = decode(body, _DECODER, _explain)
        events = sent if isinstance(sent, list) else sent.events
        if len(events) > event.MAX_EVENTS:
            raise errors.InvalidInput(f"events: at most {event.MAX_EVENTS} items")
        if isinstance(sent, list):
            check_items(body)
            drafts = [_draft(one.source, one.event_type, one.data) for one in sent]
        else:
            check_envelope(body, "events")
            drafts = [_draft(sent.source, one.type, one.data) for one in sent.events]
        return Reading(drafts=tuple(drafts))

    def receipt(self, receipt: Receipt, now_ms: int) -> Reply:
        """How many events there were, in a repeat as well."""
        del now_ms
        return Reply(201, b'{"ingested":%d}' % receipt.count)

    def refusal(self, error: errors.SlowpingError) -> Reply:
        """`{"detail": …}`."""
        status, detail = _WORDS.get(type(error), _FAULT)
        if isinstance(error, errors.InvalidInput):
            status, detail = 422, error.problem
        return Reply(status, msgspec.json.encode(AdwizeRefused(detail=detail)))


def _draft(source: str, event_type: str, data: dict[str, Any]) -> EventDraft:
    return EventDraft(
        category=event_type, source=event.tidy_text(source), fields=event.tidy_fields(data)
    )


# What is wrong ------------------------------------------------------------------------------


def _explain(value: Any) -> errors.InvalidInput:
    """The first flaw, with its place."""
    return errors.InvalidInput(_flaw(value) or "body: not an array of events")


def _flaw(value: Any) -> str | None:
    if isinstance(value, list):
        return _flaw_in_items(value, ("source", "event_type"))
    if not isinstance(value, dict):
        return "body: must be an array of events"
    flaw = _flaw_in_text(value, "source", "source")
    if flaw:
        return flaw
    if "events" not in value:
        return "events: field required"
    if not isinstance(value["events"], list):
        return "events: must be an array"
    return _flaw_in_items(value["events"], ("type",))


def _flaw_in_items(items: list[Any], texts: tuple[str, ...]) -> str | None:
    flaws = (_flaw_in_item(item, f"events[{index}]", texts) for index, item in enumerate(items))
    return next(filter(None, flaws), None)


def _flaw_in_item(item: Any, place: str, texts: tuple[str, ...]) -> str | None:
    if not isinstance(item, dict):
        return f"{place}: must be an object"
    for name in texts:
        flaw = _flaw_in_text(item, name, f"{place}.{name}")
        if flaw:
            return flaw
    if "data" not in item:
        return f"{place}.data: field required"
    return None if isinstance(item["data"], dict) else f"{place}.data: must be an object"


def _flaw_in_text(holder: dict[str, Any], name: str, place: str) -> str | None:
    if name not in holder:
        return f"{place}: field required"
    value = holder[name]
    return None if isinstance(value, str) and value else f"{place}: must be a non-empty string"


# The list -----------------------------------------------------------------------------------


async def _list_events(call: Call, desk: Desk) -> Reply:
    project = desk.project_of(call.principal, None, call.origin)
    which = EventFilter(
        project_ids=(project.id,),
        source=call.query.get("source") or None,
        category=call.query.get("event_type") or None,
    )
    skip = _number(call.query, "skip", 0, _MAX_SKIP)
    limit = _number(call.query, "limit", _DEFAULT_LISTED, _MAX_LISTED)
    stored = await desk.list_events(which, limit=limit, skip=skip) if limit else ()
    return Reply(200, msgspec.json.encode([_stored(one) for one in stored]))


def _number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = query.get(name, str(default)).strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= most):
        raise errors.InvalidInput(f"{name}: must be an integer from 0 to {most}")
    return int(text)


def _stored(one: Event) -> AdwizeStored:
    return AdwizeStored(
        id=one.id,
        source=one.source,
        event_type=one.category,
        data=one.fields,
        timestamp=times.iso_ms(times.to_ms(one.received_at)),
    )


_REFUSALS: Final[Mapping[int, Any]] = dict.fromkeys(
    (401, 403, 404, 405, 408, 413, 415, 422, 429, 500, 503), AdwizeRefused
)
_SEND: Final = Operation(
    method="POST",
    path="/api/v1/events",
    summary="Send events (Adwize)",
    body=list[AdwizeEvent] | AdwizeBatch,
    answers={**_REFUSALS, 201: AdwizeAccepted},
)
_LIST: Final = Operation(
    method="GET",
    path="/api/v1/events",
    summary="List events, newest first (Adwize)",
    answers={**_REFUSALS, 200: list[AdwizeStored]},
    query={
        "source": str,
        "event_type": str,
        "skip": Annotated[int, msgspec.Meta(ge=0)],
        "limit": Annotated[int, msgspec.Meta(ge=0, le=_MAX_LISTED)],
    },
)
_DECODER: Final = msgspec.json.Decoder(list[AdwizeEvent] | AdwizeBatch)
