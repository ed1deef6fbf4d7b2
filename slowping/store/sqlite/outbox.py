"""The dispatcher's deeds: claim deliveries, record what became of them, free what was left."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import msgspec

from slowping.core import delivery as core
from slowping.core.breaker import Probe
from slowping.core.delivery import (
    AttemptOutcome,
    AttemptRecord,
    DeliveryState,
    Lane,
    LeasedDelivery,
    Settlement,
)
from slowping.store.sqlite import delivery, rollups, rows
from slowping.store.sqlite.holds import KeptHolds
from slowping.store.sqlite.moves import STEP, Moves
from slowping.store.sqlite.replay import Replays

LOST_DELAYS_MS: Final = (0, 0, 60_000, 300_000)
"""How long a delivery waits after each attempt in a row that was cut off.

Two may be chance, as where the server was killed while it sent. After that it may be what ends the
server, so that others go first, and a supervisor that gives up after a few quick starts does not.
"""

MAX_LOST: Final = len(LOST_DELAYS_MS) + 1
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

MOST_CLAIMED: Final = 256 * 1_024
"""Bytes of events in one claim, more only where the first alone has more.

Of huge ones no two go into one message, and everyone waits while they are read.
"""

CLAIM: Final = f"""
update delivery
   set state = 'leased', leased_until = :until, lease_owner = :owner,
       attempts = attempts + 1, tries = tries + 1
 where id in (select id
                from (select due.id,
                             sum(e.size) over (order by due.due_at, due.id) - e.size as before
                        from (select id, event_id, due_at
                                from delivery
                               where channel_id = :channel_id and state = 'pending'
                                 and due_at <= :now
                               order by due_at, id
                               limit :limit) due
                        join event e on e.id = due.event_id)
               where before < {MOST_CLAIMED})
returning id
"""  # noqa: S608 - a number of ours

# Ahead of its schedule goes nothing that may have arrived: it would arrive once more each time.
PROBE: Final = """
update delivery
   set state = 'leased', leased_until = :until, lease_owner = :owner,
       attempts = attempts + 1, tries = tries + 1
 where id in (select d.id
                from delivery d
               where d.channel_id = :channel_id and d.state = 'pending'
                 and (d.due_at <= :now
                      or :may_be_early and d.tries > 0
                         and not exists (select 1
                                           from attempt a
                                          where a.delivery_id = d.id
                                            and a.outcome in ('unknown', 'lost')))
               order by {first}d.due_at, d.id
               limit 1)
returning id
"""

_RETRIED_BY_HAND: Final = "d.tries = 0 and d.attempts > 0 desc, "

CLAIMED: Final = """
select d.id, d.event_id, d.attempts, d.tries, d.due_at, d.created_at, d.overrides,
       d.due_at > :now as is_early,
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

# What is given back was not tried, so that its last error is still the last. What was due when it
# was claimed is due still, though the clock may have been set back since.
SETTLE: Final = """
update delivery
   set state = :state,
       due_at = coalesce(:due_at, iif(:was_early, due_at, min(due_at, :now))),
       last_error = coalesce(:last_error, iif(:given_back, last_error, null)),
       reference = coalesce(:reference, reference), ended_at = :ended_at,
       leased_until = null, lease_owner = null,
       attempts = attempts - :given_back, tries = tries - :uncounted
 where id = :id and state = 'leased'
returning attempts
"""

_RECORD_ATTEMPT: Final = """
insert into attempt (delivery_id, no, started_at, duration_ms, outcome, status, reason, excerpt)
values (:delivery_id, :no, :started_at, :duration_ms, :outcome, :status, :reason, :excerpt)
"""

# What is due later was claimed ahead of its schedule. What had not been tried before never is,
# nor what may have arrived: there the clock was set back.
LEFT_BEHIND: Final = """
select d.id, d.tries,
       d.tries > 1 and d.due_at > :now
         and not exists (select 1
                           from attempt a
                          where a.delivery_id = d.id
                            and a.outcome in ('unknown', 'lost')) as is_early,
       (select count(*)
          from attempt a
         where a.delivery_id = d.id
           and a.no > coalesce((select max(other.no)
                                  from attempt other
                                 where other.delivery_id = d.id and other.outcome <> 'lost'), 0)
       ) as lost
  from delivery d
 where d.state = 'leased'
   and (d.lease_owner is not :owner
        or d.channel_id not in (select value from json_each(:busy)))
"""

RECALL: Final = f"""
update delivery
   set due_at = min(created_at, :now)
 where id in (select id
                from delivery
               where channel_id = :channel_id and state = 'pending' and due_at > :now
                 and tries > 0
               limit {STEP})
returning id
"""  # noqa: S608 - it is a number of ours

PULL_IN: Final = """
update delivery
   set due_at = :now
 where channel_id in (select id from channel) and state = 'pending' and due_at > :latest
returning id
"""

PLANNED: Final = """
select json_group_array(id) as ids
  from (select id
          from delivery
         where channel_id in (select id from channel) and state = 'pending' and due_at > :now
         order by due_at desc)
"""

