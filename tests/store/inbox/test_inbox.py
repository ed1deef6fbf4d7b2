import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from slowping.core import errors
from slowping.core.event import Receipt
from slowping.store.port import Entry, Idempotency
from tests.store.conftest import MONTH, Shop
from tests.store.samples import DAY, NOW

PROMISE = Idempotency(key="order-1", fingerprint="aa")
OTHER_REQUEST = Idempotency(key="order-1", fingerprint="bb")


async def together(shop: Shop, entries: Sequence[Entry]) -> list[Receipt | BaseException]:
    """Accept entries in one batch; what became of each."""
    async with shop.one_batch():
        begun = [asyncio.ensure_future(shop.store.inbox.accept(entry)) for entry in entries]
    return await asyncio.gather(*begun, return_exceptions=True)


async def count(shop: Shop, table: str) -> object:
    """How many rows there are."""
    [(number,)] = await shop.peek(f"select count(*) from {table}")  # noqa: S608 - our own word
    return number


# Accepting -----------------------------------------------------------------------------------


async def test_an_event_is_stored_with_all_that_belongs_to_it(shop: Shop) -> None:
    entry = shop.entry(channels=[shop.team, shop.boss], description="It happened.")
    [event] = entry.events
    receipt = await shop.store.inbox.accept(entry)
    assert receipt == Receipt(first_event_id=event.id, count=1, received_at=NOW)
    assert await shop.peek(
        "select id, project_id, category_id, description, fields, received_at, notify from event"
    ) == [
        (event.id, shop.project_id, shop.category_id, "It happened.", event.fields, NOW, 1),
    ]
    assert await shop.peek(
        "select id, event_id, channel_id, state, due_at, attempts, tries, created_at from delivery"
    ) == [
        (entry.deliveries[0].id, event.id, shop.team, "pending", NOW, 0, 0, NOW),
        (entry.deliveries[1].id, event.id, shop.boss, "pending", NOW, 0, 0, NOW),
    ]
    assert await shop.peek(
        "select at, project_id, category_id, subject_id from journal where kind = 'event.accepted'"
    ) == [(NOW, shop.project_id, shop.category_id, event.id)]
    assert await shop.store.inbox.usage(shop.project_id, MONTH) == 1


async def test_the_events_of_one_request_follow_each_other(shop: Shop) -> None:
    entry = shop.entry(count=3, channels=[shop.team])
    receipt = await shop.store.inbox.accept(entry)
    assert list(receipt.event_ids) == [event.id for event in entry.events]
    assert await count(shop, "event") == 3
    assert await count(shop, "delivery") == 3
    assert await shop.store.inbox.usage(shop.project_id, MONTH) == 3


async def test_requests_in_one_batch_each_get_their_own_receipt(shop: Shop) -> None:
    entries = [shop.entry(count=number, channels=[shop.team]) for number in (1, 3, 2)]
    receipts = await together(shop, entries)
    assert receipts == [
        Receipt(first_event_id=entry.events[0].id, count=len(entry.events), received_at=NOW)
        for entry in entries
    ]
    assert await count(shop, "journal where kind = 'event.accepted'") == 6


async def test_usage_counts_each_month_and_project_for_itself(shop: Shop) -> None:
    other = await Shop(shop.store).furnish("other")
    later = msgspec.structs.replace(shop.entry(count=2), month=MONTH + 1)
    await together(shop, [shop.entry(), later, other.entry(count=4), shop.entry(count=8)])
    usage = shop.store.inbox.usage
    assert await usage(shop.project_id, MONTH) == 9
    assert await usage(shop.project_id, MONTH + 1) == 2
    assert await usage(other.project_id, MONTH) == 4
    assert await usage(other.project_id, MONTH + 1) == 0


async def test_a_metric_is_stored(shop: Shop) -> None:
    await shop.store.inbox.accept_metric(shop.project_id, {"visitorId": "v1"}, NOW)
    assert await shop.peek("select project_id, payload, received_at from metric") == [
        (shop.project_id, '{"visitorId":"v1"}', NOW)
    ]


# Once per key --------------------------------------------------------------------------------


async def test_a_repeat_gets_the_first_receipt_and_writes_nothing(shop: Shop) -> None:
    first = await shop.store.inbox.accept(shop.entry(count=2, promise=PROMISE))
    again = shop.entry(count=2, promise=PROMISE, at=NOW + DAY, channels=[shop.team])
    repeat = await shop.store.inbox.accept(again)
    assert repeat == msgspec.structs.replace(first, deduplicated=True)
    assert await count(shop, "event") == 2
    assert await count(shop, "delivery") == 0
    assert await count(shop, "journal where kind = 'event.accepted'") == 2
    assert await shop.store.inbox.usage(shop.project_id, MONTH) == 2


