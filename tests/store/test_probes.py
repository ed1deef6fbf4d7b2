"""Claims while a breaker is open, and what follows when it is closed."""

from collections.abc import Sequence

import pytest

from slowping.core import settle
from slowping.core.breaker import Probe
from slowping.core.delivery import (
    AttemptOutcome,
    AttemptRecord,
    DeliveryState,
    Hold,
    Settlement,
)
from slowping.store.sqlite.moves import STEP
from tests.store.conftest import Shop
from tests.store.samples import NOW

MINUTE = 60_000
LATER = NOW + 60 * MINUTE
EARLY = Probe(may_be_early=True)


async def fail(shop: Shop, number: int, outcome: str = "retry", due_at: int = LATER) -> None:
    """A claimed delivery was tried in vain, and waits."""
    await shop.store.outbox.settle(
        shop.team,
        [
            Settlement(
                delivery_id=number,
                state=DeliveryState.PENDING,
                due_at=due_at,
                attempt=AttemptRecord(
                    started_at=NOW, duration_ms=80, outcome=AttemptOutcome(outcome)
                ),
                last_error="HTTP 503",
            )
        ],
        now=NOW,
    )


async def failed(shop: Shop, count: int, outcome: str = "retry") -> list[int]:
    """So many deliveries that have failed once, and wait for an hour."""
    numbers = [await shop.deliver() for _ in range(count)]
    await shop.lease()
    for number in numbers:
        await fail(shop, number, outcome)
    return numbers


async def probe(shop: Shop, how: Probe) -> list[int]:
    """What a probe claims."""
    claimed = await shop.store.outbox.lease(
        shop.team, now=NOW, until=LATER, owner="me", limit=10, probe=how
    )
    return [one.id for one in claimed]


async def test_a_probe_is_one_delivery_however_many_are_due(shop: Shop) -> None:
    first, _ = await shop.deliver(), await shop.deliver()
    assert await probe(shop, Probe()) == [first]


async def test_a_probe_takes_what_is_due_before_what_waits(shop: Shop) -> None:
    await failed(shop, 2)
    fresh = await shop.deliver()
    assert await probe(shop, EARLY) == [fresh]


async def test_a_probe_may_be_ahead_of_its_schedule(shop: Shop) -> None:
    first, _ = await failed(shop, 2)
    assert await probe(shop, Probe()) == []
    assert await probe(shop, EARLY) == [first]


@pytest.mark.parametrize("outcome", ["unknown", "lost"])
async def test_what_may_have_arrived_is_not_sent_ahead_of_its_schedule(
    shop: Shop, outcome: str
) -> None:
    await failed(shop, 1, outcome)
    assert await probe(shop, EARLY) == []


async def test_what_was_never_tried_waits_for_its_moment(shop: Shop) -> None:
    await shop.deliver(at=LATER)
    assert await probe(shop, EARLY) == []


async def test_a_person_means_what_he_had_retried(shop: Shop) -> None:
    _, second = await failed(shop, 2)
    await shop.deliver()
    await shop.retry(numbers=[second])
    assert await probe(shop, Probe(by_hand=True)) == [second]


async def test_a_probe_by_hand_takes_anything_where_nothing_was_retried(shop: Shop) -> None:
    first = await shop.deliver()
    assert await probe(shop, Probe(by_hand=True)) == [first]


async def test_an_early_attempt_is_recorded_and_uses_up_no_try(shop: Shop) -> None:
    [number] = await failed(shop, 1)
    await probe(shop, EARLY)
    record = AttemptRecord(started_at=NOW, duration_ms=80, outcome=AttemptOutcome.RETRY)
    await shop.store.outbox.settle(
        shop.team,
        [
            Settlement(
                delivery_id=number, state=DeliveryState.PENDING, attempt=record, was_early=True
            )
        ],
        now=NOW,
    )
    found = await shop.store.outbox.delivery(number)
    assert (found.delivery.attempts, found.delivery.tries) == (2, 1)
    assert len(found.attempts) == 2