STEP_BACK: Final = """
update delivery
   set due_at = max(:now, due_at - :by)
 where id in (select value from json_each(:ids)) and state = 'pending' and due_at > :now
returning id
"""

_HOLDS_STEP_BACK: Final = "update hold set until = until - :by, since = since - :by"

DISCARD_OF_REMOVED: Final = """
update delivery
   set state = 'discarded', ended_at = :now
 where channel_id in (select id from channel where removed_at is not null) and state = 'pending'
returning id
"""


class Outbox(Moves, Replays, KeptHolds):
    """All deliveries that are due or will be."""

    async def lanes(self) -> Sequence[Lane]:
        """Each live channel that is not paused and has pending deliveries."""
        found = await self._readers.fetch_at_once(LANES)
        return [Lane(channel_id=row[0], due_at=row[1]) for row in found]

    async def lease(
        self,
        channel_id: int,
        *,
        now: int,
        until: int,
        owner: str,
        limit: int,
        probe: Probe | None = None,
    ) -> Sequence[LeasedDelivery]:
        """Claim up to `limit` deliveries that are due, first in first out; for a probe, one."""
        statement = CLAIM
        if probe is not None:
            # What was retried by hand is looked for among all that wait: only where it has to be.
            statement = PROBE.format(first=_RETRIED_BY_HAND if probe.by_hand else "")

        def deed(connection: sqlite3.Connection) -> Sequence[LeasedDelivery]:
            _expire(connection, now, channel_id)
            claim = {
                "channel_id": channel_id,
                "now": now,
                "until": until,
                "owner": owner,
                "limit": limit,
                "may_be_early": probe is not None and probe.may_be_early,
            }
            claimed = [row["id"] for row in connection.execute(statement, claim)]
            if not claimed:
                return ()
            found = connection.execute(CLAIMED, {"ids": delivery.json_list(claimed), "now": now})
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
        kept = {"owner": owner, "busy": delivery.json_list(busy), "now": now}

        def deed(connection: sqlite3.Connection) -> int:
            left = connection.execute(LEFT_BEHIND, kept).fetchall()
            for row in left:
                # A retry by hand is a new round: what was lost before it does not count.
                in_a_row = min(row["tries"], row["lost"] + 1)
                lost = _lost(row["id"], now, in_a_row, was_early=bool(row["is_early"]))
                _settle(connection, lost, now)
            freed = [row["id"] for row in left]
            rollups.count_attempts(connection, freed, now)
            delivery.tell(connection, freed, now)
            return len(left)

        return await self._writer.run(deed)

    async def recall(self, channel_id: int, *, now: int) -> bool:
        """Make due now what a channel is to try again later, in the order in which it came."""
        values = {"channel_id": channel_id, "now": now}

        def step(connection: sqlite3.Connection) -> int:
            return _change(connection, RECALL, values, now)

        some = recalled = await self._writer.run(step)
        while some == STEP:
            some = await self._writer.run(step)
        return recalled > 0

    async def pull_in(self, *, latest: int, now: int) -> int:
        """Make pending deliveries that are due after `latest` due now."""
        values = {"latest": latest, "now": now}
        return await self._writer.run(lambda connection: _change(connection, PULL_IN, values, now))

    async def planned(self, *, now: int) -> list[int]:
        """What is due later, as one text: so many rows would be a burden."""
        [row] = await self._readers.fetch(PLANNED, {"now": now})
        return msgspec.json.decode(row["ids"], type=list[int])

    async def step_back(self, ids: Sequence[int], *, by: int, now: int) -> int:
        """Make what is due later so much earlier."""
        values = {"ids": delivery.json_list(ids), "by": by, "now": now}
        return await self._writer.run(
            lambda connection: _change(connection, STEP_BACK, values, now)
        )

    async def step_back_holds(self, *, by: int) -> None:
        """Let holds end so much earlier."""
        await self._writer.run(lambda connection: connection.execute(_HOLDS_STEP_BACK, {"by": by}))

    async def expire(self, *, now: int) -> int:
        """End pending deliveries past their time as failed, discard those of removed channels."""

        def deed(connection: sqlite3.Connection) -> int:
            _change(connection, DISCARD_OF_REMOVED, {"now": now}, now)
            return _expire(connection, now, None)

        return await self._writer.run(deed)


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
        "uncounted": settlement.attempt is None or settlement.was_early,
        "was_early": settlement.was_early,
        "now": now,
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


def _lost(delivery_id: int, now: int, in_a_row: int, *, was_early: bool) -> Settlement:
    """What becomes of a delivery of which so many attempts in a row were cut off."""
    hopeless = in_a_row >= MAX_LOST
    wait_ms = 0 if hopeless or was_early else LOST_DELAYS_MS[in_a_row - 1]
    return Settlement(
        delivery_id=delivery_id,
        state=DeliveryState.FAILED if hopeless else DeliveryState.PENDING,
        due_at=now + wait_ms if wait_ms else None,
        last_error=QUARANTINED if hopeless else CUT_OFF,
        attempt=AttemptRecord(
            started_at=now, duration_ms=0, outcome=AttemptOutcome.LOST, reason=CUT_OFF
        ),
        was_early=was_early,
    )
