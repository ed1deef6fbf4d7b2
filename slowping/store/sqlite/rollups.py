"""Keep the figures of the overview: events follow the journal, attempts come as they are settled.

Events are counted some time after they were accepted, so that accepting them does not pay: a
stretch of the journal is summed up on a reading connection, and what comes of it is written
together with the place that it reaches, if the place is still the one that it began at. Thus
every line counts once, whenever the server is killed and whoever else counts. The place lies in
the same file as the journal, so a copy of the file that is put back is whole. What is trimmed
from the journal before it was counted is not counted any more.
"""

import collections
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

import msgspec

from slowping.core import errors, overview
from slowping.store.sqlite.readers import Readers
from slowping.store.sqlite.writer import Writer

QUARTER_MS: Final = round(overview.QUARTER.total_seconds() * 1000)
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000
ALWAYS_MS: Final = 2**53
"""A span that holds every moment."""

SPANS_MS: Final = (QUARTER_MS, HOUR_MS, DAY_MS, ALWAYS_MS)
"""Events are counted in each of these; their numbers are summed up in all but the last."""

LINES: Final = 1_000
"""Most lines of the journal that are counted at once: others wait for a connection as well."""

MAX_FIELDS: Final = 50
"""Fields of a category that are summed up: the first that held a number."""

MAX_NAME: Final = 100
"""Longest name, in characters, of a field that is summed up."""

MAX_NUMBER: Final = 1e290
"""Numbers beyond this are left out, so that no sum leaves what a float can hold."""

# One statement is one view of the journal.
PLACES: Final = """
select (select value from meta where key = 'rolled_up') as place,
       coalesce((select seq from sqlite_sequence where name = 'journal'), 0) as head,
       (select min(seq) from journal) as oldest
"""

# Events come first, without a name; then numbers by name. Names that are new to a category are
# taken in the order in which they came, as long as there is room.
COUNTED: Final = """
with accepted as materialized (
    select seq,
           category_id,
           iif(kind = 'event.accepted', at, (select received_at from event where id = subject_id))
               / :quarter * :quarter as start,
           subject_id
      from journal
     where seq > :place
       and seq <= :reached
       and kind in ('event.accepted', 'event.imported')
       and start is not null
), number as materialized (
    select accepted.category_id,
           accepted.start,
           field.key as name,
           count(*) as count,
           total(field.value) as total,
           min(accepted.seq) as first
      from accepted
     cross join event on event.id = accepted.subject_id
     cross join json_each(event.fields) as field
     where event.fields <> '{}'
       and field.type in ('integer', 'real')
       and field.value between -:max_number and :max_number
       and length(field.key) <= :max_name
     group by accepted.category_id, accepted.start, field.key
), fresh as materialized (
    select category_id,
           name,
           row_number() over (partition by category_id order by min(first), name) as place
      from number
     where not exists (select 1
                         from number_field as known
                        where known.category_id = number.category_id
                          and known.name = number.name)
     group by category_id, name
)
select category_id, start, null as name, count(*) as count, null as total
  from accepted
 group by category_id, start
 union all
select category_id, start, name, count, total
  from number
 where (category_id, name) not in (
           select category_id, name
             from fresh
            where place > :max_fields - (select count(*)
                                           from number_field as known
                                          where known.category_id = fresh.category_id))
"""

_MOVE: Final = "update meta set value = :reached where key = 'rolled_up' and value = :place"

_ADD_EVENTS: Final = """
insert into event_rollup (category_id, span, start, events)
select counted.value ->> 0, span.value, (counted.value ->> 1) / span.value * span.value,
       sum(counted.value ->> 3)
  from json_each(:counted) as counted
 cross join json_each(:spans) as span
 where true
 group by 1, 2, 3
    on conflict do update set events = events + excluded.events
"""

_NAME_FIELDS: Final = """
insert into number_field (category_id, name)
select counted.value ->> 0, counted.value ->> 2
  from json_each(:counted) as counted
 where true
    on conflict do nothing
"""

_ADD_NUMBERS: Final = """
insert into field_rollup (field_id, span, start, numbers, total)
select field.id, span.value, (counted.value ->> 1) / span.value * span.value,
       sum(counted.value ->> 3), total(counted.value ->> 4)
  from json_each(:counted) as counted
 cross join number_field as field
         on field.category_id = counted.value ->> 0 and field.name = counted.value ->> 2
 cross join json_each(:spans) as span
 where true
 group by 1, 2, 3
    on conflict do update set numbers = numbers + excluded.numbers, total = total + excluded.total
"""

# The last attempts at some deliveries.
_ATTEMPTS: Final = """
  from delivery
  join attempt on attempt.delivery_id = delivery.id and attempt.no = delivery.attempts
 where delivery.id in (select value from json_each(:ids))
"""

