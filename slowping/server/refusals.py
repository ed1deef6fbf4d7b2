"""Remember the last refused requests, so that an owner sees who was turned away and why."""

import collections
from typing import Final

import msgspec

from slowping.server.tally import Tally

KEPT: Final = 1_000


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was refused; nothing of its body is kept."""

    at: int
    """UTC milliseconds."""
    dialect: str
    path: str
    condition: str
    """The name of the error, such as `UnknownApiKey`."""
    status: int


class Refusals:
    """A ring in memory and a counter; nothing is stored."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._recent: collections.deque[Refusal] = collections.deque(maxlen=KEPT)

    def add(self, refusal: Refusal) -> None:
        """Note a refusal."""
        self._recent.append(refusal)
        self._tally.refused[refusal.condition] += 1

    def recent(self) -> tuple[Refusal, ...]:
        """The last ones, newest first."""
        return tuple(reversed(self._recent))
