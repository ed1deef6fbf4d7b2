"""Decide what an answer of Telegram means, by its code first: the texts may change."""

import re
from typing import Final

import msgspec

from slowping.core.delivery import Delivered, Outcome, Pace, Rejected, Retry, Throttled, Unusable
from slowping.notifiers import http
from slowping.notifiers.port import HttpAnswer

OVERLOAD_WAIT_S: Final = 60
"""What a Bot API server asks for when the bot as a whole has too much on its way."""

_UNTOLD_FROM_S: Final = 5.0
"""Who asks for less has seen a burst that is over."""

_FAULT_OF_THE_TEXT: Final = re.compile(
    r"can'?t parse|too long|text is empty|must be non-empty|encoded in utf-8", re.IGNORECASE
)
_NO_THREAD: Final = re.compile(
    r"message thread not found|topic_(closed|deleted)|thread_id_invalid", re.IGNORECASE
)
_NO_CHAT: Final = re.compile(
    r"chat not found|chat was deleted|have no access|not enough rights|chat_write_forbidden"
    r"|kicked|peer_id_invalid|need administrator|can't write",
    re.IGNORECASE,
)

_CHAT_GONE: Final = (
    "Telegram does not let the bot write to this chat: check chat_id, and that the bot is a member"
    " there or was started by the user"
)
_THREAD_GONE: Final = "the topic is closed or gone: enter another message_thread_id or none"
_BLOCKED: Final = (
    "the bot was blocked by the user or removed from the chat: it has to be started or invited"
    " again"
)
_BOT_REFUSED: Final = "Telegram does not accept the bot token: enter the one that BotFather shows"
_WRONG_SERVER: Final = "this Bot API server does not serve the bot: check api_base"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a request counts against."""

    bot: str
    """The scope of the bot's token."""
    chat: str
    """The scope of the chat."""
    paces: tuple[Pace, ...]
    """What each message costs the bot and the chat."""
    secrets: tuple[str, ...]
    """What is not to appear in an excerpt."""


class _Sent(msgspec.Struct, frozen=True):
    message_id: int | None = None


class _Parameters(msgspec.Struct, frozen=True):
    retry_after: float | None = None
    migrate_to_chat_id: int | None = None


class _Told(msgspec.Struct, frozen=True):
    """What we read of an answer."""

    ok: bool = False
    result: _Sent = _Sent()
    error_code: int = 0
    description: str = ""
    parameters: _Parameters = _Parameters()


def judged(answer: HttpAnswer, limits: Limits, now_ms: int) -> Outcome:
    """What an answer means."""
    told = http.told(answer.body, _Told)
    seen = http.record(answer, limits.secrets)
    if told.ok:
        return Delivered(
            answer=seen,
            paces=limits.paces,
            reference=None if told.result.message_id is None else str(told.result.message_id),
        )
    code = told.error_code or answer.status
    if code == 429:
        return _throttled(answer, told, limits, now_ms)
    if told.parameters.migrate_to_chat_id is not None:
        return Retry(answer=seen, reason="the chat has a new id, which is tried next")
    refused = _refused(code, told.description, limits)
    if refused is not None:
        return msgspec.structs.replace(refused, answer=seen)
    return Retry(
        answer=seen,
        reason=f"Telegram could not take it now (HTTP {answer.status})",
        after=http.retry_after(answer.headers.get("retry-after"), now_ms),
        # Whoever says yes in a way that cannot be read may have sent it.
        unknown=200 <= answer.status < 300,
    )


def moved_to(answer: HttpAnswer) -> int | None:
    """The chat's new id, where a group was made a supergroup."""
    told = http.told(answer.body, _Told)
    moved = told.parameters.migrate_to_chat_id
    # Ids have 52 bits at most (Bot API, ResponseParameters).
    return None if told.ok or moved is None or abs(moved) >= 2**52 else moved


def wants_a_plainer_text(answer: HttpAnswer) -> bool:
    """Whether it was the text that Telegram found fault with."""
    told = http.told(answer.body, _Told)
    return (told.error_code or answer.status) in (400, 413) and bool(
        _FAULT_OF_THE_TEXT.search(told.description) or answer.status == 413
    )


def _throttled(answer: HttpAnswer, told: _Told, limits: Limits, now_ms: int) -> Outcome:
    wait_s = told.parameters.retry_after
    if wait_s is None:
        wait_s = http.retry_after(answer.headers.get("retry-after"), now_ms)
    is_overloaded = wait_s in (None, OVERLOAD_WAIT_S)
    return Throttled(
        answer=http.record(answer, limits.secrets),
        after=None if wait_s is None else min(wait_s, http.MAX_RETRY_AFTER_S),
        scope=limits.bot if is_overloaded else limits.chat,
        reason="Telegram asks to wait",
        # The chat is paced as it should be, so others write there too.
        untold=not is_overloaded and wait_s is not None and wait_s >= _UNTOLD_FROM_S,
    )


def _refused(code: int, description: str, limits: Limits) -> Rejected | Unusable | None:
    if code in (401, 404):
        return Unusable(reason=_BOT_REFUSED, scope=limits.bot)
    if code == 421:
        return Unusable(reason=_WRONG_SERVER, scope=limits.bot)
    if code == 403:
        return Unusable(reason=_BLOCKED)
    if code == 400 and _NO_THREAD.search(description):
        return Unusable(reason=_THREAD_GONE)
    if code == 400 and _NO_CHAT.search(description):
        return Unusable(reason=_CHAT_GONE)
    if code in (400, 413):
        said = http.quote(description, limits.secrets) or f"code {code}"
        return Rejected(reason=f"Telegram does not take this message: {said}")
    return None
