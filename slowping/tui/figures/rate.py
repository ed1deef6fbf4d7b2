"""Know how many events come in, second by second, whichever place is looked at."""

import collections
from collections.abc import Sequence
from typing import Final

from slowping.core.feed import EventAccepted
from slowping.tui.live import Batch

SECONDS: Final = 20
"""How far it goes back."""
_RECENT: Final = 5
"""Seconds over which the rate is told."""


class Rate:
    """Counts what it hears; `tick` once a second."""

    def __init__(self) -> None:
        self._seconds: collections.deque[int] = collections.deque([0] * SECONDS, maxlen=SECONDS)
        self._this_second = 0

    @property
    def seconds(self) -> Sequence[int]:
        """Events in each of the last `SECONDS` seconds, the oldest first."""
        return tuple(self._seconds)

    @property
    def per_second(self) -> float:
        """How many came in each second, of late."""
        return sum(self.seconds[-_RECENT:]) / _RECENT

    def hear(self, batch: Batch) -> None:
        """Count the events that came in."""
        self._this_second += sum(isinstance(item, EventAccepted) for item in batch)

    def tick(self) -> None:
        """A second has gone by."""
        self._seconds.append(self._this_second)
        self._this_second = 0

    def forget(self) -> None:
        """Something else is looked at."""
        self._seconds.extend([0] * SECONDS)
        self._this_second = 0
