"""Write user text so that a chat shows it as it is: nothing in it is markup, nothing is hidden."""

import re
from typing import Final

from slowping.core import text
from slowping.core.notification import Notification

EMPTY: Final = "(empty)"
"""Stands where a far side insists on a text and there is none."""


def plain(given: str) -> str:
    """The text with line feeds as the only line ends, and control characters made visible."""
    return text.visible(given.replace("\r\n", "\n").replace("\r", "\n")).strip()


def markdown(given: str, limit: int, *, one_line: bool = False) -> str:
    """The text with Discord's markup escaped, in no more than `limit` UTF-16 units.

    It is cut with an ellipsis where it is longer, never between a backslash and its character.
    """
    given = text.shorten(given, 4 * limit)
    shown = text.one_line(given) if one_line else plain(given)
    # Escaping only makes longer: what is far beyond the limit need not be escaped.
    escaped = _MARKUP.sub(_escape, shown[: limit + 1])
    if text.utf16_length(escaped) <= limit:
        return escaped
    kept = text.clip(escaped, limit).removesuffix(text.ELLIPSIS)
    backslashes = len(kept) - len(kept.rstrip("\\"))
    return kept[: len(kept) - backslashes % 2] + text.ELLIPSIS


def length(notification: Notification) -> int:
    """How many characters have to be read to show it.

    Marks that take no room, or are taken out, can make that many more than are shown. Whoever
    reads them holds everyone up meanwhile, so each kind has a limit.
    """
    fields = sum(len(name) + len(value) for name, value in notification.fields)
    return len(notification.title) + len(notification.body) + fields


def and_more(count: int) -> str:
    """The mark for fields that there was no room for."""
    return f"{text.ELLIPSIS} and {count} more"


_MARKUP: Final = re.compile(
    r"(?P<link>https?://[^\s<>\[\]()*`|\\]+)"
    r"|(?P<lead>^[ \t]*)(?P<quote>[>#])"
    r"|[\\*_~`|\[\]()<]"
    r"|:(?=[0-9])",
    re.MULTILINE,
)


def _escape(match: re.Match[str]) -> str:
    # A backslash in an address would become part of it. What is left as it is there can at worst
    # put words in italics; links with a text of their own need brackets, which are escaped.
    if match["link"]:
        return match[0]
    if match["quote"]:
        return f"{match['lead']}\\{match['quote']}"
    return f"\\{match[0]}"
