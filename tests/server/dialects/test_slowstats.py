import json
from typing import Any

import pytest

from slowping.core import errors
from slowping.core.event import AdHocTarget, EventDraft, Receipt
from slowping.server.dialects.port import Reply
from slowping.server.dialects.slowstats import SlowStats

DIALECT = SlowStats()
URL = "https://discord.com/api/webhooks/XXXX/XXXX"
LEAST: dict[str, Any] = {"projectId": "abc123", "eventType": "purchase"}


def draft(**more: Any) -> EventDraft:
    [draft] = DIALECT.read(json.dumps({**LEAST, **more}).encode()).drafts
    return draft


def webhook(**more: Any) -> dict[str, Any]:
    return {"url": URL, "title": "New Purchase", **more}


def target(**more: Any) -> AdHocTarget:
    made = draft(**more).ad_hoc
    assert made is not None
    return made


@pytest.mark.parametrize("value", [b"k.ey", b"  k.ey\t"])
def test_the_header_is_the_key(value: bytes) -> None:
    assert DIALECT.credentials({b"x-api-key": value}) == "k.ey"


@pytest.mark.parametrize(
    "headers", [{}, {b"x-api-key": b""}, {b"x-api-key": b"  "}, {b"authorization": b"Bearer k"}]
)
def test_without_the_header_there_is_no_key(headers: dict[bytes, bytes]) -> None:
    with pytest.raises(errors.NoCredential):
        DIALECT.credentials(headers)


def test_a_whole_event_becomes_a_draft_with_its_own_target() -> None:
    reading = DIALECT.read(
        json.dumps(
            {
                "projectId": "abc123",
                "eventType": "purchase",
                "description": "User completed checkout",
                "payload": {"amount": 29.99, "items": [{"sku": "a"}]},
                "color": 16776960,
                "discordWebhook": {
                    "url": URL,
                    "title": "New Purchase",
                    "description": "A user spent $29.99",
                    "color": 65280,
                },
            }
        ).encode()
    )
    assert reading.project == "abc123"
    assert reading.drafts == (
        EventDraft(
            category="purchase",
            description="User completed checkout",
            fields={"amount": 29.99, "items": [{"sku": "a"}]},
            color=16776960,
            ad_hoc=AdHocTarget(
                kind="discord",
                target="XXXX",
                settings={"url": URL},
                title="New Purchase",
                description="A user spent $29.99",
                color=65280,
            ),
        ),
    )


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"description": None, "payload": None, "color": None, "discordWebhook": None},
        {"payload": {}},
        {"description": ""},
        {"zzz": {"any": [1]}},
    ],
)
def test_null_and_unknown_members_count_as_left_out(more: dict[str, Any]) -> None:
    assert draft(**more) == EventDraft(category="purchase")


def test_a_webhook_without_a_colour_takes_the_events() -> None:
    assert target(color=5, discordWebhook=webhook()).color == 5


def test_other_spellings_of_a_webhook_name_the_same_destination() -> None:
    for given in (URL.replace("discord.com", "discordapp.com"), f"{URL}?wait=true"):
        assert target(discordWebhook=webhook(url=given)) == target(discordWebhook=webhook())


def test_a_thread_of_a_webhook_is_a_destination_of_its_own() -> None:
    named = target(discordWebhook=webhook(url=f"{URL}?wait=true&thread_id=7"))
    assert (named.target, named.settings) == ("XXXX/7", {"url": f"{URL}?thread_id=7"})


def test_a_webhook_colour_of_zero_is_a_colour() -> None:
    assert target(color=5, discordWebhook=webhook(color=0)).color == 0


@pytest.mark.parametrize("color", [0, 0xFFFFFF])
def test_colours_reach_from_black_to_white(color: int) -> None:
    assert draft(color=color).color == color


