"""Store what was accepted: events, deliveries and journal lines of a whole batch at once."""

import collections
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from slowping.core import errors, ids
from slowping.core.event import Receipt
from slowping.core.ids import IdSource
from slowping.store.port import Entry, EventRow, Idempotency, StepwiseAct
from slowping.store.sqlite.directory import audit
from slowping.store.sqlite.inbox import keys
from slowping.store.sqlite.inbox.bulk import Insert
from slowping.store.sqlite.readers import Readers
from slowping.store.sqlite.writer import Writer, is_of_disk

_STORE_EVENTS = Insert(
    """
insert into event (id, project_id, category_id, api_key_id, dialect, source, description, color,
                   fields, occurred_at, received_at, notify, size)
values {rows}
""",
    "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
)

_STORE_DELIVERIES = Insert(
    """
insert into delivery (id, event_id, project_id, channel_id, created_at, expires_at, overrides,
                      due_at, state)
values {rows}
""",
    "(?, ?, ?, ?, ?, ?, ?, ?, 'pending')",
)

_STORE_JOURNAL = """
insert into journal (at, kind, project_id, category_id, subject_id)
select received_at, 'event.accepted', project_id, category_id, id
  from event
 where id in (select value from json_each(?))
 order by id
"""

# Not as accepted: who follows the feed is told of what comes in, and this came long ago.
_STORE_IMPORTED = """
insert into journal (at, kind, project_id, category_id, subject_id)
select ?, 'event.imported', project_id, category_id, id
  from event
 where id in (select value from json_each(?))
 order by id
"""

_IN_PLACE = """
select id, project_id, dialect, source, description, color, fields, occurred_at, received_at, notify
  from event
 where id in (select value from json_each(?))
"""

_MOST_PLACES = 50
"""How often a free id is looked for; two in a row are taken once in some hundred thousand."""

_COUNT_USAGE = """
insert into usage (project_id, month, events) values (?, ?, ?)
    on conflict do update set events = events + excluded.events
"""

_USAGE = "select events from usage where project_id = ? and month = ?"

_STORE_METRIC = "insert into metric (id, project_id, payload, received_at) values (?, ?, ?, ?)"

_NEWEST_ID = """
select max(coalesce((select max(id) from event), 0), coalesce((select max(id) from delivery), 0),
           coalesce((select max(id) from channel), 0), coalesce((select max(id) from category), 0),
           coalesce((select max(id) from project), 0), coalesce((select max(id) from api_key), 0),
           coalesce((select max(id) from metric), 0), coalesce((select max(id) from route), 0),
           coalesce((select max(id) from audit), 0))
"""

_encode = msgspec.json.Encoder().encode


class Inbox:
    """Where drafts become events, once per idempotency key."""

    def __init__(self, writer: Writer[Entry, Receipt], readers: Readers, ids: IdSource) -> None:
        self._writer = writer
        self._readers = readers
        self._ids = ids
        self._accepted = self._accepted_before = 0
        """Entries, and how many they were when it was tidied up last."""

    async def accept(self, entry: Entry) -> Receipt:
        """Write an entry, and answer once it is on the disk."""
        self._accepted += 1
        return await self._writer.store(entry)

    async def recall(self, project_id: int, idempotency: Idempotency) -> Receipt | None:
        """The first receipt for this key."""

        def deed(connection: sqlite3.Connection) -> Receipt | None:
            found = keys.recall(connection, project_id, idempotency.key)
            return None if found is None else _repeat(found, idempotency)

        return await self._writer.run(deed, urgent=True)

    async def fold_on(self) -> bool:
        """Tidy up what came in, as long as nothing else does; whether to go on at once."""
        [row] = await self._readers.fetch(keys.COUNT, {"limit": keys.MOST + 1})
        waiting, accepted = row[0], self._accepted
        if not waiting:
            return False
        is_busy = accepted != self._accepted_before
        self._accepted_before = accepted
        more = await self._writer.run(keys.fold)
        return more and (waiting > keys.MOST or not is_busy)

    async def import_events(
        self, events: Sequence[EventRow], *, now: int, act: StepwiseAct | None = None
    ) -> int:
        """Write events that were accepted before; how many were new."""
        # Before they are written: an id is never handed out that one of them may get.
        self._ids.pass_by(max(event.id for event in events) | ids.COUNTER)

        def deed(connection: sqlite3.Connection) -> int:
            stored = _import(connection, events, now)
            audit.count(connection, act, stored, at=now)
            return stored

        return await self._writer.run(deed)

    async def accept_metric(self, project_id: int, payload: Mapping[str, Any], at: int) -> None:
        """Store a metric."""
        row = (self._ids.take(at), project_id, _encode(payload).decode(), at)

        def deed(connection: sqlite3.Connection) -> None:
            connection.execute(_STORE_METRIC, row)

        await self._writer.run(deed)

    async def usage(self, project_id: int, month: int) -> int:
        """How many events the project was sent in a month."""
        rows = await self._readers.fetch_at_once(_USAGE, (project_id, month))
        return int(rows[0]["events"]) if rows else 0


def _import(connection: sqlite3.Connection, events: Sequence[EventRow], now: int) -> int:
    left, stored = list(events), 0
    for attempt in range(_MOST_PLACES):
        fresh, left = _sorted_out(connection, left, attempt)
        if fresh:
            _STORE_EVENTS.run(connection, [msgspec.structs.astuple(event) for event in fresh])
            connection.execute(_STORE_IMPORTED, (now, _ids(fresh)))
            stored += len(fresh)
        if not left:
            break
    return stored


