"""Read how each channel is doing: what waits, what has failed, what the last hours brought."""

import collections
import datetime as dt
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from slowping.core import ids, overview, times
from slowping.core.overview import ChannelFigures
from slowping.store.sqlite.readers import Readers
from slowping.store.sqlite.rollups import HOUR_MS

# What waits is a stretch of an index, and what has failed is counted already: what has ended costs
# nothing, however much it is.
CHANNELS: Final = """
select channel.id,
       channel.name,
       project.name as project,
       channel.kind,
       channel.ad_hoc,
       channel.paused_at,
       channel.removed_at,
       (select count(*)
          from delivery
         where delivery.channel_id = channel.id
           and delivery.state in ('pending', 'leased')) as waiting,
       coalesce(channel_failed.deliveries, 0) as failed,
       channel_error.reason,
       channel_error.at,
       channel_error.mended_at
  from channel
  join project on project.id = channel.project_id
  left join channel_error on channel_error.channel_id = channel.id
  left join channel_failed on channel_failed.channel_id = channel.id
 where project.removed_at is null
   and (:projects is null or project.id in (select value from json_each(:projects)))
"""

ATTEMPTS: Final = """
select channel.id as channel_id,
       tried.start / :hour * :hour as hour,
       sum(tried.delivered) as delivered,
       sum(tried.troubled) as troubled
  from channel
 cross join channel_rollup as tried on tried.channel_id = channel.id and tried.start >= :since
 where channel.removed_at is null
   and (:projects is null or channel.project_id in (select value from json_each(:projects)))
 group by 1, 2
"""

LATENCIES: Final = """
select channel.id as channel_id, sent.bucket, sum(sent.delivered) as delivered
  from channel
 cross join latency_rollup as sent on sent.channel_id = channel.id and sent.start >= :since
 where channel.removed_at is null
   and (:projects is null or channel.project_id in (select value from json_each(:projects)))
 group by 1, 2
"""


class Found(msgspec.Struct, frozen=True):
    """How a channel is doing, and whether that is shown: what it holds counts all the same."""

    figures: ChannelFigures
    is_shown: bool


class _Attempts(msgspec.Struct, frozen=True):
    """What a channel did in each hour, by its start, and how long it took, by bucket."""

    delivered: collections.Counter[int] = msgspec.field(default_factory=collections.Counter)
    troubled: collections.Counter[int] = msgspec.field(default_factory=collections.Counter)
    latencies: dict[int, int] = msgspec.field(default_factory=dict)


async def figures(readers: Readers, projects: str | None, hours: range) -> Sequence[Found]:
    """Every channel, removed ones too: those that somebody should look at first, then by name.

    Shown are live ones, and of those that requests have named the ones that do or did something.
    """
    attempts = await _attempts(readers, projects, hours)
    found = [
        _found(row, attempts.get(row["id"], _Attempts()), hours)
        for row in await readers.fetch(CHANNELS, {"projects": projects})
    ]
    return sorted(found, key=_place)


async def _attempts(
    readers: Readers, projects: str | None, hours: range
) -> Mapping[int, _Attempts]:
    made: dict[int, _Attempts] = collections.defaultdict(_Attempts)
    asked = {"projects": projects, "since": hours[0]}
    for row in await readers.fetch(ATTEMPTS, {**asked, "hour": HOUR_MS}):
        made[row["channel_id"]].delivered[row["hour"]] = row["delivered"]
        made[row["channel_id"]].troubled[row["hour"]] = row["troubled"]
    for row in await readers.fetch(LATENCIES, asked):
        made[row["channel_id"]].latencies[row["bucket"]] = row["delivered"]
    return made


def _found(row: sqlite3.Row, made: _Attempts, hours: range) -> Found:
    delivered = tuple(made.delivered[hour] for hour in hours)
    troubled = tuple(made.troubled[hour] for hour in hours)
    figures = ChannelFigures(
        id=ids.encode(ids.CHANNEL, row["id"]),
        project=row["project"],
        channel=row["name"],
        kind=row["kind"],
        paused=row["paused_at"] is not None,
        waiting=row["waiting"],
        failed=row["failed"],
        delivered=sum(delivered),
        troubled=sum(troubled),
        hours=delivered,
        troubled_hours=troubled,
        latency_p50_ms=overview.latency_ms(made.latencies, 0.5),
        latency_p95_ms=overview.latency_ms(made.latencies, 0.95),
        last_error=row["reason"],
        last_error_at=_moment(row["at"]),
        mended_at=_moment(row["mended_at"]),
    )
    is_live = row["removed_at"] is None
    is_busy = figures.waiting or figures.delivered or figures.troubled
    return Found(figures, bool(is_live and (is_busy or not row["ad_hoc"])))


def _moment(at: int | None) -> dt.datetime | None:
    return None if at is None else times.to_datetime(at)


def _place(found: Found) -> tuple[bool, str, str]:
    one = found.figures
    return not (one.troubled or one.failed or one.paused), one.channel, one.project
