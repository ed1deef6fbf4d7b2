"""Keep the breakers of channels and of what they have in common, across restarts."""

import logging
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from slowping.core import breaker as core
from slowping.core import retry, settle
from slowping.core.breaker import KEPT_AS, Breaker, Probe
from slowping.core.delivery import Hold, Outcome, Retry
from slowping.server.dispatch.outlets import Outlet, own_scope, shown
from slowping.server.log import Fact
from slowping.store.port import Outbox

logger = logging.getLogger("slowping.dispatcher")

SPREAD_S: Final = 30.0
"""Over so long the channels of a provider come back, each at a moment drawn for it."""

LOOK_AGAIN_MS: Final = 1_000
"""How soon to ask whether a probe is back."""

_LONGEST_MS: Final = round(retry.LONGEST_S * 1000)
_CLOSED: Final = Breaker()


class Leave(msgspec.Struct, frozen=True, kw_only=True):
    """Leave for an outlet to send."""

    probe: Probe | None
    """For one message only; None where it may send as usual."""
    provider: str | None
    """The provider that it tries for all channels."""


class Breakers:
    """A breaker for each channel, and one for its provider, which is the widest of its scopes.

    A provider's counts a channel once until that has done well again, so that one channel that is
    broken cannot stop the others.
    """

    def __init__(
        self, outbox: Outbox, now_ms: Callable[[], int], jitter: Callable[[], float]
    ) -> None:
        """`jitter` gives 0 to 1."""
        self._outbox = outbox
        self._now_ms = now_ms
        self._jitter = jitter
        self._known: dict[str, Breaker] = {}
        self._stored: set[str] = set()
        self._probed: set[str] = set()
        """Providers to which a probe is on its way."""
        self._crowds: dict[str, set[int]] = {}
        """The channels that wait for an open provider."""
        self._urged: set[int] = set()

    async def load(self) -> None:
        """Read which breakers an earlier process has opened.

        Raises:
            Unavailable: the store cannot be used now.
        """
        for hold in await self._outbox.holds():
            if hold.scope.startswith(KEPT_AS):
                scope = hold.scope.removeprefix(KEPT_AS)
                self._stored.add(scope)
                kept = Breaker(failures=hold.failures, since=hold.since, until=hold.until)
                self._known.setdefault(scope, kept)

    def step_back(self, by: int) -> None:
        """The clock was set back by so many milliseconds: nothing waits longer for it."""
        self._known = {scope: core.set_back(known, by) for scope, known in self._known.items()}

    # Before a message ------------------------------------------------------------------------

    def free_at(self, outlet: Outlet) -> int:
        """When the channel may ask again; 0 where it may send."""
        channel_id = outlet.channel.id
        if channel_id in self._urged:
            return 0
        own, provider = self._wait(outlet.own_scope), outlet.provider
        if provider is None or not self._is_open(provider):
            return own
        shared = self._wait(provider)
        if not shared:
            if provider not in self._probed:
                return own
            shared = self._now_ms() + LOOK_AGAIN_MS
        crowd = self._crowds.setdefault(provider, set())
        crowd.add(channel_id)
        # The first to come back is a probe. The crowd is ours, so it does not come all at once.
        drawn_ms = round(SPREAD_S * 1000 * self._jitter()) if len(crowd) > 1 else 0
        return max(own, shared + drawn_ms)

    def probed_at(self, channel_id: int) -> int | None:
        """When the channel's own breaker wants a probe; None where it is closed."""
        scope = own_scope(channel_id)
        return (self._wait(scope) or self._now_ms()) if self._is_open(scope) else None

    def begin(self, outlet: Outlet) -> Leave:
        """Let an outlet send; `end` is called when it has."""
        own, provider = self._is_open(outlet.own_scope), outlet.provider
        if provider is not None and not self._is_open(provider):
            provider = None
        by_hand = outlet.channel.id in self._urged
        self._urged.discard(outlet.channel.id)
        if not own and provider is None:
            return Leave(probe=None, provider=None)
        if provider is not None:
            self._probed.add(provider)
        return Leave(probe=Probe(by_hand=by_hand, may_be_early=own), provider=provider)

    def end(self, leave: Leave) -> None:
        """It has sent, or had nothing to send."""
        if leave.provider is not None:
            self._probed.discard(leave.provider)

    def urge(self, channel_ids: Iterable[int]) -> None:
        """A person wants these to be tried now."""
        self._urged.update(channel_ids)

    def forget(self, channel_id: int) -> None:
        """The channel was changed or resumed: what it did before does not count."""
        self._known.pop(own_scope(channel_id), None)

    # After a message -------------------------------------------------------------------------

    async def note(self, outlet: Outlet, outcome: Outcome, *, is_probe: bool = False) -> bool:
        """Count an outcome; whether the channel does well again that was given up on before.

        `is_probe` says that it speaks for the whole provider.

        Raises:
            Unavailable: it counts, but not beyond a restart.
        """
        well, own = core.went_well(outcome), self._of(outlet.own_scope)
        if well is None:
            return False
        is_first = not own.failures
        asked_s = (outcome.after or 0.0) if isinstance(outcome, Retry) else 0.0
        await self._turn(outlet, outlet.own_scope, well, outcome, asked_s)
        is_there = well or core.is_there(outcome)
        if outlet.provider is not None and (is_there or is_first or is_probe):
            await self._turn(outlet, outlet.provider, is_there, outcome, 0.0)
        return well and own.since is not None and own.asked_until <= self._now_ms()

    async def trip(self, provider: str, why: str) -> None:
        """Have a single message find out whether a provider that asked to wait takes more.

        Raises:
            Unavailable: it is so, but not beyond a restart.
        """
        await self._keep(provider, core.opened(self._of(provider), now=self._now_ms()), why)

    def hopeless(self, channel_id: int) -> Breaker | None:
        """The channel's breaker, where it has failed so long that a person should look at it."""
        found = self._of(own_scope(channel_id))
        return found if core.is_hopeless(found, now=self._now_ms()) else None

    async def _turn(
        self, outlet: Outlet, scope: str, well: bool, outcome: Outcome, asked_s: float
    ) -> None:
        before = self._of(scope)
        if well:
            after = core.succeeded(before)
            self._crowds.pop(scope, None)
        else:
            after = core.failed(before, now=self._now_ms(), asked_s=asked_s)
        if (before.since is None) is not (after.since is None):
            word = "opened" if before.since is None else "closed"
            logger.warning(_fact(f"breaker {word}", outlet, scope, settle.reason_of(outcome)))
        await self._keep(scope, after, settle.reason_of(outcome) or "")

    async def _keep(self, scope: str, breaker: Breaker, why: str) -> None:
        self._known[scope] = breaker
        if breaker.since is not None:
            self._stored.add(scope)
            hold = Hold(
                scope=KEPT_AS + scope, until=breaker.until, why=why, failures=breaker.failures,
                since=breaker.since,
            )  # fmt: skip
            await self._outbox.hold(hold, now=self._now_ms())
        elif scope in self._stored:
            await self._outbox.lift(KEPT_AS + scope, now=self._now_ms())
            self._stored.discard(scope)

    def _of(self, scope: str) -> Breaker:
        return self._known.get(scope, _CLOSED)

    def _is_open(self, scope: str) -> bool:
        return self._of(scope).since is not None

    def _wait(self, scope: str) -> int:
        """Until when an open breaker lets nothing through; 0 where that is over."""
        until, now = self._of(scope).until, self._now_ms()
        # One that lasts longer than any can was opened by a clock that has stepped back since.
        return until if self._is_open(scope) and now < until <= now + _LONGEST_MS else 0


def _fact(what: str, outlet: Outlet, scope: str, reason: str | None) -> Fact:
    """What happened to a scope of an outlet, which is called as people know it."""
    if scope != outlet.own_scope:
        return Fact(what, provider=scope, reason=reason)
    channel = outlet.channel
    return Fact(what, channel=shown(channel.id), name=channel.name, reason=reason)
