"""Decide how an API key stands, how long it still works, and which projects it is for."""

import datetime as dt
import enum
from collections.abc import Iterable
from typing import Final

from slowping.core import text, times
from slowping.core.api_key import ApiKey, Scope
from slowping.tui.widgets import drawing

SOON_MS: Final = 48 * 3_600_000
"""From how much time left on the end is counted down to."""

_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


class Standing(enum.Enum):
    """How a key stands; the best first."""

    LIVE = "live"
    REPLACED = "replaced"
    """It still works, but there is another one in its place."""
    EXPIRED = "expired"
    REVOKED = "revoked"

    @property
    def works(self) -> bool:
        """Whether the server takes it."""
        return self in (Standing.LIVE, Standing.REPLACED)


def standing(key: ApiKey, now_ms: int) -> Standing:
    """How the key stands at that moment."""
    if key.revoked_at is not None:
        return Standing.REVOKED
    if key.expires_at is not None and times.to_ms(key.expires_at) <= now_ms:
        return Standing.EXPIRED
    return Standing.REPLACED if key.rotated_to is not None else Standing.LIVE


def end(key: ApiKey, now_ms: int) -> str:
    """When it ends or has ended, in a word: `in 3h 12m`, `2026-12-31`, `never`."""
    ended = key.revoked_at or key.expires_at
    if ended is None:
        return "never"
    left_ms = times.to_ms(ended) - now_ms
    if left_ms <= 0:
        return f"{drawing.age(ended, now_ms)} ago"
    return f"in {lasting(left_ms)}" if left_ms < SOON_MS else f"{times.local(ended):%Y-%m-%d}"


def lasting(ms: int) -> str:
    """A span of time in its two largest units: `3h 12m`, `42s`."""
    seconds = ms // 1000
    parts: list[str] = []
    for size, unit in _UNITS:
        if seconds >= size or (size == 1 and not parts):
            parts.append(f"{seconds // size}{unit}")
        seconds %= size
    return " ".join(parts[:2])


def moment(when: dt.datetime, now_ms: int) -> str:
    """A moment on this machine, to the minute: `today, 11:06`, `2026-11-22 11:06`."""
    local = times.local(when)
    days = (local.date() - times.to_datetime(now_ms).astimezone().date()).days
    day = {0: "today,", 1: "tomorrow,", -1: "yesterday,"}.get(days, f"{local:%Y-%m-%d}")
    return f"{day} {local:%H:%M}"


def reach(key: ApiKey) -> str:
    """The projects it is for: its home, then the others; or `all`."""
    if key.all_projects or Scope.ADMIN in key.scopes:
        return "all"
    others = [name for name in key.projects if name != key.project]
    return ", ".join(text.one_line(name) for name in (key.project, *others))


def used(key: ApiKey, now_ms: int) -> str:
    """When and from where it was used last, as the rest of a sentence."""
    if key.last_used_at is None:
        return "has never been used"
    seen = drawing.age(key.last_used_at, now_ms)
    when = "just now" if seen == "now" else f"{seen} ago"
    address = f" from {text.one_line(key.last_used_from)}" if key.last_used_from else ""
    return f"was last used {when}{address}"


def is_last_admin(key: ApiKey, keys: Iterable[ApiKey], now_ms: int) -> bool:
    """Whether no other key that works may administer."""
    return Scope.ADMIN in key.scopes and not any(
        Scope.ADMIN in other.scopes and standing(other, now_ms).works
        for other in keys
        if other.id != key.id
    )


def loss(key: ApiKey, keys: Iterable[ApiKey], own: ApiKey | None, now_ms: int) -> str:
    """What comes of revoking it, with what is most easily overlooked last."""
    said = [f"It {used(key, now_ms)}. Whoever uses it is refused from now on."]
    if own is not None and own.id == key.id:
        said.append("This live view uses it: it will ask you for another key.")
    if is_last_admin(key, keys, now_ms):
        said.append(
            "It is the last key that may administer: the server makes another one when it starts "
            "anew, and writes it to admin.key in its data folder."
        )
    return "\n".join(said)
