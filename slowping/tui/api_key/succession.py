"""Decide how long an old key works beside the new one, and say what follows from it."""

import datetime as dt
from typing import Final

import msgspec

from slowping.core import text, times
from slowping.core.api_key import ApiKey
from slowping.tui.api_key import standing


class Overlap(msgspec.Struct, frozen=True, kw_only=True):
    """How long both keys work."""

    seconds: int
    name: str


OVERLAPS: Final = (
    Overlap(seconds=0, name="At once"),
    Overlap(seconds=3_600, name="1 hour"),
    Overlap(seconds=86_400, name="24 hours"),
    Overlap(seconds=7 * 86_400, name="7 days"),
)
USUAL: Final = OVERLAPS[2]


def promise(overlap: Overlap, old: ApiKey, now_ms: int) -> str:
    """What is to become of the old key."""
    if not overlap.seconds:
        return "the old key ends now, whoever uses it"
    return f"the old key works until {standing.moment(_end(overlap, old, now_ms), now_ms)}"


def told(overlap: Overlap, old: ApiKey, now_ms: int) -> str:
    """Beside the new key: which clients work until when."""
    prefix = f"{text.one_line(old.prefix)}…"
    if not overlap.seconds:
        return f"{prefix} has ended: give this one to every client that used it."
    until = standing.moment(_end(overlap, old, now_ms), now_ms)
    return f"Clients that use {prefix} work until {until}. Give them this one before."


def _end(overlap: Overlap, old: ApiKey, now_ms: int) -> dt.datetime:
    """Its own end, where that comes first."""
    ends = times.to_datetime(now_ms + 1_000 * overlap.seconds)
    return min(ends, old.expires_at) if old.expires_at is not None else ends
