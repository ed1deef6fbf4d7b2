import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest

from slowping.core import errors, ids
from slowping.core.delivery import (
    MOVES,
    AttemptOutcome,
    AttemptRecord,
    DeliveryDetail,
    DeliveryFilter,
    DeliveryState,
    Hold,
    Lane,
    Settlement,
)
from slowping.store.sqlite import outbox, writer
from tests.store.conftest import EVERYTHING, Shop
from tests.store.samples import NOW

MINUTE = 60_000


def attempt(outcome: str = "retry", reason: str | None = "HTTP 503") -> AttemptRecord:
    """An attempt that was made."""
    return AttemptRecord(
        started_at=NOW,
        duration_ms=80,
        outcome=AttemptOutcome(outcome),
        status=503,
        reason=reason,
        excerpt="busy",
    )


def delivered(delivery_id: int) -> Settlement:
    """It arrived."""
    return Settlement(
        delivery_id=delivery_id,
        state=DeliveryState.DELIVERED,
        attempt=attempt("delivered", None),
        reference="m1",
    )


def again(delivery_id: int, due_at: int | None = NOW + MINUTE) -> Settlement:
    """It did not, and is tried again."""
    return Settlement(
        delivery_id=delivery_id,
        state=DeliveryState.PENDING,
        due_at=due_at,
        attempt=attempt(),
        last_error="HTTP 503",
    )


def failed(delivery_id: int) -> Settlement:
    """It never will."""
    return Settlement(
        delivery_id=delivery_id,
        state=DeliveryState.FAILED,
        attempt=attempt("rejected", "HTTP 422"),
        last_error="HTTP 422",
    )


def given_back(delivery_id: int, last_error: str | None = None) -> Settlement:
    """It was not tried."""
    return Settlement(delivery_id=delivery_id, state=DeliveryState.PENDING, last_error=last_error)


async def show(shop: Shop, delivery_id: int) -> DeliveryDetail:
    """The delivery as it stands."""
    return await shop.store.outbox.delivery(delivery_id)


async def settle(shop: Shop, *settlements: Settlement, now: int = NOW) -> int | None:
    """Settle on the team's channel."""
    return await shop.store.outbox.settle(shop.team, settlements, now=now)


async def told(shop: Shop, delivery_id: int) -> int:
    """How many lines the journal has of a delivery."""
    found = await shop.peek(
        "select 1 from journal where kind = 'delivery.changed' and subject_id = ?", delivery_id
    )
    return len(found)


# Claiming ------------------------------------------------------------------------------------


async def test_a_claim_carries_all_that_is_needed_to_send(shop: Shop) -> None:
    entry = shop.entry(channels=[shop.team], description="It happened.")
    await shop.store.inbox.accept(entry)
    [claimed] = await shop.lease()
    assert claimed.id == entry.deliveries[0].id
    assert claimed.event_id == entry.events[0].id
    assert (claimed.attempts, claimed.tries, claimed.may_be_repeat) == (1, 1, False)
    assert (claimed.project, claimed.category) == ("shop", "sale")
    assert (claimed.description, claimed.fields) == ("It happened.", {"amount": 49.5})
    assert (claimed.received_at, claimed.created_at, claimed.overrides) == (NOW, NOW, {})


async def test_what_is_claimed_is_nobody_else_s(shop: Shop) -> None:
    await shop.deliver()
    assert len(await shop.lease()) == 1
    assert await shop.lease() == ()


async def test_first_in_is_first_out(shop: Shop) -> None:
    made = [await shop.deliver(at=NOW + number) for number in range(5)]
    first = await shop.lease(now=NOW + MINUTE, limit=3)
    second = await shop.lease(now=NOW + MINUTE, limit=3)
    assert [claimed.id for claimed in (*first, *second)] == made


async def test_only_what_is_due_is_claimed(shop: Shop) -> None:
    early = await shop.deliver(at=NOW)
    await shop.deliver(at=NOW + 1)
    assert [claimed.id for claimed in await shop.lease(now=NOW)] == [early]


async def test_each_channel_has_a_line_of_its_own(shop: Shop) -> None:
    await shop.deliver(channel=shop.team)
    boss = await shop.deliver(channel=shop.boss)
    assert [claimed.id for claimed in await shop.lease(channel=shop.boss)] == [boss]


