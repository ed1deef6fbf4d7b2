import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable

import pytest

from slowping.core import errors, ids
from slowping.core.feed import FeedFilter
from slowping.server.feed import HEARTBEAT_S, MAX_READERS, MAX_READERS_OF_KEY, PAGE, Feed
from slowping.store.port import FeedPage, Store
from slowping.store.sqlite.store import SqliteStore
from slowping.testing import FrozenClock
from tests.store.conftest import Shop


@pytest.fixture
async def shop(store: Store) -> Shop:
    assert isinstance(store, SqliteStore)
    return await Shop(store).furnish()


@pytest.fixture
def feed(store: Store, clock: FrozenClock) -> Feed:
    return Feed(store.journal, clock)


class Reader:
    """Reads in a task of its own, so that a page can be awaited and the reading broken off."""

    def __init__(
        self, feed: Feed, cursor: str | None, view: Callable[[], FeedFilter], key_id: int
    ) -> None:
        self.pages: asyncio.Queue[FeedPage | None] = asyncio.Queue()
        self.task = asyncio.create_task(self._read(feed.follow(cursor, view, key_id=key_id)))

    async def page(self) -> FeedPage:
        """The next page."""
        page = await self.pages.get()
        assert page is not None, "the feed ended"
        return page

    async def ids(self, count: int) -> list[str]:
        """Of the next so many things that happened."""
        found: list[str] = []
        while len(found) < count:
            found += [entry.item.id for entry in (await self.page()).entries]
        return found

    async def _read(self, following: AsyncGenerator[FeedPage, None]) -> None:
        try:
            async with contextlib.aclosing(following) as pages:
                async for page in pages:
                    self.pages.put_nowait(page)
        finally:
            self.pages.put_nowait(None)


Follow = Callable[..., Reader]

KEY = 1_000_000


@pytest.fixture
async def follow(feed: Feed) -> AsyncIterator[Follow]:
    """Begin to read; as an admin does, from now on, if nothing else is said."""
    readers: list[Reader] = []

    def begin(
        cursor: str | None = None,
        view: Callable[[], FeedFilter] = FeedFilter,
        key_id: int | None = None,
    ) -> Reader:
        # A key of its own for each, unless it matters.
        number = len(readers) if key_id is None else key_id
        readers.append(Reader(feed, cursor, view, number))
        return readers[-1]

    yield begin
    feed.close()
    await asyncio.gather(*(reader.task for reader in readers), return_exceptions=True)


async def happen(shop: Shop, count: int = 1) -> list[str]:
    """Accept events, each by itself, and give their ids."""
    accepted = []
    for _ in range(count):
        entry = shop.entry()
        await shop.store.inbox.accept(entry)
        accepted.append(ids.encode(ids.EVENT, entry.events[0].id))
    return accepted


async def test_a_new_reader_is_told_at_once_where_it_stands(shop: Shop, follow: Follow) -> None:
    await happen(shop)
    page = await follow().page()
    assert (page.entries, page.reset) == ((), False)
    assert page.cursor == await shop.store.journal.head()


async def test_what_happens_reaches_every_reader_without_anyone_asking(
    shop: Shop, follow: Follow
) -> None:
    readers = [follow() for _ in range(3)]
    for reader in readers:
        await reader.page()
    happened = await happen(shop)
    async with asyncio.timeout(5):
        assert [await reader.ids(1) for reader in readers] == [happened] * 3


async def test_a_reader_goes_on_where_it_was_without_gap_or_repeat(
    shop: Shop, follow: Follow
) -> None:
    first = follow()
    await first.page()
    [seen] = await happen(shop)
    page = await first.page()
    assert [entry.item.id for entry in page.entries] == [seen]
    first.task.cancel()
    missed = await happen(shop, 3)
    again = follow(page.cursor)
    assert await again.ids(3) == missed
    later = await happen(shop)
    assert await again.ids(1) == later


async def test_a_long_absence_is_read_page_by_page(shop: Shop, follow: Follow) -> None:
    place = await shop.store.journal.head()
    entry = shop.entry(count=2 * PAGE + 1)
    await shop.store.inbox.accept(entry)
    reader = follow(place)
    pages = [await reader.page() for _ in range(3)]
    assert [len(page.entries) for page in pages] == [PAGE, PAGE, 1]
    assert [page.more for page in pages] == [True, True, False]


