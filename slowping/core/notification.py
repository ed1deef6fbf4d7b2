"""A notification: an event as a far side is told of it. Made at delivery, never at ingest."""

from typing import Any, Final

import msgspec

from slowping.core import text
from slowping.core.category import DEFAULT_COLOR, DEFAULT_EMOJI
from slowping.core.delivery import LeasedDelivery

_MAX_SHOWN: Final = 4_096
"""Longer names and values are cut already here: no far side shows as much."""


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """What a notifier gets for one delivery. Nothing in it is escaped or cut yet."""

    delivery_id: int
    event_id: int
    project: str
    category: str
    title: str
    """The category's emoji and name, such as `🐛 Bug`, or the title that the request gave."""
    body: str
    """May be empty where the request gave a title of its own."""
    fields: tuple[tuple[str, str], ...]
    """Names and texts: scalars as JavaScript shows them, nested values as compact JSON."""
    data: dict[str, Any]
    """The fields as they were sent."""
    color: int
    occurred_at: int
    """UTC milliseconds; when it was accepted, where the sender gave no time."""
    received_at: int
    source: str | None
    dialect: str


def compose(delivery: LeasedDelivery) -> Notification:
    """Tell a delivery's event in words."""
    given = delivery.overrides
    emoji = delivery.emoji or DEFAULT_EMOJI
    default = "" if given else f"A new {delivery.category} event has occurred!"
    color = given.get("color")
    if color is None:
        color = delivery.category_color if delivery.color is None else delivery.color
    return Notification(
        delivery_id=delivery.id,
        event_id=delivery.event_id,
        project=delivery.project,
        category=delivery.category,
        title=text.shorten(
            given.get("title") or f"{emoji} {text.upper_first(delivery.category)}", _MAX_SHOWN
        ),
        body=given.get("description") or delivery.description or default,
        # Who names a destination of his own says all that is to be shown there.
        fields=()
        if given
        else tuple(
            (text.shorten(name, _MAX_SHOWN), text.shorten(text.show(value), _MAX_SHOWN))
            for name, value in delivery.fields.items()
        ),
        data=delivery.fields,
        color=color,
        occurred_at=delivery.received_at if delivery.occurred_at is None else delivery.occurred_at,
        received_at=delivery.received_at,
        source=delivery.source,
        dialect=delivery.dialect,
    )


def trial(channel: str, project: str, now_ms: int) -> Notification:
    """What a test of a channel sends; the moment serves as its number, so each test is new."""
    return Notification(
        delivery_id=now_ms,
        event_id=now_ms,
        project=project,
        category="test",
        title="🔔 Test",
        body=f"This is a test of the channel {channel}. If you can read it, it works.",
        fields=(("channel", channel),),
        data={"channel": channel},
        color=DEFAULT_COLOR,
        occurred_at=now_ms,
        received_at=now_ms,
        source="slowping",
        dialect="slowping",
    )
