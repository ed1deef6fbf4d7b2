import sqlite3
from typing import Any

from slowping.core import ids
from slowping.core.category import CategoryChange
from slowping.core.delivery import DeliveryState
from slowping.core.feed import (
    CategoryChanged,
    ChannelChanged,
    DeliveryChanged,
    EventAccepted,
    FeedFilter,
    FeedItem,
    JournalKind,
    KeyChanged,
    ProjectChanged,
)
from slowping.core.project import ProjectChange
from slowping.store.port import Store
from slowping.store.sqlite.readers import Readers
from slowping.store.sqlite.store import SqliteStore
from slowping.store.sqlite.subjects import Subjects
from slowping.store.vault import Vault
from tests.conftest import VAULT_KEY
from tests.store import samples
from tests.store.conftest import Shop
from tests.store.samples import NOW


async def since(store: Store, cursor: str) -> list[FeedItem]:
    page = await store.journal.since(cursor, FeedFilter(), limit=100)
    return [entry.item for entry in page.entries]


async def test_an_accepted_event_is_told_with_the_states_of_its_deliveries(shop: Shop) -> None:
    place = await shop.store.journal.head()
    entry = shop.entry(channels=[shop.team, shop.boss], description="It happened.")
    await shop.store.inbox.accept(entry)
    [item] = await since(shop.store, place)
    assert isinstance(item, EventAccepted)
    assert item.id == item.event.id == ids.encode(ids.EVENT, entry.events[0].id)
    assert (item.event.description, item.event.deliveries) == ("It happened.", {"pending": 2})


async def test_a_changed_delivery_is_told_as_it_is_now(shop: Shop) -> None:
    delivery_id = await shop.deliver()
    place = await shop.store.journal.head()
    await shop.store.directory.remove_channel(shop.team, now=NOW)
    items = await since(shop.store, place)
    [delivery] = [item for item in items if isinstance(item, DeliveryChanged)]
    assert delivery.id == delivery.delivery.id == ids.encode(ids.DELIVERY, delivery_id)
    assert delivery.delivery.state is DeliveryState.DISCARDED
    assert (delivery.delivery.channel, delivery.delivery.category) == ("team", "sale")


async def test_a_changed_channel_shows_only_the_ends_of_its_secrets(shop: Shop) -> None:
    place = await shop.store.journal.head()
    secret = "a-secret-that-nobody-may-see"
    record = samples.channel("hook", secrets={"secret": secret}, settings={"label": "x"})
    await shop.store.directory.create_channel(shop.project_id, record, now=NOW)
    [item] = await since(shop.store, place)
    assert isinstance(item, ChannelChanged)
    assert item.channel is not None
    assert (item.id, item.channel.name) == (item.channel.id, "hook")
    assert item.channel.settings["label"] == "x"
    assert secret not in str(item)


async def test_a_changed_category_is_told_with_its_channels(shop: Shop) -> None:
    place = await shop.store.journal.head()
    await shop.store.directory.change_category(
        shop.category_id, CategoryChange(channels=("boss",), emoji="💰"), now=NOW
    )
    [item] = await since(shop.store, place)
    assert isinstance(item, CategoryChanged)
    assert item.category is not None
    assert (item.category.emoji, item.category.channels) == ("💰", ("boss",))


async def test_an_issued_and_a_revoked_key_is_told_without_its_value(shop: Shop) -> None:
    place = await shop.store.journal.head()
    issued = await shop.store.directory.create_api_key(samples.api_key(shop.project_id), now=NOW)
    await shop.store.directory.revoke_api_key(ids.decode(ids.API_KEY, issued.id), now=NOW)
    [item] = await since(shop.store, place)
    assert isinstance(item, KeyChanged)
    assert item.api_key is not None
    assert (item.id, item.api_key.prefix) == (issued.id, "slp_abcd")
    assert item.api_key.revoked_at is not None


async def test_a_changed_project_is_told(shop: Shop) -> None:
    place = await shop.store.journal.head()
    await shop.store.directory.change_project(
        shop.project_id, ProjectChange(monthly_quota=9), now=NOW
    )
    [item] = await since(shop.store, place)
    assert isinstance(item, ProjectChanged)
    assert item.project is not None
    assert (item.project.name, item.project.monthly_quota) == ("shop", 9)


async def test_of_what_was_removed_only_its_id_is_told(shop: Shop) -> None:
    place = await shop.store.journal.head()
    await shop.store.directory.remove_project(shop.project_id, now=NOW)
    told = {(item.id, _thing(item)) for item in await since(shop.store, place)}
    assert told == {
        (ids.encode(ids.CHANNEL, shop.team), None),
        (ids.encode(ids.CHANNEL, shop.boss), None),
        (ids.encode(ids.CATEGORY, shop.category_id), None),
        (ids.encode(ids.PROJECT, shop.project_id), None),
    }


async def test_an_event_that_is_gone_for_good_is_not_told(shop: Shop) -> None:
    place = await shop.store.journal.head()
    await shop.store.inbox.accept(shop.entry(channels=[shop.team]))

    def forget(connection: sqlite3.Connection) -> None:
        connection.execute("delete from event")

    await shop.store._writer.run(forget)
    assert await since(shop.store, place) == []


class CountingReaders(Readers):
    """Counts what it is asked."""

    asked = 0

    async def fetch(self, sql: str, parameters: Any = ()) -> list[sqlite3.Row]:
        """As it is."""
        self.asked += 1
        return await super().fetch(sql, parameters)


async def test_many_things_take_no_more_queries_than_one(store: SqliteStore, shop: Shop) -> None:
    numbers = [await shop.deliver(channel=await shop.channel(f"more-{n}")) for n in range(20)]
    readers = await CountingReaders.open(store.path)
    assert isinstance(readers, CountingReaders)
    subjects = Subjects(readers, Vault([VAULT_KEY]))
    asked = []
    for some in (numbers[:1], numbers):
        before = readers.asked
        lines = [(JournalKind.DELIVERY_CHANGED, number) for number in some]
        lines += [(JournalKind.CHANNEL_CHANGED, number) for number in some]
        assert len(await subjects.items(lines)) == len(lines)
        asked.append(readers.asked - before)
    await readers.close()
    assert asked == [2, 2]


def _thing(item: FeedItem) -> object:
    match item:
        case ChannelChanged():
            return item.channel
        case CategoryChanged():
            return item.category
        case ProjectChanged():
            return item.project
    return item
