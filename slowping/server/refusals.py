"""Remember the last refused requests and log them, so that an owner sees who was turned away."""

import collections
import logging
from typing import Final

import msgspec

from slowping.server.log import Fact
from slowping.server.tally import Tally

logger = logging.getLogger("slowping.refusals")

KEPT: Final = 1_000

LOGGED_A_SECOND: Final = 10
"""Whoever knocks often is not to fill the log; what is left out is counted."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was refused; nothing of its body is kept."""

    at: int
    """UTC milliseconds."""
    dialect: str
    path: str
    condition: str
    """The name of the error, such as `UnknownApiKey`."""
    status: int
    address: str | None
    """Who sent it: behind proxies of the operator, who they say it was."""


class Refusals:
    """A ring in memory, a counter and some lines in the log; nothing is stored."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._recent: collections.deque[Refusal] = collections.deque(maxlen=KEPT)
        self._second = 0
        self._logged = 0
        """Of this second."""

    def add(self, refusal: Refusal) -> None:
        """Note a refusal."""
        self._recent.append(refusal)
        self._tally.refused[refusal.condition] += 1
        self._log(refusal)

    def recent(self) -> tuple[Refusal, ...]:
        """The last ones, newest first."""
        return tuple(reversed(self._recent))

    def _log(self, refusal: Refusal) -> None:
        second = refusal.at // 1000
        if second != self._second:
            if self._logged > LOGGED_A_SECOND:
                logger.info(Fact("more were refused", count=self._logged - LOGGED_A_SECOND))
            self._second, self._logged = second, 0
        self._logged += 1
        if self._logged <= LOGGED_A_SECOND:
            logger.info(
                Fact(
                    "refused",
                    dialect=refusal.dialect,
                    path=refusal.path,
                    condition=refusal.condition,
                    status=refusal.status,
                    address=refusal.address,
                )
            )
