"""Decide which channels an event goes to, and what of it goes out again in a replay."""

from collections.abc import Sequence
from typing import Final

import msgspec

from slowping.core import delivery
from slowping.core.delivery import DeliveryState

_ENDED: Final = frozenset(delivery.may_become(DeliveryState.PENDING)) - {DeliveryState.LEASED}


class Standing(msgspec.Struct, frozen=True, gc=False):
    """A delivery of an event, as it stands."""

    id: int
    channel_id: int
    state: DeliveryState


class Told(msgspec.Struct, frozen=True):
    """An event that was accepted, and its deliveries to live channels."""

    event_id: int
    category_id: int
    deliveries: tuple[Standing, ...] = ()


class ReplayPlan(msgspec.Struct, frozen=True):
    """What of an event goes out in a replay."""

    again: tuple[int, ...]
    """Ids of deliveries."""
    missing: tuple[int, ...]
    """Ids of channels that never heard of it."""


def targets(
    channels: Sequence[int], ad_hoc: frozenset[int], routes: Sequence[int]
) -> tuple[int, ...]:
    """Ids of the channels that an event of a category goes to.

    `channels` are the live channels of its project, `routes` those that the category names. A
    category without routes goes to every channel that was configured on purpose.
    """
    live = [channel for channel in channels if channel not in ad_hoc]
    if not routes:
        return tuple(live)
    return tuple(channel for channel in routes if channel in live)


def replayed_states(*, again: bool) -> frozenset[DeliveryState]:
    """The states of deliveries that a replay sends; those that were delivered only with `again`.

    What is on its way is not among them, so that a replay can be begun anew.
    """
    return _ENDED if again else _ENDED - {DeliveryState.DELIVERED}


def replay(told: Told, targets: Sequence[int], *, only: int | None, again: bool) -> ReplayPlan:
    """What goes out when an event is replayed: to the channel `only`, or to all.

    `targets` are the channels that an event of its category goes to now.
    """
    states = replayed_states(again=again)
    known = {standing.channel_id for standing in told.deliveries}
    return ReplayPlan(
        again=tuple(
            standing.id
            for standing in told.deliveries
            if standing.state in states and only in (None, standing.channel_id)
        ),
        missing=tuple(
            channel for channel in targets if channel not in known and only in (None, channel)
        ),
    )
