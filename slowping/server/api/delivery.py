"""Deliveries: list, group, show, retry, discard, replay."""

import datetime as dt
import functools
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from slowping.core import errors, ids, times
from slowping.core.api_key import Scope
from slowping.core.audit import ActKind
from slowping.core.delivery import (
    Delivery,
    DeliveryDetail,
    DeliveryFilter,
    DeliveryGroup,
    DeliverySelection,
    DeliveryState,
    Moved,
    Replay,
    Replayed,
)
from slowping.core.page import Page
from slowping.server.api import audit, listing, reach
from slowping.server.api.endpoint import Call, Endpoint
from slowping.server.api.listing import NoQuery, PageQuery
from slowping.server.api.services import Services
from slowping.server.dispatch.replay import Order, Replayer
from slowping.store.port import StepwiseAct

MAX_GROUPS: Final = 1_000
"""Most groups that are told: nobody reads more."""

_ANY: Final = DeliveryFilter()

_URGENCY: Final = (
    DeliveryState.FAILED,
    DeliveryState.PENDING,
    DeliveryState.LEASED,
    DeliveryState.DISCARDED,
    DeliveryState.DELIVERED,
)
"""In this order somebody has to look at deliveries."""

_OPEN: Final = frozenset({DeliveryState.FAILED, DeliveryState.PENDING, DeliveryState.LEASED})


class DeliveryQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which deliveries to list."""

    project: str | None = None
    """A project's id or name."""
    channel: str | None = None
    """A channel's name."""
    category: str | None = None
    state: tuple[DeliveryState, ...] = ()
    """May come several times."""
    event: str | None = None
    """An event's id."""
    since: dt.datetime | None = None
    """Created at or after this moment."""
    until: dt.datetime | None = None
    """Created before this moment."""
    error: str | None = None
    """The whole text of the last error."""


class GroupQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which deliveries to group."""

    project: str | None = None
    """A project's id or name."""
    state: tuple[DeliveryState, ...] = ()
    """May come several times; failed, pending and leased where none is named."""


async def list_deliveries(call: Call[DeliveryQuery, None]) -> Page[Delivery]:
    """Those of the projects that the key may see."""
    query, services = call.query, call.services
    which = DeliveryFilter(
        project_ids=reach.narrowed(services.roster, call.principal, query.project),
        channel=query.channel,
        category=query.category,
        states=query.state or None,
        event_id=None if query.event is None else ids.decode(ids.EVENT, query.event),
        since=None if query.since is None else times.to_ms(query.since),
        until=None if query.until is None else times.to_ms(query.until),
        error=query.error,
    )
    read = functools.partial(services.store.outbox.list_deliveries, which)
    return await listing.page_of(ids.DELIVERY, query, read)


async def group_deliveries(call: Call[GroupQuery, None]) -> Page[DeliveryGroup]:
    """The failed ones at first, then those on their way; of each state the oldest group at first.

    Nothing but live projects is looked at. There is one page, of 1,000 groups at most.
    """
    services, wanted = call.services, frozenset(call.query.state) or _OPEN
    groups = await services.store.outbox.groups(
        reach.narrowed(services.roster, call.principal, call.query.project),
        [state for state in _URGENCY if state in wanted],
        limit=MAX_GROUPS,
    )
    return Page(items=tuple(groups))


async def show_delivery(call: Call[NoQuery, None]) -> DeliveryDetail:
    """With every attempt."""
    outbox = call.services.store.outbox
    which = DeliveryFilter(project_ids=reach.seen(call.principal))
    read = functools.partial(outbox.list_deliveries, which)
    found = await listing.find(ids.DELIVERY, "delivery", call.id, read)
    return await outbox.delivery(ids.decode(ids.DELIVERY, found.id))


async def retry_delivery(call: Call[NoQuery, None]) -> Delivery:
    """Due now, in a new round of tries; the attempts so far stay in its history."""
    services = call.services
    number = ids.decode(ids.DELIVERY, call.id)
    act = await _begun_on_one(call, ActKind.DELIVERIES_RETRIED, number)
    moved = await _retry(services, _ANY, [number], act)
    delivery = (await services.store.outbox.delivery(number)).delivery
    if not moved:
        # What has ended badly can be retried, unless there is nowhere left to send it.
        gone = delivery.state in (DeliveryState.FAILED, DeliveryState.DISCARDED)
        why = "has no channel any more" if gone else _stands(delivery.state)
        raise errors.WrongState(f"This delivery {why}; it cannot be retried.")
    return delivery


async def retry_deliveries(call: Call[NoQuery, DeliverySelection]) -> Moved:
    """Those that are named, or all that match: the failed ones, if no state is named."""
    selected = _selected(call)
    act = _begun_on_many(call, ActKind.DELIVERIES_RETRIED)
    return Moved(moved=await _retry(call.services, *selected, act))


async def discard_delivery(call: Call[NoQuery, None]) -> Delivery:
    """It is given up; a retry brings it back."""
    services = call.services
    number = ids.decode(ids.DELIVERY, call.id)
    act = await _begun_on_one(call, ActKind.DELIVERIES_DISCARDED, number)
    moved = await _discard(services, _ANY, [number], act)
    delivery = (await services.store.outbox.delivery(number)).delivery
    if not moved:
        raise errors.WrongState(f"This delivery {_stands(delivery.state)}; it cannot be discarded.")
    return delivery


async def discard_deliveries(call: Call[NoQuery, DeliverySelection]) -> Moved:
    """Those that are named, or all that match: the failed ones, if no state is named."""
    selected = _selected(call)
    act = _begun_on_many(call, ActKind.DELIVERIES_DISCARDED)
    return Moved(moved=await _discard(call.services, *selected, act))


