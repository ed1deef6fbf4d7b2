"""Decide which events go in one request, and how long is waited before it is tried again."""

import os
from collections.abc import Iterable
from typing import Final, NamedTuple

MOST_BYTES: Final = 262_144
"""Of one request, unless a single event is larger: a quarter of what a server takes by default."""


class Pace(NamedTuple):
    """How much a sender keeps, how much goes at once, and how long is waited."""

    queue: int = 1_000
    """Events that wait; what comes to a full queue is lost."""
    batch: int = 100
    """Most events of one request, up to 1,000."""
    batch_wait_s: float = 1.0
    """How long an event waits for others to go with."""
    timeout_s: float = 10.0
    """For one try; where the caller waits, also for all tries together."""
    first_retry_s: float = 0.5
    """Doubles with each try, up to `longest_retry_s`."""
    longest_retry_s: float = 30.0
    retry_for_s: float = 600.0
    """After that a batch is given up."""
    exit_s: float = 2.0
    """How long the end of a program is held up for what still waits."""


class Entry(NamedTuple):
    """An event as it is sent."""

    content: bytes
    """JSON, written when the event was given: what changes later does not change it."""
    project: str | None
    idempotency_key: str | None
    """Of its own, which it cannot share with others."""
    given_at: float
    """By the monotonic clock, in seconds."""


class Batch(NamedTuple):
    """Events that go in one request, with the idempotency key that makes all its tries one."""

    entries: tuple[Entry, ...]
    idempotency_key: str

    @property
    def body(self) -> bytes:
        """The request's body."""
        return b"[" + b",".join(entry.content for entry in self.entries) + b"]"


def together(waiting: Iterable[Entry], most: int) -> int:
    """How many of those that wait go in one request, from the first on.

    A request is for one project; and an event that has an idempotency key goes alone.
    """
    count = size = 0
    first: Entry | None = None
    for entry in waiting:
        size += len(entry.content) + 1
        if first is None:
            first = entry
        elif (
            count >= most
            or size > MOST_BYTES
            or entry.project != first.project
            or first.idempotency_key is not None
            or entry.idempotency_key is not None
        ):
            break
        count += 1
    return count


def bind(entries: tuple[Entry, ...], fresh_key: str) -> Batch:
    """Make them one request; `fresh_key` is for events that have no idempotency key."""
    return Batch(entries, entries[0].idempotency_key or fresh_key)


def fresh_key() -> str:
    """An idempotency key that nobody else has."""
    return os.urandom(16).hex()


def retry_wait_s(tries: int, pace: Pace, jitter: float) -> float:
    """Seconds to wait after so many tries; `jitter`, 0 to 1, takes up to half of them away."""
    longest = min(pace.first_retry_s * 2.0 ** min(tries - 1, 30), pace.longest_retry_s)
    return longest * (1 - jitter / 2)
