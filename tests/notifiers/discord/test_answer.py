import json
from collections.abc import Mapping
from typing import Any, Final

import pytest

from slowping.core.delivery import Delivered, Outcome, Pace, Rejected, Retry, Throttled, Unusable
from slowping.notifiers.discord import answer as answers
from slowping.notifiers.discord.answer import Limits
from slowping.notifiers.port import HttpAnswer
from tests.notifiers.samples import NOW_MS

WEBHOOK: Final = Limits(
    scope="discord:webhook:1", bot=None, webhook="discord:webhook:1:t", secrets=("t0ken",)
)
BOT: Final = Limits(scope="discord:user:2", bot="discord:bot:b", secrets=("t0ken",))


def judged(
    status: int,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    *,
    limits: Limits = WEBHOOK,
) -> Outcome:
    content = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    answer = HttpAnswer(status, headers or {}, content)
    return answers.judged(answer, limits, NOW_MS)


def limited(remaining: str, reset_after: str) -> dict[str, str]:
    return {"x-ratelimit-remaining": remaining, "x-ratelimit-reset-after": reset_after}


OVERALL = Pace("discord", 1 / 45, adds_up=True)
"""What each message costs all webhooks together."""


# Taken --------------------------------------------------------------------------------------


def test_a_message_that_is_kept_is_delivered_with_its_id() -> None:
    outcome = judged(200, {"id": "99", "content": "", "type": 0})
    assert isinstance(outcome, Delivered)
    assert outcome.reference == "99"
    assert outcome.paces == (OVERALL,)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"id": 7}', b'{"id": "7", "em'])
def test_a_message_without_a_readable_id_is_delivered_too(body: bytes) -> None:
    assert isinstance(judged(200, body), Delivered)


@pytest.mark.parametrize("remaining", [0, 3])
def test_an_answer_tells_what_is_left_of_its_bucket_and_until_when(remaining: int) -> None:
    headers = {**limited(str(remaining), "1.25"), "x-ratelimit-limit": "5"}
    overall, pace = judged(200, headers=headers).paces
    assert overall == OVERALL
    assert pace == Pace("discord:webhook:1", 1.25, remaining=remaining, limit=5)


@pytest.mark.parametrize(
    ("remaining", "reset_after"),
    [("", "1.25"), ("-1", "1.25"), ("0", ""), ("0", "nan"), ("0", "-1"), ("0", "x"), ("0", "1e9")],
)
def test_headers_that_say_nothing_set_no_pace(remaining: str, reset_after: str) -> None:
    outcome = judged(200, headers=limited(remaining, reset_after))
    assert outcome.paces == (OVERALL,)


# Requests that Discord counts as invalid ----------------------------------------------------


@pytest.mark.parametrize(
    ("status", "headers", "counts"),
    [
        (401, {}, True),
        (403, {}, True),
        (429, {}, True),
        (429, {"x-ratelimit-scope": "user"}, True),
        (429, {"x-ratelimit-scope": "shared"}, False),
        (200, {}, False),
        (400, {}, False),
        (500, {}, False),
    ],
)
def test_an_invalid_request_is_charged_to_what_all_of_discord_may_spare(
    status: int, headers: dict[str, str], counts: bool
) -> None:
    budgets = [pace for pace in judged(status, headers=headers).paces if pace.spare_s]
    assert [(pace.scope, round(pace.spare_s / pace.wait_s)) for pace in budgets] == (
        [("discord", 1_000)] if counts else []
    )


@pytest.mark.parametrize(
    ("told", "untold"),
    [
        ({"retry_after": 40.0, "global": False}, True),
        ({"retry_after": 1.9, "global": False}, False),
        ({"retry_after": 40.0, "global": True}, False),
        ({"message": "a ban names no time"}, False),
    ],
)
def test_a_wait_that_no_bucket_asks_for_is_of_a_limit_that_nobody_told_of(
    told: dict[str, object], untold: bool
) -> None:
    outcome = judged(429, told)
    assert isinstance(outcome, Throttled)
    assert outcome.untold is untold


# To wait ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "headers", "after", "scope"),
    [
        (429, {"retry_after": 4.5, "global": False}, {}, 4.5, "discord:webhook:1"),
        (
            429,
            {"retry_after": 4.5, "global": False},
            {"retry-after": "9"},
            4.5,
            "discord:webhook:1",
        ),
        (429, {"retry_after": 0}, {}, 0, "discord:webhook:1"),
        (429, {"retry_after": 1e12}, {}, 86_400, "discord:webhook:1"),
        (429, {"retry_after": 4.5, "global": True}, {}, 4.5, "discord"),
        (429, {"retry_after": 4.5}, {"x-ratelimit-scope": "global"}, 4.5, "discord"),
        (429, {"retry_after": 4.5}, {"x-ratelimit-scope": "shared"}, 4.5, "discord:webhook:1"),
        (429, {"retry_after": 2, "code": 20028}, {}, 2, "discord:webhook:1"),
        (400, {"retry_after": 2, "code": 40003}, {}, 2, "discord:webhook:1"),
        (429, b"<html>error code: 1015", {}, None, "discord"),
        (429, b"<html>error code: 1015", {"retry-after": "3600"}, 3_600, "discord"),
        (429, {"retry_after": "soon"}, {}, None, "discord"),
        (403, {"code": 40333}, {}, None, "discord"),
        (403, {"code": 40333}, {"retry-after": "90"}, 90, "discord"),
    ],
)
def test_who_asks_to_wait_says_how_long_and_for_whom(
    status: int, body: Any, headers: dict[str, str], after: float | None, scope: str
) -> None:
    outcome = judged(status, body, headers)
    assert isinstance(outcome, Throttled)
    assert (outcome.after, outcome.scope) == (after, scope)