async def test_an_early_claim_that_was_not_sent_waits_as_before(shop: Shop) -> None:
    [number] = await failed(shop, 1)
    claimed = await shop.store.outbox.lease(
        shop.team, now=NOW, until=LATER, owner="me", limit=1, probe=EARLY
    )
    due_at = await shop.store.outbox.settle(shop.team, settle.given_back(claimed), now=NOW + 5)
    found = await shop.store.outbox.delivery(number)
    assert (due_at, found.delivery.attempts, found.delivery.tries) == (LATER, 1, 1)


async def test_an_early_attempt_that_was_cut_off_uses_up_no_try_and_no_wait(shop: Shop) -> None:
    [number] = await failed(shop, 1)
    await probe(shop, EARLY)
    await shop.store.outbox.free_leases(owner="next", now=NOW + 10)
    found = await shop.store.outbox.delivery(number)
    assert (found.delivery.attempts, found.delivery.tries) == (2, 1)
    [lane] = await shop.store.outbox.lanes()
    assert lane.due_at == LATER
    assert await probe(shop, EARLY) == []


# When it does well again ---------------------------------------------------------------------


async def order(shop: Shop, now: int) -> Sequence[int]:
    claimed = await shop.store.outbox.lease(
        shop.team, now=now, until=LATER, owner="me", limit=2_000
    )
    return [one.id for one in claimed]


async def test_what_waits_for_its_next_try_is_due_in_the_order_in_which_it_came(
    shop: Shop,
) -> None:
    numbers = await failed(shop, 3)
    fresh = await shop.deliver()
    assert await shop.store.outbox.recall(shop.team, now=NOW + 1)
    assert await order(shop, NOW + 1) == [*numbers, fresh]


@pytest.mark.parametrize("count", [STEP, STEP + 1])
async def test_all_is_recalled_however_much_it_is(shop: Shop, count: int) -> None:
    await shop.store.inbox.accept(shop.entry(count=count, channels=(shop.team,)))
    for number in await order(shop, NOW):
        await fail(shop, number)
    assert await shop.store.outbox.recall(shop.team, now=NOW + 1)
    assert len(await order(shop, NOW + 1)) == count


async def test_nothing_is_recalled_where_nothing_waits(shop: Shop) -> None:
    await shop.deliver()
    assert not await shop.store.outbox.recall(shop.team, now=NOW)


async def test_only_what_was_tried_is_recalled_and_only_of_this_channel(shop: Shop) -> None:
    await failed(shop, 1)
    await shop.deliver(at=LATER)
    assert not await shop.store.outbox.recall(shop.team + 1, now=NOW)
    assert await shop.store.outbox.recall(shop.team, now=NOW)
    assert len(await order(shop, NOW)) == 1


# What people see -----------------------------------------------------------------------------


def breaker(shop: Shop, why: str = "HTTP 503") -> Hold:
    scope = f"breaker:channel:{shop.team}"
    return Hold(scope=scope, until=LATER, why=why, failures=5, since=NOW)


async def test_a_channel_tells_when_it_is_tried_again_and_why(shop: Shop) -> None:
    await shop.store.outbox.hold(breaker(shop), now=NOW)
    shown = await shop.store.directory.channel(shop.team)
    assert shown.held_until is not None
    assert (shown.held_until.timestamp() * 1000, shown.held_reason) == (LATER, "HTTP 503")
    await shop.store.outbox.lift(breaker(shop).scope, now=NOW)
    assert (await shop.store.directory.channel(shop.team)).held_until is None


async def test_the_journal_tells_of_a_channel_that_is_held_and_of_no_other_scope(
    shop: Shop,
) -> None:
    await shop.store.outbox.hold(Hold(scope="discord", until=LATER, why="slow down"), now=NOW)
    await shop.store.outbox.hold(breaker(shop), now=NOW)
    await shop.store.outbox.lift(breaker(shop).scope, now=NOW)
    told = await shop.peek("select at, subject_id from journal where kind = 'channel.changed'")
    assert told[-2:] == [(NOW, shop.team)] * 2


async def test_a_channel_that_is_paused_resumed_or_removed_begins_anew(shop: Shop) -> None:
    directory = shop.store.directory
    for deed in (directory.resume_channel, directory.remove_channel):
        await directory.pause_channel(shop.team, "by hand", now=NOW)
        await shop.store.outbox.hold(breaker(shop), now=NOW)
        await deed(shop.team, now=NOW)
        assert await shop.store.outbox.holds() == []
