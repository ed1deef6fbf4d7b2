import pathlib

import pytest

from benchmarks import bar
from benchmarks.bar import Bar


@pytest.mark.parametrize(
    ("at_most", "before", "now", "is_worse"),
    [
        (True, 1.0, 1.05, False),
        (True, 1.0, 1.2, True),
        (True, 1.0, 0.5, False),
        (False, 1.0, 0.95, False),
        (False, 1.0, 0.8, True),
        (False, 1.0, 2.0, False),
    ],
)
def test_what_is_worse_by_more_than_a_tenth_is_a_regression(
    at_most: bool, before: float, now: float, is_worse: bool
) -> None:
    assert Bar(what="it", measured=now, at_most=at_most).is_worse_than(before) is is_worse


def test_what_is_kept_takes_the_place_of_its_older_figure_alone(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "baseline.json"
    assert bar.before(path) == {}
    bar.keep([Bar(what="first", measured=1), Bar(what="second", measured=2)], path)
    bar.keep([Bar(what="second", measured=3), bar.never("events lost", 0)], path)
    assert bar.before(path) == {"first": 1, "second": 3}


def test_a_line_says_what_is_missed_and_what_is_worse() -> None:
    bars = [
        Bar(what="ingest / bare", measured=0.2, bar=0.25),
        Bar(what="flush / table", measured=0.05, bar=0.1, at_most=True),
        Bar(what="looked at", measured=1),
    ]
    assert bar.lines(bars, {"ingest / bare": 0.3, "flush / table": 0.05}) == [
        "ingest / bare      0.20  ≥ 0.25    MISSED  was 0.30, WORSE",
        "flush / table      0.05  ≤ 0.1     met     was 0.05",
        "looked at          1.00",
    ]
