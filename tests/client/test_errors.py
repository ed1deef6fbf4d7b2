import msgspec
import pytest

from slowping.client import errors as answers
from slowping.core import errors, problem
from slowping.core.errors import SlowpingError
from slowping.core.problem import Issue
from slowping.server import errors as problems

CONDITIONS = [
    errors.NoCredential(),
    errors.MalformedCredential(),
    errors.EmptyCredential(),
    errors.UnknownApiKey(),
    errors.Forbidden("no"),
    errors.ForeignProject("shop"),
    errors.ForeignOrigin("https://evil.example"),
    errors.RateLimited(7, limit=5, reset_at=99),
    errors.TooManyGuesses(7, limit=5, reset_at=99),
    errors.QuotaReached(100),
    errors.NoDestination("discord"),
    errors.TooLarge(10),
    errors.SlowBody(),
    errors.UnsupportedEncoding("gzip"),
    errors.InvalidJson(),
    errors.InvalidInput("bad", (Issue(path="a", problem="bad"),)),
    errors.UnknownCategory("sale"),
    errors.IdempotencyKeyReused(),
    errors.NotFound("event", "evt_1"),
    errors.NameTaken("project", "shop"),
    errors.WrongState("over"),
    errors.UnknownPath(),
    errors.WrongMethod(("GET", "HEAD")),
    errors.Unavailable("busy", 3),
]


@pytest.mark.parametrize("error", CONDITIONS, ids=lambda error: type(error).__name__)
def test_a_condition_survives_the_wire(error: SlowpingError) -> None:
    told = problems.problem_of(error)
    with pytest.raises(type(error)) as raised:
        answers.refuse(told.status, problem.MEDIA_TYPE, msgspec.json.encode(told))
    assert type(raised.value) is type(error)
    assert str(raised.value) == str(error)
    assert vars(raised.value).keys() == vars(error).keys()
    assert all(vars(raised.value)[name] == value for name, value in vars(error).items())


def test_every_condition_of_the_server_is_known() -> None:
    assert {type(error) for error in CONDITIONS} == problems.CONDITIONS.keys()
