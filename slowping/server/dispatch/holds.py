"""Remember which scopes were told to wait, across channels and restarts."""

from collections.abc import Callable, Iterable
from typing import Final

from slowping.core import retry
from slowping.core.delivery import Hold, Pace
from slowping.store.port import Outbox

KEPT_FROM_MS: Final = 1_000
"""A wait shorter than this is over before a restart would be."""

SHORTEST_S: Final = 0.5
"""A far side that says "wait" and means no time at all would be asked again at once, for ever."""

_LONGEST_MS: Final = round(retry.LONGEST_S * 1000)


class Holds:
    """The holds of this moment; the ones that matter after a restart are in the store too."""

    def __init__(self, outbox: Outbox, now_ms: Callable[[], int]) -> None:
        self._outbox = outbox
        self._now_ms = now_ms
        self._until: dict[str, int] = {}

    async def load(self) -> None:
        """Read what an earlier process was told, and forget what is over.

        Raises:
            Unavailable: the store cannot be used now.
        """
        for hold in await self._outbox.holds():
            self._until.setdefault(hold.scope, hold.until)
            if not self.free_at((hold.scope,)):
                await self._outbox.lift(hold.scope)

    def free_at(self, scopes: Iterable[str]) -> int:
        """When the last hold of these scopes ends; 0 where there is none."""
        now = self._now_ms()
        latest = 0
        for scope in scopes:
            until = self._until.get(scope, 0)
            # One that lasts longer than any can was made by a clock that has stepped back since.
            if now < until <= now + _LONGEST_MS:
                latest = max(latest, until)
            elif until:
                del self._until[scope]
        return latest

    async def hold(self, scope: str, wait_s: float, why: str) -> int:
        """Hold a scope for so long, unless it is held for longer; when that ends.

        Raises:
            Unavailable: it is held, but not beyond a restart.
        """
        # In this order a number that is none becomes no wait.
        wait_ms = round(min(max(0.0, wait_s), retry.LONGEST_S) * 1000)
        until = max(self._now_ms() + wait_ms, self.free_at((scope,)))
        self._until[scope] = until
        if wait_ms >= KEPT_FROM_MS:
            await self._outbox.hold(Hold(scope=scope, until=until, why=why))
        return until

    async def throttle(self, scope: str, wait_s: float, why: str) -> int:
        """Hold a scope whose far side has refused to take more; when that ends.

        Raises:
            Unavailable: as for `hold`.
        """
        return await self.hold(scope, max(SHORTEST_S, wait_s), why)

    async def keep_pace(self, pace: Pace | None) -> None:
        """Do as an answer says about the next request.

        Raises:
            Unavailable: as for `hold`.
        """
        if pace is not None and pace.wait_s > 0:
            await self.hold(pace.scope, pace.wait_s, "pace")
