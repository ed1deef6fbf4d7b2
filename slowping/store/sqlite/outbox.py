"""The dispatcher's deeds: claim deliveries, record what became of them, free what was left."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import msgspec

from slowping.core import delivery as core
from slowping.core.delivery import (
    AttemptOutcome,
    AttemptRecord,
    DeliveryState,
    Hold,
    Lane,
    LeasedDelivery,
    Settlement,
)
from slowping.store.sqlite import delivery, rollups, rows
from slowping.store.sqlite.moves import Moves
from slowping.store.sqlite.replay import Replays

MAX_LOST: Final = 3
"""A delivery whose last so many attempts were all cut off is not tried again."""

EXPIRED: Final = "expired: it was not worth sending any more when its turn came"
CUT_OFF: Final = "the server stopped in the middle of this attempt; it may have arrived"
QUARANTINED: Final = f"given up: the server stopped in the middle of {MAX_LOST} attempts in a row"

LANES: Final = """
select channel_id, due_at
  from (select c.id as channel_id,
               (select min(d.due_at)
                  from delivery d
                 where d.channel_id = c.id and d.state = 'pending') as due_at
          from channel c
         where c.removed_at is null and c.paused_at is null)
 where due_at is not null
"""

NEXT_DUE: Final = "select min(due_at) from delivery where channel_id = ? and state = 'pending'"

CLAIM: Final = """
update delivery
   set state = 'leased', leased_until = :until, lease_owner = :owner,
       attempts = attempts + 1, tries = tries + 1
 where id in (select id
                from delivery
               where channel_id = :channel_id and state = 'pending' and due_at <= :now
               order by due_at, id
               limit :limit)
returning id
"""

CLAIMED: Final = """
select d.id, d.event_id, d.attempts, d.tries, d.created_at, d.overrides,
       d.attempts > 1 and exists (select 1
                                    from attempt a
                                   where a.delivery_id = d.id
                                     and a.outcome in ('unknown', 'lost')) as may_be_repeat,
       p.name as project, c.name as category, c.emoji, c.color as category_color,
       e.description, e.fields, e.source, e.color, e.dialect, e.occurred_at, e.received_at
  from delivery d
  join event e on e.id = d.event_id
  join category c on c.id = e.category_id
  join project p on p.id = d.project_id
 where d.id in (select value from json_each(:ids))
 order by d.due_at, d.id
"""

EXPIRE: Final = """
update delivery
   set state = 'failed', ended_at = :now, last_error = :reason
 where state = 'pending' and expires_at is not null and expires_at <= :now
   and (:channel_id is null or channel_id = :channel_id)
returning id
"""

# What is given back was not tried, so that its last error is still the last.
SETTLE: Final = """
update delivery
   set state = :state, due_at = coalesce(:due_at, due_at),
       last_error = coalesce(:last_error, iif(:given_back, last_error, null)),
       reference = coalesce(:reference, reference), ended_at = :ended_at,
       leased_until = null, lease_owner = null,
       attempts = attempts - :given_back, tries = tries - :given_back
 where id = :id and state = 'leased'
returning attempts
"""

_RECORD_ATTEMPT: Final = """
insert into attempt (delivery_id, no, started_at, duration_ms, outcome, status, reason, excerpt)
values (:delivery_id, :no, :started_at, :duration_ms, :outcome, :status, :reason, :excerpt)
"""

LEFT_BEHIND: Final = """
select d.id, d.tries,
       (select count(*)
          from (select a.outcome
                  from attempt a
                 where a.delivery_id = d.id
                 order by a.no desc
                 limit :most)
         where outcome = 'lost') as lost
  from delivery d
 where d.state = 'leased'
   and (d.lease_owner is not :owner
        or d.channel_id not in (select value from json_each(:busy)))
"""

PULL_IN: Final = """
update delivery
   set due_at = :now
 where channel_id in (select id from channel) and state = 'pending' and due_at > :latest
returning id
"""

DISCARD_OF_REMOVED: Final = """
update delivery
   set state = 'discarded', ended_at = :now
 where channel_id in (select id from channel where removed_at is not null) and state = 'pending'
returning id
"""

_HOLD: Final = """
insert into hold (scope, until, why, failures) values (?, ?, ?, ?)
    on conflict do update set until = excluded.until, why = excluded.why,
                              failures = excluded.failures
