"""The engine on a real store, with a clock that stands still and a notifier that records."""

import asyncio
import importlib.metadata
import io
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from slowping.config import NotifiersSection
from slowping.core import errors, ids
from slowping.core.breaker import Probe
from slowping.core.category import NewCategory
from slowping.core.channel import StoredChannel
from slowping.core.delivery import (
    Delivery,
    DeliveryDetail,
    DeliveryFilter,
    DeliveryState,
    Hold,
    Lane,
    LeasedDelivery,
    Settlement,
)
from slowping.core.event import EventDraft, Receipt
from slowping.core.project import NewProject
from slowping.notifiers.port import Http, HttpAnswer, Tools
from slowping.notifiers.registry import GROUP, Registry
from slowping.server.dispatch.dispatcher import Dispatcher
from slowping.server.ingest import Ingest, Submission
from slowping.server.roster import Roster
from slowping.server.tally import Tally
from slowping.store.port import ChannelRecord, Outbox, Store
from slowping.store.sqlite.outbox import Outbox as SqliteOutbox
from slowping.testing import FrozenClock, RecordingNotifier

KINDS = {
    "recording": "slowping.testing:RecordingNotifier",
    "single": "tests.server.strangers:Single",
    "picky": "tests.server.strangers:Picky",
    "clumsy": "tests.server.strangers:Clumsy",
    "lost": "tests.server.strangers:Lost",
    "named": "tests.server.strangers:Named",
    "counting": "tests.server.strangers:Counting",
    "discord": "slowping.notifiers.discord:Discord",
    "telegram": "slowping.notifiers.telegram:Telegram",
}


