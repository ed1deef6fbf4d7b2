"""Decide whether an address is a Discord webhook's, take it apart, and spell it in one way.

Nothing of the address itself is ever used to connect: a fresh one is built from these parts, so
that whoever names a webhook cannot choose a host.
"""

import re
from typing import Final

import msgspec

MAX_LENGTH: Final = 512

_HOST: Final = r"(?i:https://(?:(?:canary|ptb)\.)?discord(?:app)?\.com)(?::443)?"
_SEGMENT: Final = r"[A-Za-z0-9_-]+"
_ADDRESS: Final = re.compile(
    rf"{_HOST}/api(?:/v[0-9]{{1,2}})?/webhooks/({_SEGMENT})/({_SEGMENT})/?(?:\?([^?#\s]*))?",
    # Without it, a case-insensitive "s" would match U+017F too.
    re.ASCII,
)
_QUERY: Final = {
    "thread_id": re.compile(r"[0-9]{1,20}"),
    "wait": re.compile(r"[A-Za-z0-9]*"),
}


class WebhookAddress(msgspec.Struct, frozen=True, kw_only=True):
    """What an address says: which webhook, the right to use it, and where in its channel."""

    id: str
    token: str
    """A secret."""
    thread_id: str | None = None

    @property
    def target(self) -> str:
        """What makes it one destination, whatever its token: the webhook, and a thread if any."""
        return self.id if self.thread_id is None else f"{self.id}/{self.thread_id}"

    @property
    def url(self) -> str:
        """Its one spelling. A secret."""
        query = "" if self.thread_id is None else f"?thread_id={self.thread_id}"
        return f"https://discord.com/api/webhooks/{self.id}/{self.token}{query}"


def one_spelling(url: str) -> str:
    """The same for every spelling of a webhook's address; any other text as it is."""
    address = parse_webhook_url(url)
    return url if address is None else address.url


def parse_webhook_url(url: str) -> WebhookAddress | None:
    """The parts of a Discord webhook's address, or None where the text is no such address."""
    match = _ADDRESS.fullmatch(url) if len(url) <= MAX_LENGTH else None
    if match is None:
        return None
    webhook_id, token, query = match.groups()
    options = _read_query(query) if query else {}
    if options is None:
        return None
    return WebhookAddress(id=webhook_id, token=token, thread_id=options.get("thread_id"))


def _read_query(query: str) -> dict[str, str] | None:
    options: dict[str, str] = {}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if name not in _QUERY or name in options or not _QUERY[name].fullmatch(value):
            return None
        options[name] = value
    return options
