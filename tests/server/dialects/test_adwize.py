import json
from typing import Any

import pytest

from slowping.core import errors
from slowping.core.event import EventDraft, Receipt
from slowping.server.dialects.adwize import Adwize
from slowping.server.dialects.port import Reply

DIALECT = Adwize()
ITEM: dict[str, Any] = {"source": "backend", "event_type": "purchase", "data": {"value": 49.99}}
PART: dict[str, Any] = {"type": "purchase", "data": {}}


def drafts(body: Any) -> tuple[EventDraft, ...]:
    return DIALECT.read(json.dumps(body).encode()).drafts


def refused(body: Any) -> str:
    with pytest.raises(errors.InvalidInput) as caught:
        drafts(body)
    reply = DIALECT.refusal(caught.value)
    answer = json.loads(reply.body)
    assert (reply.status, list(answer)) == (422, ["detail"])
    text = answer["detail"]
    assert isinstance(text, str)
    return text


def test_the_header_is_the_key() -> None:
    assert DIALECT.credentials({b"x-api-key": b" k "}) == "k"


@pytest.mark.parametrize("headers", [{}, {b"x-api-key": b" "}, {b"authorization": b"Bearer k"}])
def test_without_the_header_there_is_no_key(headers: dict[bytes, bytes]) -> None:
    with pytest.raises(errors.NoCredential):
        DIALECT.credentials(headers)


def test_each_item_becomes_a_draft() -> None:
    second = {"source": "web", "event_type": "view", "data": {"items": [{"id": 1}]}, "zzz": 1}
    assert drafts([ITEM, second]) == (
        EventDraft(category="purchase", source="backend", fields={"value": 49.99}),
        EventDraft(category="view", source="web", fields={"items": [{"id": 1}]}),
    )


def test_the_second_form_has_one_source_for_all() -> None:
    body = {"source": "a", "events": [{"type": "b", "data": {}}, {"type": "c", "data": {"x": 1}}]}
    assert drafts(body) == (
        EventDraft(category="b", source="a"),
        EventDraft(category="c", source="a", fields={"x": 1}),
    )


@pytest.mark.parametrize("body", [[], {"source": "a", "events": []}])
def test_no_events_are_no_error(body: Any) -> None:
    assert drafts(body) == ()


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (None, "body: must be an array of events"),
        (1, "body: must be an array of events"),
        ("x", "body: must be an array of events"),
        ({}, "source: field required"),
        ({"category": "sale"}, "source: field required"),
        ({"source": "", "events": []}, "source: must be a non-empty string"),
        ({"source": "a"}, "events: field required"),
        ({"source": "a", "events": {}}, "events: must be an array"),
        ({"source": "a", "events": [PART, {"data": {}}]}, "events[1].type: field required"),
        ({"source": "a", "events": [{"type": "b"}]}, "events[0].data: field required"),
        ([1], "events[0]: must be an object"),
        ([ITEM, [], ITEM], "events[1]: must be an object"),
        ([{**ITEM, "source": None}], "events[0].source: must be a non-empty string"),
        ([{**ITEM, "source": ""}], "events[0].source: must be a non-empty string"),
        ([{**ITEM, "event_type": 1}], "events[0].event_type: must be a non-empty string"),
        ([ITEM, {**ITEM, "data": None}], "events[1].data: must be an object"),
        ([{**ITEM, "data": []}], "events[0].data: must be an object"),
        (
            [ITEM, {"source": "a", "event_type": "b"}, ITEM],
            "events[1].data: field required",
        ),
        (
            [{**ITEM, "data": dict.fromkeys(map(str, range(101)), 1)}],
            "An event has at most 100 fields.",
        ),
        ([ITEM] * 1001, "events: at most 1000 items"),
        ({"source": "a", "events": [PART] * 1001}, "events: at most 1000 items"),
    ],
)
def test_the_first_flaw_is_told_with_its_place(body: Any, text: str) -> None:
    assert refused(body) == text


def test_a_thousand_events_are_taken() -> None:
    assert len(drafts([ITEM] * 1000)) == 1000


MANY = {f"extra{number}": 0 for number in range(98)}
"""With the two or three members that an object needs, more than it may have."""

DEEP = {"extra": json.loads("[" * 40 + "]" * 40)}


@pytest.mark.parametrize("count", [1, 500])
@pytest.mark.parametrize("form", ["array", "batch"])
def test_members_that_nobody_reads_have_limits_in_every_item(form: str, count: int) -> None:
    def body(more: dict[str, Any]) -> Any:
        if form == "array":
            return [*[ITEM] * (count - 1), {**ITEM, **more}]
        return {"source": "a", "events": [*[PART] * (count - 1), {**PART, **more}]}

    assert len(drafts(body(dict(list(MANY.items())[:97])))) == count
    assert refused(body({**MANY, "one": 0})) == "An object has at most 100 members."
    with pytest.raises(errors.InvalidJson):
        drafts(body(DEEP))


def test_members_that_nobody_reads_have_limits_around_the_items() -> None:
    batch = {"source": "a", "events": [PART] * 500}
    assert len(drafts({**batch, **MANY})) == 500
    assert refused({**batch, **MANY, "one": 0}) == "An object has at most 100 members."
    with pytest.raises(errors.InvalidJson):
        drafts({**batch, **DEEP})


@pytest.mark.parametrize("body", [b"", b"{", b"[", b'[{"source":"\xff"}]', b"[" * 5000])
def test_what_is_no_json_is_422_as_well(body: bytes) -> None:
    with pytest.raises(errors.InvalidJson) as caught:
        DIALECT.read(body)
    assert DIALECT.refusal(caught.value) == Reply(422, b'{"detail":"body: not valid JSON"}')


@pytest.mark.parametrize(("count", "body"), [(0, b'{"ingested":0}'), (2, b'{"ingested":2}')])
def test_the_receipt_counts(count: int, body: bytes) -> None:
    receipt = Receipt(first_event_id=1, count=count, received_at=0)
    assert DIALECT.receipt(receipt, 0) == Reply(201, body)


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (errors.NoCredential(), 401, "Invalid or missing API key"),
        (errors.UnknownApiKey(), 401, "Invalid or missing API key"),
        (errors.ForeignOrigin("o"), 403, "Domain not allowed"),
        (errors.RateLimited(9), 429, "Rate limit exceeded"),
        (errors.TooLarge(1), 413, "Request body too large"),
        (errors.SlowBody(), 408, "Request timeout"),
        (errors.UnsupportedEncoding("gzip"), 415, "Unsupported content encoding"),
        (
            errors.IdempotencyKeyReused(),
            422,
            "Idempotency-Key was already used with a different request.",
        ),
        (errors.UnknownPath(), 404, "Not Found"),
        (errors.WrongMethod(["GET"]), 405, "Method Not Allowed"),
        (errors.Unavailable("disk"), 503, "Service unavailable"),
        (errors.SlowpingError("secret"), 500, "Internal server error"),
    ],
)
def test_every_condition_has_its_words(error: errors.SlowpingError, status: int, text: str) -> None:
    reply = DIALECT.refusal(error)
    assert (reply.status, json.loads(reply.body)) == (status, {"detail": text})


def test_a_thousand_events_may_have_some_depth_each() -> None:
    data = {"cart": [{"id": number, "tags": []} for number in range(8)]}
    assert len(drafts([{**ITEM, "data": data}] * 1_000)) == 1_000
