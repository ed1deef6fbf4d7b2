"""Send what is due: lease, deliver, decide, record, channel by channel."""

import asyncio
import heapq
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

import msgspec

from slowping.core import errors, ids, notification, settle
from slowping.core.channel import ChannelTest, StoredChannel
from slowping.core.delivery import LeasedDelivery, Outcome, Rejected, Retry, Throttled, Unusable
from slowping.core.notification import Notification
from slowping.core.retry import RetryPolicy
from slowping.core.settle import Sent
from slowping.notifiers.port import Notifier, Settings
from slowping.notifiers.registry import Registry
from slowping.server.clock import Clock
from slowping.server.holds import Holds
from slowping.server.log import Fact
from slowping.server.tally import Tally
from slowping.store.port import Directory, Outbox

logger = logging.getLogger("slowping.dispatcher")

CONCURRENCY: Final = 64
"""Most messages on their way at once."""

LEASE_MS: Final = 600_000
"""Longer than any attempt takes: a lease only ends by itself when its process is gone."""

ATTEMPT_TIMEOUT_S: Final = 240.0
"""A notifier has shorter ones of its own; this one is for strangers."""

SAFETY_WAKE_S: Final = 60.0
"""How often everything is looked at, even if nobody asks."""

NOTICE: Final = "notice"
"""The dialect of events by which slowping tells an owner about a channel of his."""

LONGEST_WAIT_MS: Final = 30 * 3_600_000
"""No schedule and no Retry-After asks for more: a due time beyond it is a clock that stepped."""


class Outlet(msgspec.Struct, frozen=True, kw_only=True):
    """A channel that is ready to be sent to."""

    channel: StoredChannel
    notifier: Notifier
    settings: Settings
    scopes: tuple[str, ...]
    policy: RetryPolicy


