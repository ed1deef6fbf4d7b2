"""Tell what happened: events by filter, and the figures of a project."""

import collections
from collections.abc import Sequence
from typing import Final

import msgspec

from slowping.core import errors, ids, times
from slowping.core.event import Event, EventFilter
from slowping.store.port import DayCount, ProjectFigures
from slowping.store.sqlite import rows
from slowping.store.sqlite.readers import Readers

DAYS: Final = 7
_DAY_MS: Final = 86_400_000

# Ids are in the order of time, so a time span is a span of ids. Where several projects or
# categories are asked for, each gives its newest from its own index, and the newest of these
# are the page: SQLite would rather sort everything that all of them have.

NEWEST: Final = """
select id
  from event
 where id >= :first
   and id < :before
   and (:source is null or source = :source)
   and project_id not in (select id from project where removed_at is not null)
 order by id desc
 limit :limit
offset :skip
"""

NEWEST_OF_PROJECTS: Final = """
select event.id
  from json_each(:projects) as wanted
 cross join event
    on event.id in (select own.id
                      from event as own
                     where own.project_id = wanted.value
                       and own.id >= :first
                       and own.id < :before
                       and (:source is null or own.source = :source)
                     order by own.id desc
                     limit :limit + :skip)
 order by event.id desc
 limit :limit
offset :skip
"""

NEWEST_OF_CATEGORY: Final = """
select event.id
  from category
 cross join event
    on event.id in (select own.id
                      from event as own
                     where own.category_id = category.id
                       and own.id >= :first
                       and own.id < :before
                       and (:source is null or own.source = :source)
                     order by own.id desc
                     limit :limit + :skip)
 where category.name = :category
   and (:projects is null or category.project_id in (select value from json_each(:projects)))
   and category.project_id not in (select id from project where removed_at is not null)
 order by event.id desc
 limit :limit
offset :skip
"""

EVENTS: Final = """
select event.id,
       project.name as project,
       category.name as category,
       event.description,
       event.fields,
       event.source,
       event.color,
       event.dialect,
       event.occurred_at,
       event.received_at,
       event.notify
  from event
  join project on project.id = event.project_id
  join category on category.id = event.category_id
 where event.id in (select value from json_each(:ids))
 order by event.id desc
"""

DELIVERIES: Final = """
select event_id, state, count(*) as number
  from delivery
 where event_id in (select value from json_each(:ids))
 group by event_id, state
"""

TOTAL: Final = "select count(*) as number from event where project_id = :project"

VISITORS: Final = """
select count(distinct payload ->> 'visitorId') as number
  from metric
 where project_id = :project
"""

ON_DAYS: Final = """
select (select count(*)
          from event
         where project_id = :project
           and id >= day.value ->> 0
           and id < day.value ->> 1) as number
  from json_each(:days) as day
 order by day.key
"""

_encode = msgspec.json.Encoder().encode


class Journal:
    """The append-only record of what happened."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    async def list_events(
        self, which: EventFilter, *, before: int | None, limit: int, skip: int = 0
    ) -> Sequence[Event]:
        """Events that match, newest first.

        A category's name covers those that had it before as well. Without projects in `which`
        it is those of all live projects.
        """
        wanted = _wanted(which, before) | {"limit": limit, "skip": skip}
        if which.category is not None:
            found = await self._readers.fetch(NEWEST_OF_CATEGORY, wanted)
        elif which.project_ids is not None:
            found = await self._readers.fetch(NEWEST_OF_PROJECTS, wanted)
        else:
            found = await self._readers.fetch(NEWEST, wanted)
        return await self._events([row["id"] for row in found])

    async def event(self, event_id: int) -> Event:
        """One event."""
        found = await self._events([event_id])
        if not found:
            raise errors.NotFound("event", ids.encode(ids.EVENT, event_id))
        return found[0]

    async def figures(self, project_id: int, now: int) -> ProjectFigures:
        """Counts of a project's events, in all and on each of the last seven days in UTC.

        The days are oldest first, today is the last, and a visitor is a `visitorId` of a metric.
        """
        days = [now // _DAY_MS - back for back in reversed(range(DAYS))]
        spans = [(ids.floor(day * _DAY_MS), ids.floor((day + 1) * _DAY_MS)) for day in days]
        asked = {"project": project_id, "days": _encode(spans).decode()}
        [total] = await self._readers.fetch(TOTAL, asked)
        [visitors] = await self._readers.fetch(VISITORS, asked)
        counts = await self._readers.fetch(ON_DAYS, asked)
        return ProjectFigures(
            total_events=total["number"],
            unique_visitors=visitors["number"],
            last_7_days=tuple(
                DayCount(times.iso_s(day * _DAY_MS)[:10], row["number"])
                for day, row in zip(days, counts, strict=True)
            ),
        )

    async def _events(self, event_ids: Sequence[int]) -> list[Event]:
        """These events, newest first, with the states of their deliveries."""
        asked = {"ids": _encode(event_ids).decode()}
        found = await self._readers.fetch(EVENTS, asked)
        states: dict[int, dict[str, int]] = collections.defaultdict(dict)
        for row in await self._readers.fetch(DELIVERIES, asked) if found else ():
            states[row["event_id"]][row["state"]] = row["number"]
        return [rows.event(row, states[row["id"]]) for row in found]


def _wanted(which: EventFilter, before: int | None) -> dict[str, object]:
    end = ids.LARGEST if before is None else before
    return {
        "projects": None if which.project_ids is None else _encode(which.project_ids).decode(),
        "category": which.category,
        "source": which.source,
        "first": 0 if which.since is None else ids.floor(which.since),
        "before": end if which.until is None else min(end, ids.floor(which.until)),
    }
