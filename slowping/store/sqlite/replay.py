"""What a replay asks for: the events of a time window, and deliveries that were missing."""

import functools
import itertools
import sqlite3
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final

import msgspec

from slowping.core.delivery import DeliveryState
from slowping.core.fanout import Standing, Told
from slowping.store.port import DeliveryRow, EventWindow, Requeued, StepwiseAct, Stretch
from slowping.store.sqlite import delivery, moves
from slowping.store.sqlite.delivery import Deliveries
from slowping.store.sqlite.directory import audit

STRETCH: Final = 500
"""Most events that one reading looks at, however few of them lie in the window."""

# An event's id may be of a later moment than the event, where the clock had stepped back: so
# what lies behind the window is looked at too, a stretch at a time.

END: Final = """
select max(id) as last
  from (select id
          from event
         where project_id = :project_id
           and id > :after
           and id <= :newest
         order by id
         limit :most)
"""

EVENTS: Final = """
select e.id as event_id, e.category_id, d.id, d.channel_id, d.state
  from event e
  left join delivery d
    on d.event_id = e.id
   and (select removed_at is null from channel where id = d.channel_id)
 where e.project_id = :project_id
   and e.id > :after
   and e.id <= :last
   and e.received_at >= :since
   and e.received_at < :until
   and e.notify = 1
   and e.dialect <> :but_dialect
   and (:category is null
        or (select name from category where id = e.category_id) = :category)
 order by e.id, d.id
"""

SUPPLY: Final = """
insert into delivery (id, event_id, project_id, channel_id, state, due_at, expires_at, overrides,
                      created_at)
select new.value ->> 0, e.id, e.project_id, ch.id, 'pending', :now, new.value ->> 5,
       new.value ->> 6, new.value ->> 4
  from json_each(:rows) as new
 cross join event e on e.id = new.value ->> 1
 cross join channel ch on ch.id = new.value ->> 3 and ch.removed_at is null
 where true
    on conflict (event_id, channel_id) do nothing
returning id, channel_id
"""

_encode = msgspec.json.Encoder().encode


class Replays(Deliveries):
    """The part of the outbox that a replay works with."""

    async def stretch(self, window: EventWindow, *, after: int) -> Stretch:
        """Some of the events of a window with ids above `after`, and their deliveries."""
        wanted = {**msgspec.structs.asdict(window), "after": after, "most": STRETCH}
        [end] = await self._readers.fetch(END, wanted)
        if end["last"] is None:
            return Stretch(told=(), last=None)
        found = await self._readers.fetch(EVENTS, {**wanted, "last": end["last"]})
        by_event = itertools.groupby(found, key=lambda row: (row["event_id"], row["category_id"]))
        told = tuple(Told(*event, _standings(rows)) for event, rows in by_event)
        return Stretch(told=told, last=end["last"])

    async def supply(
        self, missing: Sequence[DeliveryRow], *, now: int, act: StepwiseAct | None = None
    ) -> AsyncIterator[Requeued]:
        """Make deliveries of events that are there already."""
        for start in range(0, len(missing), moves.STEP):
            step = missing[start : start + moves.STEP]
            yield await self._writer.run(functools.partial(_supply, step, now, act))


def _standings(rows: Iterable[sqlite3.Row]) -> tuple[Standing, ...]:
    return tuple(
        Standing(row["id"], row["channel_id"], DeliveryState(row["state"]))
        for row in rows
        if row["id"] is not None
    )


# In the writer's thread ----------------------------------------------------------------------


def _supply(
    step: Sequence[DeliveryRow],
    now: int,
    act: StepwiseAct | None,
    connection: sqlite3.Connection,
) -> Requeued:
    values = {"rows": _encode(step).decode(), "now": now}
    made = connection.execute(SUPPLY, values).fetchall()
    delivery.tell(connection, [row["id"] for row in made], now)
    audit.count(connection, act, len(made), at=now)
    channels = dict.fromkeys(row["channel_id"] for row in made)
    return Requeued(moved=len(made), channel_ids=tuple(channels))
