import inspect

import pytest

from slowping.core import errors
from slowping.core.errors import SlowpingError
from slowping.core.problem import Issue
from slowping.server import errors as problems

# Seen by the command line or by clients alone, or only ever raised as something narrower.
ELSEWHERE = {
    errors.SlowpingError, errors.Refused, errors.StoreUnusable, errors.ConfigError,
    errors.Unreachable, errors.UnexpectedAnswer,
}  # fmt: skip


def test_every_condition_has_its_words() -> None:
    kinds = {
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, SlowpingError)
    }
    assert kinds - ELSEWHERE == problems.CONDITIONS.keys()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (errors.NameTaken("channel", "x"), {"noun": "channel", "name": "x", "status": 409}),
        (errors.RateLimited(7, limit=9, reset_at=8), {"retry_after_s": 7, "limit": 9}),
        (errors.TooLarge(5), {"limit_bytes": 5, "status": 413}),
        (errors.WrongMethod(["GET"]), {"allow": ("GET",), "status": 405}),
        (errors.InvalidInput("bad", (Issue(path="a", problem="bad"),)), {"detail": "bad"}),
        (errors.WrongState("it is over"), {"detail": "it is over", "status": 409}),
        (errors.StoreUnusable("/secret/path"), {"status": 500, "type": "about:blank"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_condition_is_told_with_its_data(error: SlowpingError, told: dict[str, object]) -> None:
    problem = problems.problem_of(error)
    assert {name: getattr(problem, name) for name in told} == told
    assert "/secret/path" not in problem.detail


def test_a_wait_is_told_in_the_header_as_well() -> None:
    answer = problems.respond(problems.problem_of(errors.Unavailable("busy", 3)))
    assert answer.headers["retry-after"] == "3"
    assert answer.media_type == "application/problem+json"