class WatchedOutbox(SqliteOutbox):
    """Counts what the dispatcher asks of it, and fails where it is told to."""

    def __init__(self, store: Store) -> None:
        assert isinstance(store.outbox, SqliteOutbox)
        super().__init__(store.outbox._writer, store.outbox._readers)
        self.full: set[str] = set()
        """Deeds that cannot be done now, as when the disk is full."""
        self.broken: set[str] = set()
        """Deeds that fail in a way nobody has thought of."""
        self.refused = 0
        self.leased: list[int] = []
        self.looks = 0
        self.steps_back = 0
        self.after_lease: Callable[[], Awaitable[object]] | None = None
        self.after_settle: Callable[[], Awaitable[None]] | None = None
        self._changed = asyncio.Event()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so."""
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    def _check(self, deed: str) -> None:
        self._changed.set()
        if deed in self.broken:
            raise LookupError(deed)
        if deed in self.full:
            self.refused += 1
            raise errors.Unavailable("The disk is full.")

    async def lanes(self) -> Sequence[Lane]:
        """Counts, or fails."""
        self._check("lanes")
        found = await super().lanes()
        self.looks += 1
        self._changed.set()
        return found

    async def lease(
        self,
        channel_id: int,
        *,
        now: int,
        until: int,
        owner: str,
        limit: int,
        probe: Probe | None = None,
    ) -> Sequence[LeasedDelivery]:
        """Notes the channel, or fails."""
        self._check("lease")
        leased = await super().lease(
            channel_id, now=now, until=until, owner=owner, limit=limit, probe=probe
        )
        self.leased.append(channel_id)
        self._changed.set()
        if self.after_lease is not None:
            await self.after_lease()
        return leased

    async def settle(
        self, channel_id: int, settlements: Sequence[Settlement], *, now: int
    ) -> int | None:
        """Goes on with `after_settle`, or fails."""
        self._check("settle")
        due_at = await super().settle(channel_id, settlements, now=now)
        if self.after_settle is not None:
            await self.after_settle()
        return due_at

    async def free_leases(self, *, owner: str, now: int, busy: Collection[int] = ()) -> int:
        """As it is, or fails."""
        self._check("free_leases")
        return await super().free_leases(owner=owner, now=now, busy=busy)

    async def step_back(self, ids: Sequence[int], *, by: int, now: int) -> int:
        """As it is, or fails: at once, or from the fourth step on."""
        self._check("step_back")
        self.steps_back += 1
        if self.steps_back > 3:
            self._check("fourth step_back")
        return await super().step_back(ids, by=by, now=now)

    async def step_back_holds(self, *, by: int) -> None:
        """As it is, or fails."""
        self._check("step_back_holds")
        await super().step_back_holds(by=by)

    async def expire(self, *, now: int) -> int:
        """As it is, or fails."""
        self._check("expire")
        return await super().expire(now=now)

    async def holds(self) -> Sequence[Hold]:
        """As it is, or fails."""
        self._check("holds")
        return await super().holds()


class NoHttp:
    """For notifiers that speak to nobody."""

    async def post(
        self, url: str, content: bytes, headers: Mapping[str, str], *, timeout_s: float = 15.0
    ) -> HttpAnswer:
        """Fails."""
        raise AssertionError(f"nothing is to be sent to {url}")


def registry(clock: FrozenClock, http: Http) -> Registry:
    """The kinds of channel that these tests know."""
    sections = NotifiersSection()

    def tools_for(kind: str) -> Tools:
        return Tools(
            http=http,
            guarded_http=http,
            now_ms=clock.now_ms,
            terminal=io.StringIO(),
            section=getattr(sections, kind, {}),
        )

    entry_points = [
        importlib.metadata.EntryPoint(name=kind, value=place, group=GROUP)
        for kind, place in KINDS.items()
    ]
    return Registry(tools_for, entry_points)


class Engine:
    """An inbox, a dispatcher and what they share; `start` it to have things sent."""

    def __init__(self, store: Store, clock: FrozenClock, http: Http | None = None) -> None:
        """`http` is what notifiers speak to that send requests."""
        self.store = store
        self.clock = clock
        self.roster = Roster(store.directory)
        self.registry = registry(clock, http or NoHttp())
        self.tally = Tally()
        self.told: list[tuple[str, str]] = []
        """Names of channels that were paused, and why, as their owners were told."""
        self.project_id = 0
        self.jitter = 0.5
        self.draw: Callable[[], float] = lambda: self.jitter
        self._running: list[asyncio.Task[None]] = []
        self.dispatcher = self.new_dispatcher()
        self.ingest = Ingest(
            store.inbox,
            store.directory,
            self.roster,
            store.ids,
            now_ms=clock.now_ms,
            wake=self.wake,
            forget=self.forget,
            tally=self.tally,
        )

    def new_dispatcher(self, outbox: Outbox | None = None) -> Dispatcher:
        """Another process, which takes over from now on."""
        self.dispatcher = Dispatcher(
            outbox or self.store.outbox,
            self.store.directory,
            self.registry,
            self.clock,
            jitter=lambda: self.draw(),
            tell_owner=self.tell_owner,
            tally=self.tally,
        )
        return self.dispatcher

    def wake(self, channel_ids: Iterable[int]) -> None:
        """Wake the dispatcher of the moment."""
        self.dispatcher.wake(channel_ids)

    def forget(self, channel_id: int) -> None:
        """Tell the dispatcher of the moment."""
        self.dispatcher.forget(channel_id)

    async def tell_owner(self, channel: StoredChannel, reason: str) -> None:
        """Keep what an owner is told."""
        self.told.append((channel.name, reason))

    def notifier(self, kind: str = "recording") -> RecordingNotifier:
        """The one notifier of a kind."""
        found = self.registry.notifier(kind)
        assert isinstance(found, RecordingNotifier)
        return found

    # What a test sets up ---------------------------------------------------------------------

    async def project(self, name: str = "shop") -> int:
        """Make a project with a category `sale`; what follows goes there."""
        now = self.clock.now_ms()
        made = await self.store.directory.create_project(NewProject(name=name), now=now)
        self.project_id = ids.decode(ids.PROJECT, made.id)
        await self.store.directory.create_category(
            self.project_id, NewCategory(name="sale", emoji="💰"), now=now
        )
        await self.roster.renew()
        return self.project_id

    async def channel(self, name: str = "team", kind: str = "recording", **settings: Any) -> int:
        """Make a channel, labelled by its name where the settings don't say otherwise."""
        if KINDS.get(kind, "tests").startswith(("tests", "slowping.testing")):
            settings = {"label": name, **settings}
        record = ChannelRecord(name=name, kind=kind, settings=settings, secrets={})
        made = await self.store.directory.create_channel(
            self.project_id, record, now=self.clock.now_ms()
        )
        await self.roster.renew_project(self.project_id)
        return ids.decode(ids.CHANNEL, made.id)

    async def change(self, channel_id: int, name: str = "team", **settings: Any) -> None:
        """Change a channel's settings, as the API does."""
        record = ChannelRecord(name=name, kind="recording", settings=settings, secrets={})
        await self.store.directory.change_channel(channel_id, record, now=self.clock.now_ms())
        await self.roster.renew_project(self.project_id)
        self.dispatcher.forget(channel_id)

    async def pause(self, channel_id: int) -> None:
        """Pause a channel, as the API does."""
        now = self.clock.now_ms()
        await self.store.directory.pause_channel(channel_id, "by hand", now=now)
        self.dispatcher.forget(channel_id)

    async def resume(self, channel_id: int) -> None:
        """Resume a channel, as the API does."""
        await self.store.directory.resume_channel(channel_id, now=self.clock.now_ms())
        self.dispatcher.forget(channel_id)

    async def remove(self, channel_id: int) -> None:
        """Remove a channel, as the API does."""
        await self.store.directory.remove_channel(channel_id, now=self.clock.now_ms())
        await self.roster.renew_project(self.project_id)
        self.dispatcher.forget(channel_id)

    async def accept(
        self,
        *descriptions: str,
        dialect: str = "slowping",
        only: int | None = None,
        project_id: int | None = None,
    ) -> Receipt:
        """Accept an event for each description, in one request; to one channel with `only`."""
        project_id = project_id or self.project_id
        tenant = self.roster.tenant(project_id)
        assert tenant is not None
        others = () if only is None else set(tenant.drawers["sale"].channel_ids) - {only}
        return await self.ingest.accept(
            Submission(
                drafts=[EventDraft(category="sale", description=text) for text in descriptions],
                principal=None,
                project_id=project_id,
                dialect=dialect,
                create_categories=True,
                skip_channels=others,
            )
        )

    # Running ---------------------------------------------------------------------------------

    def start(self) -> None:
        """Run the dispatcher."""
        self._running.append(asyncio.create_task(self.dispatcher.run()))

    def watch_outbox(self) -> WatchedOutbox:
        """Have the dispatcher work on an outbox that can be watched, and can fail."""
        outbox = WatchedOutbox(self.store)
        self.new_dispatcher(outbox)
        return outbox

    async def quiet(self) -> None:
        """Wait until nothing is on its way and nothing more is due."""
        while True:
            await self.clock.is_waited_on()
            lanes = list(self.dispatcher._lanes.values())
            if not lanes:
                return
            await asyncio.wait(lanes)

    async def run_until_quiet(self) -> None:
        """Run the dispatcher for the first time, until nothing more is due."""
        self.start()
        await self.quiet()

    async def passes(self, seconds: float) -> None:
        """Let time pass, and what is due by then be sent."""
        self.clock.advance(seconds)
        await self.quiet()

    async def goes_on(self, most_s: float) -> float:
        """Let time pass from one moment to the next at which something is due, until nothing is.

        Gives the seconds that took; fails after `most_s`.
        """
        started = self.clock.now_ms()
        await self.quiet()
        while DeliveryState.PENDING in await self.store.outbox.count_by_state():
            due_at = self.dispatcher._timetable.next_due() or 0
            await self.passes(max(1, due_at - self.clock.now_ms()) / 1000)
            passed_s = (self.clock.now_ms() - started) / 1000
            assert passed_s <= most_s, "something still waits"
        return (self.clock.now_ms() - started) / 1000

    async def kill(self) -> None:
        """End the dispatcher as a power cut would: nothing more is written."""
        doomed = [*self._running, *self.dispatcher._lanes.values()]
        self._running.clear()
        for task in doomed:
            task.cancel()
        await asyncio.gather(*doomed, return_exceptions=True)

    async def close(self) -> None:
        """Stop, and report what the loop failed with, if it did."""
        await self.dispatcher.stop(0)
        await asyncio.gather(*self._running)

    # What a test looks at --------------------------------------------------------------------

    async def deliveries(self, channel: str | None = None) -> Sequence[Delivery]:
        """Deliveries, oldest first."""
        listed = await self.store.outbox.list_deliveries(
            DeliveryFilter(channel=channel), before=None, limit=1_000
        )
        return list(reversed(listed))

    async def delivery(self, channel: str | None = None) -> Delivery:
        """The only delivery."""
        [found] = await self.deliveries(channel)
        return found

    async def detail(self, channel: str | None = None) -> DeliveryDetail:
        """The only delivery, with its attempts."""
        found = await self.delivery(channel)
        return await self.store.outbox.delivery(ids.decode(ids.DELIVERY, found.id))

    async def stored(self, channel_id: int) -> StoredChannel:
        """A channel as the store has it."""
        return await self.store.directory.stored_channel(channel_id)

    def due_in_s(self, delivery: Delivery) -> float:
        """Seconds until a delivery is tried next."""
        assert delivery.due_at is not None
        return delivery.due_at.timestamp() - self.clock.now_ms() / 1000


def bodies(notifier: RecordingNotifier) -> list[list[str]]:
    """The descriptions in each batch that was sent."""
    return [[notification.body for notification in batch] for batch in notifier.batches]
