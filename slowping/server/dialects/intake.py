"""Event Intake: POST /v1/events, Bearer, and a key of its own that recognises a repeat."""

import datetime as dt
import secrets
from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec

from slowping.core import errors, event, ids, times
from slowping.core.api_key import Scope
from slowping.core.event import EventDraft, Receipt
from slowping.server.dialects.body import check_members, decode
from slowping.server.dialects.port import (
    AUTHORIZATION,
    Call,
    Desk,
    Extra,
    Headers,
    Operation,
    Reading,
    Reply,
)

_MAX_KEY: Final = 255
_SEPARATORS: Final = ("T", "t", " ")  # between date and time

_WORDS: Final[Mapping[type[errors.SlowpingError], tuple[int, str, str]]] = {
    **dict.fromkeys(
        (
            errors.NoCredential,
            errors.MalformedCredential,
            errors.UnknownApiKey,
        ),
        (401, "unauthorized", "Missing or invalid token"),
    ),
    errors.ForeignOrigin: (403, "forbidden", "Origin not allowed"),
    errors.ForeignProject: (403, "forbidden", "Project not allowed"),
    errors.TooLarge: (413, "payload_too_large", "Request body too large"),
    errors.SlowBody: (408, "request_timeout", "Request body did not arrive in time"),
    errors.UnsupportedEncoding: (415, "unsupported_encoding", "Unsupported content encoding"),
    errors.InvalidJson: (400, "validation_error", "Request body is not valid JSON"),
    errors.NotFound: (404, "not_found", "Event not found"),
    errors.UnknownPath: (404, "not_found", "Not found"),
    errors.WrongMethod: (405, "method_not_allowed", "Method not allowed"),
    errors.Unavailable: (503, "unavailable", "Service unavailable. Please try again later."),
}
_FAULT: Final = (500, "internal_error", "Unexpected error")


class IntakeEvent(msgspec.Struct):
    """An event as Event Intake's clients send it."""

    event_type: str
    occurred_at: Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
    idempotency_key: str
    data: dict[str, Any]


class IntakeAccepted(msgspec.Struct, omit_defaults=True):
    """How it says yes; `received_at` is when this very request came."""

    status: str
    event_id: str
    received_at: str
    deduplicated: bool = False


class IntakeRefused(msgspec.Struct):
    """How it says no."""

    error: str
    message: str
    request_id: str


class IntakeStored(msgspec.Struct):
    """An event as it is read back."""

    event_id: str
    event_type: str
    occurred_at: str
    data: dict[str, Any]


class Intake:
    """All four members are required, and unknown ones ignored."""

    name = "intake"
    aliases: tuple[str, ...] = ()
    key_header = AUTHORIZATION
    destinations: tuple[str, ...] = ()
    has_quota = False
    creates_categories = True

    def __init__(self) -> None:
        self.operation = _SEND
        self.extras = (Extra(scope=Scope.READ, operation=_SHOW, handle=_show),)

    def credentials(self, headers: Headers) -> str:
        """What follows the scheme, whose case does not matter."""
        value = headers.get(AUTHORIZATION, b"").strip()
        if not value:
            raise errors.NoCredential
        scheme, _, key = value.partition(b" ")
        if scheme.lower() != b"bearer" or not key:
            raise errors.MalformedCredential
        return key.strip().decode("latin-1")

    def read(self, body: bytes) -> Reading:
        """One event and its idempotency key; a moment without an offset is in UTC."""
        sent = decode(body, _DECODER, _explain)
        check_members(body)
        if not sent.event_type:
            raise _must("event_type", "be a non-empty string")
        occurred_at = _moment(sent.occurred_at)
        if not 0 < len(sent.idempotency_key) <= _MAX_KEY:
            raise _must("idempotency_key", f"be a string of 1 to {_MAX_KEY} characters")
        draft = EventDraft(
            category=sent.event_type,
            fields=event.tidy_fields(sent.data),
            occurred_at=occurred_at,
        )
        return Reading(drafts=(draft,), idempotency_key=event.tidy_text(sent.idempotency_key))

    def receipt(self, receipt: Receipt, now_ms: int) -> Reply:
        """The event's id, whether it is a repeat, and when this request came."""
        event_id = ids.encode(ids.EVENT, receipt.first_event_id)
        repeat = '"deduplicated":true,' if receipt.deduplicated else ""
        at = times.iso_s(now_ms if receipt.deduplicated else receipt.received_at)
        body = f'{{"status":"ok","event_id":"{event_id}",{repeat}"received_at":"{at}"}}'
        return Reply(200, body.encode())

    def refusal(self, error: errors.SlowpingError) -> Reply:
        """`{"error": …, "message": …}`, with a random id to quote to the operator."""
        status, code, message = _WORDS.get(type(error), _FAULT)
        if isinstance(error, errors.InvalidInput):
            status, code, message = 400, "validation_error", error.problem
        elif isinstance(error, errors.RateLimited):
            message = f"Too many requests. Retry after {error.retry_after_s} seconds."
            status, code = 429, "rate_limited"
        answer = IntakeRefused(
            error=code, message=message, request_id=f"req_{secrets.token_hex(8)}"
        )
        return Reply(status, msgspec.json.encode(answer))


