import importlib
from pathlib import Path

import pytest

from tests import torture
from tests.torture.__main__ import END, START, filled, rows
from tests.torture.bar import Bar, Figure, Run, enough, left_out, missed, never


@pytest.mark.parametrize(
    ("measured", "bar", "at_least", "is_met"),
    [(0, 0, False, True), (1, 0, False, False), (7, 7, True, True), (6.9, 7, True, False)],
)
def test_a_figure_is_met_where_it_reaches_its_bar(
    measured: float, bar: float, at_least: bool, is_met: bool
) -> None:
    assert Figure(what="lost", measured=measured, bar=bar, at_least=at_least).is_met is is_met


def test_only_a_timing_may_be_missed_in_a_short_run() -> None:
    lost = Figure(what="lost", measured=1, bar=0)
    slow = Figure(what="ready again", measured=9, bar=2, is_timing=True)
    assert missed([lost, slow]) == [lost]


def test_what_is_never_to_happen_is_missed_once_it_has() -> None:
    assert [never("lost", times).is_met for times in (0, 1)] == [True, False]


def test_a_run_in_which_too_little_happened_shows_nothing() -> None:
    assert [enough("kills", kills, 200).is_met for kills in (199, 200)] == [False, True]


def test_what_was_not_tried_is_told_as_such() -> None:
    async def nothing(_: Run) -> list[Figure]:
        return []

    bar = Bar(name="cuts", promise="No event is lost.", run=nothing)
    assert rows(bar, [left_out("cuts", "this is not Linux")], 0) == [
        "| No event is lost. | cuts: not tried, since this is not Linux | nothing |  "
        "| `python -m tests.torture cuts` | 0 s |",
    ]


@pytest.mark.parametrize("name", torture.BARS)
def test_every_run_has_a_short_version_that_misses_nothing(name: str) -> None:
    module = importlib.import_module(f"tests.torture.{name}")
    short = Path(__file__).with_name(f"test_{name}.py").read_text(encoding="utf-8")
    assert module.BAR.name == name
    assert "missed(figures) == []" in short or f"missed(await {name}." in short


@pytest.mark.parametrize(("scale", "times"), [(1.0, 200), (0.01, 2), (0.0001, 1)])
def test_a_run_goes_as_often_as_its_scale_asks_for(
    tmp_path: Path, scale: float, times: int
) -> None:
    assert Run(folder=tmp_path, scale=scale).times(200) == times


def test_the_table_names_a_promise_and_its_command_once() -> None:
    async def nothing(_: Run) -> list[Figure]:
        return []

    bar = Bar(name="kills", promise="No event is lost.", run=nothing)
    figures = [
        Figure(what="events lost", measured=0, bar=0),
        Figure(what="kills", measured=200, bar=200, at_least=True),
    ]
    assert rows(bar, figures, 16.2) == [
        "| No event is lost. | events lost | 0 | ≤ 0 | `python -m tests.torture kills` | 16 s |",
        "|  | kills | 200 | ≥ 200 |  |  |",
    ]


def test_what_one_run_measured_takes_the_place_of_its_older_lines() -> None:
    text = f"before\n{START}\n{END}\nafter"
    line = "| No event is lost. | lost | {} | ≤ 0 | `python -m tests.torture {}` | 1 s |"
    more = "|  | kills | 200 | ≥ 200 |  |  |"
    for name, lines in (
        ("shutdown", [line.format(0, "shutdown")]),
        ("kill_loop", [line.format(7, "kill_loop"), more]),
        ("kill_loop", [line.format(0, "kill_loop"), more]),
    ):
        text = filled(text, name, lines)
    told = text.splitlines()
    assert told[-5:] == [
        line.format(0, "kill_loop"), more, line.format(0, "shutdown"), END, "after",
    ]  # fmt: skip
    assert (told[0], text.count("kill_loop"), text.count(START)) == ("before", 1, 1)
