"""The overview: how much came in, what its numbers add up to, and how the channels are doing."""

import datetime as dt
import math
from collections.abc import Mapping
from typing import Final

import msgspec

HOURS: Final = 24
"""How many hours the small pictures go back, the running one included."""

QUARTER: Final = dt.timedelta(minutes=15)
"""Figures are kept by quarter-hours of UTC: every time zone is so many of them away."""

_BUCKETS_PER_DOUBLING: Final = 4


class Periods(msgspec.Struct, frozen=True, kw_only=True):
    """When the periods began that the figures are for."""

    today: dt.datetime
    week: dt.datetime
    month: dt.datetime


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """A number of events in each period."""

    today: int = 0
    week: int = 0
    month: int = 0
    total: int = 0
    """Since counting began; events that were removed since are among them."""


class FieldSum(msgspec.Struct, frozen=True, kw_only=True):
    """What the numbers in one field of a category's events add up to."""

    field: str
    today: float = 0.0
    week: float = 0.0
    month: float = 0.0


class CategoryFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How much came into one category."""

    project: str
    category: str
    emoji: str
    color: int
    events: Counts
    hours: tuple[int, ...]
    """Events in each of the last `HOURS` hours, the oldest first."""
    sums: tuple[FieldSum, ...]


class ChannelFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How one channel is doing; attempts and latency are those of the last `HOURS` hours."""

    id: str
    project: str
    channel: str
    kind: str
    paused: bool
    waiting: int
    """Deliveries that are pending or on their way now."""
    failed: int
    """Deliveries that stand as failed now."""
    delivered: int
    """Attempts that ended well."""
    troubled: int
    """Attempts that did not."""
    hours: tuple[int, ...]
    """Delivered in each hour, the oldest first."""
    troubled_hours: tuple[int, ...]
    latency_p50_ms: int | None
    """From acceptance to delivery, for half of what was delivered; None where nothing was."""
    latency_p95_ms: int | None
    last_error: str | None
    """Of the last attempt that went wrong and was kept."""
    last_error_at: dt.datetime | None
    mended_at: dt.datetime | None = None
    """When something was delivered again after that; None where nothing was yet, or nothing was
    wrong."""


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """All figures of a project, or of all projects together."""

    as_of: dt.datetime
    """Up to when everything is counted; at most 2 s ago on a server that is not overloaded."""
    periods: Periods
    events: Counts
    hours: tuple[int, ...]
    """Events in each of the last `HOURS` hours, the oldest first."""
    waiting: int
    """Deliveries that are pending or on their way."""
    failed: int
    """Deliveries that stand as failed."""
    categories: tuple[CategoryFigures, ...]
    channels: tuple[ChannelFigures, ...]


def began(now: dt.datetime) -> Periods:
    """When the day, the week (from Monday on) and the month began that `now` lies in.

    They are in its own zone; of a naive date they are naive, for the zone of the machine.
    """
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    week = today - dt.timedelta(days=today.weekday())
    return Periods(today=today, week=week, month=today.replace(day=1))


def latency_bucket(ms: int) -> int:
    """The number of the bucket that a latency is counted in; each is a fifth longer than the last.

    Whatever is below 2 ms, or below nothing where a clock was set back, is in the first.
    """
    return math.floor(_BUCKETS_PER_DOUBLING * math.log2(ms)) if ms > 1 else 0


def latency_ms(counts: Mapping[int, int], share: float) -> int | None:
    """The latency that `share` of what was counted did not exceed, to a tenth; None of nothing.

    `counts` is how many there are in each bucket.
    """
    wanted = share * sum(counts.values())
    for bucket in sorted(counts):
        wanted -= counts[bucket]
        if wanted <= 0:
            return round(2 ** ((bucket + 0.5) / _BUCKETS_PER_DOUBLING))
    return None
