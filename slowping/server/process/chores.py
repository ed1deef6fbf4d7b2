"""Do what goes on beside the requests: send, count, index, fold, read again, look after."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from slowping.core import errors
from slowping.server.auth import Gatekeeper
from slowping.server.clock import Clock
from slowping.server.dispatch.dispatcher import Dispatcher
from slowping.server.log import Fact
from slowping.server.process.upkeep import Upkeep
from slowping.server.roster import Roster
from slowping.store.port import Directory, Journal, Store

logger = logging.getLogger("slowping.chores")

USED_KEYS_EVERY_S: Final = 10.0

FOLLOW_EVERY_S: Final = 1.0
"""How long figures and search lag behind the journal, about, while much comes in."""


@contextlib.asynccontextmanager
async def going_on(  # noqa: PLR0913 - the parts of a server, begun and ended in one place
    dispatcher: Dispatcher,
    roster: Roster,
    uses: "Uses",
    store: Store,
    upkeep: Upkeep,
    clock: Clock,
    grace_s: float,
) -> AsyncIterator[None]:
    """All of it, until the block ends; sends on their way have `grace_s` seconds from then on."""
    journal = store.journal
    await upkeep.begin()
    sending = asyncio.create_task(dispatcher.run())
    others = [
        asyncio.create_task(roster.keep_true(clock)),
        asyncio.create_task(uses.keep_writing(clock)),
        asyncio.create_task(keep_following(journal, clock, journal.count_on, "count events")),
        asyncio.create_task(keep_following(journal, clock, journal.index_on, "index events")),
        asyncio.create_task(keep_following(journal, clock, store.inbox.fold_on, "fold keys")),
        *map(asyncio.create_task, upkeep.chores()),
    ]
    try:
        yield
    finally:
        await dispatcher.stop(grace_s)
        await sending
        for other in others:
            other.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await uses.write()


async def keep_following(
    journal: Journal, clock: Clock, follow_on: Callable[[], Awaitable[bool]], what: str
) -> None:
    """Do something with what has happened, soon after it has, for ever.

    `follow_on` does it with the next stretch of the journal, and says whether there is more.
    """
    alarm, failing = asyncio.Event(), False
    journal.listen(alarm.set)
    alarm.set()
    while True:
        await alarm.wait()
        alarm.clear()
        # Whatever is wrong with the store now must not end the following for good.
        [failure] = await asyncio.gather(_catch_up(follow_on), return_exceptions=True)
        if failure is not None:
            alarm.set()
            if not failing:
                busy = isinstance(failure, errors.Unavailable)
                fact = Fact(f"cannot {what}", reason=failure if busy else None)
                logger.error(fact, exc_info=None if busy else failure)
        failing = failure is not None
        await clock.wait(asyncio.Event(), FOLLOW_EVERY_S)


async def _catch_up(follow_on: Callable[[], Awaitable[bool]]) -> None:
    while await follow_on():
        pass


class Uses:
    """How keys were used last: kept in memory, and written down now and then."""

    def __init__(self, gatekeeper: Gatekeeper, directory: Directory) -> None:
        self._gatekeeper = gatekeeper
        self._directory = directory

    async def keep_writing(self, clock: Clock) -> None:
        """Write every `USED_KEYS_EVERY_S` seconds, for ever."""
        while True:
            await clock.wait(asyncio.Event(), USED_KEYS_EVERY_S)
            await self.write()

    async def write(self) -> None:
        """Write what has come since the last time, if that can be done now."""
        if used := self._gatekeeper.take_used():
            with contextlib.suppress(errors.Unavailable):
                await self._directory.touch_api_keys(used)
