import datetime as dt

import pytest
from rich.cells import cell_len

from slowping.tui.widgets import drawing
from tests.tui.driver import NOW_MS, event, moment


@pytest.mark.parametrize(
    ("line", "width", "drawn"),
    [
        ("sale", 6, "sale  "),
        ("sale", 4, "sale"),
        ("sales", 4, "sal…"),
        ("日本語", 4, "日 …"),
        ("日本語", 5, "日本…"),
        ("👩‍💻 x", 4, "👩‍💻 x"),
        ("", 3, "   "),
        ("sale", 0, ""),
    ],
)
def test_a_line_fills_its_cells(line: str, width: int, drawn: str) -> None:
    assert drawing.fit(line, width) == drawn
    assert cell_len(drawn) == width


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "now"), (0, "now"), (1, "1s"), (59, "59s"), (60, "1m"), (3_599, "59m"),
        (3_600, "1h"), (86_399, "23h"), (86_400, "1d"), (86_400 * 2_000, "999d"),
    ],
)  # fmt: skip
def test_an_age_has_one_unit(seconds: int, shown: str) -> None:
    assert drawing.age(moment(-seconds), NOW_MS) == shown


def test_the_time_of_another_day_is_its_date() -> None:
    assert drawing.clock(moment(-60), NOW_MS) == "11:05:40"
    assert drawing.clock(moment(-60) - dt.timedelta(days=1), NOW_MS) == "2026-11-17"


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ({}, "-"),
        ({"delivered": 3}, "3/3"),
        ({"delivered": 2, "pending": 1}, "2/3 ⟳"),
        ({"delivered": 2, "leased": 1}, "2/3 ⟳"),
        ({"delivered": 1, "pending": 1, "failed": 1}, "1/3 ✗"),
        ({"delivered": 1, "discarded": 1}, "1/2 -"),
    ],
)
def test_deliveries_are_counted(counts: dict[str, int], shown: str) -> None:
    assert drawing.deliveries(counts) == shown


def test_fields_stand_on_one_line() -> None:
    given = event(1, fields={"amount": 49.0, "plan": "pro\nmax", "nested": {"a": [1]}})
    assert drawing.fields_line(given) == 'amount 49 · plan pro max · nested {"a":[1]}'


@pytest.mark.parametrize(
    ("figures", "drawn"),
    [
        ((), ""),
        ((0, 0), "··"),
        ((0, 1, 1_000_000), "·▁█"),
        ((1, 2, 4, 8), "▁▂▄█"),
        ((-3, 8), "·█"),
    ],
)
def test_a_figure_that_is_more_than_nothing_can_be_seen(
    figures: tuple[int, ...], drawn: str
) -> None:
    assert drawing.sparkline(figures, "·") == drawn


def test_bars_fill_lines_from_below() -> None:
    assert drawing.bars((0, 4, 12, 16), 2, width=2) == ["    ▄▄██", "  ▄▄████"]


@pytest.mark.parametrize(
    ("figures", "most", "left"),
    [
        ((1, 2, 3, 4), 4, (1, 2, 3, 4)),
        ((1, 2, 3, 4), 2, (3, 7)),
        ((1, 2, 3, 4, 5), 2, (3, 12)),
        ((1, 2, 3), 0, (6,)),
        ((), 4, ()),
    ],
)
def test_figures_are_gathered_where_there_is_no_room(
    figures: tuple[int, ...], most: int, left: tuple[int, ...]
) -> None:
    assert drawing.gathered(figures, most) == left


@pytest.mark.parametrize(
    ("number", "said"), [(0, ""), (2, "c0, c1"), (8, "c0, c1, c2, c3, c4, c5 and 2 more")]
)
def test_of_many_names_the_first_few_are_told(number: int, said: str) -> None:
    assert drawing.listed([f"c{each}" for each in range(number)]) == said
