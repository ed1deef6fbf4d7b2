"""Turn UTC milliseconds, which are what is stored, into dates and texts, and back; read dates."""

import datetime as dt
import functools
import re
from typing import Final

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND: Final = dt.timedelta(milliseconds=1)
_EARLIEST: Final = (dt.datetime.min.replace(tzinfo=dt.UTC) - _EPOCH) // _MILLISECOND
_LATEST: Final = (dt.datetime.max.replace(tzinfo=dt.UTC) - _EPOCH) // _MILLISECOND

_DAY_MS: Final = 86_400_000

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SPAN: Final = re.compile(r"(\d{1,6})([smhdw])\Z")
_DAYS_AGO: Final = {"today": 0, "yesterday": 1}


def to_datetime(ms: int) -> dt.datetime:
    """The moment as an aware date in UTC."""
    return _EPOCH + ms * _MILLISECOND


def to_ms(moment: dt.datetime) -> int:
    """The moment as UTC milliseconds; a naive date is read as UTC.

    An offset may lead out of the years 1 to 9999, of which no date can be made again: such a
    moment becomes the first or the last of them.
    """
    aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return min(max((aware - _EPOCH) // _MILLISECOND, _EARLIEST), _LATEST)


def local(moment: dt.datetime) -> dt.datetime:
    """The moment in this machine's time zone; in UTC where that leads out of the calendar."""
    try:
        return moment.astimezone()
    except OverflowError:
        return moment.astimezone(dt.UTC)


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
    return _month_of_day(ms // _DAY_MS)


@functools.lru_cache(maxsize=8)
def _month_of_day(day: int) -> int:
    moment = to_datetime(day * _DAY_MS)
    return moment.year * 100 + moment.month


def next_month(ms: int) -> dt.datetime:
    """The first moment of the calendar month (UTC) after the one that `ms` lies in."""
    moment = to_datetime(ms)
    return dt.datetime(moment.year + moment.month // 12, moment.month % 12 + 1, 1, tzinfo=dt.UTC)


def read(typed: str, now: dt.datetime, direction: int = -1) -> dt.datetime:
    """The moment that a person typed: a span, a date, or `now`, `today`, `yesterday`.

    A span such as `2h` counts from `now`, backwards where `direction` is -1. Days begin, and
    dates without an offset are, in this machine's time zone.

    Raises:
        ValueError: it is none of these, or lies outside the calendar.
    """
    word = typed.strip().casefold()
    try:
        if _SPAN.match(word):
            return now + direction * read_span(word)
        if word in _DAYS_AGO:
            day = now.astimezone().date() - dt.timedelta(days=_DAYS_AGO[word])
            return dt.datetime.combine(day, dt.time()).astimezone()
        return now if word == "now" else dt.datetime.fromisoformat(typed.strip()).astimezone()
    except OverflowError as error:
        raise ValueError(typed) from error


def read_span(typed: str) -> dt.timedelta:
    """The span that a person typed, such as `90s`, `2h` or `7d`.

    Raises:
        ValueError: it is none.
    """
    if found := _SPAN.match(typed):
        return dt.timedelta(**{_UNITS[found[2]]: int(found[1])})
    raise ValueError(typed)
