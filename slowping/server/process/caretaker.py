"""Keep the database small: prune every hour, give room back, and fold the write-ahead log."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from slowping.core import errors, retention
from slowping.server.clock import Clock
from slowping.server.log import Fact
from slowping.server.process import pruning
from slowping.server.process.pruning import Pruner
from slowping.store.port import Journal, Retention, Space

logger = logging.getLogger("slowping.retention")

LOOK_EVERY_S: Final = 10.0

PRUNE_EVERY_MS: Final = 3_600_000

LOG_BYTES: Final = 64_000_000
"""A write-ahead log that is longer is emptied, however busy the server is."""

UNTIL_DONE_S: Final = 1e9
"""The chore prunes for as long as it takes."""


class Caretaker:
    """Looks after the store while the server runs."""

    def __init__(
        self,
        store: Retention,
        journal: Journal,
        pruner: Pruner,
        clock: Clock,
        *,
        most_bytes: Callable[[], int],
        tell_owner: Callable[[str], Awaitable[bool]],
    ) -> None:
        """`most_bytes` is what the database may take now; `tell_owner` whether he could be told."""
        self._store = store
        self._pruner = pruner
        self._clock = clock
        self._most_bytes = most_bytes
        self._tell_owner = tell_owner
        self._looked_at = clock.now_ms()
        self._rest_ms = retention.REST_MS
        self._room_rest_ms = 0
        self._is_first = True
        self._has_written = True
        self._has_warned = False
        self._is_failing = False
        journal.listen(self._written)

    async def keep_house(self) -> None:
        """Look every `LOOK_EVERY_S` seconds, for ever."""
        while True:
            await self._clock.wait(asyncio.Event(), LOOK_EVERY_S)
            # Whatever is wrong with the store now must not end this for good.
            [failure] = await asyncio.gather(self.look(), return_exceptions=True)
            if failure is not None and not self._is_failing:
                busy = isinstance(failure, errors.Unavailable)
                fact = Fact("cannot look after the database", reason=failure if busy else None)
                logger.error(fact, exc_info=None if busy else failure)
            self._is_failing = failure is not None

    async def look(self) -> None:
        """Do what is to be done now; this is expected every `LOOK_EVERY_S` seconds.

        Raises:
            Unavailable: the store cannot be used now.
        """
        self._mind_clock(await self._silence_ms() if self._is_first else 0)
        self._is_first = False
        try:
            await self._put_in_order()
        finally:
            # However long it took, that is no clock that was set.
            self._looked_at = self._clock.now_ms()

    async def _put_in_order(self) -> None:
        space = await self._store.space()
        if space.log > LOG_BYTES or (space.log and not self._has_written):
            await self._store.fold()
        if self._rest_ms <= 0:
            self._rest_ms = PRUNE_EVERY_MS
            await self._prune()
        await self._mind_size(space)
        has_spare = space.spare > 0
        while has_spare:
            has_spare = await self._store.give_back()
            await asyncio.sleep(pruning.PAUSE_S)
        # What was written from here is not counted: it would never come to rest.
        self._has_written = False

    def _mind_clock(self, silence_ms: int) -> None:
        """Let everything rest after a start, and after a clock was set: it may be wrong."""
        waited_ms = round(LOOK_EVERY_S * 1000)
        stepped_ms = self._clock.now_ms() - self._looked_at - waited_ms
        rest_ms = max(retention.rest_after(stepped_ms), retention.rest_after(silence_ms))
        if retention.rest_after(stepped_ms):
            logger.warning(Fact("the clock was set", by_s=stepped_ms // 1000))
        self._rest_ms = max(self._rest_ms - waited_ms, rest_ms)

    async def _silence_ms(self) -> int:
        """How long nothing had happened before this start, as far as the clock can be believed."""
        newest_at = await self._store.newest_at()
        return 0 if newest_at is None else self._clock.now_ms() - newest_at

    async def _prune(self) -> None:
        pruned = await self._pruner.prune(UNTIL_DONE_S)
        for part in pruned.parts:
            logger.info(Fact("pruned", what=part.what, project=part.project, number=part.number))

        before = self._clock.now_ms() - retention.FIGURES_MS
        has_more = True
        while has_more:
            has_more = await self._store.thin_figures(before=before)
            await asyncio.sleep(pruning.PAUSE_S)

    async def _mind_size(self, space: Space) -> None:
        """Warn of a database that grows too large, and remove the oldest events of one that is."""
        most = self._most_bytes()
        if not most:
            return  # nobody knows how large the disk is
        self._room_rest_ms = max(0, self._room_rest_ms - round(LOOK_EVERY_S * 1000))
        if space.used > most and not self._room_rest_ms:
            removed = await self._pruner.make_room(most)
            logger.warning(Fact("the database is too large", events_removed=removed, most=most))
            # Where all that is left waits for something, it will not be over in a moment.
            self._room_rest_ms = 0 if removed else PRUNE_EVERY_MS
        share = space.used / most
        if share >= retention.WARN_AT and not self._has_warned:
            self._has_warned = await self._tell_owner(retention.warning(space.used, most))
        elif share < retention.WARN_AT * 0.9:
            self._has_warned = False

    def _written(self) -> None:
        self._has_written = True
