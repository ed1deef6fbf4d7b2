"""Know each idempotency key again: the recent ones by a table in memory, all others by their index.

Keys are scattered over their index, so that each new one changes a page of its own, and that costs
more than everything else about an event. So a new key is appended to those that came before it, and
kept in mind; when there is time, they are folded into the index. The table in memory belongs to the
writer's connection, and is a part of its transactions.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from slowping.store.port import Entry
from slowping.store.sqlite.inbox.bulk import Insert

MOST: Final = 25_000
"""More recent keys than these are folded in at once, however busy the server is: they take memory,
and have to be read at the start."""

STEP: Final = 256
"""Most keys that are folded in at once: more than one transaction brings."""

_BEGIN: Final = """
create temp table recent_key (
    project_id     integer not null,
    key            text not null,
    first_event_id integer not null,
    primary key (project_id, key)
) strict, without rowid;

insert into recent_key (project_id, key, first_event_id)
select project_id, key, first_event_id from idempotency_recent;
"""

_CLAIM: Final = Insert(
    """
insert into recent_key (project_id, key, first_event_id)
select asked.column1, asked.column2, asked.column3
  from (values {rows}) as asked
 where not exists (select 1
                     from idempotency as known
                    where known.project_id = asked.column1 and known.key = asked.column2)
    on conflict do nothing
""",
    "(?, ?, ?)",
)

CLAIMED: Final = """
select json_group_array(own.first_event_id)
  from json_each(:asked) as asked
 cross join recent_key as own
         on own.project_id = asked.value ->> 0 and own.key = asked.value ->> 1
 where own.first_event_id = asked.value ->> 2
"""

_KEEP: Final = Insert(
    """
insert into idempotency_recent (project_id, key, first_event_id, fingerprint, event_count)
values {rows}
""",
    "(?, ?, ?, ?, ?)",
)

RECALL: Final = """
select found.fingerprint, found.first_event_id, found.event_count, event.received_at
  from (select fingerprint, first_event_id, event_count
          from idempotency
         where project_id = :project_id and key = :key
         union all
        select kept.fingerprint, kept.first_event_id, kept.event_count
          from recent_key as own
         cross join idempotency_recent as kept on kept.first_event_id = own.first_event_id
         where own.project_id = :project_id and own.key = :key) as found
 cross join event on event.id = found.first_event_id
"""

COUNT: Final = "select count(*) from (select 1 from idempotency_recent limit :limit)"

_OLDEST: Final = """
select json_group_array(first_event_id)
  from (select first_event_id from idempotency_recent order by first_event_id limit :most)
"""

_FOLD: Final = """
insert into idempotency (project_id, key, fingerprint, first_event_id, event_count)
select project_id, key, fingerprint, first_event_id, event_count
  from idempotency_recent
 where first_event_id in (select value from json_each(:ids))
 order by project_id, key
"""

_FORGET: Final = """
delete from recent_key
 where project_id = :project_id
   and key in (select key
                 from idempotency_recent
                where project_id = :project_id
                  and first_event_id in (select value from json_each(:ids)))
"""

_PROJECTS: Final = """
select distinct project_id
  from idempotency_recent
 where first_event_id in (select value from json_each(:ids))
"""

_DROP: Final = """
delete from idempotency_recent where first_event_id in (select value from json_each(:ids))
"""

_encode = msgspec.json.Encoder().encode


def begin(connection: sqlite3.Connection) -> None:
    """Have the connection keep the recent keys in mind, once it is the one that writes."""
    connection.executescript(_BEGIN)


def claim(connection: sqlite3.Connection, entries: Sequence[Entry]) -> set[int]:
    """Write down new idempotency keys; the first event of each request whose key is new."""
    rows = [
        (entry.project_id, promise.key, entry.events[0].id, promise.fingerprint, len(entry.events))
        for entry in entries
        if (promise := entry.idempotency) is not None
    ]
    if not rows:
        return set()
    if _CLAIM.run(connection, [row[:3] for row in rows]) < len(rows):
        asked = {"asked": _encode(rows).decode()}
        [(found,)] = connection.execute(CLAIMED, asked).fetchall()
        claimed = set(msgspec.json.decode(found, type=list[int]))
        rows = [row for row in rows if row[2] in claimed]
    _KEEP.run(connection, rows)
    return {row[2] for row in rows}


def recall(connection: sqlite3.Connection, project_id: int, key: str) -> sqlite3.Row | None:
    """What it was used for first: `fingerprint`, `first_event_id`, `event_count`, `received_at`."""
    found = connection.execute(RECALL, {"project_id": project_id, "key": key}).fetchall()
    return found[0] if found else None


def fold(connection: sqlite3.Connection) -> bool:
    """Fold some recent keys into the index, the oldest first; whether there may be more."""
    [(ids,)] = connection.execute(_OLDEST, {"most": STEP}).fetchall()
    connection.execute(_FOLD, {"ids": ids})
    _let_go(connection, {"ids": ids})
    return bool(ids.count(",") == STEP - 1)


def forget(connection: sqlite3.Connection, event_ids: str) -> None:
    """Forget the keys of events that are removed now; ids as `json_each` takes them."""
    _let_go(connection, {"ids": event_ids})


def _let_go(connection: sqlite3.Connection, ids: Mapping[str, str]) -> None:
    # A pair of columns would have SQLite go through all keys of each project.
    for (project_id,) in connection.execute(_PROJECTS, ids).fetchall():
        connection.execute(_FORGET, {**ids, "project_id": project_id})
    connection.execute(_DROP, ids)