async def test_many_changes_that_come_together_are_told_together(
    shop: Shop, follow: Follow
) -> None:
    reader = follow()
    await reader.page()
    happened = await happen(shop, 20)
    assert await reader.ids(20) == happened
    assert reader.pages.qsize() == 0


async def test_a_place_that_is_lost_is_reset_and_the_reading_goes_on(
    shop: Shop, follow: Follow
) -> None:
    reader = follow("of-another-server-1")
    page = await reader.page()
    assert page.reset
    happened = await happen(shop)
    assert await reader.ids(1) == happened


async def test_a_reader_hears_something_every_15_seconds(
    shop: Shop, follow: Follow, clock: FrozenClock
) -> None:
    reader = follow()
    first = await reader.page()
    await clock.is_waited_on()
    for _ in range(3):
        clock.advance(HEARTBEAT_S - 1)
        await clock.is_waited_on()
        assert reader.pages.empty()
        clock.advance(1)
        page = await reader.page()
        assert (page.entries, page.cursor) == ((), first.cursor)
        await clock.is_waited_on()


async def test_what_others_hear_keeps_nobody_from_a_heartbeat(
    shop: Shop, follow: Follow, clock: FrozenClock
) -> None:
    other = follow()
    await other.page()
    reader = follow(view=lambda: FeedFilter(categories=("none",)))
    await reader.page()
    for _ in range(2):
        await clock.is_waited_on()
        clock.advance(HEARTBEAT_S * 0.6)
        await happen(shop)
        await other.ids(1)
    assert (await reader.page()).entries == ()


async def test_a_clock_that_was_set_back_silences_nobody(
    shop: Shop, follow: Follow, clock: FrozenClock, feed: Feed
) -> None:
    reader = follow()
    await reader.page()
    await clock.is_waited_on()
    clock.step(-3600)
    feed.wake()
    assert (await reader.page()).entries == ()


async def test_the_reader_is_asked_before_each_page_what_it_may_see(
    shop: Shop, follow: Follow
) -> None:
    views = [FeedFilter(), FeedFilter(project_ids=())]

    def view() -> FeedFilter:
        if not views:
            raise errors.UnknownApiKey
        return views.pop(0)

    reader = follow(view=view)
    await reader.page()
    await happen(shop)
    await happen(shop)
    with pytest.raises(errors.UnknownApiKey):
        await reader.task
    assert reader.pages.get_nowait() is None


async def test_a_server_that_stops_ends_every_reading_and_begins_no_other(
    shop: Shop, feed: Feed, follow: Follow
) -> None:
    readers = [follow(), follow()]
    for reader in readers:
        await reader.page()
    feed.close()
    async with asyncio.timeout(5):
        await asyncio.gather(*(reader.task for reader in readers))
    with pytest.raises(errors.Unavailable, match="stopping"):
        feed.follow(None, FeedFilter, key_id=KEY)


async def test_there_is_a_last_reader(feed: Feed, follow: Follow) -> None:
    readers = [follow() for _ in range(MAX_READERS)]
    for reader in readers:
        await reader.page()
    with pytest.raises(errors.Unavailable, match="200 readers"):
        feed.follow(None, FeedFilter, key_id=KEY)
    readers[0].task.cancel()
    await asyncio.gather(readers[0].task, return_exceptions=True)
    await follow().page()


async def test_readers_that_come_at_the_same_moment_are_no_more_than_may_read(feed: Feed) -> None:
    arrived = [feed.follow(None, FeedFilter, key_id=KEY) for _ in range(MAX_READERS_OF_KEY + 1)]
    for pages in arrived[:-1]:
        await anext(pages)
    with pytest.raises(errors.Unavailable, match="50 readers follow the feed with this API key"):
        await anext(arrived[-1])
    for pages in arrived:
        await pages.aclose()
    async with contextlib.aclosing(feed.follow(None, FeedFilter, key_id=KEY)) as pages:
        assert await anext(pages)


async def test_one_key_leaves_room_for_the_others(feed: Feed, follow: Follow) -> None:
    readers = [follow(key_id=KEY) for _ in range(MAX_READERS_OF_KEY)]
    for reader in readers:
        await reader.page()
    with pytest.raises(errors.Unavailable, match="50 readers follow the feed with this API key"):
        feed.follow(None, FeedFilter, key_id=KEY)
    await follow().page()
    readers[0].task.cancel()
    await asyncio.gather(readers[0].task, return_exceptions=True)
    await follow(key_id=KEY).page()
