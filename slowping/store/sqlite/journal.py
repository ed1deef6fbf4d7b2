"""Tell what happened: events by filter, the figures of a project, and everything since a place."""

import re
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from slowping.core import ids, page, times
from slowping.core.event import Event, EventFilter
from slowping.core.feed import FeedFilter, JournalKind
from slowping.core.overview import Overview, Periods
from slowping.store.port import DayCount, FeedEntry, FeedPage, ProjectFigures
from slowping.store.sqlite import overview, rollups
from slowping.store.sqlite.readers import Readers
from slowping.store.sqlite.rollups import Rollups
from slowping.store.sqlite.search import pages
from slowping.store.sqlite.search.text_index import TextIndex
from slowping.store.sqlite.subjects import Line, Subjects
from slowping.store.sqlite.writer import Writer

DAYS: Final = 7

STRETCH: Final = 5_000
"""Most lines of the journal that one reading looks at, however few of them are asked for."""

STRETCH_BYTES: Final = 1_048_576
"""A reading is full with the event that reaches this: there are many readers at the same time."""

# What is counted already is read from the sums; of the rest there is a second's worth.
_UNCOUNTED: Final = """
with uncounted as materialized (
    select event.received_at as at
      from journal
      join event on event.id = journal.subject_id
     where journal.project_id = :project
       and journal.seq > (select cast(value as integer) from meta where key = 'rolled_up')
       and journal.kind in ('event.accepted', 'event.imported')
)
"""

TOTAL: Final = f"""
{_UNCOUNTED}
select (select count(*) from uncounted) + coalesce(sum(counted.events), 0) as number
  from category
 cross join event_rollup as counted
         on counted.category_id = category.id and counted.span = :always
 where category.project_id = :project
"""  # noqa: S608 - it is ours

VISITORS: Final = """
select count(distinct payload ->> 'visitorId') as number
  from metric
 where project_id = :project
"""

ON_DAYS: Final = f"""
{_UNCOUNTED}
select (select count(*)
          from uncounted
         where at >= day.value
           and at < day.value + :day)
       + coalesce((select sum(counted.events)
                     from category
                    cross join event_rollup as counted
                            on counted.category_id = category.id
                           and counted.span = :day
                           and counted.start = day.value
                    where category.project_id = :project), 0) as number
  from json_each(:days) as day
 order by day.key
"""  # noqa: S608 - it is ours

HEAD: Final = """
select coalesce((select seq from sqlite_sequence where name = 'journal'), 0) as head
"""

# One statement is one view of the journal: nothing can be trimmed between its parts. And it is one
# row, because each step of a statement gives Python's lock away and has to win it back.
SINCE: Final = """
select coalesce((select seq from sqlite_sequence where name = 'journal'), 0) as head,
       (select min(seq) from journal) as oldest,
       (select json_group_array(json_array(line.seq, line.kind, line.subject_id, coalesce(
                   iif(line.kind = 'event.accepted',
                       (select event.size from event where event.id = line.subject_id),
                       null),
                   0)))
          from (select journal.seq, journal.kind, journal.subject_id
               from journal
              where journal.seq > :after
                and journal.seq <= :until
                and (:projects is null
                     or journal.project_id in (select value from json_each(:projects)))
                and journal.kind <> 'event.imported'
                and (:keys or journal.kind <> 'key.changed')
                and (:categories is null
                     or iif(journal.kind = 'delivery.changed',
                            (select event.category_id
                               from delivery
                               join event on event.id = delivery.event_id
                              where delivery.id = journal.subject_id),
                            journal.category_id)
                        in (select id
                              from category
                             where name in (select value from json_each(:categories))))
              order by journal.seq
              limit :limit) as line) as lines
"""

_CURSOR: Final = re.compile("(?P<epoch>[0-9a-f]+)-(?P<seq>[0-9]{1,18})")

# A copy of the file that is put back goes on with numbers that were given out already: whoever
# puts it back takes the epoch away, and the next start makes a new one.
_MAKE_EPOCH: Final = """
insert into meta (key, value) values ('epoch', lower(hex(randomblob(8))))
    on conflict do nothing
"""

_encode = msgspec.json.Encoder().encode