async def test_of_huge_events_no_more_are_claimed_than_a_message_could_hold(shop: Shop) -> None:
    huge, half = outbox.MOST_CLAIMED + 1, outbox.MOST_CLAIMED // 2
    given = [await of_size(shop, size) for size in (huge, half, half, 1)]
    claims = [[each.id for each in await shop.lease()] for _ in range(3)]
    assert claims == [given[:1], given[1:3], given[3:]]


async def of_size(shop: Shop, size: int) -> int:
    """Accept an event that takes so many bytes; its delivery."""
    entry = shop.entry(channels=[shop.team])
    [event] = entry.events
    sized = msgspec.structs.replace(event, size=size)
    await shop.store.inbox.accept(msgspec.structs.replace(entry, events=(sized,)))
    return entry.deliveries[0].id


async def test_a_claim_is_no_news(shop: Shop) -> None:
    delivery_id = await shop.deliver()
    await shop.lease()
    assert await told(shop, delivery_id) == 0


async def test_a_claim_waits_for_one_commit_however_much_is_to_be_stored(shop: Shop) -> None:
    async with shop.one_batch():
        many = range(writer.MAX_BATCH + 5)
        storing = [asyncio.ensure_future(shop.deliver(at=NOW + 1)) for _ in many]
        await asyncio.sleep(0)
        claiming = asyncio.ensure_future(shop.lease(now=NOW + MINUTE, limit=len(many)))
    assert len(await claiming) == writer.MAX_BATCH
    await asyncio.gather(*storing)


async def test_the_words_that_a_request_gave_travel_with_the_delivery(shop: Shop) -> None:
    delivery_id = await shop.deliver()

    def give(connection: sqlite3.Connection) -> None:
        connection.execute(
            'update delivery set overrides = \'{"title":"Hello"}\' where id = ?', (delivery_id,)
        )

    await shop.store._writer.run(give)
    [claimed] = await shop.lease()
    assert claimed.overrides == {"title": "Hello"}


@pytest.mark.parametrize(
    ("outcome", "may_be_repeat"),
    [("retry", False), ("unknown", True), ("lost", True)],
)
async def test_what_may_have_arrived_before_says_so(
    shop: Shop, outcome: str, may_be_repeat: bool
) -> None:
    delivery_id = await shop.deliver()
    await shop.lease()
    tried = Settlement(
        delivery_id=delivery_id, state=DeliveryState.PENDING, attempt=attempt(outcome)
    )
    await settle(shop, tried)
    [claimed] = await shop.lease()
    assert claimed.may_be_repeat is may_be_repeat


# Lanes ---------------------------------------------------------------------------------------


async def test_a_lane_is_a_channel_with_something_to_send(shop: Shop) -> None:
    assert await shop.store.outbox.lanes() == []
    await shop.deliver(at=NOW + 2)
    await shop.deliver(at=NOW + 1)
    assert await shop.store.outbox.lanes() == [Lane(channel_id=shop.team, due_at=NOW + 1)]


async def test_a_paused_channel_is_no_lane_until_it_is_resumed(shop: Shop) -> None:
    await shop.deliver()
    await shop.store.directory.pause_channel(shop.team, "enough", now=NOW)
    assert await shop.store.outbox.lanes() == []
    await shop.store.directory.resume_channel(shop.team, now=NOW)
    assert len(await shop.store.outbox.lanes()) == 1


async def test_what_is_on_its_way_is_no_lane(shop: Shop) -> None:
    await shop.deliver()
    await shop.lease()
    assert await shop.store.outbox.lanes() == []


# Settling ------------------------------------------------------------------------------------


async def test_what_arrived_is_kept_with_its_attempt(shop: Shop) -> None:
    delivery_id = await shop.deliver()
    await shop.lease()
    assert await settle(shop, delivered(delivery_id), now=NOW + 80) is None
    detail = await show(shop, delivery_id)
    assert detail.delivery.state is DeliveryState.DELIVERED
    assert (detail.delivery.attempts, detail.delivery.reference) == (1, "m1")
    assert (detail.delivery.due_at, detail.delivery.last_error) == (None, None)
    assert detail.delivery.ended_at is not None
    [tried] = detail.attempts
    assert (tried.no, tried.outcome, tried.status) == (1, AttemptOutcome.DELIVERED, 503)
    assert (tried.duration_ms, tried.excerpt) == (80, "busy")
    assert await told(shop, delivery_id) == 1


