"""Claim deliveries, record what became of them, and queue them again."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import msgspec

from slowping.core import errors, ids
from slowping.core.delivery import (
    AttemptOutcome,
    Delivery,
    DeliveryDetail,
    DeliveryFilter,
    DeliveryState,
    Hold,
    Lane,
    LeasedDelivery,
    Settlement,
)
from slowping.store.port import Requeued
from slowping.store.sqlite import rows
from slowping.store.sqlite.readers import Readers
from slowping.store.sqlite.writer import Writer

MAX_LOST: Final = 3
"""A delivery whose last so many attempts all took the server down is not tried again."""

EXPIRED: Final = "expired: it was not worth sending any more when its turn came"
QUARANTINED: Final = f"given up: the server stopped in the middle of {MAX_LOST} attempts in a row"

_LANES = """
select channel_id, due_at
  from (select c.id as channel_id,
               (select min(d.due_at) from delivery d
                 where d.channel_id = c.id and d.state = 'pending') as due_at
          from channel c
         where c.removed_at is null and c.paused_at is null)
 where due_at is not null
"""

_NEXT_DUE = "select min(due_at) from delivery where channel_id = ? and state = 'pending'"

CLAIM: Final = """
update delivery
   set state = 'leased', leased_until = :until, lease_owner = :owner,
       attempts = attempts + 1, tries = tries + 1
 where id in (select id from delivery
               where channel_id = :channel_id and state = 'pending' and due_at <= :now
               order by due_at, id
               limit :limit)
"""

_CLAIMED = """
select d.id, d.event_id, d.attempts, d.tries, d.created_at, d.overrides,
       d.attempts > 1 and exists (select 1 from attempt a
                                   where a.delivery_id = d.id
                                     and a.outcome in ('unknown', 'lost')) as may_be_repeat,
       p.name as project, c.name as category, c.emoji, c.color as category_color,
       e.description, e.fields, e.source, e.color, e.dialect, e.occurred_at, e.received_at
  from delivery d
  join event e on e.id = d.event_id
  join category c on c.id = e.category_id
  join project p on p.id = d.project_id
 where d.id in (select value from json_each(?))
 order by d.due_at, d.id
"""

_EXPIRE = """
update delivery
   set state = 'failed', ended_at = :now, last_error = :reason
 where state = 'pending' and expires_at is not null and expires_at <= :now
returning id, project_id
"""

_SETTLE = """
update delivery
   set state = :state, due_at = coalesce(:due_at, due_at),
       last_error = coalesce(:last_error, iif(:given_back, last_error, null)),
       reference = coalesce(:reference, reference), ended_at = :ended_at,
       leased_until = null, lease_owner = null,
       attempts = attempts - :given_back, tries = tries - :given_back
 where id = :id and state = 'leased'
returning project_id, attempts
"""

_RECORD_ATTEMPT = """
insert into attempt (delivery_id, no, started_at, duration_ms, outcome, status, reason, excerpt)
values (:delivery_id, :no, :started_at, :duration_ms, :outcome, :status, :reason, :excerpt)
    on conflict do nothing
"""

_TELL = """
insert into journal (at, kind, project_id, subject_id)
select :now, 'delivery.changed', project_id, id from delivery
 where id in (select value from json_each(:ids))
"""

_LEFT_BEHIND = """
select d.id, d.attempts, d.created_at,
       (select count(*) from (select a.outcome from attempt a
                               where a.delivery_id = d.id order by a.no desc limit :most)
         where outcome = 'lost') as lost
  from delivery d
 where d.state = 'leased'
   and (d.lease_owner is not :owner
        or d.channel_id not in (select value from json_each(:busy)))
"""

_PULL_IN = """
update delivery
   set due_at = :now
 where state = 'pending' and due_at > :latest
returning id
"""

_DISCARD_OF_REMOVED = """
update delivery
   set state = 'discarded', ended_at = :now
 where state = 'pending' and channel_id in (select id from channel where removed_at is not null)
