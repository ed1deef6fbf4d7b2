"""Turn UTC milliseconds, which are what is stored, into dates and texts, and back."""

import datetime as dt
from typing import Final

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND: Final = dt.timedelta(milliseconds=1)
_EARLIEST: Final = (dt.datetime.min.replace(tzinfo=dt.UTC) - _EPOCH) // _MILLISECOND
_LATEST: Final = (dt.datetime.max.replace(tzinfo=dt.UTC) - _EPOCH) // _MILLISECOND


def to_datetime(ms: int) -> dt.datetime:
    """The moment as an aware date in UTC."""
    return _EPOCH + dt.timedelta(milliseconds=ms)


def to_ms(moment: dt.datetime) -> int:
    """The moment as UTC milliseconds; a naive date is read as UTC.

    An offset may lead out of the years 1 to 9999, of which no date can be made again: such a
    moment becomes the first or the last of them.
    """
    aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return min(max((aware - _EPOCH) // _MILLISECOND, _EARLIEST), _LATEST)


def iso_ms(ms: int) -> str:
    """ISO 8601 with milliseconds, such as `2026-03-06T10:30:00.000Z`."""
    return f"{_seconds(ms)}.{ms % 1000:03d}Z"


def iso_s(ms: int) -> str:
    """ISO 8601 with seconds, such as `2026-03-06T10:30:00Z`."""
    return f"{_seconds(ms)}Z"


def _seconds(ms: int) -> str:
    # Not strftime, which writes the years before 1000 with fewer than four digits.
    return to_datetime(ms).replace(tzinfo=None).isoformat(timespec="seconds")


def month_of(ms: int) -> int:
    """The calendar month in UTC as a number, such as 202611."""
    moment = to_datetime(ms)
    return moment.year * 100 + moment.month


def next_month(ms: int) -> dt.datetime:
    """The first moment of the calendar month (UTC) after the one that `ms` lies in."""
    moment = to_datetime(ms)
    return dt.datetime(moment.year + moment.month // 12, moment.month % 12 + 1, 1, tzinfo=dt.UTC)


def _iso(ms: int, precision: str) -> str:
    # strftime would write the year 33 with two digits.
    return f"{to_datetime(ms).replace(tzinfo=None).isoformat(timespec=precision)}Z"
