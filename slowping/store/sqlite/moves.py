"""Move deliveries by hand, however many: retry and discard them, a step at a time.

What matches is looked up once, beside the writer, and looked at again by the step that moves it.
So a step takes no longer for all that does not match, and what fails again while the others are
moved is not moved a second time.
"""

import functools
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from slowping.core import delivery as core
from slowping.core.delivery import DeliveryFilter, DeliveryState
from slowping.store.port import Requeued, StepwiseAct
from slowping.store.sqlite import delivery
from slowping.store.sqlite.delivery import Deliveries
from slowping.store.sqlite.directory import audit

STEP: Final = 500
"""Most deliveries that are moved in one transaction: whoever sends an event waits so long."""

_DISCARDABLE: Final = frozenset(core.may_become(DeliveryState.DISCARDED))

# A pending one is no longer waiting then; one that is on its way is tried as it is.
_RETRYABLE: Final = frozenset(
    {DeliveryState.PENDING, *core.may_become(DeliveryState.PENDING)} - {DeliveryState.LEASED}
)

MATCHING: Final = """
select own.id, own.channel_id
  from delivery own
 where own.project_id in (select id
                            from project
                           where :projects is null
                              or id in (select value from json_each(:projects)))
   and own.state in (select value from json_each(:states))
   and {condition}
"""

_NUMBERS: Final = f"""
select json_group_array(id) as numbers
  from ({MATCHING})
"""  # noqa: S608 - both are ours

_SENDABLE: Final = "own.channel_id in (select id from channel where removed_at is null)"

_REQUEUE: Final = """
update delivery
   set state = 'pending', due_at = :now, tries = 0, ended_at = null, expires_at = null
 where id in (select value from json_each(:ids))
"""

_DISCARD: Final = """
update delivery
   set state = 'discarded', ended_at = :now
 where id in (select value from json_each(:ids))
"""


class _Move(msgspec.Struct, frozen=True):
    """What is done to deliveries, and to which of them it can be done."""

    statement: str
    states: frozenset[DeliveryState]
    condition: str = "true"


_RETRY: Final = _Move(_REQUEUE, _RETRYABLE, _SENDABLE)
_GIVE_UP: Final = _Move(_DISCARD, _DISCARDABLE)


class Moves(Deliveries):
    """The deliveries that people work with, and what they do to them."""

    async def retry(
        self,
        which: DeliveryFilter,
        ids: Sequence[int] | None,
        *,
        now: int,
        act: StepwiseAct | None = None,
    ) -> AsyncIterator[Requeued]:
        """Make deliveries due now, in a new round of tries."""
        if which.states is None:
            # Who wants to send once more what has arrived has to say so.
            usual = tuple(_RETRYABLE - {DeliveryState.DELIVERED})
            which = msgspec.structs.replace(which, states=usual)
        async for moved in self._move(_RETRY, which, ids, now, act):
            channels = dict.fromkeys(row["channel_id"] for row in moved)
            yield Requeued(moved=len(moved), channel_ids=tuple(channels))

    async def discard(
        self,
        which: DeliveryFilter,
        ids: Sequence[int] | None,
        *,
        now: int,
        act: StepwiseAct | None = None,
    ) -> AsyncIterator[int]:
        """Give up pending and failed deliveries."""
        async for moved in self._move(_GIVE_UP, which, ids, now, act):
            yield len(moved)

    async def _move(
        self,
        move: _Move,
        which: DeliveryFilter,
        chosen: Sequence[int] | None,
        now: int,
        act: StepwiseAct | None,
    ) -> AsyncIterator[Sequence[sqlite3.Row]]:
        """Move all that match, the oldest first; the ids of each step, and those of channels."""
        states = move.states if which.states is None else move.states.intersection(which.states)
        if chosen is None:
            chosen = await self._matching(which, states)
        for step in _steps(chosen):
            condition, values = delivery.narrowed(which, states, step)
            looked_at = MATCHING.format(condition=f"{condition} and {move.condition}")
            deed = functools.partial(_do, looked_at, values, move.statement, now, act)
            yield await self._writer.run(deed)

    async def _matching(
        self, which: DeliveryFilter, states: Iterable[DeliveryState]
    ) -> Sequence[int]:
        """The ids of all that match, as one text: so many rows would be a burden."""
        condition, values = delivery.narrowed(which, states)
        [row] = await self._readers.fetch(_NUMBERS.format(condition=condition), values)
        return msgspec.json.decode(row["numbers"], type=list[int])


def _steps(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    """Ids in portions, each once, from the oldest to the newest."""
    ordered = sorted(set(numbers))
    for start in range(0, len(ordered), STEP):
        yield ordered[start : start + STEP]


# In the writer's thread ----------------------------------------------------------------------


def _do(
    looked_at: str,
    values: Mapping[str, object],
    statement: str,
    now: int,
    act: StepwiseAct | None,
    connection: sqlite3.Connection,
) -> Sequence[sqlite3.Row]:
    """Do something to what is found now, and tell the journal and the audit."""
    found = connection.execute(looked_at, values).fetchall()
    numbers = [row["id"] for row in found]
    connection.execute(statement, {"ids": delivery.json_list(numbers), "now": now})
    delivery.tell(connection, numbers, now)
    audit.count(connection, act, len(numbers), at=now)
    return found