class _JournalRow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A line as it is read in JSON."""

    seq: int
    kind: JournalKind
    subject_id: int
    size: int
    """Of the event that was accepted; 0 for anything else."""


_lines: Final = msgspec.json.Decoder(list[_JournalRow]).decode


class Journal:
    """The append-only record of what happened."""

    # A writer's entries are the inbox's alone; here it runs deeds and is listened to.
    def __init__(
        self, writer: Writer[Any, Any], readers: Readers, subjects: Subjects, epoch: str
    ) -> None:
        self._writer = writer
        self._readers = readers
        self._subjects = subjects
        self._epoch = epoch
        self._rollups = Rollups(writer, readers)
        self._text_index = TextIndex(writer, readers)

    async def list_events(
        self, which: EventFilter, *, before: int | None, limit: int, skip: int = 0
    ) -> Sequence[Event]:
        """Events that match, newest first.

        A category's name covers those that had it before as well. Without projects in `which`
        it is those of all live projects. There are fewer than `limit` where they are large.
        """
        found = await pages.find(self._readers, which, before=before, limit=limit, skip=skip)
        sizes = [row["size"] for row in found]
        return await self._subjects.events(
            [row["id"] for row in found[: _fitting(sizes, page.MAX_BYTES)]]
        )

    async def figures(self, project_id: int, now: int) -> ProjectFigures:
        """Counts of a project's events, in all and on each of the last seven days in UTC.

        The days are oldest first, today is the last, and a visitor is a `visitorId` of a metric.
        """
        days = [now // rollups.DAY_MS - back for back in reversed(range(DAYS))]
        asked = {
            "project": project_id,
            "days": _encode([day * rollups.DAY_MS for day in days]).decode(),
            "day": rollups.DAY_MS,
            "always": rollups.ALWAYS_MS,
        }
        [total] = await self._readers.fetch(TOTAL, asked)
        [visitors] = await self._readers.fetch(VISITORS, asked)
        counts = await self._readers.fetch(ON_DAYS, asked)
        return ProjectFigures(
            total_events=total["number"],
            unique_visitors=visitors["number"],
            last_7_days=tuple(
                DayCount(times.iso_s(day * rollups.DAY_MS)[:10], row["number"])
                for day, row in zip(days, counts, strict=True)
            ),
        )

    async def head(self) -> str:
        """The place after everything that has happened."""
        [row] = await self._readers.fetch(HEAD)
        return self._cursor(row["head"])

    async def since(self, cursor: str, which: FeedFilter, *, limit: int) -> FeedPage:
        """What happened after a place, as it stands now.

        At most `limit` lines of it are told, and fewer where they tell of large events.
        """
        after = self._seq(cursor)
        [found] = await self._readers.fetch(SINCE, _stretch(after, which, limit))
        head, oldest = found["head"], found["oldest"]
        # A place before the oldest line, or after the newest, is none of this journal.
        floor = head if oldest is None else oldest - 1
        if after is None or not floor <= after <= head:
            return FeedPage(entries=(), cursor=self._cursor(head), reset=True)
        there = _lines(found["lines"])
        lines = there[: _fitting([line.size for line in there], STRETCH_BYTES)]
        full = len(lines) == limit or len(lines) < len(there)
        reached = lines[-1].seq if full else min(head, after + STRETCH)
        return FeedPage(
            entries=await self._entries(lines),
            cursor=self._cursor(reached),
            more=reached < head,
        )

    async def overview(
        self, project_ids: Sequence[int] | None, periods: Periods, *, now: int
    ) -> Overview:
        """The figures of these projects, or of all that are live, as far as they are counted."""
        return await overview.read(self._readers, project_ids, periods, now=now)

    async def count_on(self) -> bool:
        """Count a stretch of what has happened; whether there is more already."""
        return await self._rollups.count_on()

    async def index_on(self) -> bool:
        """Make the events of a stretch of what has happened searchable; whether there is more."""
        return await self._text_index.follow_on()

    def listen(self, written: Callable[[], None]) -> None:
        """Call `written` as well, in the loop and once for all that came together."""
        self._writer.listen(written)

    async def _entries(self, lines: Sequence[_JournalRow]) -> tuple[FeedEntry, ...]:
        """What to tell of the lines; of several about one thing the last, which tells it all."""
        last: dict[Line, int] = {}
        for row in lines:
            line = (row.kind, row.subject_id)
            last.pop(line, None)
            last[line] = row.seq
        items = await self._subjects.items(last)
        return tuple(
            FeedEntry(self._cursor(seq), items[line]) for line, seq in last.items() if line in items
        )

    def _cursor(self, seq: int) -> str:
        return f"{self._epoch}-{seq}"

    def _seq(self, cursor: str) -> int | None:
        """The number in a cursor; None where it is not of this journal."""
        match = _CURSOR.fullmatch(cursor)
        return int(match["seq"]) if match and match["epoch"] == self._epoch else None


def epoch(connection: sqlite3.Connection) -> str:
    """What tells this journal from every other; the first who asks makes it."""
    connection.execute(_MAKE_EPOCH)
    [(value,)] = connection.execute("select value from meta where key = 'epoch'").fetchall()
    return str(value)


def _fitting(sizes: Sequence[int], room: int) -> int:
    """How many fit into so many bytes, one at least."""
    size = 0
    for number, each in enumerate(sizes):
        if size >= room:
            return number
        size += each
    return len(sizes)


def _stretch(after: int | None, which: FeedFilter, limit: int) -> dict[str, object]:
    start = ids.LARGEST - STRETCH if after is None else after
    return {
        "after": start,
        "until": start + STRETCH,
        "projects": None if which.project_ids is None else _encode(which.project_ids).decode(),
        "categories": _encode(which.categories).decode() if which.categories else None,
        "keys": which.keys,
        "limit": limit,
    }
