import asyncio
import pathlib
import sqlite3

import pytest

from slowping.core import errors
from slowping.core.event import Receipt
from slowping.core.retention import Sweep, What
from slowping.store import open_store
from slowping.store.port import Idempotency
from slowping.store.sqlite.inbox import keys
from slowping.store.sqlite.store import SqliteStore
from slowping.store.vault import Vault
from tests.conftest import VAULT_KEY
from tests.store.conftest import Shop
from tests.store.samples import NOW

PROMISE = Idempotency(key="order-1", fingerprint="aa")
OTHER_REQUEST = Idempotency(key="order-1", fingerprint="bb")


async def fold(shop: Shop) -> None:
    """Fold in all keys."""
    while await recent(shop):
        await shop.store._writer.run(keys.fold)


async def recent(shop: Shop) -> int:
    """How many keys are not folded in."""
    [(count,)] = await shop.peek("select count(*) from idempotency_recent")
    assert isinstance(count, int)
    return count


async def in_mind(shop: Shop) -> int:
    """How many keys the writer keeps in memory."""

    def deed(connection: sqlite3.Connection) -> int:
        [(count,)] = connection.execute("select count(*) from recent_key").fetchall()
        return int(count)

    return await shop.store._writer.run(deed)


async def accept(shop: Shop, promise: Idempotency = PROMISE) -> Receipt:
    return await shop.store.inbox.accept(shop.entry(count=2, promise=promise))


async def accept_many(shop: Shop, number: int) -> None:
    """Accept so many requests, each with a key of its own."""
    promises = [
        Idempotency(key=f"{each * 7919 % number}", fingerprint="") for each in range(number)
    ]
    await asyncio.gather(*(accept(shop, promise) for promise in promises))


@pytest.mark.parametrize("folded", [False, True])
async def test_a_key_is_known_again_whether_it_is_folded_in_or_not(
    shop: Shop, folded: bool
) -> None:
    first = await accept(shop)
    if folded:
        await fold(shop)
    repeat = await accept(shop)
    assert (repeat.first_event_id, repeat.count) == (first.first_event_id, 2)
    assert repeat.deduplicated
    assert await shop.store.inbox.recall(shop.project_id, PROMISE) == repeat
    with pytest.raises(errors.IdempotencyKeyReused):
        await accept(shop, OTHER_REQUEST)
    with pytest.raises(errors.IdempotencyKeyReused):
        await shop.store.inbox.recall(shop.project_id, OTHER_REQUEST)
    assert await shop.peek("select count(*) from event") == [(2,)]


async def test_a_key_that_was_never_used_is_not_recalled(shop: Shop) -> None:
    await accept(shop)
    other = Idempotency(key="order-2", fingerprint="aa")
    assert await shop.store.inbox.recall(shop.project_id, other) is None


async def test_a_key_is_each_projects_own(shop: Shop) -> None:
    other = await Shop(shop.store).furnish("other")
    await accept(shop)
    await fold(shop)
    assert not (await accept(other)).deduplicated
    assert (await accept(other)).deduplicated


async def test_recent_keys_are_known_after_a_restart(tmp_path: pathlib.Path) -> None:
    address = f"sqlite:{tmp_path / 'slowping.db'}"
    store = await open_store(address, Vault([VAULT_KEY]))
    assert isinstance(store, SqliteStore)
    shop = await Shop(store).furnish()
    first = await accept(shop)
    await store.close()
    shop.store = again = await open_store(address, Vault([VAULT_KEY]))  # type: ignore[assignment] # as above
    repeat = await accept(shop)
    await again.close()
    assert repeat.first_event_id == first.first_event_id


async def test_what_was_not_stored_leaves_no_key_behind(shop: Shop) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        await shop.store.inbox.accept(shop.entry(category_id=404, promise=PROMISE))
    assert await in_mind(shop) == await recent(shop) == 0
    assert not (await accept(shop)).deduplicated


async def test_a_bad_request_takes_no_others_key_with_it(shop: Shop) -> None:
    entries = [shop.entry(category_id=404), shop.entry(promise=PROMISE)]
    async with shop.one_batch():
        storing = [asyncio.ensure_future(shop.store.inbox.accept(entry)) for entry in entries]
        await asyncio.sleep(0)
    failed, stored = await asyncio.gather(*storing, return_exceptions=True)
    assert isinstance(failed, sqlite3.IntegrityError)
    assert isinstance(stored, Receipt)
    assert (await accept(shop)).deduplicated


async def test_while_nothing_comes_in_all_keys_are_folded_in(shop: Shop) -> None:
    await accept_many(shop, keys.STEP + 5)
    await shop.store.inbox.fold_on()  # it was busy until now
    while await shop.store.inbox.fold_on():
        pass
    assert await recent(shop) == await in_mind(shop) == 0
    assert await shop.peek("select count(*) from idempotency") == [(keys.STEP + 5,)]


async def test_while_more_comes_in_few_are_folded_in(shop: Shop) -> None:
    await accept_many(shop, keys.STEP + 5)
    assert not await shop.store.inbox.fold_on()
    assert await recent(shop) == await in_mind(shop) == 5


async def test_where_there_is_none_nothing_is_written(shop: Shop) -> None:
    await shop.store.inbox.accept(shop.entry())
    rung: list[str] = []
    shop.store.journal.listen(lambda: rung.append("rang"))
    assert not await shop.store.inbox.fold_on()
    assert rung == []


@pytest.mark.parametrize("folded", [False, True])
async def test_a_key_goes_with_its_event(shop: Shop, folded: bool) -> None:
    first = await accept(shop)
    if folded:
        await fold(shop)
    sweep = Sweep(
        what=What.EVENTS,
        before=NOW + 1,
        before_id=first.first_event_id + 2,
        category_id=shop.category_id,
    )
    await shop.store.retention.remove(sweep)
    assert await in_mind(shop) == await recent(shop) == 0
    assert not (await accept(shop)).deduplicated
