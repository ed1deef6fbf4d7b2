"""Send what is due: lease, deliver, decide, record, channel by channel."""

import asyncio
import contextlib
import functools
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

from slowping.core import errors, ids, notification, retry, settle
from slowping.core.breaker import Probe
from slowping.core.channel import ChannelTest, StoredChannel
from slowping.core.delivery import DeliveryState, Lane, LeasedDelivery, Settlement
from slowping.core.settle import Sent
from slowping.server.clock import Clock
from slowping.server.dispatch.breakers import Breakers, Leave
from slowping.server.dispatch.consequences import Consequences
from slowping.server.dispatch.holds import Holds
from slowping.server.dispatch.outlets import Kinds, Outlet, Outlets, shown
from slowping.server.dispatch.paces import Paces
from slowping.server.dispatch.sending import Sender
from slowping.server.dispatch.set_back import SetBack
from slowping.server.dispatch.timetable import Timetable
from slowping.server.log import Fact
from slowping.server.tally import Tally
from slowping.store.port import Directory, Outbox

logger = logging.getLogger("slowping.dispatcher")

CONCURRENCY: Final = 64
"""Most messages on their way at once."""

LEASE_MS: Final = 600_000
"""Written down for other readers of the store: this process knows what it works on."""

SAFETY_WAKE_S: Final = 60.0
"""How often everything is looked at, even if nobody asks."""

STEP_MS: Final = 1_000
"""By less than that a clock is corrected; by more it is set."""

RECOVERY_S: Final = 5.0
"""How soon it is looked at again after something went wrong inside."""


