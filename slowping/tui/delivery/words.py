"""Say how a delivery or a group stands: its mark, its age, when and how often it is tried."""

import datetime as dt
from collections.abc import Mapping
from typing import Final

import msgspec

from slowping.core import times
from slowping.core.channel import Channel
from slowping.core.delivery import Delivery, DeliveryState
from slowping.tui.delivery.errand import Scene
from slowping.tui.delivery.groups import Group
from slowping.tui.sifting.standing import Standing, standing_of
from slowping.tui.widgets import drawing

_MINUTE_S: Final = 60
_HOUR_S: Final = 3_600
_DAY_S: Final = 86_400

Schedules = Mapping[str, tuple[float, ...]]
"""Seconds to wait after each attempt, by kind of channel."""


class Look(msgspec.Struct, frozen=True):
    """A mark and its tone: state is never told by colour alone."""

    mark: str
    tone: str


_LOOKS: Final = {
    Standing.FAILED: Look("✗", "failed"),
    Standing.WAITING: Look("⟳", "waiting"),
    Standing.DISCARDED: Look("-", "muted"),
    Standing.DELIVERED: Look("✓", "done"),
}
_PAUSED: Final = Look("⏸", "waiting")


def look_of_group(group: Group, scene: Scene) -> Look:
    """How a group is marked."""
    key = group.key
    if key.standing is Standing.WAITING and scene.is_paused(key.project, key.channel):
        return _PAUSED
    return _LOOKS[key.standing]


def look_of(delivery: Delivery, scene: Scene) -> Look:
    """How a delivery is marked."""
    if _is_paused(delivery, scene):
        return _PAUSED
    return _LOOKS[standing_of(delivery)]


def said_of(delivery: Delivery, tries: int | None, scene: Scene, now_ms: int) -> str:
    """How it stands, in a few words: `failed 12m ago`, `in 42 s, try 3 of 8`."""
    match delivery.state:
        case DeliveryState.LEASED:
            return f"being sent, {_try(max(1, delivery.tries), tries)}"
        case DeliveryState.PENDING if _is_paused(delivery, scene):
            return "waits: its channel is paused"
        case DeliveryState.PENDING:
            return f"{_next_of(delivery, scene, now_ms)}, {_try(delivery.tries + 1, tries)}"
    return f"{standing_of(delivery).value} {_ago(delivery.ended_at, now_ms)}".rstrip()


def tries_of(delivery: Delivery, scene: Scene, schedules: Schedules) -> int | None:
    """How often it is tried at most in one round of its schedule; None where that is not known."""
    channel = scene.channel(delivery.project, delivery.channel)
    delays = _own_delays(channel)
    if delays is None:
        delays = schedules.get(delivery.kind)
    return None if delays is None else len(delays) + 1


def due_in(due_at: dt.datetime | None, now_ms: int) -> str:
    """When something is due: `now`, `in 42 s`, `in 12 min`, `in 3 h 20 min`, `in 2 d`."""
    seconds = 0 if due_at is None else -((now_ms - times.to_ms(due_at)) // 1000)
    if seconds <= 0:
        return "due now"
    if seconds < 2 * _MINUTE_S:
        return f"in {seconds} s"
    if seconds < _HOUR_S:
        return f"in {seconds // _MINUTE_S} min"
    if seconds < 2 * _DAY_S:
        hours, rest = divmod(seconds, _HOUR_S)
        minutes = rest // _MINUTE_S
        return f"in {hours} h {minutes} min" if minutes and hours < 10 else f"in {hours} h"
    return f"in {seconds // _DAY_S} d"


def next_of_group(group: Group, scene: Scene, now_ms: int) -> str:
    """When the first of a group is tried next, in a few words."""
    key = group.key
    if key.standing is not Standing.WAITING:
        return ""
    if scene.is_paused(key.project, key.channel):
        return "paused"
    if group.next_at is None:
        return "under way"
    held_until = _held_until(scene, key.project, key.channel, now_ms)
    return due_in(max(group.next_at, held_until or group.next_at), now_ms)


def _is_paused(delivery: Delivery, scene: Scene) -> bool:
    return delivery.state is DeliveryState.PENDING and scene.is_paused(
        delivery.project, delivery.channel
    )


def _next_of(delivery: Delivery, scene: Scene, now_ms: int) -> str:
    """When it is tried next; of a channel that keeps failing one is, and the others follow it."""
    held_until = _held_until(scene, delivery.project, delivery.channel, now_ms)
    if held_until is None or (delivery.due_at is not None and delivery.due_at > held_until):
        return due_in(delivery.due_at, now_ms)
    return f"its channel is tried {due_in(held_until, now_ms)}"


def _held_until(scene: Scene, project: str, name: str, now_ms: int) -> dt.datetime | None:
    """Until when nothing is sent to a channel that keeps failing; None where it is sent to."""
    channel = scene.channel(project, name)
    held_until = None if channel is None else channel.held_until
    return None if held_until is None or times.to_ms(held_until) <= now_ms else held_until


def _try(number: int, tries: int | None) -> str:
    # A schedule may have been made shorter since.
    return f"try {number}" if tries is None or number > tries else f"try {number} of {tries}"


def _ago(moment: dt.datetime | None, now_ms: int) -> str:
    if moment is None:
        return ""
    age = drawing.age(moment, now_ms)
    return "just now" if age == "now" else f"{age} ago"


def _own_delays(channel: Channel | None) -> tuple[float, ...] | None:
    """The schedule that a channel has of its own."""
    given = None if channel is None else channel.settings.get("retry_delays")
    return tuple(given) if isinstance(given, list | tuple) else None
