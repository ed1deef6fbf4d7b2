"""What may be done to a database as a whole: copy it, look it over, put it back, renew it.

All of it blocks: a server does it in a thread. Moments are UTC milliseconds.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import msgspec

Step = Callable[[int, int], None]
"""Told after each step how many bytes are copied, and of how many; what it raises breaks off."""


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What a database holds, in short."""

    schema: int
    events: int
    newest_event_at: int | None
    """When the newest one was accepted."""
    waiting: int
    """Deliveries that have not come to an end: a server that starts on this sends them."""
    has_secrets: bool
    """Whether a channel has secrets, which are encrypted under a key that lies elsewhere."""
    size: int
    """In bytes."""


class ChannelState(msgspec.Struct, frozen=True, kw_only=True):
    """How a live channel is, and what it keeps secret."""

    name: str
    project: str
    paused_at: int | None
    paused_reason: str | None
    paused_by_hand: bool
    waiting: int
    failed: int
    oldest_waiting_at: int | None
    """When the delivery was made that waits longest."""
    sealed: bytes | None
    """Its secrets, encrypted; None where it has none."""
    held_until: int | None = None
    """While its breaker is open: when one message tries it."""
    held_reason: str | None = None


class ProviderState(msgspec.Struct, frozen=True, kw_only=True):
    """A provider whose breaker is open."""

    scope: str
    held_until: int
    held_reason: str


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in a database; nothing in it says whether that is good."""

    contents: Contents
    newest_schema: int
    """What this slowping would make of it."""
    is_thorough: bool
    """Whether every page and reference was looked at."""
    damage: tuple[str, ...]
    """What is wrong with its pages and rows, in the database's own words."""
    log_bytes: int
    """Of the write-ahead log beside it."""
    version: str
    """Of the database's program."""
    faults: tuple[str, ...]
    """What is known to be wrong with that version, and why it does no harm here."""
    channels: tuple[ChannelState, ...]
    held_providers: tuple[ProviderState, ...]
    clock_steps: int
    """How often the clock was set back, as far as the journal goes back."""
    largest_step_ms: int
    last_journal_at: int | None
    """When the newest line of the journal was written."""
    key_digests: Mapping[bytes, bool]
    """Of every API key, and whether it is live."""


class Database(Protocol):
    """One database as a whole."""

    @property
    def faults(self) -> tuple[str, ...]:
        """What is known to be wrong with its program, and why it does no harm here."""
        ...

    def copy(self, target: Path, *, step: Step, still: bool = False) -> None:
        """Write a copy as of this moment into a new file, for its owner alone, on the disk.

        What is written meanwhile is not held up, and not in the copy. Where nobody else has the
        database open, `still` leaves nothing beside it.

        Raises:
            StoreUnusable: it cannot be read, or the copy cannot be written; then there is none.
        """
        ...

    def verify(self) -> Contents:
        """Look at every page and reference of a database that nothing writes now.

        Raises:
            StoreUnusable: it is damaged, another program's or a newer slowping's.
        """
        ...

    def outline(self) -> Contents:
        """What a database holds that nothing writes now, however sound it is.

        Raises:
            StoreUnusable: it cannot be read.
        """
        ...

    def put_back(self, copy: Path, *, stamp: str, step: Step) -> Path | None:
        """Put a copy in the place of the database, which nothing may have open.

        The old one is kept beside, named with `stamp`; None where there was none. Killed at any
        moment, either the old one or the new one stands. Readers of the feed start anew.

        Raises:
            StoreUnusable: it cannot be done; the old one stands.
        """
        ...

    def migrate(self, *, stamp: str, step: Step) -> Path | None:
        """Bring the database to the newest schema; where a copy of the old one lies.

        None where it has the newest schema already. Nothing else may have it open.

        Raises:
            StoreUnusable: it cannot be used; it is left as it was.
        """
        ...

    def examine(self, *, thorough: bool) -> Examination:
        """Look it over, without writing; a server may be at work on it.

        Raises:
            StoreUnusable: it cannot be read.
        """
        ...
