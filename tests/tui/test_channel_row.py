import pytest

from slowping.core.overview import HOURS
from slowping.tui.channel import row
from slowping.tui.channel.row import Column
from tests.tui.channels import channel, figures, hours
from tests.tui.driver import moment

OPS = channel("ops")
BUSY = figures(
    OPS, waiting=1_200, delivered=118, troubled=2, hours=hours(1, 8),
    last_error="HTTP 503\nbusy",
)  # fmt: skip

WIDTHS = {
    Column.STATE: 10, Column.NAME: 16, Column.KIND: 8, Column.RATIO: 10, Column.WAITING: 7,
}  # fmt: skip


@pytest.mark.parametrize(
    ("room", "more", "shown"),
    [
        (10, {}, "State Name"),
        (45, {}, "State Name Attempts"),
        (60, {}, "State Name Attempts Waiting"),
        (61, {}, "State Name Kind Attempts Waiting"),
        (60, {Column.PROJECT: 8}, "State Name Project Attempts"),
        (66, {Column.ERROR: 40}, "State Name Attempts Waiting"),
        (67, {Column.ERROR: 40}, "State Name Attempts Waiting Last error"),
        (76, {Column.ERROR: 40}, "State Name Attempts Waiting Last error"),
        (77, {Column.ERROR: 40}, "State Name Kind Attempts Waiting Last error"),
        (86, {Column.HOURS: HOURS}, "State Name Kind Attempts Waiting"),
        (87, {Column.HOURS: HOURS}, "State Name Kind Attempts Waiting Each hour"),
        (112, {Column.HOURS: HOURS, Column.ERROR: 40},
         "State Name Kind Attempts Waiting Last error"),
        (113, {Column.HOURS: HOURS, Column.ERROR: 40},
         "State Name Kind Attempts Waiting Each hour Last error"),
    ],
)  # fmt: skip
def test_the_columns_that_tell_most_are_shown_first(
    room: int, more: dict[Column, int], shown: str
) -> None:
    found = row.columns(room, {**WIDTHS, **more})
    assert " ".join(column.value for column in found) == shown


@pytest.mark.parametrize(("room", "width"), [(60, 18), (99, 18), (100, 28), (300, 28)])
def test_a_long_name_is_cut(room: int, width: int) -> None:
    assert row.columns(room, {**WIDTHS, Column.NAME: 90})[Column.NAME] == width


def test_the_last_error_has_what_the_others_leave() -> None:
    found = row.columns(100, {**WIDTHS, Column.ERROR: 200})
    assert sum(found.values()) + row.GAP * len(found) == 100


@pytest.mark.parametrize(
    ("column", "said", "tone"),
    [
        (Column.STATE, "● sending", "done"),
        (Column.NAME, "ops", ""),
        (Column.KIND, "webhook", "muted"),
        (Column.PROJECT, "shop", ""),
        (Column.RATIO, "98% of 120", ""),
        (Column.WAITING, "1,200", ""),
        (Column.HOURS, "·" * 22 + "▁█", "muted"),
        (Column.ERROR, "HTTP 503 busy", "muted"),
    ],
)
def test_a_row_says_what_is_known(column: Column, said: str, tone: str) -> None:
    assert row.said(column, OPS, BUSY) == said
    assert row.tone(column, OPS, BUSY) == tone


def test_trouble_and_pauses_have_their_colours() -> None:
    troubled = figures(OPS, troubled_hours=hours(1), last_error="HTTP 503")
    assert row.tone(Column.STATE, OPS, troubled) == "failed"
    assert row.tone(Column.ERROR, OPS, troubled) == "failed"
    assert row.tone(Column.STATE, channel("ops", paused_at=moment(0)), None) == "waiting"


def test_an_ad_hoc_channel_is_told_apart() -> None:
    made = channel("discord-1", "discord", ad_hoc=True)
    assert row.said(Column.KIND, made, None) == "discord ad hoc"
    assert row.tone(Column.NAME, made, None) == "muted"


def test_without_figures_there_are_no_columns_of_them() -> None:
    assert row.widths([OPS], {}, with_project=True) == {
        Column.STATE: 9, Column.NAME: 4, Column.KIND: 7, Column.PROJECT: 7,
    }  # fmt: skip


def test_a_column_is_as_wide_as_what_stands_in_it() -> None:
    long = channel("a" * 90)
    found = row.widths([OPS, long], {OPS.id: BUSY}, with_project=False)
    assert found == {
        Column.STATE: 9,
        Column.NAME: 90,
        Column.KIND: 7,
        Column.RATIO: 10,
        Column.WAITING: 7,
        Column.HOURS: HOURS,
        Column.ERROR: 13,
    }
