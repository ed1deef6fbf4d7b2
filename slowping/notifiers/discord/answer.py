"""Decide what an answer of Discord means, by its JSON error code first and its status second.

The codes are from Discord's documentation, "Opcodes and Status Codes".
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from slowping.core.delivery import (
    Answer,
    Delivered,
    Outcome,
    Pace,
    Rejected,
    Retry,
    Throttled,
    Unusable,
)
from slowping.notifiers import http
from slowping.notifiers.port import HttpAnswer

PROVIDER: Final = "discord"
"""The scope of a ban, and of limits that count by our own address."""

UNKNOWN_CHANNEL: Final = 10003

# Ten thousand invalid requests within ten minutes ban our address for a while. A tenth of that is
# borne at once, and no more than a tenth of that rate afterwards.
_INVALID: Final = Pace(PROVIDER, 0.6, adds_up=True, spare_s=600.0)

# Discord's documentation, "Rate Limits", "Global Rate Limit": fifty a second of a bot, or of an
# address where there is none. A few are left for others there.
_OVERALL_PACE_S: Final = 1 / 45

_UNTOLD_FROM_S: Final = 5.0
"""The buckets that headers tell of ask for less; what asks for more is a limit of another kind."""

_SCOPE: Final = "x-ratelimit-scope"

_FAULTS_OF_THE_BODY: Final = {50035, 50006, 50109, 40005}
_SLOW_DOWN: Final = {20016, 20028, 20029, 40003, 40062}
_BLOCKED_BY_CLOUDFLARE: Final = 40333
_OVERLOADED: Final = 130000

_MESSAGE_BLOCKED: Final = "Discord's content filter refused this message"
_FORUM: Final = (
    "the webhook belongs to a forum or media channel: put ?thread_id=... behind its URL, or use a"
    " webhook of a text channel"
)
_NO_PERMISSION: Final = "the bot may not write there any more: give it access again"
_WEBHOOK_GONE: Final = (
    "Discord does not know this webhook any more: create a new one and enter its URL"
)
_BOT_REFUSED: Final = "Discord does not accept the bot token: enter the present one"

_REJECTED: Final[Mapping[int, str]] = {
    **dict.fromkeys((200000, 200001, 240000, 20009), _MESSAGE_BLOCKED),
    40005: "the message is too large for Discord",
}
_UNUSABLE: Final[Mapping[int, str]] = {
    UNKNOWN_CHANNEL: "the Discord channel or thread is gone: enter another one",
    10013: "Discord does not know this user: check user_id",
    10015: _WEBHOOK_GONE,
    50001: _NO_PERMISSION,
    50007: (
        "the user takes no messages from this bot: the user has to allow direct messages, unblock"
        " the bot and share a server with it"
    ),
    50013: _NO_PERMISSION,
    50027: _WEBHOOK_GONE,
    50033: "Discord cannot write to this user: check user_id",
    50278: "the bot and the user share no server: invite the bot to one that the user is on",
    **dict.fromkeys((220001, 220002, 220003, 220004), _FORUM),
    160005: "the thread is locked: unlock it or enter another one",
}


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a request counts against."""

    scope: str
    """What a limit in its answer covers."""
    bot: str | None
    """The scope of the bot's token; None for a webhook, which has no bot."""
    webhook: str | None = None
    """The scope of the webhook's token; None for a bot."""
    secrets: tuple[str, ...]
    """What is not to appear in an excerpt."""


class _Told(msgspec.Struct, frozen=True):
    """What we read of a body: of a message its id, of an error the rest."""

    id: str | None = None
    code: int = 0
    message: str = ""
    retry_after: float | None = None
    everywhere: bool = msgspec.field(name="global", default=False)


def judged(answer: HttpAnswer, limits: Limits, now_ms: int) -> Outcome:
    """What an answer means."""
    outcome = _judged(answer, limits, now_ms)
    if answer.status not in (401, 403, 429) or answer.headers.get(_SCOPE) == "shared":
        return outcome
    return msgspec.structs.replace(outcome, paces=(*outcome.paces, _INVALID))


