from typing import Any

import msgspec
import pytest

from slowping.core import ids
from slowping.core.delivery import DeliveryState
from slowping.core.fanout import Standing, Told
from slowping.store.port import DeliveryRow, EventWindow
from slowping.store.sqlite import moves, replay
from tests.store.conftest import LATER, Shop
from tests.store.samples import NOW

MINUTE = 60_000


def window(shop: Shop, **narrowed: Any) -> EventWindow:
    """A minute of a shop."""
    whole = EventWindow(
        project_id=shop.project_id,
        since=NOW,
        until=NOW + MINUTE,
        newest=ids.LARGEST,
        category=None,
        but_dialect="notice",
    )
    return msgspec.structs.replace(whole, **narrowed)


async def told(shop: Shop, **narrowed: Any) -> list[Told]:
    """All that a window has, over as many stretches as it takes."""
    asked = window(shop, **narrowed)
    found: list[Told] = []
    after: int | None = ids.floor(asked.since) - 1
    while after is not None:
        stretch = await shop.store.outbox.stretch(asked, after=after)
        found += stretch.told
        after = stretch.last
    return found


async def happens(shop: Shop, at: int = NOW, **terms: Any) -> int:
    """An event without a delivery."""
    entry = shop.entry(at=at)
    event = msgspec.structs.replace(entry.events[0], **terms)
    await shop.store.inbox.accept(msgspec.structs.replace(entry, events=(event,)))
    return event.id


# The window ----------------------------------------------------------------------------------


async def test_a_window_has_the_events_between_its_bounds(shop: Shop) -> None:
    moments = (NOW - 1, NOW, NOW + MINUTE - 1, NOW + MINUTE)
    before, first, last, behind = [await happens(shop, at) for at in moments]
    assert [one.event_id for one in await told(shop)] == [first, last]
    everything = await told(shop, since=-(2**50), until=2**60)
    assert [one.event_id for one in everything] == [before, first, last, behind]


async def test_an_event_is_known_by_its_moment_also_after_the_clock_stepped_back(
    shop: Shop,
) -> None:
    await happens(shop, NOW + 10 * MINUTE)
    stepped_back = await happens(shop, NOW + 1)
    assert [one.event_id for one in await told(shop)] == [stepped_back]


async def test_an_event_comes_with_its_deliveries_to_live_channels(shop: Shop) -> None:
    entry = shop.entry(channels=[shop.team, shop.boss])
    await shop.store.inbox.accept(entry)
    await shop.lease()
    await shop.store.directory.remove_channel(shop.boss, now=NOW)
    untold = await happens(shop, NOW + 1)
    standing = Standing(entry.deliveries[0].id, shop.team, DeliveryState.LEASED)
    assert await told(shop) == [
        Told(entry.events[0].id, shop.category_id, (standing,)),
        Told(untold, shop.category_id),
    ]


async def test_what_is_to_notify_nobody_is_in_no_window(shop: Shop) -> None:
    await happens(shop, notify=False)
    await happens(shop, dialect="notice")
    assert await told(shop) == []


async def test_a_window_is_of_one_project_and_may_be_of_one_category(shop: Shop) -> None:
    await happens(await Shop(shop.store).furnish("other"))
    sale = await happens(shop)
    assert [one.event_id for one in await told(shop)] == [sale]
    assert [one.event_id for one in await told(shop, category="sale")] == [sale]
    assert await told(shop, category="bug") == []
    await shop.store.directory.remove_category(shop.category_id, now=NOW)
    assert [one.event_id for one in await told(shop, category="sale")] == [sale]


async def test_what_comes_in_meanwhile_is_not_looked_at(shop: Shop) -> None:
    first = await happens(shop)
    await happens(shop, NOW + 1)
    assert [one.event_id for one in await told(shop, newest=first)] == [first]


