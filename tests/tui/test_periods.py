"""By the clock of a machine: zones are spelt out, with the days on which their clocks change."""

import datetime as dt
import os
import time
from collections.abc import Callable, Iterator

import pytest

from slowping.core import times
from slowping.tui.figures.periods import hour, periods

BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"
NO_MIDNIGHT = "BRT3BRST,M11.1.0/0,M2.3.0/0"
"""Summer begins at midnight, so that one day has none."""


@pytest.fixture
def zone() -> Iterator[Callable[[str], None]]:
    before = os.environ.get("TZ", "")

    def be_in(name: str) -> None:
        os.environ["TZ"] = name
        time.tzset()

    yield be_in
    be_in(before)


def at(text: str) -> int:
    return times.to_ms(dt.datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("where", "now", "today", "week", "month"),
    [
        ("UTC", "2026-11-18T11:06+00:00", "2026-11-18T00:00Z", "2026-11-16T00:00Z",
         "2026-11-01T00:00Z"),
        # It is already the next day, week and month there.
        (BERLIN, "2026-05-31T23:30+02:00", "2026-05-30T22:00Z", "2026-05-24T22:00Z",
         "2026-04-30T22:00Z"),
        (BERLIN, "2026-06-01T00:10+02:00", "2026-05-31T22:00Z", "2026-05-31T22:00Z",
         "2026-05-31T22:00Z"),
        # Clocks went forward on Sunday the 29th: the week began before, the day after.
        (BERLIN, "2026-03-29T12:00+02:00", "2026-03-28T23:00Z", "2026-03-22T23:00Z",
         "2026-02-28T23:00Z"),
        (BERLIN, "2026-03-30T12:00+02:00", "2026-03-29T22:00Z", "2026-03-29T22:00Z",
         "2026-02-28T23:00Z"),
        # Clocks went back on Sunday the 25th.
        (BERLIN, "2026-10-25T12:00+01:00", "2026-10-24T22:00Z", "2026-10-18T22:00Z",
         "2026-09-30T22:00Z"),
        (NO_MIDNIGHT, "2026-11-01T12:00-02:00", "2026-11-01T03:00Z", "2026-10-26T03:00Z",
         "2026-11-01T03:00Z"),
        ("IST-5:30", "2026-11-18T02:00+05:30", "2026-11-17T18:30Z", "2026-11-15T18:30Z",
         "2026-10-31T18:30Z"),
    ],
)  # fmt: skip
def test_periods_begin_at_local_midnight(
    zone: Callable[[str], None], where: str, now: str, today: str, week: str, month: str
) -> None:
    zone(where)
    found = periods(at(now))
    assert [times.to_ms(each) for each in (found.today, found.week, found.month)] == [
        at(today), at(week), at(month)
    ]  # fmt: skip


def test_an_hour_is_followed_by_the_next() -> None:
    assert hour(at("2026-11-18T11:00+00:00")) == hour(at("2026-11-18T10:59+00:00")) + 1