def _moment(text: str) -> int:
    """ISO 8601 with a date, a time and perhaps an offset, as UTC milliseconds."""
    try:
        moment = dt.datetime.fromisoformat(text.upper())
        aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        # In UTC, so that a moment just outside of year 1 to 9999 is noticed here.
        ms = times.to_ms(aware.astimezone(dt.UTC))
    except (ValueError, OverflowError):
        ms = None
    if ms is None or text[10:11] not in _SEPARATORS:
        raise _must("occurred_at", "be an ISO-8601 timestamp")
    return ms


def _explain(value: Any) -> errors.InvalidInput:
    """The first member that is missing or of the wrong type."""
    if not isinstance(value, dict):
        return errors.InvalidInput("Request body must be a JSON object")
    for name, kind, words in _MEMBERS:
        if name not in value:
            return errors.InvalidInput(f"Missing required field: {name}")
        if not isinstance(value[name], kind):
            return _must(name, words)
    return errors.InvalidInput("Request body is not an event")


def _must(name: str, words: str) -> errors.InvalidInput:
    return errors.InvalidInput(f"{name} must {words}")


async def _show(call: Call, desk: Desk) -> Reply:
    stored = await desk.event(call.principal, ids.decode(ids.EVENT, call.name))
    desk.project_of(call.principal, stored.project, call.origin)
    answer = IntakeStored(
        event_id=stored.id,
        event_type=stored.category,
        occurred_at=times.iso_s(times.to_ms(stored.occurred_at or stored.received_at)),
        data=stored.fields,
    )
    return Reply(200, msgspec.json.encode(answer))


_MEMBERS: Final = (
    ("event_type", str, "be a non-empty string"),
    ("occurred_at", str, "be an ISO-8601 timestamp"),
    ("idempotency_key", str, f"be a string of 1 to {_MAX_KEY} characters"),
    ("data", dict, "be an object"),
)
_REFUSALS: Final[Mapping[int, Any]] = dict.fromkeys(
    (400, 401, 403, 404, 405, 408, 413, 415, 429, 500, 503), IntakeRefused
)
_SEND: Final = Operation(
    method="POST",
    path="/v1/events",
    summary="Send an event (Event Intake)",
    body=IntakeEvent,
    answers={**_REFUSALS, 200: IntakeAccepted},
)
_SHOW: Final = Operation(
    method="GET",
    path="/v1/events/{event_id}",
    summary="Show an event (Event Intake)",
    answers={**_REFUSALS, 200: IntakeStored},
)
_DECODER: Final = msgspec.json.Decoder(IntakeEvent)
