"""Bring a batch to the server: try again what may work later, halve what is refused for one."""

import os
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from slowping.client import batch as batches
from slowping.client.batch import Batch, Entry, Pace
from slowping.client.courier import TryLater
from slowping.core import errors
from slowping.core.errors import SlowpingError

Carry = Callable[[Batch], None]
"""Takes a batch to the server, or raises TryLater or the condition for which it is refused."""

Wait = Callable[[float, float], bool]
"""Waits so many seconds, or less but not less than so many; whether to go on."""

_OF_ONE_EVENT: Final = (errors.InvalidInput, errors.InvalidJson, errors.TooLarge)
"""Conditions that one event can cause for all that go with it."""


class Lost(NamedTuple):
    """Events that did not arrive, and why."""

    entries: tuple[Entry, ...]
    error: Exception


def bring(
    batch: Batch, carry: Carry, wait: Wait, pace: Pace, now: Callable[[], float]
) -> Iterator[Lost]:
    """Bring a batch, and tell what of it is lost."""
    left = [batch]
    while left:
        batch = left.pop()
        error = _carried(batch, carry, wait, pace, now)
        if isinstance(error, _OF_ONE_EVENT) and len(batch.entries) > 1:
            left += reversed(_halves(batch))
        elif error is not None:
            yield Lost(batch.entries, error)


def _carried(
    batch: Batch, carry: Carry, wait: Wait, pace: Pace, now: Callable[[], float]
) -> SlowpingError | None:
    """Why the batch is given up; None where it has arrived."""
    give_up_at = now() + pace.retry_for_s
    tries = 0
    while True:
        tries += 1
        try:
            carry(batch)
        except TryLater as told:
            wait_s = max(batches.retry_wait_s(tries, pace, _jitter()), told.after_s)
            if now() + wait_s > give_up_at or not wait(wait_s, told.after_s):
                return told.cause
        except SlowpingError as error:
            return error
        else:
            return None


def _jitter() -> float:
    return os.urandom(1)[0] / 255


def _halves(batch: Batch) -> tuple[Batch, Batch]:
    """Two batches of their own: nothing was stored under the key of the whole."""
    middle = len(batch.entries) // 2
    first, second = batch.entries[:middle], batch.entries[middle:]
    return batches.bind(first, batches.fresh_key()), batches.bind(second, batches.fresh_key())