async def test_what_is_tried_again_waits_for_its_time(shop: Shop) -> None:
    delivery_id = await shop.deliver()
    await shop.lease()
    assert await settle(shop, again(delivery_id)) == NOW + MINUTE
    assert await shop.lease(now=NOW + MINUTE - 1) == ()
    [claimed] = await shop.lease(now=NOW + MINUTE)
    assert (claimed.attempts, claimed.tries) == (2, 2)


async def test_a_retry_does_not_hold_up_those_behind_it(shop: Shop) -> None:
    first, second = await shop.deliver(), await shop.deliver()
    await shop.lease(limit=1)
    assert await settle(shop, again(first)) == NOW
    assert [claimed.id for claimed in await shop.lease()] == [second]


async def test_every_attempt_is_kept_under_its_number(shop: Shop) -> None:
    delivery_id = await shop.deliver()
    for _ in range(3):
        await shop.lease()
        await settle(shop, again(delivery_id, due_at=None))
    assert [tried.no for tried in (await show(shop, delivery_id)).attempts] == [1, 2, 3]


async def test_what_is_given_back_was_not_tried_and_keeps_its_place(shop: Shop) -> None:
    first, second = await shop.deliver(at=NOW), await shop.deliver(at=NOW + 1)
    await shop.lease(now=NOW + MINUTE)
    await settle(shop, given_back(first), given_back(second), now=NOW + MINUTE)
    detail = await show(shop, first)
    assert (detail.delivery.state, detail.delivery.attempts) == (DeliveryState.PENDING, 0)
    assert detail.attempts == ()
    claimed = await shop.lease(now=NOW + MINUTE)
    assert [(one.id, one.attempts, one.tries) for one in claimed] == [(first, 1, 1), (second, 1, 1)]


async def test_giving_back_is_no_news_unless_there_is_a_reason(shop: Shop) -> None:
    delivery_id = await shop.deliver()
    await shop.lease()
    await settle(shop, given_back(delivery_id))
    assert await told(shop, delivery_id) == 0
    await shop.lease()
    await settle(shop, given_back(delivery_id, "the far side asked to wait"))
    assert await told(shop, delivery_id) == 1
    assert (await show(shop, delivery_id)).delivery.last_error == "the far side asked to wait"


async def test_what_is_given_back_keeps_its_last_error(shop: Shop) -> None:
    delivery_id = await shop.deliver()
    await shop.lease()
    await settle(shop, again(delivery_id, due_at=None))
    await shop.lease()
    await settle(shop, given_back(delivery_id))
    assert (await show(shop, delivery_id)).delivery.last_error == "HTTP 503"


async def test_what_arrives_in_the_end_has_no_error_left(shop: Shop) -> None:
    delivery_id = await shop.deliver()
    await shop.lease()
    await settle(shop, again(delivery_id, due_at=None))
    await shop.lease()
    await settle(shop, delivered(delivery_id))
    assert (await show(shop, delivery_id)).delivery.last_error is None


async def test_what_nobody_holds_any_more_is_not_settled(shop: Shop) -> None:
    delivery_id = await shop.deliver()
    await settle(shop, delivered(delivery_id))
    detail = await show(shop, delivery_id)
    assert detail.delivery.state is DeliveryState.PENDING
    assert detail.attempts == ()
    assert await told(shop, delivery_id) == 0


@pytest.mark.parametrize("state", [DeliveryState.LEASED, DeliveryState.DISCARDED])
async def test_a_claim_cannot_end_in_a_state_that_is_no_legal_move(
    shop: Shop, state: DeliveryState
) -> None:
    first, second = await shop.deliver(), await shop.deliver()
    await shop.lease()
    with pytest.raises(ValueError, match="cannot become"):
        await settle(shop, delivered(first), Settlement(delivery_id=second, state=state))
    assert (await show(shop, first)).delivery.state is DeliveryState.LEASED


async def test_the_next_due_time_is_told(shop: Shop) -> None:
    first, _, _ = [await shop.deliver(at=NOW + number) for number in (0, 7, 9)]
    await shop.lease(now=NOW)
    assert await settle(shop, delivered(first)) == NOW + 7


