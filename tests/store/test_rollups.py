from collections.abc import Sequence

from slowping.core.delivery import (
    AttemptOutcome,
    AttemptRecord,
    DeliveryFilter,
    DeliveryState,
    Settlement,
)
from slowping.store.sqlite.rollups import HOUR_MS, QUARTER_MS
from tests.store.conftest import Shop
from tests.store.samples import NOW

QUARTER = NOW // QUARTER_MS * QUARTER_MS
DELIVERED, FAILED, PENDING = DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.PENDING


# Attempts ------------------------------------------------------------------------------------


async def settle(
    shop: Shop, numbers: Sequence[int], state: DeliveryState = DELIVERED, *, now: int = NOW
) -> None:
    """Record an attempt at each of these claimed deliveries: what is not delivered is late."""
    done = state is DELIVERED
    record = AttemptRecord(
        started_at=now,
        duration_ms=5,
        outcome=AttemptOutcome.DELIVERED if done else AttemptOutcome.RETRY,
        reason=None if done else "too busy",
    )
    settled = [
        Settlement(
            delivery_id=number,
            state=state,
            due_at=now if state is PENDING else None,
            attempt=record,
            last_error=record.reason,
        )
        for number in numbers
    ]
    await shop.store.outbox.settle(shop.team, settled, now=now)


async def attempts(shop: Shop) -> list[tuple[object, ...]]:
    """Channel, start, delivered and troubled."""
    return await shop.peek("select * from channel_rollup order by channel_id, start")


async def test_a_batch_of_attempts_is_counted_in_its_quarter_of_an_hour(shop: Shop) -> None:
    numbers = [await shop.deliver() for _ in range(5)]
    await shop.lease()
    await settle(shop, numbers[:2])
    await settle(shop, numbers[2:3], PENDING)
    await settle(shop, numbers[3:], FAILED, now=NOW + QUARTER_MS)
    assert await attempts(shop) == [
        (shop.team, QUARTER, 2, 1),
        (shop.team, QUARTER + QUARTER_MS, 0, 2),
    ]


async def test_what_is_given_back_was_no_attempt(shop: Shop) -> None:
    number = await shop.deliver()
    await shop.lease()
    given_back = Settlement(delivery_id=number, state=PENDING)
    await shop.store.outbox.settle(shop.team, [given_back], now=NOW)
    assert await attempts(shop) == []


async def test_what_nobody_holds_any_more_is_not_counted(shop: Shop) -> None:
    number = await shop.deliver()
    await shop.lease()
    await settle(shop, [number])
    await settle(shop, [number])
    assert await attempts(shop) == [(shop.team, QUARTER, 1, 0)]


async def test_attempts_that_were_cut_off_are_counted_for_their_channels(shop: Shop) -> None:
    for channel in (shop.team, shop.team, shop.boss):
        await shop.deliver(channel=channel)
        await shop.lease(channel=channel)
    await shop.store.outbox.free_leases(owner="another", now=NOW)
    assert await attempts(shop) == [(shop.team, QUARTER, 0, 2), (shop.boss, QUARTER, 0, 1)]


async def test_the_last_error_of_a_channel_is_kept(shop: Shop) -> None:
    numbers = [await shop.deliver() for _ in range(2)]
    await shop.lease()
    await settle(shop, numbers[:1], PENDING)
    await settle(shop, numbers[1:], now=NOW + 1)
    errors_kept = await shop.peek("select * from channel_error")
    assert errors_kept == [(shop.team, "too busy", NOW)]
    await shop.lease(now=NOW + 2)
    await settle(shop, numbers[:1], PENDING, now=NOW + 2)
    assert await shop.peek("select at from channel_error") == [(NOW + 2,)]


async def test_latency_is_from_acceptance_to_delivery_however_many_tries_that_took(
    shop: Shop,
) -> None:
    number = await shop.deliver()
    await shop.lease()
    await settle(shop, [number], PENDING, now=NOW + 10)
    await shop.lease(now=NOW + 20)
    await settle(shop, [number], now=NOW + 64)
    assert await shop.peek("select bucket, delivered from latency_rollup") == [(24, 1)]


async def test_what_was_sent_again_by_hand_has_no_latency(shop: Shop) -> None:
    number = await shop.deliver()
    await shop.lease()
    await settle(shop, [number], FAILED)
    await shop.retry(DeliveryFilter(), [number], now=NOW + HOUR_MS)
    await shop.lease(now=NOW + HOUR_MS)
    await settle(shop, [number], now=NOW + HOUR_MS)
    assert await attempts(shop) == [
        (shop.team, QUARTER, 0, 1),
        (shop.team, QUARTER + HOUR_MS, 1, 0),
    ]
    assert await shop.peek("select * from latency_rollup") == []
