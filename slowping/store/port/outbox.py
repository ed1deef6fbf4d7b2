"""What the dispatcher may ask of a store: claim deliveries, and record what became of them."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from slowping.core.breaker import Probe
from slowping.core.delivery import (
    Delivery,
    DeliveryDetail,
    DeliveryFilter,
    DeliveryGroup,
    DeliveryState,
    Hold,
    Lane,
    LeasedDelivery,
    Settlement,
)
from slowping.core.fanout import Told
from slowping.store.port.audit import StepwiseAct
from slowping.store.port.inbox import DeliveryRow


class Requeued(msgspec.Struct, frozen=True, kw_only=True):
    """What a step of a retry, or of a replay, did."""

    moved: int
    channel_ids: tuple[int, ...]


class EventWindow(msgspec.Struct, frozen=True, kw_only=True):
    """Events of a project that a replay is about: none that was to notify nobody."""

    project_id: int
    since: int
    """Received at or after this moment, in UTC milliseconds."""
    until: int
    """Received before this moment."""
    newest: int
    """The largest id to look at, so that the search ends while events come in."""
    category: str | None
    but_dialect: str
    """Events of this dialect are left out."""


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a window, the oldest event first."""

    told: tuple[Told, ...]
    last: int | None
    """The id after which it goes on; None where there is no more."""


class Outbox(Protocol):
    """All deliveries that are due or will be."""

    async def lanes(self) -> Sequence[Lane]:
        """Each live channel that is not paused and has pending deliveries."""
        ...

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
        """Claim up to `limit` deliveries that are due, first in first out; for a probe, one.

        Claiming counts the attempt, so that a delivery that takes the server down with it runs
        out of tries as well. Of huge events fewer are claimed at once. Deliveries past their time
        end as failed instead.
        """
        ...

    async def settle(
        self, channel_id: int, settlements: Sequence[Settlement], *, now: int
    ) -> int | None:
        """Record what became of claimed deliveries; the channel's next due time, if any."""
        ...

    async def free_leases(self, *, owner: str, now: int, busy: Collection[int] = ()) -> int:
        """Free every lease but those that `owner` holds on deliveries of the `busy` channels.

        They are those of a process that is gone, or of work that broke off. Each is recorded as
        a lost attempt; after three such in a row the delivery has failed.
        """
        ...

    async def recall(self, channel_id: int, *, now: int) -> bool:
        """Make due now what a channel is to try again later, in the order in which it came.

        Whether there was anything.
        """
        ...

    async def pull_in(self, *, latest: int, now: int) -> int:
        """Make pending deliveries that are due after `latest` due now; how many that were.

        No schedule asks for more: they were planned by a clock that has stepped back since.
        """
        ...

    async def planned(self, *, now: int) -> list[int]:
        """The pending deliveries that are due after now, the next one last."""
        ...

    async def step_back(self, ids: Sequence[int], *, by: int, now: int) -> int:
        """Make those that are still due after now due `by` earlier; how many that were.

        The clock that they were planned by was set back by so many milliseconds. All are moved at
        once, so they are to be few.
        """
        ...

    async def step_back_holds(self, *, by: int) -> None:
        """Let holds end so much earlier."""
        ...

    async def expire(self, *, now: int) -> int:
        """End pending deliveries past their time as failed; how many that were.

        Those of channels that were removed while they were on their way are discarded as well.
        """
        ...

    async def holds(self) -> Sequence[Hold]:
        """Every hold that is kept."""
        ...

    async def hold(self, hold: Hold, *, now: int) -> None:
        """Keep a hold, in place of an earlier one of the scope."""
        ...

    async def lift(self, scope: str, *, now: int) -> None:
        """Forget a scope's hold."""
        ...

    async def list_deliveries(
        self, which: DeliveryFilter, *, before: int | None, limit: int
    ) -> Sequence[Delivery]:
        """Deliveries that match."""
        ...

    async def groups(
        self, project_ids: Sequence[int] | None, states: Sequence[DeliveryState], *, limit: int
    ) -> Sequence[DeliveryGroup]:
        """Deliveries of live projects by project, channel, state and last error.

        The groups come in the order of the states, and within one the oldest first. Channels of
        one name, of which all but one are removed, are one.
        """
        ...

    async def delivery(self, delivery_id: int) -> DeliveryDetail:
        """One delivery with its attempts.

        Raises:
            NotFound: there is none.
        """
        ...

    async def deliveries_of(self, event_id: int) -> Sequence[DeliveryDetail]:
        """The deliveries of an event, with their attempts."""
        ...

    def retry(
        self,
        which: DeliveryFilter,
        ids: Sequence[int] | None,
        *,
        now: int,
        act: StepwiseAct | None = None,
    ) -> AsyncIterator[Requeued]:
        """Make deliveries due now, in a new round of tries; what each step has done.

        `which` always narrows, `ids` narrows further. Without states in `which` it moves the
        failed, discarded and pending ones; delivered ones only where it names their state.
        Leased ones stay. However many match, a step is a transaction that holds nobody up, and
        none of those that matched at the beginning is moved twice. Nothing moves any more when
        nobody asks for the next step. Each step is counted in the `act` that it belongs to.
        """
        ...

    def discard(
        self,
        which: DeliveryFilter,
        ids: Sequence[int] | None,
        *,
        now: int,
        act: StepwiseAct | None = None,
    ) -> AsyncIterator[int]:
        """Give up pending and failed deliveries, in steps as a retry; how many each step did."""
        ...

    async def stretch(self, window: EventWindow, *, after: int) -> Stretch:
        """Some of the events of a window with ids above `after`, and their deliveries.

        A stretch may have no event, and others follow all the same.
        """
        ...

    def supply(
        self, missing: Sequence[DeliveryRow], *, now: int, act: StepwiseAct | None = None
    ) -> AsyncIterator[Requeued]:
        """Make deliveries of events that are there already, in steps as a retry.

        Left out is what is no longer missing, or has no event or no live channel any more.
        """
        ...

    async def count_by_state(
        self, states: Iterable[DeliveryState] = DeliveryState
    ) -> Mapping[DeliveryState, int]:
        """How many deliveries are in each of these states; those without any are left out.

        It takes as long as there are many.
        """
        ...
