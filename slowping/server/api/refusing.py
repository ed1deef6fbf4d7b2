"""Answer whatever went wrong on the way of a request, and remember who was turned away."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException

from slowping.core import errors, text
from slowping.core.errors import SlowpingError
from slowping.core.problem import Problem
from slowping.server import errors as problems
from slowping.server import http
from slowping.server.api.endpoint import Endpoint, as_text, headers_told, methods_at
from slowping.server.api.services import Services
from slowping.server.limits import rate_headers, used_up
from slowping.server.refusals import Refusal

_OWN: Final = "slowping"
_LONGEST_TEXT: Final = 2_000
"""Characters of a text of a problem."""


class Refuser:
    """The one exception handler of the application: it never raises."""

    def __init__(self, services: Services, endpoints: Sequence[Endpoint[Any, Any]]) -> None:
        self._services = services
        self._endpoints = endpoints

    def __call__(self, request: Request[Any, Any, Any], exc: Exception) -> Response[bytes]:
        """Say no, in the words of RFC 9457."""
        error = self._condition(request, exc)
        problem = _problem(error)
        problem = self._without_secrets(problem)
        if problem.status >= 500 and not isinstance(error, SlowpingError):
            problems.log_fault(request, exc)
        self._services.refusals.add(
            Refusal(
                at=self._services.now_ms(),
                dialect=_OWN,
                path=request.scope["path"][:200],
                condition=type(error).__name__,
                status=problem.status,
                address=request.client.host if request.client else None,
            )
        )
        return problems.respond(problem, self._headers(request, error))

    def _without_secrets(self, problem: Problem) -> Problem:
        """The problem as it may be told: words of a notifier, and names, may hold a secret.

        Names are as long as whoever asks likes, and nobody else has a turn while they are searched.
        """
        clean = self._services.redaction.clean
        texts = {
            name: clean(text.shorten(value, _LONGEST_TEXT))
            for name, value in msgspec.structs.asdict(problem).items()
            if isinstance(value, str)
        }
        return msgspec.structs.replace(problem, **texts)

    def _condition(self, request: Request[Any, Any, Any], exc: Exception) -> Exception:
        """The condition that the exception stands for, or the exception where it is none."""
        if isinstance(exc, http.Gone):
            return errors.SlowBody()  # nobody is there any more to read it
        status = exc.status_code if isinstance(exc, HTTPException) else None
        if status == 404:
            return errors.UnknownPath()
        if status == 405:
            return errors.WrongMethod(methods_at(request.scope["path"], self._endpoints))
        return exc

    def _headers(self, request: Request[Any, Any, Any], error: Exception) -> Mapping[str, str]:
        headers = headers_told(request)
        if isinstance(error, errors.RateLimited):
            return {**headers, **as_text(rate_headers(used_up(error)))}
        # What is left of the body would be taken for the next request.
        return {**headers, "connection": "close"} if isinstance(error, errors.SlowBody) else headers


def _problem(error: Exception) -> Problem:
    if isinstance(error, SlowpingError):
        return problems.problem_of(error)
    if isinstance(error, HTTPException) and error.status_code < 500:
        return Problem(
            type="about:blank",
            title="Bad request",
            status=error.status_code,
            detail=error.detail,
        )
    return problems.fault()