async def test_a_repeat_in_the_same_batch_is_one_event(shop: Shop) -> None:
    entries = [shop.entry(promise=PROMISE), shop.entry(), shop.entry(promise=PROMISE)]
    first, apart, repeat = await together(shop, entries)
    assert isinstance(first, Receipt)
    assert isinstance(apart, Receipt)
    assert not first.deduplicated
    assert not apart.deduplicated
    assert repeat == msgspec.structs.replace(first, deduplicated=True)
    assert await count(shop, "event") == 2


async def test_a_key_that_comes_with_another_request_is_refused(shop: Shop) -> None:
    await shop.store.inbox.accept(shop.entry(promise=PROMISE))
    with pytest.raises(errors.IdempotencyKeyReused):
        await shop.store.inbox.accept(shop.entry(promise=OTHER_REQUEST))
    assert await count(shop, "event") == 1


async def test_a_reused_key_in_the_same_batch_is_refused_alone(shop: Shop) -> None:
    entries = [shop.entry(promise=PROMISE), shop.entry(promise=OTHER_REQUEST), shop.entry()]
    first, reused, apart = await together(shop, entries)
    assert isinstance(first, Receipt)
    assert isinstance(reused, errors.IdempotencyKeyReused)
    assert isinstance(apart, Receipt)


async def test_where_the_key_alone_decides_another_request_is_a_repeat(shop: Shop) -> None:
    first = await shop.store.inbox.accept(shop.entry(promise=PROMISE))
    lenient = msgspec.structs.replace(OTHER_REQUEST, strict=False)
    repeat = await shop.store.inbox.accept(shop.entry(promise=lenient))
    assert repeat == msgspec.structs.replace(first, deduplicated=True)


async def test_another_project_s_key_is_another_key(shop: Shop) -> None:
    other = await Shop(shop.store).furnish("other")
    receipts = await together(shop, [shop.entry(promise=PROMISE), other.entry(promise=PROMISE)])
    assert [isinstance(receipt, Receipt) and receipt.deduplicated for receipt in receipts] == [
        False,
        False,
    ]


async def test_a_key_is_recalled_with_the_first_receipt(shop: Shop) -> None:
    recall = shop.store.inbox.recall
    assert await recall(shop.project_id, PROMISE) is None
    first = await shop.store.inbox.accept(shop.entry(count=2, promise=PROMISE))
    assert await recall(shop.project_id, PROMISE) == msgspec.structs.replace(
        first, deduplicated=True
    )
    with pytest.raises(errors.IdempotencyKeyReused):
        await recall(shop.project_id, OTHER_REQUEST)


# One that cannot be stored -------------------------------------------------------------------


def _event_with(**changed: Any) -> Callable[[Shop], Entry]:  # as EventRow takes them
    def make(shop: Shop) -> Entry:
        entry = shop.entry(channels=[shop.team])
        event = msgspec.structs.replace(entry.events[0], **changed)
        return msgspec.structs.replace(entry, events=(event,))

    return make


def _without_events(shop: Shop) -> Entry:
    return msgspec.structs.replace(shop.entry(promise=PROMISE), events=())


BAD = pytest.mark.parametrize(
    "bad",
    [
        lambda shop: shop.entry(category_id=404),
        lambda shop: shop.entry(channels=[404]),
        lambda shop: shop.entry(channels=[shop.team, shop.team]),
        _event_with(color=2**70),
        _event_with(color=1.5),
        _event_with(received_at="now"),
        _event_with(description="\ud800"),
        _event_with(description=object()),
        _without_events,
    ],
    ids=[
        "unknown category",
        "unknown channel",
        "one channel twice",
        "integer beyond 64 bits",
        "fraction in a whole column",
        "text in a whole column",
        "half a character",
        "no JSON",
        "no events",
    ],
)


@BAD
async def test_what_cannot_be_stored_fails_alone(shop: Shop, bad: Callable[[Shop], Entry]) -> None:
    entries = [shop.entry(channels=[shop.team]), bad(shop), shop.entry(count=2)]
    before, failed, after = await together(shop, entries)
    assert isinstance(before, Receipt)
    assert isinstance(failed, Exception)
    assert isinstance(after, Receipt)
    assert await shop.peek("select id from event") == [
        (before.first_event_id,),
        *((number,) for number in after.event_ids),
    ]
    assert await count(shop, "delivery") == 1
    assert await shop.store.inbox.usage(shop.project_id, MONTH) == 3


@BAD
async def test_what_cannot_be_stored_leaves_a_store_that_works(
    shop: Shop, bad: Callable[[Shop], Entry]
) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whichever it is, no refusal
        await shop.store.inbox.accept(bad(shop))
    assert not isinstance(caught.value, errors.SlowpingError)
    assert await count(shop, "event") == 0
    assert await shop.store.inbox.accept(shop.entry())


