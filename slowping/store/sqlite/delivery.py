"""Deliveries as people see them: list, group, show, count."""

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from slowping.core import errors, ids
from slowping.core.delivery import (
    Delivery,
    DeliveryDetail,
    DeliveryFilter,
    DeliveryGroup,
    DeliveryState,
)
from slowping.store.sqlite import rows
from slowping.store.sqlite.readers import Readers
from slowping.store.sqlite.writer import Writer


def _newest(whose: str, own: str, which: str) -> str:
    """A page of deliveries of whatever they are looked for by, with `{condition}` to be filled in.

    Each of these and each state gives its newest from an index, and the newest of them are the
    page: SQLite would rather sort everything that all of them have.
    """
    return f"""
select d.id
  from {whose}
 cross join json_each(:states) as wanted
 cross join delivery d
    on d.id in (select own.id
                  from delivery own
                 where {own}
                   and own.state = wanted.value
                   and own.id < :before
                   and {{condition}}
                 order by own.id desc
                 limit :limit)
 where {which}
 order by d.id desc
 limit :limit
"""  # noqa: S608 - it is ours


NEWEST: Final = _newest(
    "project p",
    "own.project_id = p.id",
    ":projects is null or p.id in (select value from json_each(:projects))",
)

NEWEST_OF_CHANNEL: Final = _newest(
    "channel ch",
    "own.channel_id = ch.id",
    """ch.name = :channel
   and (:projects is null or ch.project_id in (select value from json_each(:projects)))""",
)

SHOW: Final = """
select d.id, d.event_id, p.name as project, c.name as category, ch.name as channel, ch.kind,
       d.state, d.attempts, d.last_error, d.due_at, d.created_at, d.ended_at, d.reference, d.tries
  from delivery d
  join event e on e.id = d.event_id
  join category c on c.id = e.category_id
  join channel ch on ch.id = d.channel_id
  join project p on p.id = d.project_id
 where d.id in (select value from json_each(:ids))
 order by d.id desc
"""

# A removed channel and the one that has its name now are one group: nobody could tell them apart.
# Left alone, SQLite makes an index of its own over all deliveries there are.
GROUPS: Final = """
with alike as (
    select own.project_id, own.channel_id, own.state, own.last_error, wanted.key as place,
           count(*) as number, min(own.created_at) as oldest_at, max(own.created_at) as newest_at,
           min(iif(own.state = 'pending', own.due_at, null)) as next_at
      from project live
     cross join json_each(:states) as wanted
     cross join delivery own indexed by delivery_state
             on own.project_id = live.id and own.state = wanted.value
     where live.removed_at is null
       and (:projects is null or live.id in (select value from json_each(:projects)))
     group by own.project_id, own.channel_id, own.state, own.last_error
),
named as (
    select max(ch.id) as channel_id, alike.state, alike.last_error, alike.place,
           sum(alike.number) as number, min(alike.oldest_at) as oldest_at,
           max(alike.newest_at) as newest_at, min(alike.next_at) as next_at
      from alike
      join channel ch on ch.id = alike.channel_id
     group by alike.project_id, ch.name, alike.state, alike.last_error
)
select p.name as project, ch.name as channel, ch.kind, named.state, named.last_error,
       named.number, named.oldest_at, named.newest_at, named.next_at
  from named
  join channel ch on ch.id = named.channel_id
  join project p on p.id = ch.project_id
 order by named.place, named.oldest_at, ch.id, named.last_error
 limit :limit
"""

_ATTEMPTS: Final = """
select delivery_id, no, started_at, duration_ms, outcome, status, reason, excerpt
  from attempt
 where delivery_id in (select value from json_each(:ids))
 order by delivery_id, no
"""

COUNTS: Final = """
select wanted.value as state, count(*) as number
  from project
 cross join json_each(:states) as wanted
 cross join delivery indexed by delivery_state
         on delivery.project_id = project.id and delivery.state = wanted.value
 group by wanted.value
"""

_OF_EVENT: Final = "select id from delivery where event_id = ?"

_CONDITIONS: Final = {
    "channel": "own.channel_id in (select id from channel where name = :channel)",
    "category": """(select c.name
                      from event e
                      join category c on c.id = e.category_id
                     where e.id = own.event_id) = :category""",
    "event_id": "own.id in (select id from delivery where event_id = :event_id)",
    # No id is smaller than its moment's smallest, so the ids bound the search.
    "since": "own.id >= :first and own.created_at >= :since",
    "until": "own.created_at < :until",
    "error": "own.last_error = :error",
}
_CHOSEN: Final = "own.id in (select value from json_each(:chosen))"

