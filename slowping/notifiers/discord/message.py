"""Write notifications as Discord embeds, within every limit that Discord has."""

from collections.abc import Sequence
from typing import Any, Final

from slowping.core import text, times
from slowping.core.notification import Notification
from slowping.notifiers import render

MAX_EMBEDS: Final = 10
"""In one message."""

# Discord's documentation, "Embed Limits". It does not say what it counts, so UTF-16 units, the
# stricter reading, are counted here.
MAX_TITLE: Final = 256
MAX_DESCRIPTION: Final = 4_096
MAX_FIELDS: Final = 25
MAX_NAME: Final = 256
MAX_VALUE: Final = 1_024
MAX_TOTAL: Final = 6_000
"""Over all titles, descriptions, names and values of one message."""

MAX_READ: Final = 4 * MAX_TOTAL
"""Characters that are read for a message, whatever of them is shown."""

_PLAIN_DESCRIPTION: Final = 1_000
_SHORTEST_VALUE: Final = 16
_MARK_NAME: Final = text.ELLIPSIS
_MARK_ROOM: Final = 32
"""For the field that says how many were left out."""

Embed = dict[str, Any]  # JSON


def fits(waiting: Sequence[Notification]) -> int:
    """How many of these go into one message; at least 1."""
    total = read = 0
    for count, notification in enumerate(waiting[:MAX_EMBEDS]):
        read += render.length(notification)
        if read > MAX_READ:
            return max(count, 1)
        total += size(embed(notification))
        if total > MAX_TOTAL:
            return max(count, 1)
    return len(waiting[:MAX_EMBEDS])


def message(batch: Sequence[Notification]) -> dict[str, Any]:
    """The body of a message. User text stands in embeds only, where it can call nobody."""
    return _message([embed(notification) for notification in batch])


def plain_message(notification: Notification) -> dict[str, Any]:
    """A shorter body without anything that Discord might find fault with."""
    lines = [notification.body, *(f"{name}: {value}" for name, value in notification.fields)]
    told = render.markdown("\n".join(lines), _PLAIN_DESCRIPTION)
    title = render.markdown(notification.title, MAX_TITLE // 2, one_line=True)
    return _message([{"title": title or render.EMPTY, "description": told or render.EMPTY}])


def _message(embeds: Sequence[Embed]) -> dict[str, Any]:
    return {"embeds": embeds, "allowed_mentions": {"parse": []}}


def embed(notification: Notification) -> Embed:
    """One notification: title, text, colour, time, and its fields side by side."""
    title = render.markdown(notification.title, MAX_TITLE, one_line=True) or render.EMPTY
    description = render.markdown(notification.body, MAX_DESCRIPTION)
    room = MAX_TOTAL - text.utf16_length(title) - text.utf16_length(description)
    made: Embed = {
        "title": title,
        "color": notification.color,
        "timestamp": times.iso_ms(notification.occurred_at),
    }
    if description:
        made["description"] = description
    if notification.fields:
        made["fields"] = _fields(notification.fields, room)
    return made


def size(made: Embed) -> int:
    """What an embed takes of `MAX_TOTAL`."""
    fields = made.get("fields", ())
    texts = [made["title"], made.get("description", "")]
    texts += [part for field in fields for part in (field["name"], field["value"])]
    return sum(map(text.utf16_length, texts))


def _fields(given: Sequence[tuple[str, str]], room: int) -> list[Embed]:
    """As many fields as there is room for, and a last one that says how many there is none for."""
    fields: list[Embed] = []
    read = 0
    for position, (name, value) in enumerate(given):
        left = len(given) - position
        read += len(name) + len(value)
        if read > MAX_READ or (len(fields) == MAX_FIELDS - 1 and left > 1):
            return [*fields, _field(_MARK_NAME, render.and_more(left))]
        written = _within(name, value, room if left == 1 else room - _MARK_ROOM)
        if written is None:
            return [*fields, _field(_MARK_NAME, render.and_more(left))]
        fields.append(written)
        room -= text.utf16_length(written["name"]) + text.utf16_length(written["value"])
    return fields


def _within(name: str, value: str, room: int) -> Embed | None:
    """A field in so many units, its value cut if need be; None where that says too little."""
    shown = render.markdown(name, MAX_NAME, one_line=True) or render.EMPTY
    whole = render.markdown(value, MAX_VALUE) or render.EMPTY
    left = room - text.utf16_length(shown)
    if text.utf16_length(whole) <= left:
        return _field(shown, whole)
    if left < _SHORTEST_VALUE:
        return None
    return _field(shown, render.markdown(value, left))


def _field(name: str, value: str) -> Embed:
    return {"name": name, "value": value, "inline": True}
