"""Remember which scopes were told to wait, across channels and restarts."""

from collections.abc import Callable, Iterable
from typing import Final

from slowping.core import retry
from slowping.core.delivery import Hold, Pace
from slowping.store.port import Outbox

KEPT_FROM_S: Final = 5.0
"""A pace that asks for less is over by the time a restart is."""

SHORTEST_S: Final = 1.0
"""A far side that says "wait" and means no time at all would be asked again at once, for ever."""

UNTOLD_S: Final = 60.0
"""For one that says "wait" and not how long; twice as long each time that it says so again."""

LONGEST_UNTOLD_S: Final = 3_600.0

_MOST_DOUBLINGS: Final = 32
"""More than the longest wait takes, and fewer than a float can hold."""

_LONGEST_MS: Final = round(retry.LONGEST_S * 1000)


class Holds:
    """The holds of this moment; the ones that matter after a restart are in the store too."""

    def __init__(self, outbox: Outbox, now_ms: Callable[[], int]) -> None:
        self._outbox = outbox
        self._now_ms = now_ms
        self._until: dict[str, int] = {}
        self._failures: dict[str, int] = {}
        """How often a scope was told to wait, in a row and without a word of how long."""

    async def load(self) -> None:
        """Read what an earlier process was told, and forget what is over.

        Raises:
            Unavailable: the store cannot be used now.
        """
        for hold in await self._outbox.holds():
            if hold.since is not None:
                continue  # it stands for a breaker
            self._until.setdefault(hold.scope, hold.until)
            if hold.failures:
                self._failures.setdefault(hold.scope, hold.failures)
            elif not self.free_at((hold.scope,)):
                await self._outbox.lift(hold.scope, now=self._now_ms())

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

    def step_back(self, by: int) -> None:
        """The clock was set back by so many milliseconds: nothing waits longer for it."""
        self._until = {scope: until - by for scope, until in self._until.items()}

    async def throttle(self, scope: str, wait_s: float | None, why: str) -> int:
        """Hold a scope whose far side has refused to take more; when that ends.

        `wait_s` is what it asks for, None where it does not say. The longer of two holds counts.

        Raises:
            Unavailable: it is held, but not beyond a restart.
        """
        held_until = self.free_at((scope,))
        if wait_s is None:
            # Several messages that were on their way at once are told the same thing.
            failures = max(1, self._failures.get(scope, 0) + (not held_until))
            wait_s = min(UNTOLD_S * 2.0 ** min(failures - 1, _MOST_DOUBLINGS), LONGEST_UNTOLD_S)
            self._failures[scope] = failures
        until = max(self._now_ms() + _in_ms(max(SHORTEST_S, wait_s)), held_until)
        self._until[scope] = until
        await self._keep(scope, why)
        return until

    async def keep_pace(self, paces: Iterable[Pace]) -> None:
        """Hold scopes that have nothing left for so long that a restart may come between.

        Raises:
            Unavailable: they are held, but not beyond a restart.
        """
        for pace in paces:
            if pace.wait_s >= KEPT_FROM_S and not (pace.adds_up or pace.remaining):
                held_until = self.free_at((pace.scope,))
                self._until[pace.scope] = max(self._now_ms() + _in_ms(pace.wait_s), held_until)
                await self._keep(pace.scope, "pace")

    async def succeed(self, scopes: Iterable[str]) -> None:
        """A far side has taken something: what it refused before does not count any more.

        Raises:
            Unavailable: a restart will count it still.
        """
        for scope in scopes:
            if self._failures.pop(scope, 0):
                await self._outbox.lift(scope, now=self._now_ms())

    async def _keep(self, scope: str, why: str) -> None:
        failures = self._failures.get(scope, 0)
        await self._outbox.hold(
            Hold(scope=scope, until=self._until[scope], why=why, failures=failures),
            now=self._now_ms(),
        )


def _in_ms(wait_s: float) -> int:
    # In this order a number that is none becomes no wait.
    return round(min(max(0.0, wait_s), retry.LONGEST_S) * 1000)