async def test_a_deed_beside_what_cannot_be_stored_is_done(shop: Shop) -> None:
    async with shop.one_batch():
        channel = asyncio.ensure_future(shop.channel("third"))
        bad = asyncio.ensure_future(shop.store.inbox.accept(shop.entry(category_id=404)))
    with pytest.raises(sqlite3.IntegrityError):
        await bad
    assert await channel


async def test_a_key_of_what_could_not_be_stored_is_free(shop: Shop) -> None:
    bad = shop.entry(category_id=404, promise=PROMISE)
    failed, second = await together(shop, [bad, shop.entry(promise=PROMISE)])
    assert isinstance(failed, sqlite3.IntegrityError)
    assert isinstance(second, Receipt)
    assert not second.deduplicated


@pytest.mark.parametrize("pages", [0, 3, 8, 12, 16])
async def test_on_a_full_disk_only_what_is_stored_is_acknowledged(shop: Shop, pages: int) -> None:
    await shop.fill_disk(pages)
    entries = [
        shop.entry(channels=[shop.team], promise=promise, description="x" * 20_000)
        for promise in (PROMISE, None, None, None)
    ]
    answers = await together(shop, entries)
    acknowledged = [answer for answer in answers if isinstance(answer, Receipt)]
    refused = [answer for answer in answers if isinstance(answer, errors.Unavailable)]
    assert len(acknowledged) + len(refused) == 4
    assert len(refused) > 0
    stored = [(receipt.first_event_id,) for receipt in acknowledged]
    assert await shop.peek("select id from event") == stored
    assert await shop.peek("select event_id from delivery") == stored
    assert await shop.store.inbox.usage(shop.project_id, MONTH) == len(stored)


async def test_a_stopped_store_is_unavailable(shop: Shop) -> None:
    async with shop.one_batch():
        closing = asyncio.ensure_future(shop.store._writer.close())
        await asyncio.sleep(0)
        with pytest.raises(errors.Unavailable, match="stopping"):
            await shop.store.inbox.accept(shop.entry())
    await closing


# Within the quota ----------------------------------------------------------------------------


def limited(entry: Entry, quota: int) -> Entry:
    return msgspec.structs.replace(entry, quota=quota)


async def test_one_batch_is_held_to_the_quota_exactly(shop: Shop) -> None:
    outcomes = await together(shop, [limited(shop.entry(), 5) for _ in range(8)])
    assert [type(outcome) for outcome in outcomes] == [Receipt] * 5 + [errors.QuotaReached] * 3
    assert await count(shop, "event") == 5
    assert await shop.store.inbox.usage(shop.project_id, MONTH) == 5


async def test_an_array_that_does_not_fit_whole_is_refused_and_a_smaller_one_taken(
    shop: Shop,
) -> None:
    sizes = (3, 3, 2, 1)
    outcomes = await together(shop, [limited(shop.entry(count=size), 5) for size in sizes])
    assert [type(outcome) for outcome in outcomes] == [
        Receipt, errors.QuotaReached, Receipt, errors.QuotaReached,
    ]  # fmt: skip
    assert await count(shop, "event") == 5


async def test_a_repeat_is_no_matter_for_the_quota(shop: Shop) -> None:
    entries = [limited(shop.entry(promise=PROMISE), 1) for _ in range(3)]
    first, *repeats = await together(shop, entries)
    assert isinstance(first, Receipt)
    assert repeats == [msgspec.structs.replace(first, deduplicated=True)] * 2
    assert await shop.store.inbox.usage(shop.project_id, MONTH) == 1


async def test_an_idempotency_key_that_met_the_quota_was_not_used(shop: Shop) -> None:
    for _ in range(2):
        refused = limited(shop.entry(count=2, promise=PROMISE), 1)
        with pytest.raises(errors.QuotaReached):
            await shop.store.inbox.accept(refused)
    receipt = await shop.store.inbox.accept(limited(shop.entry(promise=OTHER_REQUEST), 1))
    assert not receipt.deduplicated


async def test_a_quota_binds_only_the_entries_that_carry_it(shop: Shop) -> None:
    entries = [shop.entry(count=3), limited(shop.entry(), 3), shop.entry()]
    taken, refused, free = await together(shop, entries)
    assert isinstance(refused, errors.QuotaReached)
    assert isinstance(taken, Receipt)
    assert isinstance(free, Receipt)
    assert await shop.store.inbox.usage(shop.project_id, MONTH) == 4


async def test_an_entry_of_no_month_counts_nowhere(shop: Shop) -> None:
    entry = msgspec.structs.replace(shop.entry(), month=None)
    await together(shop, [entry, limited(shop.entry(), 1)])
    assert await count(shop, "event") == 2
    assert await shop.store.inbox.usage(shop.project_id, MONTH) == 1
