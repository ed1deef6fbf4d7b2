"""Send the events of a time window again: queue what has ended, make what is missing."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence

import msgspec

from slowping.core import fanout, ids
from slowping.core.channel import ChannelFilter
from slowping.core.delivery import DeliveryFilter, Replayed
from slowping.core.fanout import Told
from slowping.server.dispatch.consequences import NOTICE
from slowping.server.roster import Roster, Tenant
from slowping.store.port import DeliveryRow, EventWindow, Requeued, StepwiseAct, Store


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is to go out again; what is None does not narrow."""

    project_ids: tuple[int, ...] | None
    since: int
    """Events received at or after this moment, in UTC milliseconds."""
    until: int
    """Events received before this moment."""
    channel: str | None = None
    """A channel's name."""
    category: str | None = None
    again: bool = False
    """Whether what was delivered goes out as well."""
    dry_run: bool = False
    """Whether it is only counted."""
    act: StepwiseAct | None = None
    """The act in which what is done is told."""


class Replayer:
    """Goes through a window a stretch at a time, so that nothing else waits for long.

    What slowping itself had to say is left out: a notice is about a moment that is over. So is
    what is on its way. Broken off and begun anew, it finds what it did before on its way or
    delivered, and goes on. Nothing that it sends expires: somebody has asked for it.
    """

    def __init__(
        self,
        store: Store,
        roster: Roster,
        *,
        now_ms: Callable[[], int],
        wake: Callable[[Iterable[int]], None],
    ) -> None:
        """`wake` is told which channels have something to send."""
        self._store = store
        self._roster = roster
        self._now_ms = now_ms
        self._wake = wake

    async def replay(self, order: Order) -> Replayed:
        """Do it, or count what it would do.

        Raises:
            Unavailable: the store cannot be used now; what was done by then stays.
        """
        # All events there are have smaller ids, so it ends however many come in meanwhile.
        newest = self._store.ids.take(self._now_ms())
        events = queued = made = 0
        for tenant in self._tenants(order.project_ids):
            only = await self._channel(tenant, order.channel)
            if order.channel is not None and only is None:
                continue
            async for told in self._stretches(tenant, order, newest):
                again, missing = _plan(tenant, told, only=only, again=order.again)
                events += len(told)
                queued += len(again) if order.dry_run else await self._queue(again, order)
                made += len(missing) if order.dry_run else await self._make(tenant, missing, order)
        return Replayed(events=events, queued=queued, made=made)

    def _tenants(self, project_ids: Sequence[int] | None) -> Sequence[Tenant]:
        if project_ids is None:
            project_ids = [project.id for project in self._roster.projects()]
        found = (self._roster.tenant(project_id) for project_id in project_ids)
        return [tenant for tenant in found if tenant is not None]

    async def _channel(self, tenant: Tenant, name: str | None) -> int | None:
        """The project's channel of that name."""
        if name is None:
            return None
        which = ChannelFilter(project_ids=(tenant.project.id,), name=name)
        found = await self._store.directory.list_channels(which, before=None, limit=1)
        return ids.decode(ids.CHANNEL, found[0].id) if found else None

    async def _stretches(
        self, tenant: Tenant, order: Order, newest: int
    ) -> AsyncIterator[Sequence[Told]]:
        window = EventWindow(
            project_id=tenant.project.id,
            since=order.since,
            until=order.until,
            newest=newest,
            category=order.category,
            but_dialect=NOTICE,
        )
        # No id is smaller than its moment's smallest.
        after: int | None = ids.floor(order.since) - 1
        while after is not None:
            stretch = await self._store.outbox.stretch(window, after=after)
            yield stretch.told
            after = stretch.last

    async def _queue(self, numbers: Sequence[int], order: Order) -> int:
        # What has got another state since it was looked up is not meant any more.
        which = DeliveryFilter(states=tuple(fanout.replayed_states(again=order.again)))
        act = _counting(order.act, "queued")
        steps = self._store.outbox.retry(which, numbers, now=self._now_ms(), act=act)
        return await self._follow(steps)

    async def _make(self, tenant: Tenant, missing: Sequence[tuple[int, int]], order: Order) -> int:
        now = self._now_ms()
        first = self._store.ids.take(now, len(missing))
        rows = [
            DeliveryRow(number, event_id, tenant.project.id, channel_id, now, None, None)
            for number, (event_id, channel_id) in enumerate(missing, start=first)
        ]
        act = _counting(order.act, "made")
        return await self._follow(self._store.outbox.supply(rows, now=now, act=act))

    async def _follow(self, steps: AsyncIterator[Requeued]) -> int:
        """Have sent what each step has moved; how many they all have."""
        moved = 0
        async for step in steps:
            self._wake(step.channel_ids)
            moved += step.moved
        return moved


def _counting(act: StepwiseAct | None, counted: str) -> StepwiseAct | None:
    return None if act is None else msgspec.structs.replace(act, counted=counted)


def _plan(
    tenant: Tenant, told: Sequence[Told], *, only: int | None, again: bool
) -> tuple[Sequence[int], Sequence[tuple[int, int]]]:
    """Ids of deliveries that go out again, and events with channels that never heard of them."""
    targets = _targets(tenant)
    plans = [
        fanout.replay(one, targets.get(one.category_id, ()), only=only, again=again) for one in told
    ]
    return (
        [number for plan in plans for number in plan.again],
        [
            (one.event_id, channel_id)
            for one, plan in zip(told, plans, strict=True)
            for channel_id in plan.missing
        ],
    )


def _targets(tenant: Tenant) -> Mapping[int, Sequence[int]]:
    """The channels that the events of each category go to; of a removed one, to none."""
    return {drawer.category_id: drawer.channel_ids for drawer in tenant.drawers.values()}
