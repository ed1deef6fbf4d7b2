import pytest

from slowping.core import errors
from slowping.tui import act


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errors.Unreachable("x"), "whether it was done"),
        (errors.UnknownApiKey(), "another API key"),
        (errors.Forbidden("x"), "Connect with another API key"),
        (errors.ForeignProject("shop"), "another API key"),
        (errors.RateLimited(7), "in 7 s"),
        (errors.Unavailable("x", 9), "in 9 s"),
        (errors.NotFound("channel", "x"), "may have been removed"),
        (errors.NameTaken("channel", "x"), "another name"),
        (errors.InvalidInput("x"), "Change it"),
    ],
)
def test_every_error_comes_with_what_to_do(error: errors.SlowpingError, words: str) -> None:
    assert words in act.advice(error)


def test_what_only_asked_is_asked_again() -> None:
    assert act.advice(errors.Unreachable("x"), asked=True) == "ctrl+r tries now."


def test_an_error_is_told_without_control_characters() -> None:
    assert act.told(errors.Unavailable("a\x1b]0;t\x07")) == "a␛]0;t␇"


async def test_a_form_gets_the_sentence() -> None:
    async def fails() -> None:
        raise errors.NameTaken("channel", "x")

    async def works() -> None:
        pass

    assert await act.problem(fails) == "There is already a channel named 'x'."
    assert await act.problem(works) is None


async def test_what_is_not_said_is_not_known() -> None:
    async def forbidden() -> None:
        raise errors.Forbidden("no")

    async def unreachable() -> None:
        raise errors.Unreachable("gone")

    async def works() -> None:
        pass

    assert await act.is_allowed(works) is True
    assert await act.is_allowed(forbidden) is False
    assert await act.is_allowed(unreachable) is None
