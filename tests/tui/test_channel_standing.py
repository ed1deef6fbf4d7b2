import pytest

from slowping.core.overview import HOURS
from slowping.tui.channel import standing
from slowping.tui.channel.standing import Column, Standing
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


def test_a_channel_of_which_no_figures_are_known_is_taken_to_send() -> None:
    assert standing.standing(OPS, None) is Standing.SENDING


def test_a_paused_channel_is_paused_whatever_went_wrong() -> None:
    paused = channel("ops", paused_at=moment(0))
    told = figures(paused, troubled_hours=hours(9))
    assert standing.standing(paused, told) is Standing.PAUSED


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
def test_the_ratio_is_never_better_than_it_was(good: int, bad: int, said: str) -> None:
    assert standing.ratio(figures(OPS, delivered=good, troubled=bad)) == said


def test_without_figures_there_is_no_ratio() -> None:
    assert standing.ratio(None) == "-"


WIDTHS = {
    Column.STATE: 10, Column.NAME: 16, Column.KIND: 8, Column.RATIO: 10, Column.WAITING: 7,
}  # fmt: skip


@pytest.mark.parametrize(
    ("room", "more", "shown"),
    [
        (10, {}, "State Name"),
        (45, {}, "State Name 24 h"),
        (60, {}, "State Name 24 h Waiting"),
        (61, {}, "State Name Kind 24 h Waiting"),
        (60, {Column.PROJECT: 8}, "State Name Project 24 h"),
        (76, {Column.ERROR: 40}, "State Name Kind 24 h Waiting"),
        (77, {Column.ERROR: 40}, "State Name Kind 24 h Waiting Last error"),
        (86, {Column.HOURS: HOURS}, "State Name Kind 24 h Waiting"),
        (87, {Column.HOURS: HOURS}, "State Name Kind 24 h Waiting Each hour"),
        (112, {Column.HOURS: HOURS, Column.ERROR: 40}, "State Name Kind 24 h Waiting Last error"),
        (113, {Column.HOURS: HOURS, Column.ERROR: 40},
         "State Name Kind 24 h Waiting Each hour Last error"),
    ],
)  # fmt: skip
def test_the_columns_that_tell_most_are_shown_first(
    room: int, more: dict[Column, int], shown: str
) -> None:
    found = standing.columns(room, {**WIDTHS, **more})
    assert " ".join(column.value for column in found) == shown


def test_the_last_error_has_what_the_others_leave() -> None:
    found = standing.columns(100, {**WIDTHS, Column.ERROR: 200})
    assert sum(found.values()) + standing.GAP * len(found) == 100
