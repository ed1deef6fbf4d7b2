"""Run the real store and dispatcher beside the model, and compare them after each step."""

import asyncio
import collections
import io
from collections.abc import Collection, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Final

from slowping.core import errors, ids
from slowping.core.delivery import Delivered, DeliveryFilter, DeliveryState, Outcome
from slowping.core.event import EventDraft, Receipt
from slowping.core.retention import DAY_MS, FOR_EVER, Keeping, What
from slowping.notifiers.port import Tools
from slowping.notifiers.registry import GROUP, Registry
from slowping.server.dispatch.replay import Order, Replayer
from slowping.server.ingest import Submission
from slowping.server.process.pruning import Pruner
from slowping.server.tally import Tally
from slowping.store import open_store
from slowping.store.sqlite.store import SqliteStore
from slowping.store.vault import Vault
from slowping.testing import FrozenClock
from tests.conftest import VAULT_KEY
from tests.laboratory.scripted import Scripted, Way
from tests.server.engine import Engine, NoHttp
from tests.torture import recount
from tests.torture.duty import (
    DELIVERED,
    DISCARDED,
    FAILED,
    LEASED,
    PENDING,
    Accepted,
    Duty,
    Outlet,
    require,
)
from tests.torture.model import Model

CATEGORY: Final = "sale"

RECOVERY_STEPS: Final = 4
RECOVERY_STEP_S: Final = 28_800.0
"""In the end so much time passes: a little more than the longest wait there may be."""

_JOURNAL: Final = "select seq, kind, subject_id from journal where seq > ? order by seq"
_LEASED: Final = "select id from delivery where state = 'leased'"
_DELIVERIES: Final = "select id, event_id, channel_id from delivery order by id"