returning id
"""

_LIST = """
select d.id, d.event_id, p.name as project, c.name as category, ch.name as channel, ch.kind,
       d.state, d.attempts, d.last_error, d.due_at, d.created_at, d.ended_at, d.reference
  from delivery d
  join event e on e.id = d.event_id
  join category c on c.id = e.category_id
  join channel ch on ch.id = d.channel_id
  join project p on p.id = d.project_id
"""

_ATTEMPTS = """
select delivery_id, no, started_at, duration_ms, outcome, status, reason, excerpt
  from attempt
 where delivery_id in (select value from json_each(?))
 order by delivery_id, no
"""

_REQUEUE = """
update delivery
   set state = 'pending', due_at = :now, tries = 0, ended_at = null, expires_at = null
 where id in (select value from json_each(:ids))
"""

_DISCARD = """
update delivery
   set state = 'discarded', ended_at = :now
 where id in (select value from json_each(:ids))
"""

_encode = msgspec.json.Encoder().encode


class Outbox:
    """All deliveries that are due or will be."""

    def __init__(self, writer: Writer[Any, Any], readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    async def lanes(self) -> Sequence[Lane]:
        """Each live channel that is not paused and has pending deliveries."""
        return [Lane(channel_id=row[0], due_at=row[1]) for row in await self._readers.fetch(_LANES)]

    async def lease(
        self, channel_id: int, *, now: int, until: int, owner: str, limit: int
    ) -> Sequence[LeasedDelivery]:
        """Claim up to `limit` deliveries that are due, first in first out."""
        claim = {
            "channel_id": channel_id,
            "now": now,
            "until": until,
            "owner": owner,
            "limit": limit,
        }
        return await self._writer.run(lambda connection: _lease(connection, claim), urgent=True)

    async def settle(
        self, channel_id: int, settlements: Sequence[Settlement], *, now: int
    ) -> int | None:
        """Record what became of claimed deliveries; the channel's next due time, if any."""
        return await self._writer.run(
            lambda connection: _settle(connection, channel_id, settlements, now), urgent=True
        )

    async def free_leases(self, *, owner: str, now: int, busy: Collection[int] = ()) -> int:
        """Free every lease but those that `owner` holds on deliveries of the `busy` channels."""
        kept = {"owner": owner, "busy": _encode(tuple(busy)).decode(), "most": MAX_LOST - 1}
        return await self._writer.run(lambda connection: _free_leases(connection, kept, now))

    async def pull_in(self, *, latest: int, now: int) -> int:
        """Make pending deliveries that are due after `latest` due now."""
        times = {"latest": latest, "now": now}
        return await self._writer.run(lambda connection: _change(connection, _PULL_IN, times))

    async def expire(self, *, now: int) -> int:
        """End pending deliveries past their time, and those of removed channels."""
        return await self._writer.run(lambda connection: _expire(connection, now))

    async def holds(self) -> Sequence[Hold]:
        """Every hold that is kept."""
        kept = await self._readers.fetch("select scope, until, why, failures from hold")
        return [Hold(**dict(row)) for row in kept]

    async def hold(self, hold: Hold) -> None:
        """Keep a hold, in place of an earlier one of the scope."""
        row = (hold.scope, hold.until, hold.why, hold.failures)
        await self._writer.run(
            lambda connection: connection.execute("replace into hold values (?, ?, ?, ?)", row)
        )

    async def lift(self, scope: str) -> None:
        """Forget a scope's hold."""
        await self._writer.run(
            lambda connection: connection.execute("delete from hold where scope = ?", (scope,))
        )

    async def list_deliveries(
        self, which: DeliveryFilter, *, before: int | None, limit: int
    ) -> Sequence[Delivery]:
        """Deliveries that match."""
        where, values = _where(which)
        if before is not None:
            where, values = f"{where} and d.id < :before", {**values, "before": before}
        found = await self._readers.fetch(
            f"{_LIST} where {where} order by d.id desc limit :limit", {**values, "limit": limit}
        )
        return [rows.delivery(row) for row in found]

    async def delivery(self, delivery_id: int) -> DeliveryDetail:
        """One delivery with its attempts."""
        found = await self._details("d.id = ?", delivery_id)
        if not found:
            raise errors.NotFound("delivery", ids.encode(ids.DELIVERY, delivery_id))
        return found[0]

    async def deliveries_of(self, event_id: int) -> Sequence[DeliveryDetail]:
        """The deliveries of an event, with their attempts."""
        return await self._details("d.event_id = ?", event_id)

    async def retry(
        self, which: DeliveryFilter, ids: Sequence[int] | None, *, now: int
    ) -> Requeued:
        """Make deliveries due now, in a new round of tries."""
        states = which.states or (
            DeliveryState.FAILED,
            DeliveryState.DISCARDED,
            DeliveryState.PENDING,
        )
        chosen = msgspec.structs.replace(
            which, states=tuple(state for state in states if state is not DeliveryState.LEASED)
        )
        return await self._writer.run(lambda connection: _retry(connection, chosen, ids, now))

    async def discard(self, which: DeliveryFilter, ids: Sequence[int] | None, *, now: int) -> int:
        """Give up pending and failed deliveries."""
        open_states = (DeliveryState.PENDING, DeliveryState.FAILED)
        chosen = msgspec.structs.replace(
            which,
            states=tuple(state for state in which.states or open_states if state in open_states),
        )
        return await self._writer.run(lambda connection: _discard(connection, chosen, ids, now))

    async def count_by_state(self) -> Mapping[DeliveryState, int]:
        """How many deliveries are in each state."""
        found = await self._readers.fetch("select state, count(*) from delivery group by state")
        return {DeliveryState(row[0]): row[1] for row in found}

    async def _details(self, condition: str, value: int) -> Sequence[DeliveryDetail]:
        found = await self._readers.fetch(f"{_LIST} where {condition} order by d.id", (value,))
        numbers = _encode([row["id"] for row in found]).decode()
        attempts = await self._readers.fetch(_ATTEMPTS, (numbers,))
        return [
            DeliveryDetail(
                delivery=rows.delivery(row),
                attempts=tuple(
                    rows.attempt(tried) for tried in attempts if tried["delivery_id"] == row["id"]
                ),
            )
            for row in found
        ]


