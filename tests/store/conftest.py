"""A shop to store things for: one project with a category and two channels."""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import AsyncIterator, Mapping, Sequence

import pytest

from slowping.core import ids
from slowping.core.category import NewCategory
from slowping.core.delivery import (
    AttemptOutcome,
    AttemptRecord,
    DeliveryFilter,
    DeliveryState,
    LeasedDelivery,
    Settlement,
)
from slowping.core.project import NewProject
from slowping.store.port import DeliveryRow, Entry, EventRow, Idempotency, Requeued, Store
from slowping.store.sqlite.store import SqliteStore
from tests.store import samples
from tests.store.samples import NOW

MONTH = 202605
EVERYTHING = DeliveryFilter()
LATER = NOW + 60_000
BUSY = "HTTP 503: it's busy"


class Shop:
    """Shorthands for what a test asks of the writing half of a store."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.project_id = 0
        self.category_id = 0
        self.team = 0
        """The id of a channel; the other one's is `boss`."""
        self.boss = 0

    async def furnish(self, name: str = "shop") -> "Shop":
        """Make the project and what is in it."""
        directory = self.store.directory
        project = await directory.create_project(NewProject(name=name), now=NOW)
        self.project_id = ids.decode(ids.PROJECT, project.id)
        category = await directory.create_category(
            self.project_id, NewCategory(name="sale"), now=NOW
        )
        self.category_id = ids.decode(ids.CATEGORY, category.id)
        self.team = await self.channel("team")
        self.boss = await self.channel("boss")
        return self

    async def channel(self, name: str) -> int:
        """Make one more channel."""
        made = await self.store.directory.create_channel(
            self.project_id, samples.channel(name), now=NOW
        )
        return ids.decode(ids.CHANNEL, made.id)

    def entry(
        self,
        *,
        count: int = 1,
        channels: Sequence[int] = (),
        at: int = NOW,
        category_id: int | None = None,
        promise: Idempotency | None = None,
        description: str | None = None,
        expires_at: int | None = None,
    ) -> Entry:
        """Some events, each with a delivery to each of the channels."""
        first = self.store.ids.take(at, count)
        place = (self.project_id, category_id or self.category_id, None, "slowping", None)
        events = tuple(
            EventRow(number, *place, description, None, '{"amount":49.5}', None, at, True, 15)
            for number in range(first, first + count)
        )
        deliveries = tuple(
            DeliveryRow(
                self.store.ids.take(at), event.id, self.project_id, channel, at, expires_at, None
            )
            for event in events
            for channel in channels
        )
        return Entry(
            project_id=self.project_id,
            month=MONTH,
            received_at=at,
            events=events,
            deliveries=deliveries,
            idempotency=promise,
        )

    async def deliver(
        self, *, at: int = NOW, channel: int | None = None, expires_at: int | None = None
    ) -> int:
        """Accept an event with one delivery, and give the delivery's id."""
        entry = self.entry(at=at, channels=[channel or self.team], expires_at=expires_at)
        await self.store.inbox.accept(entry)
        return entry.deliveries[0].id

    async def lease(
        self, *, now: int = NOW, limit: int = 10, channel: int | None = None, owner: str = "me"
    ) -> Sequence[LeasedDelivery]:
        """Claim what is due."""
        return await self.store.outbox.lease(
            channel or self.team, now=now, until=now + 60_000, owner=owner, limit=limit
        )

    async def retry(
        self,
        which: DeliveryFilter = EVERYTHING,
        numbers: Sequence[int] | None = None,
        *,
        now: int = NOW,
    ) -> Requeued:
        """Make deliveries due now, in as many steps as it takes."""
        steps = [step async for step in self.store.outbox.retry(which, numbers, now=now)]
        return Requeued(
            moved=sum(step.moved for step in steps),
            channel_ids=tuple({number for step in steps for number in step.channel_ids}),
        )

    async def discard(
        self,
        which: DeliveryFilter = EVERYTHING,
        numbers: Sequence[int] | None = None,
        *,
        now: int = NOW,
    ) -> int:
        """Give deliveries up, in as many steps as it takes."""
        return sum([moved async for moved in self.store.outbox.discard(which, numbers, now=now)])

    async def peek(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """What really stands in the database."""
        return [tuple(row) for row in await self.store._readers.fetch(sql, values)]

    async def plan(self, sql: str, values: Mapping[str, object]) -> list[str]:
        """How SQLite means to go about a query."""
        steps = await self.store._readers.fetch(f"explain query plan {sql}", values)
        return [step["detail"] for step in steps]

    @contextlib.asynccontextmanager
    async def one_batch(self) -> AsyncIterator[None]:
        """Hold the writer, so that all that is begun in this block is written in one batch."""
        begun, let_go = threading.Event(), threading.Event()

        def hold(_: object) -> None:
            begun.set()
            let_go.wait(10)

        holding = asyncio.ensure_future(self.store._writer.run(hold))
        await asyncio.to_thread(begun.wait, 10)
        yield
        await asyncio.sleep(0)  # what was begun gets as far as the writer's queue
        let_go.set()
        await holding

    async def fill_disk(self, pages: int = 0) -> None:
        """Let the database grow by so many pages and no further."""

        def limit(connection: sqlite3.Connection) -> None:
            [(size,)] = connection.execute("pragma page_count").fetchall()
            connection.execute(f"pragma max_page_count = {size + pages}").fetchall()

        await self.store._writer.run(limit)


class Shelf:
    """A delivery in each state, a second apart, named by the first letter of the state.

    In capitals: one of another project (`O`) and one to another channel by another category (`B`).
    """

    def __init__(self, shop: Shop, other: Shop) -> None:
        self.shop = shop
        self.other = other
        self.by_name: dict[str, int] = {}
        self.event_id = 0

    async def fill(self) -> "Shelf":
        """Bring each to its state."""
        shop, store = self.shop, self.shop.store
        for number, name in enumerate("fdxl"):
            self.by_name[name] = await shop.deliver(at=NOW + number * 1_000)
        await shop.lease(now=LATER)
        tried = AttemptRecord(started_at=NOW, duration_ms=1, outcome=AttemptOutcome.REJECTED)
        await store.outbox.settle(
            shop.team,
            [
                Settlement(
                    delivery_id=self.by_name[name], state=state, attempt=tried, last_error=error
                )
                for name, state, error in (
                    ("f", DeliveryState.FAILED, BUSY),
                    ("d", DeliveryState.DELIVERED, None),
                    ("x", DeliveryState.FAILED, BUSY),
                )
            ],
            now=LATER,
        )
        await shop.discard(EVERYTHING, [self.by_name["x"]], now=LATER)
        bug = await store.directory.create_category(
            shop.project_id, NewCategory(name="bug"), now=NOW
        )
        entry = shop.entry(
            at=NOW + 4_000,
            channels=[shop.boss],
            category_id=ids.decode(ids.CATEGORY, bug.id),
        )
        await store.inbox.accept(entry)
        self.event_id = entry.events[0].id
        self.by_name["B"] = entry.deliveries[0].id
        self.by_name["O"] = await self.other.deliver(at=NOW + 5_000)
        self.by_name["p"] = await shop.deliver(at=NOW + 6_000)
        return self

    async def listed(self, which: DeliveryFilter, before: int | None = None, limit: int = 9) -> str:
        """What a listing shows, as names."""
        found = await self.shop.store.outbox.list_deliveries(which, before=before, limit=limit)
        numbers = [ids.decode(ids.DELIVERY, one.id) for one in found]
        return "".join(self.name_of(number) for number in numbers)

    def name_of(self, number: int) -> str:
        """The name of a delivery."""
        return next(name for name, known in self.by_name.items() if known == number)

    async def states(self) -> dict[str, str]:
        """The states that all are in now, by the first letter."""
        found = await self.shop.peek("select id, state from delivery")
        letter = {state: state[0] for state in DeliveryState} | {DeliveryState.DISCARDED: "x"}
        return {
            self.name_of(number): letter[DeliveryState(str(state))]
            for number, state in found
            if isinstance(number, int)
        }


@pytest.fixture
async def shop(store: Store) -> Shop:
    assert isinstance(store, SqliteStore)
    return await Shop(store).furnish()


@pytest.fixture
async def shelf(shop: Shop) -> Shelf:
    return await Shelf(shop, await Shop(shop.store).furnish("other")).fill()
