"""Do what goes on beside the requests: send, read again what could not be read, write down uses."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from slowping.core import errors
from slowping.server.auth import Gatekeeper
from slowping.server.clock import Clock
from slowping.server.dispatch.dispatcher import Dispatcher
from slowping.server.roster import Roster
from slowping.store.port import Directory

USED_KEYS_EVERY_S: Final = 60.0


@contextlib.asynccontextmanager
async def going_on(
    dispatcher: Dispatcher, roster: Roster, uses: "Uses", clock: Clock, grace_s: float
) -> AsyncIterator[None]:
    """All of it, until the block ends; sends on their way have `grace_s` seconds from then on."""
    sending = asyncio.create_task(dispatcher.run())
    others = [
        asyncio.create_task(roster.keep_true(clock)),
        asyncio.create_task(uses.keep_writing(clock)),
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


class Uses:
    """How keys were used last: kept in memory, and written down now and then."""

    def __init__(self, gatekeeper: Gatekeeper, directory: Directory) -> None:
        self._gatekeeper = gatekeeper
        self._directory = directory

    async def keep_writing(self, clock: Clock) -> None:
        """Write once a minute, for ever."""
        while True:
            await clock.wait(asyncio.Event(), USED_KEYS_EVERY_S)
            await self.write()

    async def write(self) -> None:
        """Write what has come since the last time, if that can be done now."""
        if used := self._gatekeeper.take_used():
            with contextlib.suppress(errors.Unavailable):
                await self._directory.touch_api_keys(used)
