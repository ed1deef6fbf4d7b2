import pytest

from slowping.tui.channel import standing
from slowping.tui.channel.standing import Standing
from tests.tui.channels import channel, figures, hours
from tests.tui.driver import moment

OPS = channel("ops")


@pytest.mark.parametrize(
    ("good", "bad", "stands"),
    [
        ((), (), Standing.SENDING),
        ((5,), (), Standing.SENDING),
        ((5,), (2,), Standing.SENDING),
        ((5,), (5,), Standing.TROUBLED),
        ((), (1,), Standing.TROUBLED),
        ((9, 0, 0), (0, 1, 0), Standing.TROUBLED),
        ((0, 9), (9, 0), Standing.SENDING),
    ],
)
def test_the_latest_hour_in_which_anything_was_tried_decides(
    good: tuple[int, ...], bad: tuple[int, ...], stands: Standing
) -> None:
    told = figures(OPS, hours=hours(*good), troubled_hours=hours(*bad))
    assert standing.standing(OPS, told) is stands


def test_a_channel_sends_from_the_moment_on_that_it_was_mended() -> None:
    told = figures(OPS, troubled_hours=hours(9), last_error_at=moment(0), mended_at=moment(1))
    assert standing.standing(OPS, told) is Standing.SENDING


def test_a_channel_of_which_no_figures_are_known_is_taken_to_send() -> None:
    assert standing.standing(OPS, None) is Standing.SENDING


def test_a_paused_channel_is_paused_whatever_went_wrong() -> None:
    paused = channel("ops", paused_at=moment(0))
    told = figures(paused, troubled_hours=hours(9))
    assert standing.standing(paused, told) is Standing.PAUSED


def test_a_channel_that_is_left_alone_is_troubled_whatever_the_hours_say() -> None:
    held = channel("ops", held_until=moment(0), held_reason="HTTP 503")
    assert standing.standing(held, figures(held, hours=hours(5))) is Standing.TROUBLED


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        (0, 0, "-"),
        (118, 2, "98% of 120"),
        (120, 0, "100% of 120"),
        (9_999, 1, "99% of 10,000"),
        (0, 7, "0% of 7"),
    ],
)
def test_a_ratio_has_the_attempts_that_it_is_of(good: int, bad: int, said: str) -> None:
    assert standing.ratio(figures(OPS, delivered=good, troubled=bad)) == said


def test_without_figures_there_is_no_ratio() -> None:
    assert standing.ratio(None) == "-"


@pytest.mark.parametrize(
    ("stands", "marked"),
    [
        (Standing.SENDING, "● sending"),
        (Standing.PAUSED, "⏸ paused"),
        (Standing.TROUBLED, "✗ troubled"),
    ],
)
def test_how_it_stands_is_said_by_a_mark_and_a_word(stands: Standing, marked: str) -> None:
    assert stands.marked == marked
