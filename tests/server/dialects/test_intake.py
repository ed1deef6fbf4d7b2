import json
from typing import Any

import pytest

from slowping.core import errors, ids, times
from slowping.core.event import EventDraft, Receipt
from slowping.server.dialects.intake import Intake
from slowping.server.dialects.port import Reply

DIALECT = Intake()
WHOLE: dict[str, Any] = {
    "event_type": "user.created",
    "occurred_at": "2025-12-22T10:30:00Z",
    "idempotency_key": "0f3f6f9b",
    "data": {"user_id": "u_12345", "plan": "pro"},
}
AT = 1_766_399_400_000  # the occurred_at above


def occurred_at(text: str) -> int | None:
    [draft] = DIALECT.read(json.dumps({**WHOLE, "occurred_at": text}).encode()).drafts
    return draft.occurred_at


def refused(body: Any) -> str:
    with pytest.raises(errors.InvalidInput) as caught:
        DIALECT.read(json.dumps(body).encode())
    reply = DIALECT.refusal(caught.value)
    answer = json.loads(reply.body)
    assert (reply.status, answer["error"]) == (400, "validation_error")
    text = answer["message"]
    assert isinstance(text, str)
    return text


@pytest.mark.parametrize("value", [b"Bearer k", b"bearer k", b"BEARER   k ", b" Bearer k"])
def test_the_scheme_is_in_any_case(value: bytes) -> None:
    assert DIALECT.credentials({b"authorization": value}) == "k"


@pytest.mark.parametrize("value", [None, b"", b"Bearer", b"Bearer ", b"Token k", b"k"])
def test_all_else_is_one_401(value: bytes | None) -> None:
    with pytest.raises(errors.Refused) as caught:
        DIALECT.credentials({} if value is None else {b"authorization": value})
    reply = DIALECT.refusal(caught.value)
    answer = json.loads(reply.body)
    assert reply.status == 401
    assert list(answer) == ["error", "message", "request_id"]
    assert (answer["error"], answer["message"]) == ("unauthorized", "Missing or invalid token")


def test_a_whole_event_becomes_a_draft_and_a_key() -> None:
    reading = DIALECT.read(json.dumps({**WHOLE, "zzz": 1}).encode())
    assert reading.idempotency_key == "0f3f6f9b"
    assert reading.drafts == (
        EventDraft(
            category="user.created",
            fields={"user_id": "u_12345", "plan": "pro"},
            occurred_at=AT,
        ),
    )


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2025-12-22T10:30:00Z", AT),
        ("2025-12-22T10:30:00z", AT),
        ("2025-12-22t10:30:00Z", AT),
        ("2025-12-22 10:30:00Z", AT),
        ("2025-12-22T10:30:00", AT),
        ("2025-12-22T10:30", AT),
        ("2025-12-22T10:30:00.000Z", AT),
        ("2025-12-22T10:30:00.123456Z", AT + 123),
        ("2025-12-22T12:30:00+02:00", AT),
        ("2025-12-22T05:00:00-05:30", AT),
        ("1969-12-31T23:59:59Z", -1000),
    ],
)
def test_moments_are_read_with_or_without_an_offset(text: str, ms: int) -> None:
    assert occurred_at(text) == ms


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "",
        "2025-12-22",
        "20251222",
        "2025-12-22T",
        "10:30:00Z",
        "1766399400",
        "2025-02-30T10:30:00Z",
        "2025-13-01T10:30:00Z",
        "2025-12-22T25:00:00Z",
        "2025-12-22T10:30:00+25:00",
        "2025-12-22T10:30:00Z and more",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "２０２５-12-22T10:30:00Z",  # noqa: RUF001 - digits of another script
    ],
)
def test_what_is_no_date_with_a_time_is_refused(text: str) -> None:
    body = {**WHOLE, "occurred_at": text}
    assert refused(body) == "occurred_at must be an ISO-8601 timestamp"


