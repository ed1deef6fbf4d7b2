"""Deliveries, groups and channels to try things with."""

from typing import Any

import msgspec

from slowping.core import ids
from slowping.core.channel import Channel
from slowping.core.delivery import Delivery, DeliveryGroup, DeliveryState
from slowping.tui.delivery.errand import Scene
from tests.tui.driver import delivery, moment

BUSY = "HTTP 503"


def failed(number: int, **what: Any) -> Delivery:
    """A delivery to `hook` that has failed."""
    given = {
        "channel": "hook", "last_error": BUSY, "attempts": 8, "created_at": moment(-300 + number),
        "ended_at": moment(-200),
    }  # fmt: skip
    return delivery(number, number, what.pop("state", DeliveryState.FAILED), **{**given, **what})


def moved(before: Delivery, state: DeliveryState, **what: Any) -> Delivery:
    """The same delivery later."""
    ended_at = None if state in {DeliveryState.PENDING, DeliveryState.LEASED} else moment(0)
    return msgspec.structs.replace(before, **{"state": state, "ended_at": ended_at, **what})


def group(
    channel: str, state: DeliveryState, error: str | None, count: int, **what: Any
) -> DeliveryGroup:
    """A group of the project `shop` whose oldest was made two hours ago."""
    given = {
        "project": "shop", "channel": channel, "kind": "webhook", "state": state,
        "last_error": error, "count": count, "oldest_at": moment(-7_200), "newest_at": moment(-5),
    }  # fmt: skip
    return msgspec.convert({**given, **what}, DeliveryGroup)


def channel(name: str, **what: Any) -> Channel:
    """A channel of the project `shop`."""
    given = {
        "id": ids.encode(ids.CHANNEL, sum(map(ord, name))), "project": "shop", "name": name,
        "kind": "webhook", "settings": {}, "ad_hoc": False, "paused_at": None,
        "paused_reason": None, "created_at": moment(-99_999),
    }  # fmt: skip
    return msgspec.convert({**given, **what}, Channel)


def scene(*channels: Channel, is_whole: bool = True) -> Scene:
    """Where these are the channels."""
    return Scene(channels={(each.project, each.name): each for each in channels}, is_whole=is_whole)
