"""A channel: a configured outlet, of a kind that a notifier can deliver to."""

import datetime as dt
import re
from collections.abc import Iterator
from typing import Annotated, Any, Final

import msgspec

MAX_AD_HOC: Final = 1_000
"""Most live ad hoc channels of one project."""

Name = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9_.@-]{1,100}\Z",
        description="letters, digits, - _ . and @, at most 100",
    ),
]


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """A channel as it stands. Secrets show their last four characters at most."""

    id: str
    project: str
    name: str
    kind: str
    settings: dict[str, Any]
    ad_hoc: bool
    """Whether a request named it; such a channel gets only what names it again."""
    paused_at: dt.datetime | None
    paused_reason: str | None
    created_at: dt.datetime
    held_until: dt.datetime | None = None
    """While it keeps failing: when one message tries it again."""
    held_reason: str | None = None
    """Of what the last attempt failed then."""


class NewChannel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What it takes to create a channel."""

    kind: str
    name: Name
    settings: dict[str, Any] = {}
    project: str | None = None


class ChannelChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change about a channel; a setting that is null goes back to its default.

    For a secret that slowping makes, a new one is its default.
    """

    name: Name | msgspec.UnsetType = msgspec.UNSET
    settings: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class IssuedChannel(msgspec.Struct, frozen=True, kw_only=True):
    """A channel, and the secrets that were made for it: shown this once."""

    channel: Channel
    secrets: dict[str, str] = {}


class SecretsSealed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of sealing every secret with a new key."""

    channels: int
    """How many of them have secrets."""


class ChannelPause(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a pause."""

    reason: Annotated[str, msgspec.Meta(max_length=500)] | None = None


class ChannelTest(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a test; it is no event, and all that is kept is what its answer teaches."""

    outcome: str
    reason: str | None
    status: int | None
    excerpt: str | None
    duration_ms: int


class ChannelKind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of channel, with the JSON schema of its settings."""

    kind: str
    summary: str
    settings: dict[str, Any]
    retry_delays: tuple[float, ...] = ()
    """Seconds to wait after each attempt, for channels that set none of their own."""


class ChannelFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which channels to list; what is None does not narrow."""

    project_ids: tuple[int, ...] | None = None
    name: str | None = None
    kind: str | None = None


class StoredChannel(msgspec.Struct, frozen=True, kw_only=True):
    """A channel as the engine knows it, secrets included; it never leaves the server."""

    id: int
    project_id: int
    name: str
    kind: str
    settings: dict[str, Any]
    """Everything the notifier's settings take, secrets among it."""
    secret_names: frozenset[str] = frozenset()
    """Which of the settings are secrets."""
    learned: dict[str, Any]
    """What the far side taught us, such as the id of a DM channel."""
    ad_hoc: bool
    target: str | None
    paused_at: int | None
    paused_reason: str | None
    created_at: int

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that nobody may be told."""
        held = [self.settings[name] for name in self.secret_names & self.settings.keys()]
        return tuple(_texts_in(held))


def _texts_in(value: Any) -> Iterator[str]:  # any JSON value
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inside in value.values() if isinstance(value, dict) else value:
            yield from _texts_in(inside)


SHOWN_OF_A_SECRET: Final = 4

_ADDRESS: Final = re.compile(r"https?://[^/?#@\s]+(?=[/?#]|\Z)", re.IGNORECASE)


def redacted(secret: str) -> str:
    """A secret as it may be shown: an ellipsis and its last four characters.

    Of an address, scheme and host are shown as well: what lets one in stands behind them.
    """
    address = _ADDRESS.match(secret)
    if address is None:
        return _end(secret)
    rest = secret[address.end() :]
    return secret if rest in ("", "/") else f"{address[0]}/{_end(rest)}"


def is_redacted(text: str) -> bool:
    """Whether it looks like a secret as it is shown, and so is none."""
    return _SHOWN.fullmatch(text) is not None


_SHOWN: Final = re.compile(rf"(https?://[^/?#@\s]+/)?….{{0,{SHOWN_OF_A_SECRET}}}", re.IGNORECASE)


def _end(secret: str) -> str:
    return f"…{secret[-SHOWN_OF_A_SECRET:]}" if len(secret) > 3 * SHOWN_OF_A_SECRET else "…"
