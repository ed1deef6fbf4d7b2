"""Read from the store what the model speaks of, and hold the kept figures to a recount."""

import collections

from slowping.core import ids, overview, times
from slowping.core.delivery import DeliveryState
from slowping.core.overview import HOURS, ChannelFigures
from slowping.store.sqlite.store import SqliteStore
from tests.torture.duty import FAILED, LEASED, PENDING, Duty, require
from tests.torture.model import Model

_HOUR_MS = 3_600_000

_DELIVERIES = """
select id, event_id, channel_id, state, created_at, due_at, expires_at, tries, attempts
  from delivery
"""
_EVENTS = "select id from event"
_ATTEMPTS = "select delivery_id, no, outcome from attempt order by delivery_id, no"
_MADE = """
select d.channel_id, sum(a.outcome = 'delivered'), sum(a.outcome <> 'delivered')
  from attempt a
  join delivery d on d.id = a.delivery_id
 where a.started_at + a.duration_ms >= ?
 group by 1
"""
_KEPT = "select channel_id, sum(delivered), sum(troubled) from channel_rollup group by 1"


async def duties(store: SqliteStore, model: Model) -> dict[int, Duty]:
    """The deliveries as they are stored, in the model's words.

    Raises:
        Difference: an attempt has no row, or a row has no attempt.
    """
    attempts: dict[int, list[str]] = collections.defaultdict(list)
    for row in await store._readers.fetch(_ATTEMPTS):
        made = attempts[row["delivery_id"]]
        made.append(row["outcome"])
        require(row["no"] == len(made), f"the attempts have gaps: {tuple(row)}")
    outlets = {outlet.id: outlet for outlet in model.outlets.values()}
    stored = {}
    for row in await store._readers.fetch(_DELIVERIES):
        number, state = row["id"], DeliveryState(row["state"])
        # A claim counts already, and has no row yet.
        claimed = state is LEASED
        count = len(attempts[number]) + claimed
        require(row["attempts"] == count, f"{tuple(row)} has the attempts {attempts[number]}")
        stored[number] = Duty(
            number, row["event_id"], outlets[row["channel_id"]], row["created_at"], row["due_at"],
            row["expires_at"], state, row["tries"] - claimed, attempts[number],
        )  # fmt: skip
    return stored


async def events(store: SqliteStore) -> set[int]:
    """The events that are stored."""
    return {row["id"] for row in await store._readers.fetch(_EVENTS)}


async def hold_overview(store: SqliteStore, model: Model, *, now: int, by_hours: bool) -> None:
    """Hold the overview to what the model and the rows of attempts say.

    By hours only where the clock never stepped back: an attempt may have begun after its end.

    Raises:
        Difference: a sum is another one.
    """
    while await store.journal.count_on():
        pass
    told = await store.journal.overview(None, overview.began(times.to_datetime(now)), now=now)
    total = told.events.total
    require(total == model.events_ever, f"counted were {total} events of {model.events_ever}")
    _hold(told.waiting, told.failed, list(model.duties.values()), "all channels")
    made = await _sums(store, _MADE, 0)
    for number, gone in model.forgotten.items():
        known = made.get(number, (0, 0))
        made[number] = (known[0] + gone[0], known[1] + gone[1])
    kept = await _sums(store, _KEPT)
    counted = {number: sums for number, sums in made.items() if any(sums)}
    require(kept == counted, f"kept are {kept} of the attempts {counted}")
    recent = await _sums(store, _MADE, (now // _HOUR_MS - HOURS + 1) * _HOUR_MS)
    for channel in told.channels:
        number = ids.decode(ids.CHANNEL, channel.id)
        own = [duty for duty in model.duties.values() if duty.outlet.id == number]
        _hold(channel.waiting, channel.failed, own, channel.channel)
        if by_hours and not model.forgotten:
            _hold_hours(channel, recent.get(number, (0, 0)))


def _hold(waiting: int, failed: int, recounted: list[Duty], whose: str) -> None:
    states = collections.Counter(duty.state for duty in recounted)
    told, counted = (waiting, failed), (states[PENDING] + states[LEASED], states[FAILED])
    require(told == counted, f"waiting and failed of {whose} are {told}, counted {counted}")


def _hold_hours(channel: ChannelFigures, counted: tuple[int, int]) -> None:
    told = (channel.delivered, channel.troubled)
    require(told == counted, f"attempts of {channel.channel} are {told}, counted {counted}")


async def _sums(store: SqliteStore, statement: str, *given: int) -> dict[int, tuple[int, int]]:
    return {row[0]: (row[1], row[2]) for row in await store._readers.fetch(statement, given)}