class World:
    """One project on a real store, its dispatcher, its far sides, and the model of them all."""

    def __init__(self, folder: Path, tally: collections.Counter[str]) -> None:
        self._path = folder / "slowping.db"
        self.tally = tally
        self.clock = FrozenClock()
        self.model = Model()
        self.store: SqliteStore
        self.engine: Engine
        self.far_side: Scripted
        self._project_id = 0
        self._told = 0
        """How much of what the far sides were told the model knows."""
        self._seq = 0
        """How much of the journal was looked at."""
        self._shown: dict[int, tuple[DeliveryState, int]] = {}
        """How deliveries stood when they were looked at last, and how many attempts they had."""
        self._accepted: list[int] = []
        """Events that the journal has told of."""
        self._stepped_back = False
        self._receipts: dict[str, tuple[list[EventDraft], Receipt]] = {}

    # Its life ---------------------------------------------------------------------------------

    async def open(self) -> None:
        """Begin."""
        await self._start()
        self._project_id = await self.engine.project()
        for name, expire_after_s in (("team", None), ("boss", None), ("pager", 600)):
            await self.add_channel(name, expire_after_s)

    async def close(self) -> None:
        """End."""
        await self.engine.kill()
        await self.store.close()

    async def crash(self) -> None:
        """End at once whatever goes on, and begin anew on the same file."""
        ways = self.far_side.ways
        rows = await self.store._readers.fetch(_LEASED)
        self.model.crashed([row["id"] for row in rows], self.clock.now_ms())
        self.model.set_back(0, self.clock.now_ms())
        self._told = -1
        await self.close()
        await self._start()
        self.far_side.ways.update(ways)
        self.tally["crashes"] += 1

    async def _start(self) -> None:
        opened = await open_store(f"sqlite:{self._path}", Vault([VAULT_KEY]))
        assert isinstance(opened, SqliteStore)
        self.store = opened
        self.engine = Engine(self.store, self.clock)
        self.engine.registry = _registry(self.clock)
        self.engine.new_dispatcher()
        self.engine.project_id = self._project_id
        await self.engine.roster.renew()
        notifier = self.engine.registry.notifier(Scripted.kind)
        assert isinstance(notifier, Scripted)
        self.far_side, self._told = notifier, 0
        self.engine.start()

    async def settled(self) -> None:
        """Wait until nothing more happens by itself, then compare."""
        while not self._rests():
            self._hear()
            await asyncio.sleep(0)
        self._hear()
        self.model.rested()
        await self.compare()

    def _hear(self) -> None:
        """Hold what the far sides were told to the model, at once: it might never end."""
        while self._told < len(self.far_side.told):
            begins, message = self.far_side.told[self._told]
            (self.model.began if begins else self.model.ended)(message)
            self._told += 1
            self.tally["messages"] += begins

    def _rests(self) -> bool:
        """Whether the dispatcher waits, and every message on its way hangs.

        One that was answered or has taken too long hangs no more, though nothing has come of it.
        """
        dispatcher, waiters = self.engine.dispatcher, self.clock._waiters
        hanging = sum(not waiting.done() for waiting in self.far_side.on_their_way.values())
        return (
            len(dispatcher._lanes) == hanging
            and any(waiter.alarm is dispatcher._alarm for waiter in waiters)
            and all(map(self.clock._rests, waiters))
        )

    # What is asked for ------------------------------------------------------------------------

    async def add_channel(self, name: str, expire_after_s: int | None) -> None:
        """Make a channel."""
        settings = {} if expire_after_s is None else {"expire_after_s": expire_after_s}
        channel_id = await self.engine.channel(name, Scripted.kind, **settings)
        self.model.outlets[name] = Outlet(channel_id, name, expire_after_s)

    async def accept(self, bodies: Sequence[str], *, key: str | None, notify: bool) -> None:
        """Send events in one request, perhaps with an idempotency key that was used before."""
        drafts = [EventDraft(category=CATEGORY, description=body, notify=notify) for body in bodies]
        known = None if key is None else self._receipts.get(key)
        submission = Submission(
            drafts=drafts,
            principal=None,
            project_id=self._project_id,
            dialect="slowping",
            create_categories=True,
            idempotency_key=key,
        )
        try:
            receipt = await self.engine.ingest.accept(submission)
        except errors.IdempotencyKeyReused:
            require(known is not None and known[0] != drafts, f"{key} was never used otherwise")
            self.tally["keys refused"] += 1
            return
        if known is not None:
            require(known[0] == drafts, f"{key} was used with another request")
            require(receipt.deduplicated, f"{key} was used before")
            require(receipt.event_ids == known[1].event_ids, f"{receipt} instead of {known[1]}")
            self.tally["repeats"] += 1
            return
        require(not receipt.deduplicated, f"{key} is new")
        if key is not None:
            self._receipts[key] = (drafts, receipt)
        accepted = Accepted(self.clock.now_ms(), notify)
        self.model.events.update(dict.fromkeys(receipt.event_ids, accepted))
        self.model.events_ever += receipt.count
        self.tally["events"] += receipt.count
        await self._learn_deliveries(receipt.event_ids, self.model.targets() if notify else [])

    async def _learn_deliveries(self, event_ids: Collection[int], outlets: list[Outlet]) -> None:
        """Take note of new deliveries: one for each event and channel."""
        now, by_id = self.clock.now_ms(), {outlet.id: outlet for outlet in outlets}
        rows = [
            row
            for row in await self.store._readers.fetch(_DELIVERIES)
            if row["event_id"] in event_ids and row["id"] not in self.model.duties
        ]
        made = sorted((row["event_id"], row["channel_id"]) for row in rows)
        wanted = sorted((event_id, channel_id) for event_id in event_ids for channel_id in by_id)
        require(made == wanted, f"deliveries were made for {made} instead of {wanted}")
        for row in rows:
            outlet = by_id[row["channel_id"]]
            lives_s = outlet.expire_after_s
            expires_at = None if lives_s is None else now + 1000 * lives_s
            self.model.duties[row["id"]] = Duty(
                row["id"], row["event_id"], outlet, now, now, expires_at
            )
        self.tally["deliveries"] += len(rows)

    async def pause(self, outlet: Outlet) -> None:
        """Pause a channel by hand."""
        await self.engine.pause(outlet.id)
        outlet.is_paused = True
        self.model.forgot(outlet)

    async def resume(self, outlet: Outlet) -> None:
        """Resume a channel."""
        outlet.is_paused = False
        self.model.forgot(outlet)
        await self.engine.resume(outlet.id)

    async def remove(self, outlet: Outlet) -> None:
        """Remove a channel."""
        self.model.removed(outlet)
        await self.engine.remove(outlet.id)

    async def retry(
        self, numbers: Collection[int] | None, states: Collection[DeliveryState]
    ) -> None:
        """Retry deliveries that are in one of these states, these or all."""
        chosen = list(self.model.duties) if numbers is None else numbers
        expected = self.model.retried(chosen, states, self.clock.now_ms())
        moved = 0
        which = DeliveryFilter(states=tuple(states))
        given = None if numbers is None else list(numbers)
        async for step in self.store.outbox.retry(which, given, now=self.clock.now_ms()):
            self.engine.dispatcher.urge(step.channel_ids)
            moved += step.moved
        require(moved == expected, f"{moved} were retried instead of {expected}")

    async def discard(self, numbers: Collection[int] | None) -> None:
        """Discard deliveries, these or all."""
        chosen = list(self.model.duties) if numbers is None else numbers
        expected = self.model.discarded(chosen)
        given = None if numbers is None else list(numbers)
        steps = self.store.outbox.discard(DeliveryFilter(), given, now=self.clock.now_ms())
        moved = sum([step async for step in steps])
        require(moved == expected, f"{moved} were discarded instead of {expected}")

    async def replay(self, *, again: bool) -> None:
        """Replay all events that were to be told of."""
        before, now = set(self.model.duties), self.clock.now_ms()
        states = {FAILED, DISCARDED}
        if again:
            states.add(DELIVERED)
        queued = self.model.retried(before, states, now)
        replayer = Replayer(
            self.store, self.engine.roster, now_ms=self.clock.now_ms, wake=self.engine.wake
        )
        replayed = await replayer.replay(Order(project_ids=None, since=0, until=2**50, again=again))
        require(replayed.queued == queued, f"{replayed.queued} go out again, not {queued}")
        made = await self._learn_missing(now)
        require(replayed.made == made, f"{replayed.made} were missing instead of {made}")

    async def _learn_missing(self, now: int) -> int:
        """Take note of what a replay has made: deliveries to channels that are newer."""
        known = {(duty.event_id, duty.outlet.id) for duty in self.model.duties.values()}
        by_id = {outlet.id: outlet for outlet in self.model.targets()}
        made = [
            row
            for row in await self.store._readers.fetch(_DELIVERIES)
            if row["id"] not in self.model.duties
        ]
        pairs = sorted((row["event_id"], row["channel_id"]) for row in made)
        wanted = sorted(
            (event_id, channel_id)
            for event_id, event in self.model.events.items()
            for channel_id in by_id
            if event.notify and (event_id, channel_id) not in known
        )
        require(pairs == wanted, f"deliveries were made for {pairs} instead of {wanted}")
        for row in made:
            outlet = by_id[row["channel_id"]]
            self.model.duties[row["id"]] = Duty(row["id"], row["event_id"], outlet, now, now, None)
        return len(made)

    async def prune(self) -> None:
        """Let go of what is older than a day."""
        keeping = Keeping(events_days=1, attempts_days=FOR_EVER, journal_days=1)
        before = self.clock.now_ms() - DAY_MS
        gone = self.model.pruned(before, ids.floor(before))
        pruned = await Pruner(self.store.retention, keeping, self.clock, Tally()).prune()
        count = sum(part.number for part in pruned.parts if part.what is What.EVENTS)
        require(count == len(gone), f"{count} events went instead of {len(gone)}")
        self._receipts = {
            key: (drafts, receipt)
            for key, (drafts, receipt) in self._receipts.items()
            if receipt.first_event_id not in gone
        }
        self._shown = {one: how for one, how in self._shown.items() if one in self.model.duties}
        self._accepted = [number for number in self._accepted if number not in gone]
        self.tally["events pruned"] += count

    # The far sides and time -------------------------------------------------------------------

    def stand(self, outlet: Outlet, way: Way) -> None:
        """Have a far side answer in another way from now on."""
        self.far_side.ways[outlet.name] = way

    def answer(self, name: str, outcome: Outcome) -> None:
        """Have a message arrive that was on its way."""
        self.far_side.on_their_way[name].set_result(outcome)

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds)

    def step_clock(self, seconds: float) -> None:
        """Set the clock, on or back, while no time passes; it is noticed when something happens."""
        self.clock.step(seconds)
        if seconds < 0:
            self._stepped_back = True
            by = self.engine.dispatcher._latest - self.clock.now_ms()
            self.model.set_back(max(0, by), self.clock.now_ms())
        self.engine.dispatcher._alarm.set()

    async def recover(self) -> None:
        """Mend everything and wait: what is not ended then is lost."""
        for outlet in self.model.targets():
            self.stand(outlet, Way.TAKES)
        for name in list(self.far_side.on_their_way):
            self.answer(name, Delivered(reference="late"))
        await self.settled()
        for outlet in self.model.targets():
            await self.resume(outlet)
        for _ in range(RECOVERY_STEPS):
            await self.settled()
            self.pass_time(RECOVERY_STEP_S)
        await self.settled()
        open_ones = [duty for duty in self.model.duties.values() if duty.state in (PENDING, LEASED)]
        require(not open_ones, f"these never end: {open_ones}")

    # Comparing --------------------------------------------------------------------------------

    async def compare(self) -> None:
        """Hold what is stored to the model, and what the journal tells to what has changed."""
        events = await recount.events(self.store)
        lost = events ^ self.model.events.keys()
        require(not lost, f"stored and acknowledged differ by the events {lost}")
        stored = await recount.duties(self.store, self.model)
        self.model.hold_to(stored, self.clock.now_ms())
        await self._hold_to_journal(
            {
                # A claim is nobody's news.
                number: (PENDING if duty.state is LEASED else duty.state, len(duty.attempts))
                for number, duty in stored.items()
            }
        )

    async def compare_overview(self) -> None:
        """Hold the figures that are kept to a recount."""
        await recount.hold_overview(
            self.store, self.model, now=self.clock.now_ms(), by_hours=not self._stepped_back
        )

    async def _hold_to_journal(self, shown: dict[int, tuple[DeliveryState, int]]) -> None:
        lines = await self.store._readers.fetch(_JOURNAL, (self._seq,))
        accepted = [row["subject_id"] for row in lines if row["kind"] == "event.accepted"]
        require(accepted == sorted(accepted), f"the journal tells of {accepted}")
        self._accepted += accepted
        require(self._accepted == list(self.model.events), "the journal tells of other events")
        told = {row["subject_id"] for row in lines if row["kind"] == "delivery.changed"}
        changed = {number for number in self._shown if shown[number] != self._shown[number]}
        require(changed <= told, f"nothing was told of {changed - told}")
        self._shown = shown
        self._seq = lines[-1]["seq"] if lines else self._seq


def _registry(clock: FrozenClock) -> Registry:
    tools = Tools(
        http=NoHttp(),
        guarded_http=NoHttp(),
        now_ms=clock.now_ms,
        terminal=io.StringIO(),
        section={},
    )
    place = f"{Scripted.__module__}:{Scripted.__name__}"
    return Registry(lambda _: tools, [EntryPoint(name=Scripted.kind, value=place, group=GROUP)])