# Leases that were left -----------------------------------------------------------------------


async def free(shop: Shop, *, owner: str = "new", busy: Sequence[int] = ()) -> int:
    """Free what was left."""
    return await shop.store.outbox.free_leases(owner=owner, now=NOW + MINUTE, busy=busy)


async def cut_off(shop: Shop, times: int) -> list[int]:
    """Cut so many attempts off, each once its turn has come; how long each had to wait."""
    waits, now = [], NOW
    for _ in range(times):
        [lane] = await shop.store.outbox.lanes()
        waits.append(max(0, lane.due_at - now))
        now += waits[-1]
        assert await shop.lease(now=now, owner="gone")
        await shop.store.outbox.free_leases(owner="new", now=now)
    return waits


async def test_a_lease_of_a_process_that_is_gone_is_freed(shop: Shop) -> None:
    delivery_id = await shop.deliver()
    await shop.lease(owner="gone")
    assert await free(shop) == 1
    detail = await show(shop, delivery_id)
    assert detail.delivery.state is DeliveryState.PENDING
    assert detail.delivery.last_error == outbox.CUT_OFF
    assert [tried.outcome for tried in detail.attempts] == [AttemptOutcome.LOST]
    assert await told(shop, delivery_id) == 1
    [claimed] = await shop.lease()
    assert (claimed.attempts, claimed.may_be_repeat) == (2, True)


async def test_a_lease_of_a_lane_that_is_at_work_stays(shop: Shop) -> None:
    for channel in (shop.team, shop.boss):
        await shop.deliver(channel=channel)
        await shop.lease(channel=channel, owner="me")
    assert await free(shop, owner="me", busy=[shop.team]) == 1
    assert [lane.channel_id for lane in await shop.store.outbox.lanes()] == [shop.boss]


async def test_what_was_cut_off_is_due_at_once_wherever_the_clock_was_set(shop: Shop) -> None:
    await shop.deliver(at=NOW)
    await shop.lease(now=NOW, owner="gone")
    await shop.store.outbox.free_leases(owner="new", now=NOW - MINUTE)
    [lane] = await shop.store.outbox.lanes()
    assert lane.due_at == NOW - MINUTE


async def test_what_was_cut_off_twice_counts_twice_wherever_the_clock_was_set(shop: Shop) -> None:
    delivery_id = await shop.deliver(at=NOW)
    for freed_at in (NOW, NOW - MINUTE):
        await shop.lease(now=NOW, owner="gone")
        await shop.store.outbox.free_leases(owner="new", now=freed_at)
    [lane] = await shop.store.outbox.lanes()
    assert lane.due_at == NOW - MINUTE
    assert (await show(shop, delivery_id)).delivery.tries == 2


async def test_too_many_lost_attempts_in_a_row_are_the_end(shop: Shop) -> None:
    delivery_id = await shop.deliver()
    assert await cut_off(shop, 4) == [0, 0, 0, MINUTE]
    assert (await show(shop, delivery_id)).delivery.state is DeliveryState.PENDING
    assert await cut_off(shop, 1) == [6 * MINUTE]
    delivery = (await show(shop, delivery_id)).delivery
    assert (delivery.state, delivery.attempts) == (DeliveryState.FAILED, 5)
    assert delivery.last_error == outbox.QUARANTINED
    assert delivery.ended_at is not None


async def test_an_answer_between_lost_attempts_starts_the_count_anew(shop: Shop) -> None:
    delivery_id = await shop.deliver()
    await cut_off(shop, 2)
    await shop.lease()
    await settle(shop, again(delivery_id, due_at=None))
    assert await cut_off(shop, 4) == [0, 0, 0, MINUTE]
    assert (await show(shop, delivery_id)).delivery.state is DeliveryState.PENDING


async def test_a_retry_by_hand_starts_the_count_of_lost_attempts_anew(shop: Shop) -> None:
    delivery_id = await shop.deliver()
    await cut_off(shop, outbox.MAX_LOST)
    await shop.retry(EVERYTHING, [delivery_id], now=NOW)
    assert await cut_off(shop, 3) == [0, 0, 0]
    assert (await show(shop, delivery_id)).delivery.state is DeliveryState.PENDING


# What is not worth sending any more ----------------------------------------------------------


