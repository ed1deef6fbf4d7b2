"""Make good that the clock was set back: nothing waits longer for it, and nothing moves twice."""

import logging
from typing import Final

from slowping.server.dispatch.breakers import Breakers
from slowping.server.dispatch.holds import Holds
from slowping.server.log import Fact
from slowping.store.port import Outbox

logger = logging.getLogger("slowping.dispatcher")

STEP: Final = 500
"""Most deliveries that are moved at once: whoever sends an event waits so long."""


class SetBack:
    """What the clock's being set back leaves to do."""

    def __init__(self, outbox: Outbox, holds: Holds, breakers: Breakers) -> None:
        self._outbox = outbox
        self._holds = holds
        self._breakers = breakers
        self._by = 0
        self._left: list[int] = []
        """The deliveries that are still to move, the next one due last."""

    async def begin(self, by: int, now: int) -> None:
        """The clock was set back by so many milliseconds: all holds end so much earlier.

        Raises:
            Unavailable: the store cannot be used now; then nothing has changed.
        """
        await self.go_on(now)  # with what an earlier time has left
        left = await self._outbox.planned(now=now)
        await self._outbox.step_back_holds(by=by)
        logger.warning(Fact("the clock was set back", by_s=by // 1000))
        self._holds.step_back(by)
        self._breakers.step_back(by)
        self._by, self._left = by, left

    async def go_on(self, now: int) -> None:
        """Make due so much earlier what was to be sent later, a step at a time.

        Raises:
            Unavailable: the store cannot be used now; the next call goes on from there.
        """
        while self._left:
            await self._outbox.step_back(self._left[-STEP:], by=self._by, now=now)
            del self._left[-STEP:]
