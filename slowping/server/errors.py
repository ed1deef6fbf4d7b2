"""Word every condition as an HTTP problem: one table from condition to status and title."""

import logging
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from litestar import Request, Response

from slowping.core import errors, problem
from slowping.core.errors import SlowpingError
from slowping.core.problem import Problem
from slowping.server import http
from slowping.server.log import Fact

_log = logging.getLogger("slowping.api")

CONDITIONS: Final[Mapping[type[SlowpingError], tuple[int, str]]] = {
    errors.InvalidJson: (400, "Not valid JSON"),
    errors.NoCredential: (401, "No API key"),
    errors.MalformedCredential: (401, "API key in the wrong form"),
    errors.EmptyCredential: (401, "Empty API key"),
    errors.UnknownApiKey: (401, "Unknown API key"),
    errors.Forbidden: (403, "Not allowed"),
    errors.ForeignProject: (403, "Not allowed in this project"),
    errors.ForeignOrigin: (403, "Not allowed from this origin"),
    errors.NoDestination: (403, "No channel"),
    errors.UnknownPath: (404, "Nothing here"),
    errors.NotFound: (404, "Not found"),
    errors.UnknownCategory: (404, "Unknown category"),
    errors.WrongMethod: (405, "Wrong method"),
    errors.SlowBody: (408, "Request body too slow"),
    errors.NameTaken: (409, "Name taken"),
    errors.WrongState: (409, "Not possible in this state"),
    errors.TooLarge: (413, "Request body too large"),
    errors.UnsupportedEncoding: (415, "Unsupported content encoding"),
    errors.InvalidInput: (422, "Not what is asked for"),
    errors.IdempotencyKeyReused: (422, "Idempotency key used before"),
    errors.RateLimited: (429, "Too many requests"),
    errors.TooManyGuesses: (429, "Too many wrong API keys"),
    errors.QuotaReached: (429, "Monthly quota reached"),
    errors.Unavailable: (503, "Not possible now"),
}

_DATA: Final = frozenset(Problem.__struct_fields__)
_encode: Final = msgspec.json.Encoder().encode


def problem_of(error: SlowpingError) -> Problem:
    """The condition in the words of RFC 9457; one that is not for clients is a server fault."""
    known = next((kind for kind in type(error).__mro__ if kind in CONDITIONS), None)
    if known is None:
        return fault()
    status, title = CONDITIONS[known]
    data = {name: value for name, value in vars(error).items() if name in _DATA}
    return Problem(
        type=problem.EXPLAINED_AT + problem.condition_of(known),
        title=title,
        status=status,
        detail=str(error),
        **data,
    )


def fault() -> Problem:
    """Something broke inside; what it was stands in the server's log."""
    return Problem(
        type="about:blank",
        title="Internal server error",
        status=500,
        detail="Something went wrong inside the server. Its log says what.",
    )


def respond(problem_: Problem, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    """Answer with a problem, and with the headers that go with it."""
    own = {"cache-control": "no-store"}
    if problem_.status == 401:
        own["www-authenticate"] = 'Bearer realm="slowping"'
    if problem_.allow:
        own["allow"] = ", ".join(problem_.allow)
    if problem_.retry_after_s is not None:
        own["retry-after"] = str(problem_.retry_after_s)
    return Response(
        _encode(problem_),
        status_code=problem_.status,
        media_type=problem.MEDIA_TYPE,
        headers={**own, **(headers or {})},
    )


def log_fault(request: Request[Any, Any, Any], exc: Exception) -> None:
    """Tell the operator what broke; neither the query nor the body is written down."""
    keys = http.keys_in(dict(request.scope["headers"]))
    fact = Fact("request failed", secrets=keys, method=request.method, path=request.url.path)
    _log.error(fact, exc_info=exc)
