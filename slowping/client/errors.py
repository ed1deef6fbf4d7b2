"""Turn what a server answers back into the conditions it means."""

from collections.abc import Callable, Mapping
from typing import Final, NoReturn

import msgspec

from slowping.core import errors, problem
from slowping.core.errors import SlowpingError
from slowping.core.problem import Problem

_DEFAULT_WAIT_S: Final = 5

_MEANT: Final[Mapping[type[SlowpingError], Callable[[Problem], SlowpingError]]] = {
    errors.NoCredential: lambda _: errors.NoCredential(),
    errors.MalformedCredential: lambda _: errors.MalformedCredential(),
    errors.EmptyCredential: lambda _: errors.EmptyCredential(),
    errors.UnknownApiKey: lambda _: errors.UnknownApiKey(),
    errors.Forbidden: lambda told: errors.Forbidden(told.detail),
    errors.ForeignProject: lambda told: errors.ForeignProject(told.project or ""),
    errors.ForeignOrigin: lambda told: errors.ForeignOrigin(told.origin or ""),
    errors.RateLimited: lambda told: errors.RateLimited(
        told.retry_after_s or _DEFAULT_WAIT_S, limit=told.limit or 0, reset_at=told.reset_at or 0
    ),
    errors.TooManyGuesses: lambda told: errors.TooManyGuesses(
        told.retry_after_s or _DEFAULT_WAIT_S, limit=told.limit or 0, reset_at=told.reset_at or 0
    ),
    errors.QuotaReached: lambda told: errors.QuotaReached(told.limit or 0),
    errors.NoDestination: lambda told: errors.NoDestination(told.kind or ""),
    errors.TooLarge: lambda told: errors.TooLarge(told.limit_bytes or 0),
    errors.SlowBody: lambda _: errors.SlowBody(),
    errors.UnsupportedEncoding: lambda told: errors.UnsupportedEncoding(told.encoding or ""),
    errors.InvalidJson: lambda _: errors.InvalidJson(),
    errors.InvalidInput: lambda told: errors.InvalidInput(told.detail, told.issues),
    errors.UnknownCategory: lambda told: errors.UnknownCategory(told.name or ""),
    errors.IdempotencyKeyReused: lambda _: errors.IdempotencyKeyReused(),
    errors.NotFound: lambda told: errors.NotFound(told.noun or "", told.name or ""),
    errors.NameTaken: lambda told: errors.NameTaken(told.noun or "", told.name or ""),
    errors.WrongState: lambda told: errors.WrongState(told.detail),
    errors.UnknownPath: lambda _: errors.UnknownPath(),
    errors.WrongMethod: lambda told: errors.WrongMethod(told.allow),
    errors.Unavailable: lambda told: errors.Unavailable(
        told.detail, told.retry_after_s or _DEFAULT_WAIT_S
    ),
}
_BY_NAME: Final = {problem.condition_of(kind): meant for kind, meant in _MEANT.items()}


def refuse(status: int, media_type: str, body: bytes) -> NoReturn:
    """Raise what an answer other than success means.

    Raises:
        SlowpingError: the condition that the server names.
        UnexpectedAnswer: it is no slowping server, or one that broke.
    """
    told = _problem(media_type, body)
    if told is None:
        raise errors.UnexpectedAnswer(
            f"The server answered {status}, and not as slowping does. Is the address right?"
        )
    if told.condition in _BY_NAME:
        raise _BY_NAME[told.condition](told)
    if status == 401:
        raise errors.UnknownApiKey
    if status == 403:
        raise errors.Forbidden(told.detail)
    raise errors.UnexpectedAnswer(f"The server answered {status}: {told.detail}")


def _problem(media_type: str, body: bytes) -> Problem | None:
    if media_type.partition(";")[0].strip().lower() != problem.MEDIA_TYPE:
        return None
    try:
        return msgspec.json.decode(body, type=Problem)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