async def test_a_delivery_past_its_time_fails(shop: Shop) -> None:
    late = await shop.deliver(expires_at=NOW + 10)
    early = await shop.deliver(expires_at=NOW + 11)
    unlimited = await shop.deliver()
    assert await shop.store.outbox.expire(now=NOW + 10) == 1
    delivery = (await show(shop, late)).delivery
    assert (delivery.state, delivery.last_error) == (DeliveryState.FAILED, outbox.EXPIRED)
    assert await told(shop, late) == 1
    assert {claimed.id for claimed in await shop.lease()} == {early, unlimited}


async def test_a_claim_takes_nothing_past_its_time(shop: Shop) -> None:
    late = await shop.deliver(expires_at=NOW + 10)
    other = await shop.deliver(expires_at=NOW + 10, channel=shop.boss)
    assert await shop.lease(now=NOW + 10) == ()
    assert (await show(shop, late)).delivery.state is DeliveryState.FAILED
    assert (await show(shop, other)).delivery.state is DeliveryState.PENDING


async def test_what_is_on_its_way_is_not_past_its_time(shop: Shop) -> None:
    delivery_id = await shop.deliver(expires_at=NOW + 10)
    await shop.lease()
    assert await shop.store.outbox.expire(now=NOW + 10) == 0
    assert (await show(shop, delivery_id)).delivery.state is DeliveryState.LEASED


async def test_what_comes_back_to_a_removed_channel_is_discarded(shop: Shop) -> None:
    delivery_id = await shop.deliver()
    await shop.lease()
    await shop.store.directory.remove_channel(shop.team, now=NOW)
    await settle(shop, again(delivery_id))
    await shop.store.outbox.expire(now=NOW)
    delivery = (await show(shop, delivery_id)).delivery
    assert delivery.state is DeliveryState.DISCARDED
    assert delivery.ended_at is not None


async def test_what_a_stepping_clock_put_off_is_due_now(shop: Shop) -> None:
    far, near = await shop.deliver(), await shop.deliver()
    await shop.lease()
    await settle(shop, again(far, due_at=NOW + 100 * MINUTE), again(near))
    assert await shop.store.outbox.pull_in(latest=NOW + MINUTE, now=NOW) == 1
    assert [claimed.id for claimed in await shop.lease(now=NOW)] == [far]


async def test_what_is_due_later_is_so_much_earlier_after_a_clock_was_set_back(shop: Shop) -> None:
    far, near, due = await shop.deliver(), await shop.deliver(), await shop.deliver()
    await shop.lease()
    await settle(
        shop,
        again(far, due_at=NOW + 100 * MINUTE),
        again(near, due_at=NOW + 30),
        again(due, due_at=NOW),
    )
    later = await shop.store.outbox.planned(now=NOW)
    assert later == [far, near]
    assert await shop.store.outbox.step_back([*later, due], by=60 * MINUTE, now=NOW) == 2
    found = await shop.peek("select id, due_at - ? from delivery order by id", NOW)
    assert found == [(far, 40 * MINUTE), (near, 0), (due, 0)]


async def test_holds_end_earlier_after_a_clock_was_set_back(shop: Shop) -> None:
    store = shop.store.outbox
    await store.hold(Hold(scope="discord", until=NOW + 9_000, why="slow down"), now=NOW)
    await store.hold(
        Hold(scope="breaker:channel:1", until=NOW + 9_000, why="down", failures=5, since=NOW),
        now=NOW,
    )
    await store.step_back_holds(by=8_000)
    ends = {hold.scope: (hold.since, hold.until) for hold in await store.holds()}
    assert ends == {
        "discord": (None, NOW + 1_000),
        "breaker:channel:1": (NOW - 8_000, NOW + 1_000),
    }


# Holds ---------------------------------------------------------------------------------------


async def test_a_hold_is_kept_replaced_and_lifted(shop: Shop) -> None:
    store = shop.store.outbox
    await store.hold(Hold(scope="discord", until=NOW, why="slow down"), now=NOW)
    await store.hold(Hold(scope="telegram", until=NOW, why="slow down", failures=2), now=NOW)
    await store.hold(Hold(scope="discord", until=NOW + 5, why="slower", failures=1), now=NOW)
    assert sorted(await store.holds(), key=lambda hold: hold.scope) == [
        Hold(scope="discord", until=NOW + 5, why="slower", failures=1),
        Hold(scope="telegram", until=NOW, why="slow down", failures=2),
    ]
    await store.lift("discord", now=NOW)
    assert [hold.scope for hold in await store.holds()] == ["telegram"]


