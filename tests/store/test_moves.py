from collections.abc import Callable, Iterable

import pytest

from slowping.core.delivery import DeliveryFilter, DeliveryState, Settlement
from slowping.store.sqlite import delivery, moves
from tests.store.conftest import BUSY, EVERYTHING, LATER, Shelf, Shop
from tests.store.samples import NOW

Which = Callable[[Shelf], DeliveryFilter]

# Retrying ------------------------------------------------------------------------------------

UNTOUCHED = {"f": "f", "d": "d", "x": "x", "l": "l", "B": "p", "O": "p", "p": "p"}


@pytest.mark.parametrize(
    ("which", "moved"),
    [
        (lambda _: EVERYTHING, "fxBOp"),
        (lambda _: DeliveryFilter(states=(DeliveryState.FAILED,)), "f"),
        (lambda _: DeliveryFilter(states=(DeliveryState.DELIVERED,)), "d"),
        (lambda _: DeliveryFilter(states=(DeliveryState.LEASED,)), ""),
        (lambda _: DeliveryFilter(states=tuple(DeliveryState)), "fdxBOp"),
        (lambda _: DeliveryFilter(states=()), ""),
        (lambda shelf: DeliveryFilter(project_ids=(shelf.other.project_id,)), "O"),
        (lambda _: DeliveryFilter(project_ids=()), ""),
        (lambda _: DeliveryFilter(channel="boss"), "B"),
        (lambda _: DeliveryFilter(category="sale"), "fxOp"),
        (lambda _: DeliveryFilter(since=NOW + 2_000), "xBOp"),
        (lambda _: DeliveryFilter(until=NOW + 2_000), "f"),
        (lambda _: DeliveryFilter(since=NOW + 1_000, until=NOW + 5_000), "xB"),
        (lambda shelf: DeliveryFilter(event_id=shelf.event_id), "B"),
        (lambda _: DeliveryFilter(error=BUSY), "fx"),
        (lambda _: DeliveryFilter(error=""), ""),
    ],
)
async def test_a_retry_makes_what_matches_due_now(shelf: Shelf, which: Which, moved: str) -> None:
    requeued = await shelf.shop.retry(which(shelf), None, now=LATER)
    assert requeued.moved == len(moved)
    assert await shelf.states() == UNTOUCHED | dict.fromkeys(moved, "p")
    due = await shelf.shop.peek("select id from delivery where due_at = ?", LATER)
    assert {shelf.name_of(number) for [number] in due if isinstance(number, int)} == set(moved)


@pytest.mark.parametrize(
    ("names", "which", "moved"),
    [
        ("f", lambda _: EVERYTHING, "f"),
        ("fxd", lambda _: EVERYTHING, "fx"),
        ("d", lambda _: DeliveryFilter(states=(DeliveryState.DELIVERED,)), "d"),
        ("fO", lambda shelf: DeliveryFilter(project_ids=(shelf.shop.project_id,)), "f"),
        ("", lambda _: EVERYTHING, ""),
    ],
)
async def test_a_retry_of_some_is_narrowed_by_the_filter_as_well(
    shelf: Shelf, names: str, which: Which, moved: str
) -> None:
    chosen = [shelf.by_name[name] for name in names]
    requeued = await shelf.shop.retry(which(shelf), chosen, now=LATER)
    assert requeued.moved == len(moved)
    assert await shelf.states() == UNTOUCHED | dict.fromkeys(moved, "p")


async def test_a_retry_names_the_channels_to_wake(shelf: Shelf) -> None:
    requeued = await shelf.shop.retry(EVERYTHING, None, now=LATER)
    assert set(requeued.channel_ids) == {shelf.shop.team, shelf.shop.boss, shelf.other.team}
    assert len(requeued.channel_ids) == 3


async def test_a_retry_is_a_new_round_that_never_expires(shop: Shop) -> None:
    made = await shop.deliver(expires_at=NOW + 10)
    await shop.lease(owner="gone")
    await shop.store.outbox.free_leases(owner="new", now=NOW)
    await shop.store.outbox.expire(now=NOW + 10)
    await shop.retry(EVERYTHING, [made], now=LATER)
    shown = (await shop.store.outbox.delivery(made)).delivery
    assert (shown.state, shown.attempts, shown.ended_at) == (DeliveryState.PENDING, 1, None)
    [claimed] = await shop.lease(now=LATER)
    assert (claimed.attempts, claimed.tries) == (2, 1)


async def test_nothing_is_retried_to_a_removed_channel(shelf: Shelf) -> None:
    await shelf.shop.store.directory.remove_channel(shelf.shop.team, now=NOW)
    requeued = await shelf.shop.retry(EVERYTHING, None, now=LATER)
    assert requeued.moved == 2
    assert (await shelf.states())["f"] == "f"


# Discarding ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("which", "moved"),
    [
        (lambda _: EVERYTHING, "fBOp"),
        (lambda _: DeliveryFilter(states=(DeliveryState.FAILED,)), "f"),
        (lambda _: DeliveryFilter(states=(DeliveryState.DELIVERED, DeliveryState.LEASED)), ""),
        (lambda _: DeliveryFilter(states=()), ""),
        (lambda _: DeliveryFilter(channel="team"), "fOp"),
        (lambda _: DeliveryFilter(since=NOW + 5_000), "Op"),
        (lambda shelf: DeliveryFilter(project_ids=(shelf.shop.project_id,)), "fBp"),
        (lambda _: DeliveryFilter(error=BUSY), "f"),
    ],
)
async def test_what_matches_is_given_up(shelf: Shelf, which: Which, moved: str) -> None:
    assert await shelf.shop.discard(which(shelf), None, now=LATER) == len(moved)
    assert await shelf.states() == UNTOUCHED | dict.fromkeys(moved, "x")


