import pytest

from slowping.core import errors, problem
from slowping.core.problem import Problem


@pytest.mark.parametrize(
    ("condition", "name"),
    [
        (errors.NameTaken, "name-taken"),
        (errors.UnknownApiKey, "unknown-api-key"),
        (errors.Unavailable, "unavailable"),
    ],
)
def test_a_condition_is_named_after_its_error(
    condition: type[errors.SlowpingError], name: str
) -> None:
    assert problem.condition_of(condition) == name


def test_a_problem_tells_its_condition() -> None:
    told = Problem(type=f"{problem.EXPLAINED_AT}name-taken", title="", status=409, detail="")
    assert told.condition == "name-taken"