# In the writer's thread ----------------------------------------------------------------------


def _lease(connection: sqlite3.Connection, claim: Mapping[str, object]) -> Sequence[LeasedDelivery]:
    expired = {"now": claim["now"], "reason": EXPIRED, "channel_id": claim["channel_id"]}
    gone = connection.execute(
        _EXPIRE.replace("where state", "where channel_id = :channel_id and state"), expired
    ).fetchall()
    _tell(connection, [row["id"] for row in gone], claim["now"])
    claimed = [row[0] for row in connection.execute(f"{CLAIM} returning id", claim)]
    if not claimed:
        return ()
    found = connection.execute(_CLAIMED, (_encode(claimed).decode(),))
    return [rows.leased_delivery(row) for row in found]


def _settle(
    connection: sqlite3.Connection, channel_id: int, settlements: Sequence[Settlement], now: int
) -> int | None:
    changed = []
    for settlement in settlements:
        ended = settlement.state is not DeliveryState.PENDING
        row = {
            "id": settlement.delivery_id,
            "state": settlement.state,
            "due_at": settlement.due_at,
            "last_error": settlement.last_error,
            "reference": settlement.reference,
            "ended_at": now if ended else None,
            "given_back": int(settlement.attempt is None),
        }
        for settled in connection.execute(_SETTLE, row).fetchall():
            changed.append(settlement.delivery_id)
            if settlement.attempt is not None:
                record = msgspec.structs.asdict(settlement.attempt)
                record |= {"delivery_id": settlement.delivery_id, "no": settled["attempts"]}
                connection.execute(_RECORD_ATTEMPT, record)
    _tell(connection, changed, now)
    [(due_at,)] = connection.execute(_NEXT_DUE, (channel_id,)).fetchall()
    return None if due_at is None else int(due_at)