"""


class Outbox(Moves, Replays):
    """All deliveries that are due or will be."""

    async def lanes(self) -> Sequence[Lane]:
        """Each live channel that is not paused and has pending deliveries."""
        return [Lane(channel_id=row[0], due_at=row[1]) for row in await self._readers.fetch(LANES)]

    async def lease(
        self, channel_id: int, *, now: int, until: int, owner: str, limit: int
    ) -> Sequence[LeasedDelivery]:
        """Claim up to `limit` deliveries that are due, first in first out."""

        def deed(connection: sqlite3.Connection) -> Sequence[LeasedDelivery]:
            _expire(connection, now, channel_id)
            claim = {
                "channel_id": channel_id,
                "now": now,
                "until": until,
                "owner": owner,
                "limit": limit,
            }
            claimed = [row["id"] for row in connection.execute(CLAIM, claim)]
            if not claimed:
                return ()
            found = connection.execute(CLAIMED, {"ids": delivery.json_list(claimed)})
            return [rows.leased_delivery(row) for row in found]

        return await self._writer.run(deed, urgent=True)

    async def settle(
        self, channel_id: int, settlements: Sequence[Settlement], *, now: int
    ) -> int | None:
        """Record what became of claimed deliveries; the channel's next due time, if any."""

        def deed(connection: sqlite3.Connection) -> int | None:
            settled = [one for one in settlements if _settle(connection, one, now)]
            tried = [one.delivery_id for one in settled if one.attempt is not None]
            rollups.count_attempts(connection, tried, now)
            changed = [one.delivery_id for one in settled if _is_news(one)]
            delivery.tell(connection, changed, now)
            [(due_at,)] = connection.execute(NEXT_DUE, (channel_id,)).fetchall()
            return None if due_at is None else int(due_at)

        return await self._writer.run(deed, urgent=True)

    async def free_leases(self, *, owner: str, now: int, busy: Collection[int] = ()) -> int:
        """Free every lease but those that `owner` holds on deliveries of the `busy` channels."""
        kept = {"owner": owner, "busy": delivery.json_list(busy), "most": MAX_LOST - 1}

        def deed(connection: sqlite3.Connection) -> int:
            left = connection.execute(LEFT_BEHIND, kept).fetchall()
            for row in left:
                # A retry by hand is a new round: what was lost before it does not count.
                hopeless = row["tries"] >= MAX_LOST and row["lost"] >= MAX_LOST - 1
                _settle(connection, _lost(row["id"], now, hopeless=hopeless), now)
            lost = [row["id"] for row in left]
            rollups.count_attempts(connection, lost, now)
            delivery.tell(connection, lost, now)
            return len(left)

        return await self._writer.run(deed)

    async def pull_in(self, *, latest: int, now: int) -> int:
        """Make pending deliveries that are due after `latest` due now."""
        values = {"latest": latest, "now": now}
        return await self._writer.run(lambda connection: _change(connection, PULL_IN, values, now))

    async def expire(self, *, now: int) -> int:
        """End pending deliveries past their time as failed, discard those of removed channels."""

        def deed(connection: sqlite3.Connection) -> int:
            _change(connection, DISCARD_OF_REMOVED, {"now": now}, now)
            return _expire(connection, now, None)

        return await self._writer.run(deed)

    async def holds(self) -> Sequence[Hold]:
        """Every hold that is kept."""
        kept = await self._readers.fetch("select scope, until, why, failures from hold")
        return [Hold(**dict(row)) for row in kept]

    async def hold(self, hold: Hold) -> None:
        """Keep a hold, in place of an earlier one of the scope."""

        def deed(connection: sqlite3.Connection) -> None:
            connection.execute(_HOLD, (hold.scope, hold.until, hold.why, hold.failures))

        await self._writer.run(deed)

    async def lift(self, scope: str) -> None:
        """Forget a scope's hold."""

        def deed(connection: sqlite3.Connection) -> None:
            connection.execute("delete from hold where scope = ?", (scope,))

        await self._writer.run(deed)


# In the writer's thread ----------------------------------------------------------------------


def _expire(connection: sqlite3.Connection, now: int, channel_id: int | None) -> int:
    values = {"now": now, "reason": EXPIRED, "channel_id": channel_id}
    return _change(connection, EXPIRE, values, now)


def _change(
    connection: sqlite3.Connection, statement: str, values: Mapping[str, object], now: int
) -> int:
    """Run a statement that returns the ids of what it changed, and tell the journal."""
    changed = [row["id"] for row in connection.execute(statement, values)]
    delivery.tell(connection, changed, now)
    return len(changed)


def _settle(connection: sqlite3.Connection, settlement: Settlement, now: int) -> bool:
    """End a claim and record its attempt; False where nobody holds it any more."""
    if settlement.state not in core.MOVES[DeliveryState.LEASED]:
        raise ValueError(f"a claimed delivery cannot become {settlement.state}")
    values = {
        "id": settlement.delivery_id,
        "state": settlement.state,
        "due_at": settlement.due_at,
        "last_error": settlement.last_error,
        "reference": settlement.reference,
        "ended_at": None if settlement.state is DeliveryState.PENDING else now,
        "given_back": settlement.attempt is None,
    }
    settled = connection.execute(SETTLE, values).fetchall()
    if settled and settlement.attempt is not None:
        record = msgspec.structs.asdict(settlement.attempt)
        record |= {"delivery_id": settlement.delivery_id, "no": settled[0]["attempts"]}
        connection.execute(_RECORD_ATTEMPT, record)
    return bool(settled)


def _is_news(settlement: Settlement) -> bool:
    """Whether anything is different from before the claim, of which the journal knows nothing."""
    return settlement.attempt is not None or settlement.last_error is not None


def _lost(delivery_id: int, now: int, *, hopeless: bool) -> Settlement:
    return Settlement(
        delivery_id=delivery_id,
        state=DeliveryState.FAILED if hopeless else DeliveryState.PENDING,
        last_error=QUARANTINED if hopeless else CUT_OFF,
        attempt=AttemptRecord(
            started_at=now, duration_ms=0, outcome=AttemptOutcome.LOST, reason=CUT_OFF
        ),
    )
