import datetime as dt
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slowping.core import overview
from slowping.core.overview import Periods


@pytest.mark.parametrize(
    ("now", "today", "week", "month"),
    [
        ("2026-11-18T23:59", "2026-11-18", "2026-11-16", "2026-11-01"),
        ("2026-11-16T00:00", "2026-11-16", "2026-11-16", "2026-11-01"),
        ("2026-11-01T12:00", "2026-11-01", "2026-10-26", "2026-11-01"),
        ("2027-01-01T00:00", "2027-01-01", "2026-12-28", "2027-01-01"),
    ],
)
def test_a_week_begins_on_monday_and_may_begin_before_its_month(
    now: str, today: str, week: str, month: str
) -> None:
    began = overview.began(dt.datetime.fromisoformat(now))
    wanted = (dt.datetime.fromisoformat(start) for start in (today, week, month))
    assert (began.today, began.week, began.month) == tuple(wanted)


def test_periods_begin_at_midnight_where_the_clock_was_changed_since() -> None:
    berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    began = overview.began(dt.datetime(2026, 3, 30, 12, tzinfo=berlin))
    assert began == Periods(
        today=dt.datetime(2026, 3, 30, tzinfo=berlin),
        week=dt.datetime(2026, 3, 30, tzinfo=berlin),
        month=dt.datetime(2026, 3, 1, tzinfo=berlin),
    )
    assert began.month.astimezone(dt.UTC) == dt.datetime(2026, 2, 28, 23, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("ms", "bucket"), [(-5, 0), (0, 0), (1, 0), (2, 4), (3, 6), (4, 8), (1_000, 39), (10**9, 119)]
)
def test_a_latency_has_its_bucket(ms: int, bucket: int) -> None:
    assert overview.latency_bucket(ms) == bucket


def test_of_nothing_there_is_no_latency() -> None:
    assert overview.latency_ms({}, 0.5) is None


@given(
    st.lists(st.integers(1, 10**9), min_size=1, max_size=50),
    st.sampled_from([0.5, 0.95]),
)
def test_a_share_of_all_latencies_is_told_to_a_tenth(latencies: list[int], share: float) -> None:
    counts: dict[int, int] = {}
    for ms in latencies:
        bucket = overview.latency_bucket(ms)
        counts[bucket] = counts.get(bucket, 0) + 1
    wanted = min(
        ms for ms in latencies if sum(other <= ms for other in latencies) >= share * len(latencies)
    )
    assert overview.latency_ms(counts, share) == pytest.approx(wanted, rel=0.1, abs=1)