@pytest.mark.parametrize(
    "body",
    [
        [],
        None,
        "x",
        1,
        {},
        {"projectId": "p"},
        {"eventType": "e"},
        {"projectId": "", "eventType": "e"},
        {"projectId": "p", "eventType": ""},
        {"projectId": None, "eventType": "e"},
        {"projectId": 1, "eventType": "e"},
        {**LEAST, "eventType": True},
        {**LEAST, "description": 1},
        {**LEAST, "payload": []},
        {**LEAST, "payload": "x"},
        {**LEAST, "color": -1},
        {**LEAST, "color": 16777216},
        {**LEAST, "color": 1.5},
        {**LEAST, "color": "red"},
        {**LEAST, "color": True},
        {**LEAST, "discordWebhook": URL},
        {**LEAST, "discordWebhook": {}},
        {**LEAST, "discordWebhook": {"url": URL}},
        {**LEAST, "discordWebhook": {"title": "t"}},
        {**LEAST, "discordWebhook": webhook(title=None)},
        {**LEAST, "discordWebhook": webhook(color=16777216)},
        {**LEAST, "discordWebhook": webhook(description=1)},
        {**LEAST, "discordWebhook": webhook(url="http://discord.com/api/webhooks/1/a")},
        {**LEAST, "discordWebhook": webhook(url="https://discord.com@evil/api/webhooks/1/a")},
        {**LEAST, "payload": {f"k{number}": 1 for number in range(101)}},
        {**LEAST, **{f"k{number}": 1 for number in range(101)}},
    ],
)
def test_every_flaw_of_a_body_is_the_same_answer(body: Any) -> None:
    with pytest.raises(errors.InvalidInput) as caught:
        DIALECT.read(json.dumps(body).encode())
    assert DIALECT.refusal(caught.value) == Reply(400, b'{"error":"Invalid request body."}')


@pytest.mark.parametrize("levels", [33, 2000])
def test_what_nests_too_deep_is_no_valid_body(levels: int) -> None:
    payload = b'{"a":' * levels + b"1" + b"}" * levels
    with pytest.raises(errors.InvalidJson):
        DIALECT.read(b'{"projectId":"p","eventType":"e","payload":%s}' % payload)


def test_thirty_two_levels_of_payload_are_taken() -> None:
    payload = b'{"a":' * 32 + b"1" + b"}" * 32
    reading = DIALECT.read(b'{"projectId":"p","eventType":"e","payload":%s}' % payload)
    assert len(reading.drafts) == 1


def test_the_receipt_is_always_the_same() -> None:
    receipt = Receipt(first_event_id=1, count=1, received_at=0, deduplicated=True)
    assert DIALECT.receipt(receipt, 1) == Reply(200, b'{"message":"Event created successfully."}')


UNAUTHORIZED = "Unauthorized: You must provide a valid API Key."


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (errors.NoCredential(), 401, UNAUTHORIZED),
        (errors.UnknownApiKey(), 401, UNAUTHORIZED),
        (errors.ForeignProject("p"), 403, "Forbidden: You do not have access to this project."),
        (errors.ForeignOrigin("o"), 403, "Forbidden: This origin is not allowed."),
        (errors.RateLimited(9), 429, "Too Many Requests"),
        (errors.TooLarge(1), 413, "Request body too large."),
        (errors.SlowBody(), 408, "Request Timeout"),
        (errors.UnsupportedEncoding("gzip"), 415, "Unsupported content encoding."),
        (errors.InvalidJson(), 400, "Invalid request body."),
        (errors.InvalidInput("inner words"), 400, "Invalid request body."),
        (errors.InvalidInput("x", ("Project ID is required.",)), 400, "Project ID is required."),
        (
            errors.IdempotencyKeyReused(),
            422,
            "Idempotency-Key was already used with a different request.",
        ),
        (errors.UnknownPath(), 404, "Not Found"),
        (errors.WrongMethod(["POST"]), 405, "Method Not Allowed"),
        (errors.Unavailable("disk"), 503, "Service unavailable. Please try again later."),
        (errors.SlowpingError("secret"), 500, "An internal server error occurred."),
    ],
)
def test_every_condition_has_its_words(error: errors.SlowpingError, status: int, text: str) -> None:
    reply = DIALECT.refusal(error)
    assert (reply.status, json.loads(reply.body)) == (status, {"error": text})