# All together --------------------------------------------------------------------------------


async def test_every_move_that_a_deed_makes_is_legal_and_every_legal_one_is_made(
    shop: Shop,
) -> None:
    watch = sqlite3.connect(shop.store.path, isolation_level=None)
    watch.execute("create table move (before text, after text)")
    watch.execute(
        "create trigger watch after update of state on delivery when old.state <> new.state"
        " begin insert into move values (old.state, new.state); end"
    )
    await _do_everything(shop)
    made = {(before, after) for before, after in watch.execute("select * from move")}
    watch.close()
    assert made == {(before, after) for before, moves in MOVES.items() for after in moves}


async def _do_everything(shop: Shop) -> None:
    store = shop.store.outbox
    first, second, third = [await shop.deliver() for _ in range(3)]
    await shop.lease()
    await settle(shop, delivered(first), failed(second), again(third))
    await shop.retry(DeliveryFilter(states=tuple(DeliveryState)), None, now=NOW)
    await shop.discard(EVERYTHING, None, now=NOW)
    await shop.retry(EVERYTHING, None, now=NOW)
    await shop.lease()
    await settle(shop, *map(failed, (first, second, third)))
    await shop.discard(EVERYTHING, None, now=NOW)
    await shop.deliver(expires_at=NOW)
    await store.expire(now=NOW)
    await shop.deliver()
    await cut_off(shop, outbox.MAX_LOST)
    await shop.deliver()
    await shop.lease()
    await shop.store.directory.remove_channel(shop.team, now=NOW)
    await free(shop)
    await store.expire(now=NOW)


CLAIM = {"channel_id": 1, "now": 1, "until": 2, "owner": "me", "limit": 10}


@pytest.mark.parametrize(
    ("statement", "values", "served_by"),
    [
        (outbox.CLAIM, CLAIM, "delivery_due (channel_id=? AND due_at<?)"),
        (
            outbox.PROBE.format(first=""),
            {**CLAIM, "may_be_early": 1},
            "d USING INDEX delivery_due (channel_id=?)",
        ),
        (outbox.RECALL, CLAIM, "delivery_due (channel_id=? AND due_at>?)"),
        (outbox.CLAIMED, {"ids": "[]", "now": 1}, "d USING INTEGER PRIMARY KEY"),
        (outbox.LANES, {}, "delivery_due (channel_id=?)"),
        (outbox.NEXT_DUE, (1,), "delivery_due (channel_id=?)"),
        (
            outbox.EXPIRE,
            {"now": 1, "reason": "", "channel_id": None},
            "delivery_expiry (expires_at>? AND expires_at<?)",
        ),
        (outbox.PLANNED, {"now": 1}, "delivery_due (channel_id=? AND due_at>?)"),
        (outbox.STEP_BACK, {"now": 1, "by": 2, "ids": "[]"}, "USING INTEGER PRIMARY KEY"),
        (outbox.PULL_IN, {"now": 1, "latest": 2}, "delivery_due (channel_id=? AND due_at>?)"),
        (outbox.DISCARD_OF_REMOVED, {"now": 1}, "delivery_channel (channel_id=? AND state=?)"),
        (
            outbox.LEFT_BEHIND,
            {"owner": "me", "busy": "[]", "most": 2, "now": 1},
            "delivery_leased",
        ),
    ],
)
async def test_an_index_serves_every_search(
    shop: Shop, statement: str, values: Mapping[str, Any] | Sequence[Any], served_by: str
) -> None:
    reader = sqlite3.connect(shop.store.path)
    plan = [row[3] for row in reader.execute(f"explain query plan {statement}", values)]
    reader.close()
    assert any(served_by in step for step in plan), plan
    assert not any(step in ("SCAN delivery", "SCAN d") for step in plan), plan


async def test_no_delivery_is_no_delivery(shop: Shop) -> None:
    with pytest.raises(errors.NotFound, match=ids.encode(ids.DELIVERY, 7)):
        await shop.store.outbox.delivery(7)