def _judged(answer: HttpAnswer, limits: Limits, now_ms: int) -> Outcome:
    told = http.told(answer.body, _Told)
    seen = http.record(answer, limits.secrets)
    if 200 <= answer.status < 300:
        return Delivered(answer=seen, paces=_paces(answer.headers, limits), reference=told.id)
    if answer.status == 429 or told.code in _SLOW_DOWN or told.code == _BLOCKED_BY_CLOUDFLARE:
        return _throttled(answer, told, limits, now_ms)
    if answer.status >= 500 or told.code == _OVERLOADED:
        after = http.retry_after(answer.headers.get("retry-after"), now_ms)
        reason = f"Discord has trouble of its own (HTTP {answer.status})"
        return Retry(answer=seen, reason=reason, after=after)
    refused = _refused(answer.status, told, limits, seen)
    if refused is not None:
        return refused
    return http.outcome_of(answer, scope=limits.scope, now_ms=now_ms, secrets=limits.secrets)


def wants_a_plainer_body(answer: HttpAnswer) -> bool:
    """Whether it was the body that Discord found fault with."""
    return answer.status in (400, 413) and http.told(answer.body, _Told).code in _FAULTS_OF_THE_BODY


def is_about(answer: HttpAnswer, code: int) -> bool:
    """Whether it is an error with this code."""
    return answer.status >= 400 and http.told(answer.body, _Told).code == code


def reference(answer: HttpAnswer) -> str | None:
    """The id of what was made."""
    return http.told(answer.body, _Told).id


def _throttled(answer: HttpAnswer, told: _Told, limits: Limits, now_ms: int) -> Outcome:
    seen = http.record(answer, limits.secrets)
    header = http.retry_after(answer.headers.get("retry-after"), now_ms)
    banned = told.code == _BLOCKED_BY_CLOUDFLARE
    if banned or told.retry_after is None:
        # Discord itself names a number of seconds. Who does not is the wall before it, which
        # bans our address; asking again in the meantime makes the ban longer.
        wait_s = header
        reason = "Discord's protection bans this server's address for a while"
        everywhere = True
    else:
        wait_s = min(told.retry_after, http.MAX_RETRY_AFTER_S)
        reason = "Discord asks to wait"
        everywhere = told.everywhere or answer.headers.get(_SCOPE) == "global"
    return Throttled(
        answer=seen,
        after=wait_s,
        scope=PROVIDER if everywhere else limits.scope,
        reason=reason,
        untold=not everywhere and wait_s is not None and wait_s >= _UNTOLD_FROM_S,
    )


def _refused(status: int, told: _Told, limits: Limits, seen: Answer) -> Outcome | None:
    if told.code in _REJECTED:
        return Rejected(answer=seen, reason=_REJECTED[told.code])
    if told.code in _UNUSABLE:
        reason = _UNUSABLE[told.code]
        # Asking again by another channel would count against our address.
        scope = limits.webhook if reason is _WEBHOOK_GONE else None
        return Unusable(answer=seen, reason=reason, scope=scope)
    if status == 401 and limits.bot is not None:
        return Unusable(answer=seen, reason=_BOT_REFUSED, scope=limits.bot)
    if status in (401, 404):
        reason = _WEBHOOK_GONE if limits.bot is None else _UNUSABLE[UNKNOWN_CHANNEL]
        return Unusable(answer=seen, reason=reason, scope=limits.webhook)
    said = http.quote(told.message, limits.secrets) or f"HTTP {status}"
    if status == 403:
        return Unusable(answer=seen, reason=f"Discord does not allow messages there: {said}")
    if status in (400, 413):
        return Rejected(answer=seen, reason=f"Discord does not take this message: {said}")
    return None


def _paces(headers: Mapping[str, str], limits: Limits) -> tuple[Pace, ...]:
    """What a message costs, and what is left of the bucket that it went into, until when."""
    overall = Pace(limits.bot or PROVIDER, _OVERALL_PACE_S, adds_up=True)
    try:
        remaining = int(headers.get("x-ratelimit-remaining", ""))
        limit = int(headers.get("x-ratelimit-limit", "0"))
        # Not X-RateLimit-Reset, which is a time of day: the clocks may differ.
        wait_s = float(headers.get("x-ratelimit-reset-after", ""))
    except ValueError:
        return (overall,)
    if not (0 < wait_s <= http.MAX_RETRY_AFTER_S and remaining >= 0 <= limit):
        return (overall,)
    return (overall, Pace(limits.scope, wait_s, remaining=remaining, limit=limit))