# To try again -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, {}), (502, b"<html>"), (400, {"code": 130000}), (302, b""), (418, b"")],
)
def test_trouble_may_pass(status: int, body: Any) -> None:
    outcome = judged(status, body, {"retry-after": "30"})
    assert isinstance(outcome, Retry)
    assert (outcome.after, outcome.unknown) == (30, False)


# Never --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, 0), (400, 50035), (400, 50006), (400, 50109), (400, 40005), (413, 0),
        (400, 200000), (403, 200001), (400, 240000), (403, 20009),
    ],
)  # fmt: skip
def test_a_message_that_is_never_taken_is_rejected(status: int, code: int) -> None:
    assert isinstance(judged(status, {"code": code, "message": "no"}), Rejected)


@pytest.mark.parametrize(
    ("status", "code", "advice"),
    [
        (404, 10003, "channel or thread is gone"),
        (400, 220001, "thread_id"),
        (400, 220004, "thread_id"),
        (400, 160005, "locked"),
        (403, 50001, "give it access"),
        (403, 50013, "give it access"),
        (403, 50007, "allow direct messages"),
        (403, 50278, "share no server"),
        (403, 0, "does not allow"),
    ],
)
def test_what_needs_someone_to_act_says_what_to_do(status: int, code: int, advice: str) -> None:
    outcome = judged(status, {"code": code, "message": "no"})
    assert isinstance(outcome, Unusable)
    assert advice in outcome.reason
    assert outcome.scope is None


@pytest.mark.parametrize(("status", "code"), [(401, 50027), (404, 10015), (401, 0), (404, 0)])
def test_a_webhook_that_is_gone_is_not_asked_again_by_any_channel(status: int, code: int) -> None:
    outcome = judged(status, {"code": code, "message": "no"})
    assert isinstance(outcome, Unusable)
    assert outcome.scope == "discord:webhook:1:t"
    assert "create a new one and enter its URL" in outcome.reason


def test_a_token_that_is_refused_stops_all_that_the_bot_does() -> None:
    outcome = judged(401, {"message": "401: Unauthorized", "code": 0}, limits=BOT)
    assert isinstance(outcome, Unusable)
    assert outcome.scope == "discord:bot:b"
    assert "bot token" in outcome.reason


def test_no_secret_is_kept_with_the_attempt() -> None:
    outcome = judged(404, b"nothing at /webhooks/1/t0ken")
    assert outcome.answer.excerpt == "nothing at /webhooks/1/[secret]"


@pytest.mark.parametrize(
    ("status", "body", "plainer"),
    [
        (400, {"code": 50035}, True),
        (413, {"code": 40005}, True),
        (400, {"code": 50001}, False),
        (400, b"", False),
        (200, {"id": "1"}, False),
    ],
)
def test_a_plainer_body_is_tried_where_the_body_was_at_fault(
    status: int, body: Any, plainer: bool
) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert answers.wants_a_plainer_body(HttpAnswer(status, {}, content)) is plainer
