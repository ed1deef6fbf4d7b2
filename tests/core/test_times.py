import datetime as dt
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slowping.core import times

OFFSETS = st.integers(min_value=-1439, max_value=1439).map(
    lambda minutes: dt.timezone(dt.timedelta(minutes=minutes))
)


@given(st.datetimes(timezones=st.just(dt.UTC)))
def test_a_moment_comes_back_to_the_millisecond(moment: dt.datetime) -> None:
    back = times.to_datetime(times.to_ms(moment))
    assert dt.timedelta(0) <= moment - back < dt.timedelta(milliseconds=1)


@given(st.datetimes(timezones=OFFSETS))
def test_every_moment_that_a_sender_can_name_can_be_shown(moment: dt.datetime) -> None:
    assert times.iso_ms(times.to_ms(moment))


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00.000Z"),
        ("9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59.999Z"),
    ],
)
def test_a_moment_out_of_the_calendar_becomes_its_end(moment: str, shown: str) -> None:
    assert times.iso_ms(times.to_ms(dt.datetime.fromisoformat(moment))) == shown


def test_a_date_without_an_offset_is_in_utc() -> None:
    moment = dt.datetime(2026, 3, 6, 10, 30)  # noqa: DTZ001 - naive on purpose
    assert times.to_ms(moment) == times.to_ms(moment.replace(tzinfo=dt.UTC))


@pytest.mark.parametrize(
    ("ms", "with_ms", "with_s"),
    [
        (0, "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00Z"),
        (1_772_793_000_007, "2026-03-06T10:30:00.007Z", "2026-03-06T10:30:00Z"),
        (-1, "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59Z"),
        (-61_000_000_000_000, "0036-12-26T11:33:20.000Z", "0036-12-26T11:33:20Z"),
    ],
)
def test_a_moment_is_written_in_iso_8601(ms: int, with_ms: str, with_s: str) -> None:
    assert times.iso_ms(ms) == with_ms
    assert times.iso_s(ms) == with_s


@pytest.mark.parametrize(
    ("moment", "month", "following"),
    [
        ("2026-01-01T00:00:00Z", 202601, "2026-02-01T00:00:00Z"),
        ("2026-11-30T23:59:59Z", 202611, "2026-12-01T00:00:00Z"),
        ("2026-12-31T23:59:59Z", 202612, "2027-01-01T00:00:00Z"),
        ("2026-12-01T00:30:00+01:00", 202611, "2026-12-01T00:00:00Z"),
    ],
)
def test_months_are_those_of_utc(moment: str, month: int, following: str) -> None:
    ms = times.to_ms(dt.datetime.fromisoformat(moment))
    assert times.month_of(ms) == month
    assert times.next_month(ms) == dt.datetime.fromisoformat(following)


# What a person types -------------------------------------------------------------------------

NOW = dt.datetime(2026, 3, 6, 10, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("typed", "direction", "moment"),
    [
        ("2h", -1, dt.datetime(2026, 3, 6, 8, 30, tzinfo=dt.UTC)),
        (" 2H ", -1, dt.datetime(2026, 3, 6, 8, 30, tzinfo=dt.UTC)),
        ("7d", -1, dt.datetime(2026, 2, 27, 10, 30, tzinfo=dt.UTC)),
        ("30d", 1, dt.datetime(2026, 4, 5, 10, 30, tzinfo=dt.UTC)),
        ("90s", -1, dt.datetime(2026, 3, 6, 10, 28, 30, tzinfo=dt.UTC)),
        ("2026-03-06T10:30:00Z", -1, NOW),
        ("2026-03-06T11:30:00+01:00", -1, NOW),
        ("now", -1, NOW),
    ],
)
def test_a_moment_is_typed_as_a_span_or_a_date(
    typed: str, direction: int, moment: dt.datetime
) -> None:
    assert times.read(typed, NOW, direction) == moment


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("2026-03-06", dt.datetime(2026, 3, 6)),  # noqa: DTZ001 - of whatever zone this is
        ("2026-03-06 14:00", dt.datetime(2026, 3, 6, 14)),  # noqa: DTZ001
        ("today", NOW.astimezone().replace(hour=0, minute=0, tzinfo=None)),
        (
            "Yesterday",
            NOW.astimezone().replace(hour=0, minute=0, tzinfo=None) - dt.timedelta(days=1),
        ),
    ],
)
def test_days_are_those_of_this_machine(typed: str, moment: dt.datetime) -> None:
    assert times.read(typed, NOW) == moment.astimezone()


@pytest.mark.parametrize("typed", ["", "tomorrow", "2", "2y", "-2h", "2026-13-01", "999999w"])
def test_what_is_no_moment_is_refused(typed: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - in whose words does not matter
        times.read(typed, NOW)


@pytest.mark.parametrize("typed", ["", "2", "h", "2 h", "2y"])
def test_what_is_no_span_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=f"^{typed}$"):
        times.read_span(typed)


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    def be_in(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield be_in
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("where", "moment", "shown"),
    [
        ("XST-9", "2026-11-18T20:00:00+00:00", "2026-11-19T05:00:00+09:00"),
        ("XST-9", "9999-12-31T23:59:59+00:00", "9999-12-31T23:59:59+00:00"),
        ("XST5", "0001-01-01T00:00:00+00:00", "0001-01-01T00:00:00+00:00"),
    ],
)
def test_a_moment_that_has_no_local_time_is_shown_in_utc(
    zone: Callable[[str], None], where: str, moment: str, shown: str
) -> None:
    zone(where)
    assert times.local(dt.datetime.fromisoformat(moment)).isoformat() == shown