@pytest.mark.parametrize("name", ["event_type", "occurred_at", "idempotency_key", "data"])
def test_every_member_is_required(name: str) -> None:
    body = {key: value for key, value in WHOLE.items() if key != name}
    assert refused(body) == f"Missing required field: {name}"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"event_type": None}, "event_type must be a non-empty string"),
        ({"event_type": 1}, "event_type must be a non-empty string"),
        ({"event_type": ""}, "event_type must be a non-empty string"),
        ({"occurred_at": 1766399400}, "occurred_at must be an ISO-8601 timestamp"),
        ({"idempotency_key": ""}, "idempotency_key must be a string of 1 to 255 characters"),
        ({"idempotency_key": 1}, "idempotency_key must be a string of 1 to 255 characters"),
        ({"idempotency_key": "k" * 256}, "idempotency_key must be a string of 1 to 255 characters"),
        ({"data": None}, "data must be an object"),
        ({"data": []}, "data must be an object"),
        ({"data": "x"}, "data must be an object"),
        ({"data": dict.fromkeys(map(str, range(101)), 1)}, "An event has at most 100 fields."),
    ],
)
def test_a_wrong_member_is_named(change: dict[str, Any], text: str) -> None:
    assert refused({**WHOLE, **change}) == text


@pytest.mark.parametrize("body", [[], None, 1, "x"])
def test_a_body_that_is_no_object_is_refused(body: Any) -> None:
    assert refused(body) == "Request body must be a JSON object"


def test_a_key_of_255_characters_is_taken() -> None:
    reading = DIALECT.read(json.dumps({**WHOLE, "idempotency_key": "k" * 255}).encode())
    assert reading.idempotency_key == "k" * 255


def test_the_receipt_tells_when_it_was_received() -> None:
    receipt = Receipt(first_event_id=7, count=1, received_at=AT)
    event_id = ids.encode("evt", 7).encode()
    assert DIALECT.receipt(receipt, AT + 60_000) == Reply(
        200,
        b'{"status":"ok","event_id":"%s","received_at":"2025-12-22T10:30:00Z"}' % event_id,
    )


def test_a_repeat_tells_when_the_repeat_was_received() -> None:
    receipt = Receipt(first_event_id=7, count=1, received_at=AT, deduplicated=True)
    event_id = ids.encode("evt", 7).encode()
    assert DIALECT.receipt(receipt, AT + 60_000) == Reply(
        200,
        b'{"status":"ok","event_id":"%s","deduplicated":true,"received_at":"%s"}'
        % (event_id, times.iso_s(AT + 60_000).encode()),
    )


@pytest.mark.parametrize(
    ("error", "status", "code", "text"),
    [
        (errors.UnknownApiKey(), 401, "unauthorized", "Missing or invalid token"),
        (errors.ForeignOrigin("o"), 403, "forbidden", "Origin not allowed"),
        (
            errors.RateLimited(9),
            429,
            "rate_limited",
            "Too many requests. Retry after 9 seconds.",
        ),
        (errors.TooLarge(1), 413, "payload_too_large", "Request body too large"),
        (errors.SlowBody(), 408, "request_timeout", "Request body did not arrive in time"),
        (
            errors.UnsupportedEncoding("gzip"),
            415,
            "unsupported_encoding",
            "Unsupported content encoding",
        ),
        (errors.InvalidJson(), 400, "validation_error", "Request body is not valid JSON"),
        (errors.InvalidInput("why"), 400, "validation_error", "why"),
        (errors.NotFound("event", "x"), 404, "not_found", "Event not found"),
        (errors.UnknownPath(), 404, "not_found", "Not found"),
        (errors.WrongMethod(["POST"]), 405, "method_not_allowed", "Method not allowed"),
        (
            errors.Unavailable("disk"),
            503,
            "unavailable",
            "Service unavailable. Please try again later.",
        ),
        (errors.SlowpingError("secret"), 500, "internal_error", "Unexpected error"),
    ],
)
def test_every_condition_has_its_words(
    error: errors.SlowpingError, status: int, code: str, text: str
) -> None:
    reply = DIALECT.refusal(error)
    answer = json.loads(reply.body)
    assert reply.status == status
    assert (answer["error"], answer["message"]) == (code, text)
    assert answer["request_id"].startswith("req_")
