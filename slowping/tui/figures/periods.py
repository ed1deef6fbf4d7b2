"""Decide when today, this week and this month began where the person is."""

import datetime as dt

from slowping.core import times
from slowping.core.overview import Periods


def periods(now_ms: int) -> Periods:
    """The starts, by the clock of this machine; a week begins on Monday."""
    today = times.to_datetime(now_ms).astimezone().date()
    return Periods(
        today=_start(today),
        week=_start(today - dt.timedelta(days=today.weekday())),
        month=_start(today.replace(day=1)),
    )


def hour(now_ms: int) -> int:
    """A number for the running hour; the next one is larger by one."""
    return now_ms // 3_600_000


def _start(day: dt.date) -> dt.datetime:
    # Each day with the offset of its own: there may be a clock change between it and now. Not
    # astimezone, which lets a midnight that a clock change leaves out fall into the day before.
    return dt.datetime.fromtimestamp(dt.datetime.combine(day, dt.time.min).timestamp(), dt.UTC)
