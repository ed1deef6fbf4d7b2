"""What Discord and Telegram ask of a message beyond any schema, and what a text has to say."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from slowping.core import text
from slowping.core.notification import Notification
from slowping.notifiers import render

MAX_SUM: Final = 6_000
MAX_TEXT: Final = 4_096

_LAYOUT: Final = re.compile(
    "🎉 Event Notification 🎉\n\n📌 Category: (?P<title>.*)\n"
    "(?:📝 Description: (?P<body>(?:.|\n)*)\n)?"
    "🎨 Color Code: (?P<color>[0-9]+)\n🕒 Timestamp: (?P<time>[0-9T:.Z-]+)"
    "(?:\n\n📌 Details:(?P<details>(?:.|\n)*))?"
)


def faults_at_discord(body: Mapping[str, Any]) -> Iterator[str]:
    """What no schema says: the sum, the trimmed lengths, and that nobody is called."""
    total = 0
    for embed in body["embeds"]:
        fields = embed.get("fields", ())
        texts = [
            (embed["title"], 256, True),
            (embed.get("description", ""), 4_096, False),
            *((field["name"], 256, True) for field in fields),
            *((field["value"], 1_024, True) for field in fields),
        ]
        total += sum(text.utf16_length(said) for said, _, _ in texts)
        if any(text.utf16_length(said) > most for said, most, _ in texts):
            yield "a text over its limit"
        if any(needed and not said.strip() for said, _, needed in texts):
            yield "a text that is empty once it is trimmed"
    if total > MAX_SUM:
        yield f"more than {MAX_SUM} characters"
    if body["allowed_mentions"] != {"parse": []} or "content" in body:
        yield "somebody could be called"


def faults_at_telegram(body: Mapping[str, Any]) -> Iterator[str]:
    """What it would refuse or change, and what nobody meant to send."""
    said = body["text"]
    if not 0 < len(said.strip()) <= len(said) <= MAX_TEXT:
        yield "a text that is empty or too long"
    if said != _as_telegram_keeps_it(said):
        yield "a text that Telegram would change"
    if {"parse_mode", "entities"} & body.keys():
        yield "markup"
    if re.search(r"(?<!\w)@\w", said):
        yield "a mention"


def faults_of_text(said: str, told: Notification) -> Iterator[str]:
    """What a text for Telegram does not say of the event that it tells, as far as there is room."""
    match = _LAYOUT.fullmatch(said)
    if match is None:
        yield "a text of another layout"
        return
    for name, given in (("title", text.one_line(told.title)), ("body", render.plain(told.body))):
        shown = (match[name] or "").replace("\u2060", "")
        if not _is_beginning(
            shown, given.replace("\u2060", "") or render.EMPTY * (name == "title")
        ):
            yield f"another {name}"
    if match["color"] != str(told.color):
        yield "another colour"
    if bool(match["details"]) is not bool(told.fields):
        yield "details that are missing"


def _as_telegram_keeps_it(said: str) -> str:
    """After the Bot API server's own sources; a tab it shows as a space, which is no harm."""
    kept = re.sub("[\x00-\x08\x0b-\x1f]", " ", said.replace("\r", ""))
    return re.sub("[\u2028-\u202e]", "", kept).encode()[:35_000].decode("utf-8", "ignore")


def _is_beginning(shown: str, given: str) -> bool:
    if shown.endswith(text.ELLIPSIS) and shown != given:
        return given.startswith(shown.removesuffix(text.ELLIPSIS))
    return shown == given