async def test_a_large_window_comes_in_stretches_each_event_once(shop: Shop) -> None:
    count = 2 * replay.STRETCH + 1
    await shop.store.inbox.accept(shop.entry(count=count, channels=[shop.team]))
    first = await shop.store.outbox.stretch(window(shop), after=0)
    assert len(first.told) == replay.STRETCH
    events = [one.event_id for one in await told(shop)]
    assert len(events) == len(set(events)) == count


async def test_a_stretch_without_an_event_is_not_the_end(shop: Shop) -> None:
    await shop.store.inbox.accept(shop.entry(count=replay.STRETCH, at=NOW))
    wanted = await happens(shop, NOW + 2)
    stretch = await shop.store.outbox.stretch(window(shop, since=NOW + 1), after=0)
    assert (stretch.told, stretch.last is None) == ((), False)
    assert [one.event_id for one in await told(shop, since=NOW + 1)] == [wanted]


# What was missing ----------------------------------------------------------------------------


def row(shop: Shop, event_id: int, channel: int | None = None) -> DeliveryRow:
    """A delivery that was missing."""
    number = shop.store.ids.take(LATER)
    return DeliveryRow(number, event_id, shop.project_id, channel or shop.team, LATER, None, None)


async def supplied(shop: Shop, *rows: DeliveryRow) -> list[int]:
    """How many deliveries each step has made."""
    return [step.moved async for step in shop.store.outbox.supply(rows, now=LATER)]


async def test_what_was_missing_is_due_at_once_and_told(shop: Shop) -> None:
    event_id = await happens(shop)
    missing = row(shop, event_id)
    [step] = [step async for step in shop.store.outbox.supply([missing], now=LATER)]
    assert (step.moved, step.channel_ids) == (1, (shop.team,))
    [leased] = await shop.lease(now=LATER)
    assert (leased.id, leased.event_id, leased.attempts) == (missing.id, event_id, 1)
    assert (leased.created_at, leased.overrides) == (LATER, {})
    [line] = await shop.peek("select kind, subject_id, at from journal order by seq desc limit 1")
    assert line == ("delivery.changed", missing.id, LATER)


async def test_what_is_there_by_now_is_not_made_twice(shop: Shop) -> None:
    event_id = await happens(shop)
    missing = [row(shop, event_id), row(shop, event_id), row(shop, event_id, shop.boss)]
    assert await supplied(shop, *missing[:2]) == [1]
    assert await supplied(shop, *missing) == [1]
    assert await shop.peek("select count(*) from delivery") == [(2,)]


async def test_nothing_is_made_for_what_is_gone(shop: Shop) -> None:
    event_id = await happens(shop)
    await shop.store.directory.remove_channel(shop.boss, now=NOW)
    assert await supplied(shop, row(shop, event_id, shop.boss), row(shop, 7)) == [0]


async def test_many_are_made_in_steps(shop: Shop) -> None:
    entry = shop.entry(count=moves.STEP + 1)
    await shop.store.inbox.accept(entry)
    missing = [row(shop, event.id) for event in entry.events]
    assert await supplied(shop, *missing) == [moves.STEP, 1]
    assert await supplied(shop) == []


# How fast ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "served_by"),
    [
        (replay.END, "COVERING INDEX event_project (project_id=? AND id>? AND id<?)"),
        (replay.EVENTS, "e USING INDEX event_project (project_id=? AND id>? AND id<?)"),
        (replay.EVENTS, "d USING INDEX delivery_event (event_id=?)"),
        (replay.SUPPLY, "e USING INTEGER PRIMARY KEY"),
        (replay.SUPPLY, "ch USING INTEGER PRIMARY KEY"),
    ],
)
async def test_an_index_serves_each_part_of_a_replay(
    shop: Shop, statement: str, served_by: str
) -> None:
    asked = msgspec.structs.asdict(window(shop))
    plan = await shop.plan(
        statement, asked | {"after": 0, "most": 9, "last": 9, "now": 9, "rows": "[]"}
    )
    assert any(served_by in step for step in plan), plan
