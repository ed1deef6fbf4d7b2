"""A far side on a port that stays the same: something is wrong with it until it is mended."""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

Note = Callable[[], None]
"""Called with each request that arrives."""

Stand = Callable[[int, Note], AbstractAsyncContextManager[int]]
"""Holds a port, any free one for 0, for as long as its block lasts; gives the port."""


class Site:
    """Stands there broken, then well; knows when it was asked."""

    def __init__(self, broken: Stand, well: Stand, now_ms: Callable[[], int]) -> None:
        self._well = well
        self._now_ms = now_ms
        self._standing = contextlib.AsyncExitStack()
        self._broken = broken
        self.port = 0
        self.asked_at: list[int] = []
        """When each request came that was read."""

    @contextlib.asynccontextmanager
    async def standing(self) -> AsyncIterator["Site"]:
        """Stand there until the block ends, broken at first."""
        self.port = await self._standing.enter_async_context(self._broken(0, self._note))
        try:
            yield self
        finally:
            await self._standing.aclose()

    async def mend(self) -> None:
        """Be well from now on, on the same port."""
        await self._standing.aclose()
        await self._standing.enter_async_context(self._well(self.port, self._note))

    def _note(self) -> None:
        self.asked_at.append(self._now_ms())
