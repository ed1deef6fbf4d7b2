"""Decide how deliveries stand, as people see it."""

import enum
from collections.abc import Mapping
from typing import Final

from slowping.core.delivery import Delivery, DeliveryState


class Standing(enum.Enum):
    """How a delivery stands, as people see it: on its way it still waits for its end."""

    FAILED = "failed"
    WAITING = "waiting"
    DISCARDED = "discarded"
    DELIVERED = "delivered"

    @property
    def states(self) -> tuple[DeliveryState, ...]:
        """The states that are called so."""
        return tuple(state for state, standing in STANDINGS.items() if standing is self)


STANDINGS: Final = {  # the gravest first
    DeliveryState.FAILED: Standing.FAILED,
    DeliveryState.PENDING: Standing.WAITING,
    DeliveryState.LEASED: Standing.WAITING,
    DeliveryState.DISCARDED: Standing.DISCARDED,
    DeliveryState.DELIVERED: Standing.DELIVERED,
}


def standing_of(delivery: Delivery) -> Standing:
    """How a delivery stands."""
    return STANDINGS[delivery.state]


def gravest(counts: Mapping[str, int]) -> Standing | None:
    """How those stand that somebody has to look at first, by the count of each state."""
    found = (standing for state, standing in STANDINGS.items() if counts.get(state))
    return next(found, None)