async def replay_deliveries(call: Call[NoQuery, Replay]) -> Replayed:
    """Failed and discarded ones are tried again, delivered ones only with `again`.

    Deliveries that are missing are made, to the channels that the events would go to now. What is
    on its way stays as it is, and nothing is sent again of what slowping itself had to say. It can
    be asked for once more where it broke off.
    """
    wanted, services = call.body, call.services
    since, until = times.to_ms(wanted.since), times.to_ms(wanted.until)
    if since >= until:
        raise errors.InvalidInput("until: this is to be later than 'since'.")
    replayer = Replayer(
        services.store,
        services.roster,
        now_ms=services.now_ms,
        wake=services.dispatcher.urge,
    )
    return await replayer.replay(
        Order(
            project_ids=reach.narrowed(services.roster, call.principal, wanted.project),
            since=since,
            until=until,
            channel=wanted.channel,
            category=wanted.category,
            again=wanted.again,
            dry_run=wanted.dry_run,
            act=audit.begun(call, ActKind.DELIVERIES_REPLAYED, wanted, project=wanted.project),
        )
    )


async def _retry(
    services: Services,
    which: DeliveryFilter,
    numbers: Sequence[int] | None,
    act: StepwiseAct,
) -> int:
    """Move all that match, and have the first of them sent while the last are moved."""
    moved = 0
    async for step in services.store.outbox.retry(which, numbers, now=services.now_ms(), act=act):
        services.dispatcher.urge(step.channel_ids)
        moved += step.moved
    return moved


async def _discard(
    services: Services,
    which: DeliveryFilter,
    numbers: Sequence[int] | None,
    act: StepwiseAct,
) -> int:
    steps = services.store.outbox.discard(which, numbers, now=services.now_ms(), act=act)
    return sum([moved async for moved in steps])


async def _begun_on_one(call: Call[NoQuery, None], kind: ActKind, number: int) -> StepwiseAct:
    found = (await call.services.store.outbox.delivery(number)).delivery
    return audit.begun(call, kind, project=found.project, subject=found.id)


def _begun_on_many(call: Call[NoQuery, DeliverySelection], kind: ActKind) -> StepwiseAct:
    return audit.begun(call, kind, call.body, project=call.body.project)


def _stands(state: DeliveryState) -> str:
    return "is being sent right now" if state is DeliveryState.LEASED else f"is {state}"


def _selected(
    call: Call[NoQuery, DeliverySelection],
) -> tuple[DeliveryFilter, list[int] | None]:
    """What an act on many is about; whoever names ids means them in any state."""
    chosen = call.body
    numbers = None
    if chosen.ids is not None:
        numbers = [ids.decode(ids.DELIVERY, name) for name in chosen.ids]
    states = chosen.states
    if states is None and numbers is None:
        states = (DeliveryState.FAILED,)
    which = DeliveryFilter(
        project_ids=reach.narrowed(call.services.roster, call.principal, chosen.project),
        channel=chosen.channel,
        category=chosen.category,
        states=states,
        since=None if chosen.since is None else times.to_ms(chosen.since),
        until=None if chosen.until is None else times.to_ms(chosen.until),
        error=chosen.error,
    )
    return which, numbers


ENDPOINTS: Final[tuple[Endpoint[Any, Any], ...]] = (
    Endpoint(
        method="GET",
        path="/deliveries",
        summary="List deliveries",
        scope=Scope.READ,
        handle=list_deliveries,
        query=DeliveryQuery,
        answer=Page[Delivery],
        refusals=(errors.NotFound,),
    ),
    Endpoint(
        method="GET",
        path="/deliveries/groups",
        summary="Group deliveries that stand alike: by project, channel, state and last error",
        scope=Scope.READ,
        handle=group_deliveries,
        query=GroupQuery,
        answer=Page[DeliveryGroup],
        refusals=(errors.NotFound,),
    ),
    Endpoint(
        method="POST",
        path="/deliveries/retry",
        summary="Retry many deliveries: the failed ones that match, unless states are named",
        scope=Scope.ADMIN,
        handle=retry_deliveries,
        body=DeliverySelection,
        answer=Moved,
        refusals=(errors.NotFound,),
    ),
    Endpoint(
        method="POST",
        path="/deliveries/discard",
        summary="Discard many deliveries: the failed ones that match, unless states are named",
        scope=Scope.ADMIN,
        handle=discard_deliveries,
        body=DeliverySelection,
        answer=Moved,
        refusals=(errors.NotFound,),
    ),
    Endpoint(
        method="POST",
        path="/deliveries/replay",
        summary="Send the events of a time window again, and to channels that they never went to",
        scope=Scope.ADMIN,
        handle=replay_deliveries,
        body=Replay,
        answer=Replayed,
        refusals=(errors.NotFound,),
    ),
    Endpoint(
        method="GET",
        path="/deliveries/{id}",
        summary="Show a delivery with every attempt",
        scope=Scope.READ,
        handle=show_delivery,
        answer=DeliveryDetail,
    ),
    Endpoint(
        method="POST",
        path="/deliveries/{id}/retry",
        summary="Retry a delivery now; its attempts stay in its history",
        scope=Scope.ADMIN,
        handle=retry_delivery,
        answer=Delivery,
        refusals=(errors.WrongState,),
    ),
    Endpoint(
        method="POST",
        path="/deliveries/{id}/discard",
        summary="Discard a delivery",
        scope=Scope.ADMIN,
        handle=discard_delivery,
        answer=Delivery,
        refusals=(errors.WrongState,),
    ),
)
