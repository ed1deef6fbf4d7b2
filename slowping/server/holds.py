"""Remember which scopes were told to wait, across channels and restarts."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from slowping.core.delivery import Hold, Pace
from slowping.store.port import Outbox

KEPT_FROM_MS: Final = 1_000
"""A wait shorter than this is over before a restart would be."""


class Holds:
    """The holds of this moment; the ones that matter after a restart are in the store too."""

    def __init__(self, outbox: Outbox, now_ms: Callable[[], int]) -> None:
        self._outbox = outbox
        self._now_ms = now_ms
        self._until: dict[str, int] = {}

    async def load(self) -> None:
        """Read what an earlier process was told."""
        for hold in await self._outbox.holds():
            self._until[hold.scope] = hold.until

    def free_at(self, scopes: Iterable[str]) -> int:
        """When the last hold of these scopes ends; 0 where there is none."""
        now = self._now_ms()
        latest = 0
        for scope in scopes:
            until = self._until.get(scope, 0)
            if until > now:
                latest = max(latest, until)
            elif until:
                del self._until[scope]
        return latest

    async def hold(self, scope: str, wait_s: float, why: str) -> int:
        """Hold a scope for so long, unless it is held for longer; when that ends."""
        until = max(self._now_ms() + round(wait_s * 1000), self._until.get(scope, 0))
        self._until[scope] = until
        if wait_s * 1000 >= KEPT_FROM_MS:
            await self._outbox.hold(Hold(scope=scope, until=until, why=why))
        return until

    async def keep_pace(self, pace: Pace | None) -> None:
        """Do as an answer says about the next request."""
        if pace is not None and pace.wait_s > 0:
            await self.hold(pace.scope, pace.wait_s, "pace")

    def current(self) -> Mapping[str, int]:
        """Scopes that are held now, and until when."""
        now = self._now_ms()
        return {scope: until for scope, until in self._until.items() if until > now}