def _sorted_out(
    connection: sqlite3.Connection, events: Sequence[EventRow], attempt: int
) -> tuple[list[EventRow], list[EventRow]]:
    """Those whose place is free, and those that have to look for another; the rest is there."""
    asked = _encode([event.id for event in events]).decode()
    there = {row["id"]: tuple(row)[1:] for row in connection.execute(_IN_PLACE, (asked,))}
    fresh: dict[int, EventRow] = {}
    others = []
    for event in events:
        if event.id in fresh:
            there[event.id] = _content(fresh[event.id])
        if event.id not in there:
            fresh[event.id] = event
        elif there[event.id] != _content(event):
            seed = _encode((attempt, *_content(event)))
            others.append(msgspec.structs.replace(event, id=ids.beside(event.id, seed)))
    return list(fresh.values()), others


def _content(event: EventRow) -> tuple[object, ...]:
    """What makes an event the same: a category may have another name by now."""
    return (
        event.project_id, event.dialect, event.source, event.description, event.color,
        event.fields, event.occurred_at, event.received_at, int(event.notify),
    )  # fmt: skip


def newest_id(connection: sqlite3.Connection) -> int:
    """The largest id in use, so that new ones start above it."""
    [(newest,)] = connection.execute(_NEWEST_ID).fetchall()
    return int(newest)


def store_together(
    connection: sqlite3.Connection, entries: Sequence[Entry]
) -> Sequence[Receipt | Exception]:
    """Store all entries as the first of a transaction; a receipt or an error for each.

    Where they cannot be stored at once the transaction begins anew, and they are stored one by one,
    so that a bad one fails alone. A savepoint would do for that as well, but SQLite keeps a copy of
    each page that is changed after one, and nearly always in vain.
    """
    try:
        return _store(connection, entries)
    except Exception as error:  # one of them is bad, in whatever way
        if not connection.in_transaction or is_of_disk(error):
            raise
    connection.execute("rollback")
    connection.execute("begin immediate")
    return [_alone(connection, entry) for entry in entries]


def _alone(connection: sqlite3.Connection, entry: Entry) -> Receipt | Exception:
    connection.execute("savepoint entry")
    try:
        [stored] = _store(connection, [entry])
    except Exception as error:
        if not connection.in_transaction:
            raise
        connection.execute("rollback to entry")
        stored = error
    connection.execute("release entry")
    return stored


def _store(
    connection: sqlite3.Connection, entries: Sequence[Entry]
) -> Sequence[Receipt | Exception]:
    claimed = keys.claim(connection, entries)
    fresh = [
        entry for entry in entries if entry.idempotency is None or entry.events[0].id in claimed
    ]
    if fresh:
        _store_fresh(connection, fresh)
    if len(fresh) == len(entries):
        return [_receipt(entry) for entry in entries]
    # Read only now: what a repeat repeats may have come in this very batch.
    stored = {id(entry) for entry in fresh}
    return [
        _receipt(entry) if id(entry) in stored else _earlier(connection, entry) for entry in entries
    ]


def _store_fresh(connection: sqlite3.Connection, entries: Sequence[Entry]) -> None:
    _count_usage(connection, entries)
    events = [row for entry in entries for row in entry.events]
    _STORE_EVENTS.run(connection, [msgspec.structs.astuple(event) for event in events])
    connection.execute(_STORE_JOURNAL, (_ids(events),))
    _STORE_DELIVERIES.run(
        connection,
        [
            (*msgspec.structs.astuple(row), row.created_at)
            for entry in entries
            for row in entry.deliveries
        ],
    )


def _ids(events: Iterable[EventRow]) -> str:
    """Ids of events as `json_each` takes them."""
    return _encode([event.id for event in events]).decode()


def _count_usage(connection: sqlite3.Connection, entries: Sequence[Entry]) -> None:
    """Count the events, and hold them to the quotas that their entries carry.

    Raises:
        QuotaReached: all of them together go beyond one. Taken one by one, some may still fit.
    """
    used: collections.Counter[tuple[int, int]] = collections.Counter()
    quotas = set()
    for entry in entries:
        if entry.month is None:
            continue
        used[entry.project_id, entry.month] += len(entry.events)
        if entry.quota is not None:
            quotas.add((entry.project_id, entry.month, entry.quota))
    connection.executemany(_COUNT_USAGE, [(*key, count) for key, count in used.items()])
    for project_id, month, quota in quotas:
        [(events,)] = connection.execute(_USAGE, (project_id, month)).fetchall()
        if events > quota:
            raise errors.QuotaReached(quota)


def _receipt(entry: Entry) -> Receipt:
    return Receipt(
        first_event_id=entry.events[0].id,
        count=len(entry.events),
        received_at=entry.received_at,
    )


def _earlier(connection: sqlite3.Connection, entry: Entry) -> Receipt | Exception:
    promise = entry.idempotency
    if promise is None:
        raise ValueError("only a request with an idempotency key can be a repeat")
    row = keys.recall(connection, entry.project_id, promise.key)
    if row is None:
        raise LookupError("a key that is known was used for something")
    try:
        return _repeat(row, promise)
    except errors.IdempotencyKeyReused as error:
        return error


def _repeat(row: sqlite3.Row, idempotency: Idempotency) -> Receipt:
    if idempotency.strict and row["fingerprint"] != idempotency.fingerprint:
        raise errors.IdempotencyKeyReused
    return Receipt(
        first_event_id=row["first_event_id"],
        count=row["event_count"],
        received_at=row["received_at"],
        deduplicated=True,
    )
