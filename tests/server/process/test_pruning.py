import asyncio
from collections.abc import Callable

import pytest

from slowping.core.category import CategoryChange
from slowping.core.event import EventFilter
from slowping.core.project import ProjectChange
from slowping.core.retention import DAY_MS, Keeping, PrunedPart, What
from slowping.server.process.pruning import Pruner
from slowping.server.tally import Tally
from slowping.store.sqlite import retention
from slowping.store.sqlite.retention import sweeps
from slowping.testing import FrozenClock
from tests.store.conftest import Shop
from tests.store.samples import NOW

FOR_EVER = Keeping(events_days=0, attempts_days=0, journal_days=0, audit_days=0)
EVENT_BYTES = sweeps.EVENT_BYTES + 15

Prune = Callable[..., Pruner]


@pytest.fixture
def tally() -> Tally:
    return Tally()


@pytest.fixture
def pruner(shop: Shop, tally: Tally) -> Prune:
    def make(days_later: float, keeping: Keeping = FOR_EVER, **terms: object) -> Pruner:
        clock = FrozenClock(NOW + round(days_later * DAY_MS))
        return Pruner(shop.store.retention, keeping, clock, tally, **terms)  # type: ignore[arg-type]

    return make


async def number_of(shop: Shop) -> int:
    [(number,)] = await shop.peek("select count(*) from event")
    assert isinstance(number, int)
    return number


def part(number: int, *, what: What = What.EVENTS) -> PrunedPart:
    return PrunedPart(
        project="shop", what=what, number=number, deliveries=0, bytes=number * EVENT_BYTES
    )


async def test_events_go_after_the_days_of_the_server(
    shop: Shop, pruner: Prune, tally: Tally
) -> None:
    await shop.store.inbox.accept(shop.entry(count=3))
    keeping = Keeping(events_days=400, attempts_days=0, journal_days=0, audit_days=0)
    assert (await pruner(400, keeping).prune()).parts == ()
    assert (await pruner(400.01, keeping).preview()).parts == (part(3),)
    assert await number_of(shop) == 3
    assert (await pruner(400.01, keeping).prune()).parts == (part(3),)
    assert await number_of(shop) == 0
    assert tally.pruned[What.EVENTS] == 3


async def test_a_project_and_a_category_have_days_of_their_own(shop: Shop, pruner: Prune) -> None:
    directory = shop.store.directory
    await shop.store.inbox.accept(shop.entry(count=3))
    await directory.change_project(shop.project_id, ProjectChange(keep_days=10), now=NOW)
    assert (await pruner(10.01).preview()).parts == (part(3),)
    await directory.change_category(shop.category_id, CategoryChange(keep_days=0), now=NOW)
    assert (await pruner(10.01).preview()).parts == ()
    await directory.change_category(shop.category_id, CategoryChange(keep_days=1), now=NOW)
    assert (await pruner(1.01).preview()).parts == (part(3),)


async def test_the_oldest_go_beyond_the_size_of_a_project_or_a_category(
    shop: Shop, pruner: Prune
) -> None:
    directory = shop.store.directory
    for _ in range(8):
        await shop.store.inbox.accept(shop.entry(count=1_000))
    held = 8_000 * EVENT_BYTES  # 1.4 MB
    over = -(-(held - 1_000_000) // EVENT_BYTES)
    for change in (
        directory.change_project(shop.project_id, ProjectChange(keep_mb=1), now=NOW),
        directory.change_category(shop.category_id, CategoryChange(keep_mb=1), now=NOW),
    ):
        await change
        assert (await pruner(1).preview()).parts == (part(over),)
    assert (await pruner(0.01).preview()).parts == ()  # nothing of the last hour
    kept = await shop.store.journal.list_events(EventFilter(), before=None, limit=1)
    assert (await pruner(1).prune()).parts == (part(over),)
    assert await number_of(shop) == 8_000 - over
    newest = await shop.store.journal.list_events(EventFilter(), before=None, limit=1)
    assert newest == kept


async def test_what_is_asked_for_ends_in_time_and_says_that_there_is_more(
    shop: Shop, pruner: Prune
) -> None:
    await shop.store.inbox.accept(shop.entry(count=2 * retention.STEP + 1))
    seconds = iter(range(100))
    keeping = Keeping(events_days=1, attempts_days=0, journal_days=0, audit_days=0)
    some = await pruner(2, keeping, monotonic=lambda: next(seconds)).prune(2)
    assert (some.is_complete, some.parts) == (False, (part(2 * retention.STEP),))
    rest = await pruner(2, keeping).prune()
    assert (rest.is_complete, rest.parts) == (True, (part(1),))


async def test_what_is_asked_for_does_not_wait_for_all_that_goes_by_itself(
    shop: Shop, pruner: Prune
) -> None:
    await shop.store.inbox.accept(shop.entry(count=10 * retention.STEP))
    keeping = Keeping(events_days=1, attempts_days=0, journal_days=0, audit_days=0)
    one = pruner(2, keeping)
    by_itself = asyncio.create_task(one.prune(1e9))
    await asyncio.sleep(0)
    asked_for = await one.prune(0)
    assert (asked_for.is_complete, by_itself.done()) == (False, False)
    parts = (*asked_for.parts, *(await by_itself).parts)
    assert sum(each.number for each in parts) == 10 * retention.STEP


async def test_the_oldest_events_make_room_until_there_is_enough(shop: Shop, pruner: Prune) -> None:
    for _ in range(40):
        await shop.store.inbox.accept(shop.entry(count=100, description="x" * 2_000))
    used = (await shop.store.retention.space()).used
    removed = await pruner(1).make_room(used // 2)
    assert 1_000 < removed < 4_000
    assert (await shop.store.retention.space()).used <= used // 2
    [(oldest,)] = await shop.peek("select min(id) from event")
    assert oldest is not None
    assert await number_of(shop) == 4_000 - removed


async def test_for_room_the_journal_goes_first(shop: Shop, pruner: Prune) -> None:
    await shop.store.inbox.accept(shop.entry(count=1_000))
    while await shop.store.journal.count_on() or await shop.store.journal.index_on():
        pass
    used = (await shop.store.retention.space()).used
    removed = await pruner(2).make_room(used - 2 * 4_096)
    assert removed == 0
    [(lines,)] = await shop.peek("select count(*) < 1000 from journal")
    assert lines
    assert await number_of(shop) == 1_000


async def test_metrics_go_where_there_was_never_an_event(
    shop: Shop, pruner: Prune, tally: Tally
) -> None:
    await shop.store.inbox.accept_metric(shop.project_id, {"visitorId": "v"}, NOW)
    keeping = Keeping(events_days=1, attempts_days=0, journal_days=0, audit_days=0)
    await pruner(2, keeping).prune()
    assert tally.pruned[What.METRICS] == 1


async def test_events_of_a_removed_project_go_as_well(shop: Shop, pruner: Prune) -> None:
    await shop.store.inbox.accept(shop.entry(count=3))
    await shop.store.directory.remove_project(shop.project_id, now=NOW)
    keeping = Keeping(events_days=1, attempts_days=0, journal_days=0, audit_days=0)
    assert (await pruner(2, keeping).prune()).parts == (part(3),)