def _free_leases(connection: sqlite3.Connection, kept: Mapping[str, object], now: int) -> int:
    left = connection.execute(_LEFT_BEHIND, kept).fetchall()
    for row in left:
        hopeless = row["lost"] >= MAX_LOST - 1
        record = {
            "delivery_id": row["id"],
            "no": row["attempts"],
            "started_at": now,
            "duration_ms": 0,
            "outcome": AttemptOutcome.LOST,
            "status": None,
            "reason": "the server stopped in the middle of this attempt; it may have arrived",
            "excerpt": None,
        }
        connection.execute(_RECORD_ATTEMPT, record)
        connection.execute(
            _SETTLE,
            {
                "id": row["id"],
                "state": DeliveryState.FAILED if hopeless else DeliveryState.PENDING,
                "due_at": None,
                "last_error": QUARANTINED if hopeless else record["reason"],
                "reference": None,
                "ended_at": now if hopeless else None,
                "given_back": 0,
            },
        ).fetchall()
    _tell(connection, [row["id"] for row in left], now)
    return len(left)


def _expire(connection: sqlite3.Connection, now: int) -> int:
    _change(connection, _DISCARD_OF_REMOVED, {"now": now})
    return _change(connection, _EXPIRE, {"now": now, "reason": EXPIRED})


def _change(connection: sqlite3.Connection, statement: str, values: Mapping[str, object]) -> int:
    """Run a statement that returns the ids of what it changed, and tell the journal."""
    changed = [row["id"] for row in connection.execute(statement, values)]
    _tell(connection, changed, values["now"])
    return len(changed)


def _retry(
    connection: sqlite3.Connection, which: DeliveryFilter, chosen: Sequence[int] | None, now: int
) -> Requeued:
    found = _select(connection, which, chosen, "ch.removed_at is null")
    numbers = [row["id"] for row in found]
    connection.execute(_REQUEUE, {"ids": _encode(numbers).decode(), "now": now})
    _tell(connection, numbers, now)
    return Requeued(moved=len(found), channel_ids=tuple({row["channel_id"]: None for row in found}))


def _discard(
    connection: sqlite3.Connection, which: DeliveryFilter, chosen: Sequence[int] | None, now: int
) -> int:
    numbers = [row["id"] for row in _select(connection, which, chosen, "true")]
    connection.execute(_DISCARD, {"ids": _encode(numbers).decode(), "now": now})
    _tell(connection, numbers, now)
    return len(numbers)


def _select(
    connection: sqlite3.Connection,
    which: DeliveryFilter,
    chosen: Sequence[int] | None,
    condition: str,
) -> list[sqlite3.Row]:
    where, values = _where(which)
    if chosen is not None:
        where = f"{where} and d.id in (select value from json_each(:chosen))"
        values["chosen"] = _encode(chosen).decode()
    return connection.execute(
        "select d.id, d.channel_id from delivery d"
        "  join event e on e.id = d.event_id"
        "  join category c on c.id = e.category_id"
        "  join channel ch on ch.id = d.channel_id"
        f" where {where} and {condition}",
        values,
    ).fetchall()


def _tell(connection: sqlite3.Connection, numbers: Sequence[int], now: object) -> None:
    if numbers:
        connection.execute(_TELL, {"ids": _encode(numbers).decode(), "now": now})


_CONDITIONS: Final = {
    "project_ids": "d.project_id in (select value from json_each(:project_ids))",
    "channel": "ch.name = :channel",
    "category": "c.name = :category",
    "states": "d.state in (select value from json_each(:states))",
    "event_id": "d.event_id = :event_id",
    "since": "d.created_at >= :since",
    "until": "d.created_at < :until",
}


def _where(which: DeliveryFilter) -> tuple[str, dict[str, Any]]:
    """A filter as a condition on the tables of `_LIST`, and its parameters."""
    values = {
        name: _encode(value).decode() if isinstance(value, tuple) else value
        for name, value in msgspec.structs.asdict(which).items()
        if value is not None
    }
    return " and ".join(_CONDITIONS[name] for name in values) or "true", values