class Dispatcher:
    """Sends what is due. It has no memory that matters: killed anywhere, it begins again."""

    def __init__(  # noqa: PLR0913 - the parts of the engine, wired in one place only
        self,
        outbox: Outbox,
        directory: Directory,
        kinds: Kinds,
        clock: Clock,
        *,
        jitter: Callable[[], float],
        tell_owner: Callable[[StoredChannel, str], Awaitable[None]],
        tally: Tally,
    ) -> None:
        """`jitter` gives 0 to 1; `tell_owner` hears of a channel that was paused, and why."""
        self._outbox = outbox
        self._clock = clock
        self._jitter = jitter
        self._owner = secrets.token_hex(8)
        self._outlets = Outlets(directory, kinds, clock.now_ms, tell_owner)
        self._holds = Holds(outbox, clock.now_ms)
        self._paces = Paces(clock.now_ms)
        self._breakers = Breakers(outbox, clock.now_ms, jitter)
        self._consequences = Consequences(
            outbox, self._outlets, self._holds, self._paces, self._breakers, tally, clock.now_ms
        )
        self._set_back = SetBack(outbox, self._holds, self._breakers)
        self._timetable = Timetable()
        self._lanes: dict[int, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(CONCURRENCY)
        self._alarm = asyncio.Event()
        self._looked_at: int | None = None
        self._latest = 0
        """When the clock was last looked at: earlier is a step back."""
        self._look_after_s = SAFETY_WAKE_S
        self._sender = Sender(clock)

    # What others call ------------------------------------------------------------------------

    def wake(self, channel_ids: Iterable[int]) -> None:
        """These channels may have something to send now."""
        for channel_id in channel_ids:
            if not self._outlets.is_shut(channel_id):
                self._timetable.plan(channel_id, 0)
                self._alarm.set()

    def urge(self, channel_ids: Iterable[int]) -> None:
        """A person wants these to try now, even where they have kept failing."""
        channel_ids = tuple(channel_ids)
        self._breakers.urge(channel_ids)
        self.wake(channel_ids)

    def forget(self, channel_id: int) -> None:
        """This channel was changed, paused, resumed or removed."""
        self._outlets.forget(channel_id)
        self._breakers.forget(channel_id)
        self.wake((channel_id,))

    def problem_with(self, channel: StoredChannel) -> str | None:
        """Why nothing can be sent to the channel as it is set up; None where it can."""
        return self._outlets.problem_with(channel)

    async def try_out(self, channel: StoredChannel, project: str) -> ChannelTest:
        """Send a test to a channel, unless it has to wait; nothing is stored but what it teaches.

        A channel that proves unusable is not paused: who asked is told.

        Raises:
            InvalidInput: its settings are not usable.
            Unavailable: the store cannot be used now.
        """
        outlet = self._outlets.prepared(channel)
        if self._looked_at is None:
            await self._load()
        started = self._clock.now_ms()
        # One that keeps failing is tried all the same: somebody may just have mended it.
        if held_until := self._held_until(outlet):
            return settle.held_trial(held_until - started)
        test = notification.trial(channel.name, project, started)
        leave = self._begin(outlet)
        try:
            outcome = await self._sender.attempt(outlet, [test])
        finally:
            self._end(outlet, leave)
        took_ms = max(0, self._clock.now_ms() - started)
        # What came back is true, also where it cannot be kept now.
        with contextlib.suppress(errors.Unavailable):
            await self._consequences.remember(outlet, outcome, is_probe=leave.provider is not None)
        self.wake((channel.id,))
        return settle.trial_result(outcome, took_ms)

    # The loop --------------------------------------------------------------------------------

    async def run(self) -> None:
        """Send until `stop` is called."""
        while not self._sender.stopping:
            self._alarm.clear()
            if not self._rest_s():
                await self._look_at_everything()
            next_turn_s = self._start_lanes()
            await self._clock.wait(self._alarm, min(self._rest_s(), next_turn_s))

    async def stop(self, grace_s: float) -> None:
        """Start nothing new, and let what is on its way arrive within `grace_s` seconds.

        What is not back by then is cut off, and recorded as lost by the next start.
        """
        self._sender.stopping = True
        self._alarm.set()
        if self._lanes:
            _, late = await asyncio.wait(self._lanes.values(), timeout=grace_s)
            for lane in late:
                lane.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _rest_s(self) -> float:
        """Seconds until everything is looked at again: none where the clock has stepped back."""
        now = self._clock.now_ms()
        if self._looked_at is None or now < self._latest - STEP_MS:
            return 0.0
        self._latest = now
        passed_s = (now - self._looked_at) / 1000
        return max(0.0, self._look_after_s - passed_s) if passed_s >= 0 else 0.0

    async def _look_at_everything(self) -> None:
        now = self._clock.now_ms()
        # Whatever is wrong with the store now must not end the sending for good.
        [failure] = await asyncio.gather(self._put_right(now), return_exceptions=True)
        if failure is None:
            self._looked_at = self._latest = now
            self._look_after_s = SAFETY_WAKE_S
        else:
            self._recover("cannot look at the deliveries", failure)
            await self._clock.wait(self._alarm, RECOVERY_S)

    async def _put_right(self, now: int) -> None:
        """Do what nobody else would: for lanes that broke off, clocks that stepped, lost wakes."""
        freed = await self._outbox.free_leases(owner=self._owner, now=now, busy=tuple(self._lanes))
        if freed:
            logger.warning(Fact("attempts were cut off; they are made again", deliveries=freed))
        is_first, was_set_back = self._looked_at is None, now < self._latest - STEP_MS
        if is_first:
            await self._load()
        if was_set_back:
            await self._set_back.begin(self._latest - now, now)
            # Whatever fails from here on, nothing becomes earlier once more.
            self._latest = now
        await self._set_back.go_on(now)
        if is_first or was_set_back:
            await self._outbox.pull_in(latest=now + round(retry.LONGEST_S * 1000), now=now)
        await self._outbox.expire(now=now)
        self._outlets.forget_all()
        for lane in await self._outbox.lanes():
            self._timetable.plan(lane.channel_id, self._next_turn(lane))

    def _next_turn(self, lane: Lane) -> int:
        """When it is worth starting: a thousand that have to wait would all begin in vain."""
        probed_at = self._breakers.probed_at(lane.channel_id)
        due_at = lane.due_at if probed_at is None else min(lane.due_at, probed_at)
        outlet = self._outlets.last(lane.channel_id)
        return due_at if outlet is None else max(due_at, self._held_until(outlet))

    async def _load(self) -> None:
        await self._holds.load()
        await self._breakers.load()

    def _start_lanes(self) -> float:
        """Start a lane for each channel whose turn has come; seconds until the next turn."""
        # Before the first look nobody knows which scopes are held.
        if self._sender.stopping or self._looked_at is None:
            return SAFETY_WAKE_S
        now = self._clock.now_ms()
        for channel_id in self._timetable.take(now):
            lane = asyncio.create_task(self._run_lane(channel_id))
            self._lanes[channel_id] = lane
            lane.add_done_callback(functools.partial(self._end_lane, channel_id))
        next_due = self._timetable.next_due()
        return SAFETY_WAKE_S if next_due is None else max(0.0, (next_due - now) / 1000)

    def _end_lane(self, channel_id: int, lane: asyncio.Task[None]) -> None:
        del self._lanes[channel_id]
        self._timetable.give_back(channel_id)
        if not lane.cancelled() and (error := lane.exception()) is not None:
            self._recover("a lane broke off", error, channel=shown(channel_id))
        self._alarm.set()

    def _recover(self, what: str, error: BaseException, channel: str | None = None) -> None:
        """Tell the operator what went wrong, and look at everything again soon."""
        busy = isinstance(error, errors.Unavailable)
        fact = Fact(what, channel=channel, reason=error if busy else None)
        logger.error(fact, exc_info=None if busy else error)
        self._look_after_s = min(self._look_after_s, RECOVERY_S)

    # One lane --------------------------------------------------------------------------------

    async def _run_lane(self, channel_id: int) -> None:
        """Send to one channel, one message at a time, until nothing is due."""
        due_at: int | None = 0
        while due_at is not None and due_at <= self._clock.now_ms():
            async with self._slots:
                due_at = await self._take_turn(channel_id)
        if due_at is not None:
            self._timetable.plan(channel_id, due_at)

    async def _take_turn(self, channel_id: int) -> int | None:
        """Send one message, unless the channel has to wait; when it is due next, if ever."""
        # Asked for each message: it may have been paused or changed while the last one was sent.
        outlet = await self._outlets.outlet(channel_id)
        if outlet is None or self._sender.stopping:
            return None
        if wait_until := self._held_until(outlet) or self._breakers.free_at(outlet):
            return wait_until
        leave = self._begin(outlet)
        try:
            due_at = await self._send_next(outlet, leave)
        finally:
            self._end(outlet, leave)
        return None if due_at is None else max(due_at, self._held_until(outlet))

    async def _send_next(self, outlet: Outlet, leave: Leave) -> int | None:
        """Claim what is due, send one message of it; when the channel is due next."""
        claimed = await self._claim(outlet, leave.probe)
        sent = await self._sender.send(outlet, claimed)
        due_at = await self._record(outlet, claimed, sent)
        is_probe = leave.provider is not None
        for message in sent:
            if await self._consequences.follow(outlet, message, is_probe=is_probe):
                due_at = 0
        # While it fails, a probe does not wait for what is due.
        probed_at = self._breakers.probed_at(outlet.channel.id) if sent else None
        return due_at if due_at is None or probed_at is None else probed_at

    def _held_until(self, outlet: Outlet) -> int:
        """Until when the far side wants nothing; 0 where it takes something now."""
        held_until = self._holds.free_at((*outlet.scopes, outlet.own_scope))
        return max(held_until, self._paces.free_at(outlet.scopes))

    def _begin(self, outlet: Outlet) -> Leave:
        self._paces.begin(outlet.scopes)
        return self._breakers.begin(outlet)

    def _end(self, outlet: Outlet, leave: Leave) -> None:
        self._paces.end(outlet.scopes)
        self._breakers.end(leave)

    async def _claim(self, outlet: Outlet, probe: Probe | None) -> Sequence[LeasedDelivery]:
        channel_id, now = outlet.channel.id, self._clock.now_ms()
        leasing = asyncio.ensure_future(
            self._outbox.lease(
                channel_id,
                now=now,
                until=now + LEASE_MS,
                owner=self._owner,
                limit=outlet.max_batch,
                probe=probe,
            )
        )
        try:
            return await asyncio.shield(leasing)
        except asyncio.CancelledError:
            # Nothing of it was sent. Left as it is, it would count as lost on the way.
            with contextlib.suppress(errors.Unavailable):
                unsent = settle.given_back(await leasing)
                await self._outbox.settle(channel_id, unsent, now=now)
            raise

    async def _record(
        self, outlet: Outlet, claimed: Sequence[LeasedDelivery], sent: Sequence[Sent]
    ) -> int | None:
        """Store what came of it; when the channel is due next.

        What was sent is known nowhere else: while the store cannot take it, it is kept and
        offered again.
        """
        now = self._clock.now_ms()
        results = settle.settlements(sent, claimed, outlet.policy, now=now, jitter=self._jitter)
        while True:
            try:
                due_at = await self._outbox.settle(outlet.channel.id, results, now=now)
            except errors.Unavailable as busy:
                channel = shown(outlet.channel.id)
                logger.warning(Fact("results wait for the store", channel=channel, reason=busy))
                await self._clock.wait(asyncio.Event(), busy.retry_after_s)
            else:
                _tell_failures(outlet, results)
                return due_at


def _tell_failures(outlet: Outlet, results: Iterable[Settlement]) -> None:
    """Log what is not tried again: who reads the log looks for that."""
    for result in results:
        if result.state is DeliveryState.FAILED:
            delivery, channel = ids.encode(ids.DELIVERY, result.delivery_id), outlet.channel.id
            reason = result.last_error
            logger.warning(Fact("failed", delivery=delivery, channel=shown(channel), reason=reason))