_ADD_ATTEMPTS: Final = f"""
insert into channel_rollup (channel_id, start, delivered, troubled)
select delivery.channel_id, :start, sum(attempt.outcome = 'delivered'),
       sum(attempt.outcome <> 'delivered')
{_ATTEMPTS}
 group by delivery.channel_id
    on conflict do update set delivered = delivered + excluded.delivered,
                              troubled = troubled + excluded.troubled
"""

_KEEP_ERRORS: Final = f"""
insert into channel_error (channel_id, reason, at)
select delivery.channel_id, attempt.reason, :now
{_ATTEMPTS}
   and attempt.outcome <> 'delivered'
 order by delivery.id
    on conflict do update set reason = excluded.reason, at = excluded.at, mended_at = null
"""

# After the errors of the same attempts: who delivers one of a batch can be reached.
_MEND: Final = f"""
update channel_error
   set mended_at = :now
 where mended_at is null
   and channel_id in (select delivery.channel_id {_ATTEMPTS} and attempt.outcome = 'delivered')
"""  # noqa: S608 - it is ours

# A retry by hand begins a new round of tries: such a delivery is late on purpose.
_PROMPT: Final = f"""
select delivery.channel_id, :now - delivery.created_at as latency_ms
{_ATTEMPTS}
   and attempt.outcome = 'delivered'
   and delivery.tries = delivery.attempts
"""

# By hours: there are many buckets, and nobody asks at what quarter-hour they were slow.
_ADD_LATENCY: Final = """
insert into latency_rollup (channel_id, start, bucket, delivered) values (?, ?, ?, ?)
    on conflict do update set delivered = delivered + excluded.delivered
"""

_encode = msgspec.json.Encoder().encode


class Rollups:
    """Counts the events of the journal, stretch by stretch."""

    # A writer's entries are the inbox's alone; here it runs deeds.
    def __init__(self, writer: Writer[Any, Any], readers: Readers) -> None:
        self._writer = writer
        self._readers = readers
        self._lines = LINES

    async def count_on(self) -> bool:
        """Count the next stretch of the journal; whether there is more of it already.

        Raises:
            Unavailable: the stretch could not be read or written; the next one is shorter.
        """
        [places] = await self._readers.fetch(PLACES)
        place, head = int(places["place"]), places["head"]
        # What was trimmed cannot be counted; a place beyond the end is one of another journal.
        oldest = head if places["oldest"] is None else places["oldest"] - 1
        start = max(place, oldest) if place <= head else oldest
        reached = min(head, start + self._lines)
        if reached == place:
            return False
        counted = await self._count(start, reached)
        moved = await self._writer.run(
            lambda connection: _keep(connection, place, reached, counted)
        )
        return reached < head or not moved

    async def _count(self, place: int, reached: int) -> Sequence[sqlite3.Row]:
        which = {
            "place": place,
            "reached": reached,
            "quarter": QUARTER_MS,
            "max_number": MAX_NUMBER,
            "max_name": MAX_NAME,
            "max_fields": MAX_FIELDS,
        }
        try:
            counted = await self._readers.fetch(COUNTED, which)
        except errors.Unavailable:
            # These events are large: fewer of them may be read in time.
            self._lines = max(1, self._lines // 2)
            raise
        self._lines = min(LINES, self._lines * 2)
        return counted


def _keep(
    connection: sqlite3.Connection, place: int, reached: int, counted: Sequence[sqlite3.Row]
) -> bool:
    """Write what was counted from a place on, unless that was done already; whether it was not."""
    moving = {"place": str(place), "reached": str(reached)}
    if not connection.execute(_MOVE, moving).rowcount:
        return False
    events = [tuple(row) for row in counted if row["name"] is None]
    numbers = [tuple(row) for row in counted if row["name"] is not None]
    if events:
        connection.execute(_ADD_EVENTS, _counted(events, SPANS_MS))
    if numbers:
        values = _counted(numbers, SPANS_MS[:-1])
        connection.execute(_NAME_FIELDS, values)
        connection.execute(_ADD_NUMBERS, values)
    return True


def _counted(rows: Sequence[Any], spans: Iterable[int]) -> dict[str, str]:
    return {"counted": _encode(rows).decode(), "spans": _encode(tuple(spans)).decode()}


def count_attempts(connection: sqlite3.Connection, delivery_ids: Collection[int], now: int) -> None:
    """Count the last attempt at each of these deliveries: it was recorded in this transaction.

    Latency is that of deliveries that nobody has sent again by hand.
    """
    if not delivery_ids:
        return
    start = now // QUARTER_MS * QUARTER_MS
    values = {"ids": _encode(tuple(delivery_ids)).decode(), "start": start, "now": now}
    connection.execute(_ADD_ATTEMPTS, values)
    connection.execute(_KEEP_ERRORS, values)
    connection.execute(_MEND, values)
    hour = now // HOUR_MS * HOUR_MS
    latencies = collections.Counter(
        (row["channel_id"], hour, overview.latency_bucket(row["latency_ms"]))
        for row in connection.execute(_PROMPT, values)
    )
    for place, count in latencies.items():
        connection.execute(_ADD_LATENCY, (*place, count))
