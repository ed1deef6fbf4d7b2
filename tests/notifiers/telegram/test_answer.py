import json
from collections.abc import Mapping
from typing import Any, Final

import pytest

from slowping.core.delivery import Delivered, Outcome, Pace, Rejected, Retry, Throttled, Unusable
from slowping.notifiers.port import HttpAnswer
from slowping.notifiers.telegram import answer as answers
from slowping.notifiers.telegram.answer import Limits
from tests.notifiers.samples import NOW_MS

PACES: Final = (Pace("telegram:bot:b", 0.04), Pace("telegram:chat:b:1", 3.0))
LIMITS: Final = Limits(
    bot="telegram:bot:b", chat="telegram:chat:b:1", paces=PACES, secrets=("1:t0ken", "t0ken")
)


def answered(status: int, body: Any, headers: Mapping[str, str] | None = None) -> HttpAnswer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpAnswer(status, headers or {}, content)


def error(code: int, description: str = "", **parameters: int) -> dict[str, Any]:
    return {
        "ok": False, "error_code": code, "description": description, "parameters": parameters,
    }  # fmt: skip


def judged(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Outcome:
    return answers.judged(answered(status, body, headers), LIMITS, NOW_MS)


def test_a_message_that_was_sent_is_delivered_and_sets_the_pace() -> None:
    outcome = judged(200, {"ok": True, "result": {"message_id": 7, "text": "x"}})
    assert isinstance(outcome, Delivered)
    assert outcome.reference == "7"
    assert outcome.paces == PACES


@pytest.mark.parametrize("body", [b"<html>hello", b"", {"ok": False}, b"[1]"])
def test_a_yes_that_cannot_be_read_may_have_been_one(body: Any) -> None:
    outcome = judged(200, body)
    assert isinstance(outcome, Retry)
    assert outcome.unknown


@pytest.mark.parametrize(
    ("body", "headers", "after", "scope"),
    [
        (error(429, "Too Many Requests: retry after 7", retry_after=7), {}, 7, "telegram:chat:b:1"),
        (error(429, retry_after=7), {"retry-after": "9"}, 7, "telegram:chat:b:1"),
        (error(429, retry_after=0), {}, 0, "telegram:chat:b:1"),
        (error(429, retry_after=60), {}, 60, "telegram:bot:b"),
        (b"<html>", {"retry-after": "9"}, 9, "telegram:chat:b:1"),
        (b"<html>", {}, None, "telegram:bot:b"),
    ],
)
def test_too_many_requests_hold_the_chat_and_an_overload_the_bot(
    body: Any, headers: dict[str, str], after: float | None, scope: str
) -> None:
    outcome = judged(429, body, headers)
    assert isinstance(outcome, Throttled)
    assert (outcome.after, outcome.scope) == (after, scope)


@pytest.mark.parametrize(("retry_after", "untold"), [(4, False), (33, True), (60, False)])
def test_a_chat_that_asks_for_long_takes_less_than_is_known(retry_after: int, untold: bool) -> None:
    body = error(429, "Too Many Requests", retry_after=retry_after)
    outcome = judged(429, body, {})
    assert isinstance(outcome, Throttled)
    assert outcome.untold is untold


@pytest.mark.parametrize(
    ("code", "description", "advice", "scope"),
    [
        (401, "Unauthorized", "BotFather", "telegram:bot:b"),
        (404, "Not Found", "BotFather", "telegram:bot:b"),
        (421, "Misdirected Request", "api_base", "telegram:bot:b"),
        (403, "Forbidden: bot was blocked by the user", "started or invited", None),
        (403, "Forbidden: bot was kicked from the group chat", "started or invited", None),
        (400, "Bad Request: chat not found", "check chat_id", None),
        (400, "Bad Request: group chat was deleted", "check chat_id", None),
        (400, "Bad Request: have no access to the chat", "check chat_id", None),
        (400, "Bad Request: message thread not found", "message_thread_id", None),
        (400, "Bad Request: TOPIC_CLOSED", "message_thread_id", None),
    ],
)
def test_what_needs_someone_to_act_says_what_to_do(
    code: int, description: str, advice: str, scope: str | None
) -> None:
    outcome = judged(code, error(code, description))
    assert isinstance(outcome, Unusable)
    assert advice in outcome.reason
    assert outcome.scope == scope


@pytest.mark.parametrize(
    "description", ["Bad Request: message is too long", "Bad Request: something new"]
)
def test_a_message_that_is_never_taken_is_rejected_in_telegrams_words(description: str) -> None:
    outcome = judged(400, error(400, description))
    assert isinstance(outcome, Rejected)
    assert outcome.reason.endswith(description)


@pytest.mark.parametrize("status", [302, 409, 500, 502])
def test_trouble_may_pass(status: int) -> None:
    outcome = judged(status, error(status, "Internal Server Error"), {"retry-after": "30"})
    assert isinstance(outcome, Retry)
    assert (outcome.after, outcome.unknown) == (30, False)


def test_the_code_in_the_body_counts_more_than_the_status() -> None:
    assert isinstance(judged(200, error(403)), Unusable)


def test_no_secret_is_kept_with_the_attempt() -> None:
    outcome = judged(400, error(400, "no /bot1:t0ken/sendMessage, no t0ken"))
    assert isinstance(outcome, Rejected)
    assert "t0ken" not in f"{outcome}"


@pytest.mark.parametrize(
    ("status", "body", "plainer"),
    [
        (400, error(400, "Bad Request: can't parse entities: x"), True),
        (400, error(400, "Bad Request: message is too long"), True),
        (400, error(400, "Bad Request: message text is empty"), True),
        (413, b"<html>", True),
        (400, error(400, "Bad Request: chat not found"), False),
        (403, error(403, "message is too long"), False),
        (200, {"ok": True}, False),
    ],
)
def test_a_plainer_text_is_tried_where_the_text_was_at_fault(
    status: int, body: Any, plainer: bool
) -> None:
    assert answers.wants_a_plainer_text(answered(status, body)) is plainer


def test_a_group_that_moved_names_its_new_id() -> None:
    moved = error(400, "group chat was upgraded", migrate_to_chat_id=-1_001_234)
    assert answers.moved_to(answered(400, moved)) == -1_001_234
    assert answers.moved_to(answered(200, {"ok": True})) is None