class Dispatcher:
    """Sends what is due. It has no memory that matters: killed anywhere, it begins again."""

    def __init__(
        self,
        outbox: Outbox,
        directory: Directory,
        registry: Registry,
        clock: Clock,
        *,
        jitter: Callable[[], float],
        tell_owner: Callable[[StoredChannel, str], Awaitable[None]],
        tally: Tally,
    ) -> None:
        """`jitter` gives 0 to 1; `tell_owner` hears of a channel that was paused, and why."""
        self._outbox = outbox
        self._directory = directory
        self._registry = registry
        self._clock = clock
        self._jitter = jitter
        self._tell_owner = tell_owner
        self._tally = tally
        self._owner = secrets.token_hex(8)
        self._holds = Holds(outbox, clock.now_ms)
        self._due: dict[int, int] = {}
        self._timetable: list[tuple[int, int]] = []  # a heap; entries that _due belies are old
        self._lanes: dict[int, asyncio.Task[None]] = {}
        self._outlets: dict[int, Outlet] = {}
        self._slots = asyncio.Semaphore(CONCURRENCY)
        self._alarm = asyncio.Event()
        self._stopping = False

    # What others call ------------------------------------------------------------------------

    def wake(self, channel_ids: Iterable[int]) -> None:
        """These channels may have something to send now."""
        for channel_id in channel_ids:
            self._schedule(channel_id, 0)
        self._alarm.set()

    def forget(self, channel_id: int) -> None:
        """This channel was changed, paused, resumed or removed."""
        self._outlets.pop(channel_id, None)
        self.wake((channel_id,))

    async def try_out(self, channel: StoredChannel, project: str) -> ChannelTest:
        """Send a test to a channel at once; nothing of it is stored.

        Raises:
            InvalidInput: its settings are not usable.
        """
        outlet = self._outlet_of(channel)
        started = self._clock.now_ms()
        test = notification.trial(channel.name, project, started)
        outcome = await self._attempt(outlet, [test])
        return settle.trial_result(outcome, self._clock.now_ms() - started)

    # The loop --------------------------------------------------------------------------------

    async def run(self) -> None:
        """Send until `stop` is called."""
        freed = await self._outbox.free_leases(owner=self._owner, now=self._clock.now_ms())
        if freed:
            logger.warning(Fact("deliveries were cut off by the last stop", deliveries=freed))
        await self._holds.load()
        looked_at = -LONGEST_WAIT_MS
        while not self._stopping:
            now = self._clock.now_ms()
            if not looked_at <= now < looked_at + SAFETY_WAKE_S * 1000:
                looked_at = now
                await self._look_at_everything(now)
            self._alarm.clear()
            next_due = self._start_lanes(now)
            wait_s = min(SAFETY_WAKE_S, max(0.0, (next_due - now) / 1000))
            await self._clock.wait(self._alarm, wait_s)

    async def stop(self, grace_s: float) -> None:
        """Start nothing new, and let what is on its way arrive within `grace_s` seconds.

        What is not back by then is cut off, and recorded as lost by the next start.
        """
        self._stopping = True
        self._alarm.set()
        if self._lanes:
            _, late = await asyncio.wait(self._lanes.values(), timeout=grace_s)
            for lane in late:
                lane.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _look_at_everything(self, now: int) -> None:
        await self._outbox.expire(now=now)
        for lane in await self._outbox.lanes():
            due_at = lane.due_at if lane.due_at <= now + LONGEST_WAIT_MS else now
            self._schedule(lane.channel_id, due_at)

    def _schedule(self, channel_id: int, due_at: int) -> None:
        """Look at a channel at this moment, or earlier where that is planned already."""
        planned = self._due.get(channel_id)
        if planned is None or due_at < planned:
            self._due[channel_id] = due_at
            heapq.heappush(self._timetable, (due_at, channel_id))

    def _start_lanes(self, now: int) -> int:
        """Start a lane for each channel that is due; when the next one will be."""
        while self._timetable and self._timetable[0][0] <= now:
            due_at, channel_id = heapq.heappop(self._timetable)
            if self._due.get(channel_id) == due_at and channel_id not in self._lanes:
                del self._due[channel_id]
                lane = asyncio.create_task(self._run_lane(channel_id))
                self._lanes[channel_id] = lane
                lane.add_done_callback(lambda _, ended=channel_id: self._end_lane(ended))
        return self._timetable[0][0] if self._timetable else now + LONGEST_WAIT_MS

    def _end_lane(self, channel_id: int) -> None:
        lane = self._lanes.pop(channel_id)
        if not lane.cancelled() and (error := lane.exception()) is not None:
            # The store could not be used. What was claimed stays so until it can be again.
            logger.error(Fact("lane broke off", channel=_name(channel_id)), exc_info=error)
            self._schedule(channel_id, self._clock.now_ms() + round(SAFETY_WAKE_S * 1000))
        if channel_id in self._due:  # its entry may have come up while the lane ran
            heapq.heappush(self._timetable, (self._due[channel_id], channel_id))
        self._alarm.set()

    # One lane --------------------------------------------------------------------------------

    async def _run_lane(self, channel_id: int) -> None:
        """Send to one channel, one message at a time, until nothing is due."""
        due_at: int | None = 0
        while due_at is not None and not self._stopping:
            outlet = await self._outlet(channel_id)
            if outlet is None:
                return
            due_at = max(due_at, self._holds.free_at(outlet.scopes))
            if due_at > self._clock.now_ms():
                self._schedule(channel_id, due_at)
                return
            async with self._slots:
                due_at = await self._send_next(outlet)

    async def _send_next(self, outlet: Outlet) -> int | None:
        """Claim what is due, send one message of it; when the channel is due next."""
        now = self._clock.now_ms()
        claimed = await self._outbox.lease(
            outlet.channel.id,
            now=now,
            until=now + LEASE_MS,
            owner=self._owner,
            limit=outlet.notifier.max_batch,
        )
        sent = await self._send(outlet, claimed)
        settled_at = self._clock.now_ms()
        settlements = settle.settlements(
            sent, claimed, outlet.policy, now=settled_at, jitter=self._jitter
        )
        due_at = await self._outbox.settle(outlet.channel.id, settlements, now=settled_at)
        for message in sent:
            await self._heed(outlet, message)
        return due_at

    async def _send(self, outlet: Outlet, claimed: Sequence[LeasedDelivery]) -> list[Sent]:
        """Send as many of the claimed as fit into one message.

        A message that is rejected goes again one by one, so that one bad event cannot take
        others with it; the split is not an attempt.
        """
        groups = [tuple(claimed[: self._fits(outlet, claimed)])] if claimed else []
        sent: list[Sent] = []
        while groups:
            group = groups.pop(0)
            started = self._clock.now_ms()
            outcome = await self._attempt(outlet, list(map(notification.compose, group)))
            if isinstance(outcome, Rejected) and len(group) > 1:
                groups = [(delivery,) for delivery in group]
                continue
            took = max(0, self._clock.now_ms() - started)
            sent.append(
                Sent(deliveries=group, outcome=outcome, started_at=started, duration_ms=took)
            )
            if isinstance(outcome, Throttled | Unusable) or outcome.pace is not None:
                break
        return sent

    def _fits(self, outlet: Outlet, claimed: Sequence[LeasedDelivery]) -> int:
        if len(claimed) == 1:
            return 1
        try:
            count = outlet.notifier.fits(list(map(notification.compose, claimed)))
        except Exception:  # a plug-in is a stranger
            logger.exception(Fact("notifier failed", kind=outlet.channel.kind))
            return 1
        return min(max(count, 1), len(claimed))

    async def _attempt(self, outlet: Outlet, batch: Sequence[Notification]) -> Outcome:
        """Let the notifier deliver; whatever it does wrong is an outcome too."""
        try:
            async with asyncio.timeout(ATTEMPT_TIMEOUT_S):
                return await outlet.notifier.deliver(batch, outlet.settings)
        except TimeoutError:
            return Retry(reason="the notifier did not finish in time", unknown=True)
        except Exception as error:  # a plug-in is a stranger
            logger.exception(Fact("notifier failed", kind=outlet.channel.kind))
            return Retry(reason=f"the notifier failed: {type(error).__name__}", unknown=True)

    # What follows ----------------------------------------------------------------------------

    async def _heed(self, outlet: Outlet, message: Sent) -> None:
        """Do what an outcome asks for beyond its deliveries: wait, remember, pause, tell."""
        channel, outcome = outlet.channel, message.outcome
        self._tally.attempts[type(outcome).__name__.lower()] += 1
        logger.info(
            Fact(
                "sent",
                delivery=ids.encode(ids.DELIVERY, message.deliveries[0].id),
                deliveries=len(message.deliveries),
                channel=channel.name,
                attempt=message.deliveries[0].attempts,
                outcome=type(outcome).__name__.lower(),
                status=outcome.answer.status,
                took_ms=message.duration_ms,
                reason=settle.reason_of(outcome),
            )
        )
        if outcome.learned:
            await self._directory.learn(channel.id, outcome.learned, now=self._clock.now_ms())
            self._outlets.pop(channel.id, None)
        await self._holds.keep_pace(outcome.pace)
        if isinstance(outcome, Throttled):
            await self._holds.hold(outcome.scope, outcome.after, outcome.reason)
        if isinstance(outcome, Unusable):
            quiet = message.deliveries[0].dialect == NOTICE
            for affected in await self._covered(outlet, outcome.scope):
                await self._pause(affected, outcome.reason, quiet=quiet)

    async def _covered(self, outlet: Outlet, scope: str | None) -> Sequence[StoredChannel]:
        """The channel, and every other of its kind that the scope covers."""
        if scope is None:
            return (outlet.channel,)
        covered = [outlet.channel]
        for snapshot in await self._directory.snapshots():
            for channel in snapshot.channels:
                if channel.kind != outlet.channel.kind or channel.id == outlet.channel.id:
                    continue
                other = await self._outlet(channel.id)
                if other is not None and scope in other.scopes:
                    covered.append(channel)
        return covered

    async def _pause(self, channel: StoredChannel, reason: str, *, quiet: bool = False) -> None:
        await self._directory.pause_channel(channel.id, reason, now=self._clock.now_ms())
        self._outlets.pop(channel.id, None)
        logger.warning(Fact("channel paused", channel=channel.name, reason=reason))
        if not quiet:
            await self._tell_owner(channel, reason)

    async def _outlet(self, channel_id: int) -> Outlet | None:
        """The channel, ready to be sent to; None if it is paused, removed or unusable."""
        known = self._outlets.get(channel_id)
        if known is not None:
            return known
        try:
            channel = await self._directory.stored_channel(channel_id)
        except errors.NotFound:
            return None
        if channel.paused_at is not None:
            return None
        try:
            outlet = self._outlet_of(channel)
        except errors.InvalidInput as error:
            await self._pause(channel, f"its settings cannot be used: {error}")
            return None
        self._outlets[channel_id] = outlet
        return outlet

    def _outlet_of(self, channel: StoredChannel) -> Outlet:
        settings = self._registry.check(channel.kind, {**channel.settings, **channel.learned})
        notifier = self._registry.notifier(channel.kind)
        return Outlet(
            channel=channel,
            notifier=notifier,
            settings=settings,
            scopes=notifier.scopes(settings),
            policy=RetryPolicy(
                delays=notifier.delays if settings.retry_delays is None else settings.retry_delays
            ),
        )


def _name(channel_id: int) -> str:
    return ids.encode(ids.CHANNEL, channel_id)
