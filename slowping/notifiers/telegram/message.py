"""Write notifications as the text of one Telegram message, in the layout that PingPilot sends.

There is no parse mode, so nothing in a text is markup and nothing needs to be escaped.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from slowping.core import text, times
from slowping.core.notification import Notification
from slowping.notifiers import render

MAX_LENGTH: Final = 4_000
"""UTF-16 units. Telegram takes 4,096 characters; what it counts has changed before."""

MAX_NOTIFICATIONS: Final = 20
"""In one message."""

MAX_READ: Final = 4 * MAX_LENGTH
"""Characters that are read for a message, whatever of them is shown."""

_RULE: Final = "\n\n———\n\n"
_MAX_TITLE: Final = 256
_MAX_NAME: Final = 256
_MAX_VALUE: Final = 1_024
_ROOM_FOR_DETAILS: Final = 1_200
"""What a long description leaves to the details, if they need it."""
_MARK_ROOM: Final = 32
"""For the line that says how many details were left out."""
_SHORTEST_LINE: Final = 32
_PLAIN_LENGTH: Final = 1_000

# Telegram calls whoever stands behind an @ at the beginning of a word, whatever the mode.
_MENTION: Final = re.compile(r"(?<!\w)@(?=\w)")
_WORD_JOINER: Final = "\u2060"


def fits(waiting: Sequence[Notification]) -> int:
    """How many of these go into one message; at least 1."""
    total = read = 0
    for count, notification in enumerate(waiting[:MAX_NOTIFICATIONS]):
        read += render.length(notification)
        if read > MAX_READ:
            return max(count, 1)
        total += text.utf16_length(_block(notification)) + (len(_RULE) if count else 0)
        if total > MAX_LENGTH:
            return max(count, 1)
    return len(waiting[:MAX_NOTIFICATIONS])


def message(batch: Sequence[Notification]) -> str:
    """The text for as many notifications as `fits` allows."""
    return _RULE.join(map(_block, batch))


def plain_message(notification: Notification) -> str:
    """A shorter text: title and the beginning of what happened."""
    body = render.plain(text.shorten(notification.body, 4 * _PLAIN_LENGTH))
    told = f"{text.one_line(notification.title)}\n{body}"
    return text.clip(_quiet(told.strip()), _PLAIN_LENGTH) or render.EMPTY


def _block(notification: Notification) -> str:
    title = text.clip(_quiet(text.one_line(notification.title)), _MAX_TITLE) or render.EMPTY
    color, moment = notification.color, times.iso_ms(notification.occurred_at)
    head = f"🎉 Event Notification 🎉\n\n📌 Category: {title}\n"
    foot = f"🎨 Color Code: {color}\n🕒 Timestamp: {moment}"
    room = MAX_LENGTH - text.utf16_length(head + foot)
    description = _description(notification, room)
    room -= text.utf16_length(description)
    return f"{head}{description}{foot}{_details(notification.fields, room)}"


def _description(notification: Notification, room: int) -> str:
    body = _quiet(render.plain(text.shorten(notification.body, MAX_READ)))
    if not body:
        return ""
    label = "📝 Description: "
    wanted = text.utf16_length(_details(notification.fields, room)) + _MARK_ROOM
    left = room - min(wanted, _ROOM_FOR_DETAILS) - text.utf16_length(label) - 1
    return f"{label}{text.clip(body, left)}\n"


def _details(fields: Sequence[tuple[str, str]], room: int) -> str:
    """As many fields as there is room for, and a line that says how many there is none for."""
    if not fields:
        return ""
    label = "\n\n📌 Details:"
    return label + "".join(_lines(fields, room - text.utf16_length(label)))


def _lines(fields: Sequence[tuple[str, str]], room: int) -> Iterator[str]:
    read = 0
    for position, (name, value) in enumerate(fields):
        left = len(fields) - position
        read += len(name) + len(value)
        if read > MAX_READ:
            yield f"\n{render.and_more(left)}"
            return
        line = _line(name, value)
        free = room if left == 1 else room - _MARK_ROOM
        if text.utf16_length(line) > free and free < _SHORTEST_LINE:
            yield f"\n{render.and_more(left)}"
            return
        line = text.clip(line, free)
        room -= text.utf16_length(line)
        yield line


def _line(name: str, value: str) -> str:
    shown = text.clip(_quiet(text.one_line(name)), _MAX_NAME) or render.EMPTY
    told = text.clip(_quiet(render.plain(value)), _MAX_VALUE) or render.EMPTY
    return f"\n🔹 {shown}: {told}"


def _quiet(given: str) -> str:
    """The text with mentions that look the same and call nobody; e-mail addresses stay as is."""
    return _MENTION.sub(f"@{_WORD_JOINER}", given)