_TELL: Final = """
insert into journal (at, kind, project_id, subject_id)
select :now, 'delivery.changed', project_id, id
  from delivery
 where id in (select value from json_each(:ids))
"""

_encode = msgspec.json.Encoder().encode


class Deliveries:
    """The part of the outbox that people look at."""

    # A writer's entries are the inbox's alone; here it runs deeds.
    def __init__(self, writer: Writer[Any, Any], readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    async def list_deliveries(
        self, which: DeliveryFilter, *, before: int | None, limit: int
    ) -> Sequence[Delivery]:
        """Deliveries that match, newest first."""
        condition, values = narrowed(which, DeliveryState if which.states is None else which.states)
        values |= {"before": ids.LARGEST if before is None else before, "limit": limit}
        newest = NEWEST if which.channel is None else NEWEST_OF_CHANNEL
        found = await self._readers.fetch(newest.format(condition=condition), values)
        return [rows.delivery(row) for row in await self._show([row["id"] for row in found])]

    async def groups(
        self, project_ids: Sequence[int] | None, states: Sequence[DeliveryState], *, limit: int
    ) -> Sequence[DeliveryGroup]:
        """Deliveries of live projects that stand alike, in the order of the states."""
        values = {
            "projects": None if project_ids is None else json_list(project_ids),
            "states": _texts(states),
            "limit": limit,
        }
        return [rows.delivery_group(row) for row in await self._readers.fetch(GROUPS, values)]

    async def delivery(self, delivery_id: int) -> DeliveryDetail:
        """One delivery with its attempts."""
        found = await self._details([delivery_id])
        if not found:
            raise errors.NotFound("delivery", ids.encode(ids.DELIVERY, delivery_id))
        return found[0]

    async def deliveries_of(self, event_id: int) -> Sequence[DeliveryDetail]:
        """The deliveries of an event in the order they were made, with their attempts."""
        found = await self._readers.fetch(_OF_EVENT, (event_id,))
        return (await self._details([row["id"] for row in found]))[::-1]

    async def count_by_state(
        self, states: Iterable[DeliveryState] = DeliveryState
    ) -> Mapping[DeliveryState, int]:
        """How many deliveries are in each of these states; those without any are left out."""
        found = await self._readers.fetch(COUNTS, {"states": _texts(states)})
        return {DeliveryState(row["state"]): row["number"] for row in found}

    async def _show(self, numbers: Sequence[int]) -> Sequence[sqlite3.Row]:
        return await self._readers.fetch(SHOW, {"ids": json_list(numbers)})

    async def _details(self, numbers: Sequence[int]) -> list[DeliveryDetail]:
        found = await self._show(numbers)
        attempts = await self._readers.fetch(_ATTEMPTS, {"ids": json_list(numbers)})
        return [
            DeliveryDetail(
                delivery=rows.delivery(row),
                attempts=tuple(
                    rows.attempt(tried) for tried in attempts if tried["delivery_id"] == row["id"]
                ),
            )
            for row in found
        ]


def tell(connection: sqlite3.Connection, numbers: Sequence[int], now: int) -> None:
    """Write to the journal that these deliveries have changed."""
    if numbers:
        connection.execute(_TELL, {"ids": json_list(numbers), "now": now})


def json_list(numbers: Collection[int]) -> str:
    """Ids as `json_each` takes them."""
    return _encode(tuple(numbers)).decode()


def narrowed(
    which: DeliveryFilter, states: Iterable[DeliveryState], chosen: Sequence[int] | None = None
) -> tuple[str, dict[str, Any]]:
    """A filter as a condition on `own`, and all values that it and its statement take."""
    given = {
        name: value
        for name, value in msgspec.structs.asdict(which).items()
        if name in _CONDITIONS and value is not None
    }
    conditions = [_CONDITIONS[name] for name in given]
    if which.since is not None:
        given["first"] = ids.floor(which.since)
    if chosen is not None:
        conditions.append(_CHOSEN)
        given["chosen"] = json_list(chosen)
    given["projects"] = None if which.project_ids is None else json_list(which.project_ids)
    # What was delivered has no last error, and there is too much of it to look.
    hopeless = () if which.error is None else (DeliveryState.DELIVERED,)
    given["states"] = _texts(state for state in states if state not in hopeless)
    return " and ".join(conditions) or "true", given


def _texts(states: Iterable[DeliveryState]) -> str:
    """States as `json_each` takes them, each once: what is named twice must not count twice."""
    return _encode(tuple(dict.fromkeys(states))).decode()
