"""The audit: who did what to administer the server, and what was before and after.

What senders make by sending, such as a category on first sight, is no act; what slowping does by
itself, such as pausing a channel that its far side has shut, is one of its own.
"""

import datetime as dt
import enum
from collections.abc import Collection, Mapping
from typing import Any, Final

import msgspec

from slowping.core import errors, text
from slowping.core.api_key import ApiKey
from slowping.core.category import Category
from slowping.core.channel import Channel
from slowping.core.project import Project


class ActKind(enum.StrEnum):
    """What was done: a noun, and what was done to it."""

    PROJECT_CREATED = "project.created"
    PROJECT_CHANGED = "project.changed"
    PROJECT_REMOVED = "project.removed"
    CATEGORY_CREATED = "category.created"
    CATEGORY_CHANGED = "category.changed"
    CATEGORY_REMOVED = "category.removed"
    CHANNEL_CREATED = "channel.created"
    CHANNEL_CHANGED = "channel.changed"
    CHANNEL_PAUSED = "channel.paused"
    CHANNEL_RESUMED = "channel.resumed"
    CHANNEL_TESTED = "channel.tested"
    CHANNEL_REMOVED = "channel.removed"
    KEY_ISSUED = "key.issued"
    KEY_ROTATED = "key.rotated"
    KEY_REVOKED = "key.revoked"
    DELIVERIES_RETRIED = "deliveries.retried"
    DELIVERIES_DISCARDED = "deliveries.discarded"
    DELIVERIES_REPLAYED = "deliveries.replayed"
    EVENTS_IMPORTED = "events.imported"
    STORE_BACKED_UP = "store.backed_up"
    STORE_PRUNED = "store.pruned"
    SECRETS_RESEALED = "secrets.resealed"
    SECRETS_FORGOTTEN = "secrets.forgotten"


class Author(msgspec.Struct, frozen=True, kw_only=True):
    """Who acts: an API key and where it is used from, or slowping itself."""

    key_id: int | None
    name: str
    """That of the key, as it was called then."""
    address: str | None = None


ITSELF: Final = Author(key_id=None, name="slowping")


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was done, as it is told."""

    id: str
    at: dt.datetime
    act: str
    """An `ActKind`, as text: a newer server may know more of them."""
    key: str | None
    """The id of the API key; None where slowping itself did it."""
    author: str
    """The key's name as it was then, or `slowping`."""
    address: str | None
    """From where it was done; None where slowping itself did it."""
    project: str | None
    """None where it was about more than one project, or about none."""
    subject: str | None
    """The id of the thing that it was done to."""
    name: str | None
    """What that thing was called then."""
    before: dict[str, Any] | None
    """What was different; all of it where the thing was removed. Never a secret."""
    after: dict[str, Any] | None
    """What is different; all of it where the thing is new. Never a secret."""


class ActFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which acts to list; what is None does not narrow."""

    project_id: int | None = None
    act: str | None = None
    """A kind, or the noun that kinds begin with: `channel`."""
    key_id: int | None = None
    since: int | None = None
    """Done at or after this moment, in UTC milliseconds."""
    until: int | None = None
    """Done before this moment."""


def require_known(act: str) -> None:
    """See that there can be acts of a kind, or of a noun that kinds begin with.

    Raises:
        InvalidInput: there are none; the text names those that there are.
    """
    nouns: dict[str, list[str]] = {}
    for kind in ActKind:
        noun, _, done = kind.partition(".")
        nouns.setdefault(noun, []).append(done)
    if act not in nouns and act not in frozenset(ActKind):
        known = "; ".join(f"{noun}.{' .'.join(done)}" for noun, done in nouns.items())
        raise errors.InvalidInput(
            f"There is no act '{text.shorten(act, _LONGEST_NAME)}'. The acts are {known}; a noun "
            "alone stands for all of its own."
        )


Subject = Project | Category | Channel | ApiKey

_LONGEST_NAME: Final = 60
"""Characters of a name that are repeated."""

# What says nothing that the act does not say itself, or what no act changes.
_LEFT_OUT: Final = frozenset(
    {
        "id",
        "project",
        "created_at",
        "last_used_at",
        "last_used_from",
        "held_until",
        "held_reason",
    }
)
_SETTINGS: Final = "settings"


def told(thing: Subject) -> dict[str, Any]:
    """A thing as an act tells it; settings one by one, as `settings.url`."""
    members = {name: value for name, value in _plain(thing).items() if name not in _LEFT_OUT}
    settings = members.pop(_SETTINGS, {})
    return members | {setting(name): value for name, value in settings.items()}


def setting(name: str) -> str:
    """The name by which an act tells a channel's setting."""
    return f"{_SETTINGS}.{name}"


def difference(
    before: Mapping[str, Any], after: Mapping[str, Any], touched: Collection[str] = ()
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What differs, as it was and as it is.

    What is `touched` is told though it looks the same: of a secret little is seen.
    """
    names = [
        name
        for name in dict.fromkeys((*before, *after))
        if name in touched or before.get(name) != after.get(name)
    ]
    return (
        {name: before[name] for name in names if name in before},
        {name: after[name] for name in names if name in after},
    )


def _plain(thing: Subject) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(thing)
    return plain