async def test_what_is_given_up_is_not_sent(shop: Shop) -> None:
    made = await shop.deliver()
    await shop.discard(EVERYTHING, [made], now=LATER)
    assert await shop.lease(now=LATER) == ()
    assert (await shop.store.outbox.delivery(made)).delivery.ended_at is not None


async def test_each_that_was_moved_is_told_once(shelf: Shelf) -> None:
    [(before,)] = await shelf.shop.peek("select max(seq) from journal")
    await shelf.shop.retry(DeliveryFilter(channel="team"), None, now=LATER)
    await shelf.shop.discard(DeliveryFilter(channel="boss"), None, now=LATER)
    lines = await shelf.shop.peek(
        "select kind, subject_id, at from journal where seq > ? order by subject_id", before
    )
    assert lines == [
        ("delivery.changed", shelf.by_name[name], LATER) for name in ("f", "x", "B", "O", "p")
    ]


# Many at once --------------------------------------------------------------------------------


MANY = 2 * moves.STEP + 1


async def fail(shop: Shop, numbers: Iterable[int]) -> None:
    """Let deliveries fail that are due."""
    leased = await shop.lease(now=LATER, limit=MANY)
    assert {one.id for one in leased} >= set(numbers)
    settled = [
        Settlement(delivery_id=number, state=DeliveryState.FAILED, last_error=BUSY)
        for number in numbers
    ]
    await shop.store.outbox.settle(shop.team, settled, now=LATER)


@pytest.fixture
async def many(shop: Shop) -> list[int]:
    """Ids of failed deliveries that take three steps to move, the oldest first."""
    entry = shop.entry(count=MANY, channels=[shop.team])
    await shop.store.inbox.accept(entry)
    numbers = [row.id for row in entry.deliveries]
    await fail(shop, numbers)
    return numbers


async def test_many_are_moved_in_steps_the_oldest_first(shop: Shop, many: list[int]) -> None:
    steps = shop.store.outbox.retry(EVERYTHING, None, now=LATER)
    first = await anext(aiter(steps))
    assert (first.moved, first.channel_ids) == (moves.STEP, (shop.team,))
    pending = await shop.peek("select id from delivery where state = 'pending' order by id")
    assert [number for [number] in pending] == many[: moves.STEP]
    assert [step.moved async for step in steps] == [moves.STEP, 1]


async def test_what_fails_again_meanwhile_is_not_moved_a_second_time(
    shop: Shop, many: list[int]
) -> None:
    moved = 0
    async for step in shop.store.outbox.retry(EVERYTHING, None, now=LATER):
        if not moved:
            await fail(shop, many[: moves.STEP])
        moved += step.moved
    assert moved == MANY
    failed = await shop.peek("select id from delivery where state = 'failed' order by id")
    assert [number for [number] in failed] == many[: moves.STEP]


async def test_what_does_not_match_any_more_when_its_turn_comes_stays(
    shop: Shop, many: list[int]
) -> None:
    discards = shop.store.outbox.discard(DeliveryFilter(error=BUSY), None, now=LATER)
    assert await anext(aiter(discards)) == moves.STEP
    await shop.retry(EVERYTHING, many[-1:], now=LATER)
    await shop.lease(now=LATER, limit=1)
    assert [moved async for moved in discards] == [moves.STEP, 0]


async def test_many_that_are_named_are_moved_in_steps_each_once(
    shop: Shop, many: list[int]
) -> None:
    named = [*reversed(many), *many]
    discards = shop.store.outbox.discard(EVERYTHING, named, now=LATER)
    assert [moved async for moved in discards] == [moves.STEP, moves.STEP, 1]


# How fast ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("which", "chosen", "served_by"),
    [
        (EVERYTHING, None, "delivery_state (project_id=? AND state=?"),
        (DeliveryFilter(since=NOW), None, "delivery_state (project_id=? AND state=?"),
        (DeliveryFilter(error=BUSY), None, "delivery_state (project_id=? AND state=?"),
        (DeliveryFilter(project_ids=(1,)), None, "delivery_state (project_id=? AND state=?"),
        (DeliveryFilter(event_id=7), None, "delivery_event (event_id=?)"),
        (EVERYTHING, [7], "own USING INTEGER PRIMARY KEY"),
        (DeliveryFilter(channel="team"), [7], "own USING INTEGER PRIMARY KEY"),
    ],
)
async def test_an_index_serves_every_filter_of_a_move(
    shop: Shop, which: DeliveryFilter, chosen: list[int] | None, served_by: str
) -> None:
    condition, values = delivery.narrowed(which, DeliveryState, chosen)
    plan = await shop.plan(moves.MATCHING.format(condition=condition), values)
    assert any(served_by in step for step in plan), plan
    assert not any(step.startswith("SCAN own") for step in plan), plan
