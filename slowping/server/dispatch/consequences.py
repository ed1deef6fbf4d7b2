"""Do what an outcome asks for beyond its deliveries: learn, keep the pace, wait, pause, tell."""

import logging
from collections.abc import Callable
from typing import Final

from slowping.core import ids, settle
from slowping.core.breaker import Breaker
from slowping.core.delivery import Delivered, Outcome, Throttled, Unusable
from slowping.core.settle import Sent
from slowping.server.dispatch.breakers import Breakers
from slowping.server.dispatch.holds import Holds
from slowping.server.dispatch.outlets import Outlet, Outlets, shown
from slowping.server.dispatch.paces import Paces
from slowping.server.log import Fact
from slowping.server.tally import Tally
from slowping.store.port import Outbox

logger = logging.getLogger("slowping.dispatcher")

NOTICE: Final = "notice"
"""The dialect of events by which slowping tells an owner about a channel of his."""

TRIPS_FROM_S: Final = 5.0
"""A provider that asks for less than that is asked again by everybody."""

_DAY_MS: Final = 86_400_000


class Consequences:
    """Of what came back."""

    def __init__(  # noqa: PLR0913 - all that something may follow for
        self,
        outbox: Outbox,
        outlets: Outlets,
        holds: Holds,
        paces: Paces,
        breakers: Breakers,
        tally: Tally,
        now_ms: Callable[[], int],
    ) -> None:
        self._outbox = outbox
        self._outlets = outlets
        self._holds = holds
        self._paces = paces
        self._breakers = breakers
        self._tally = tally
        self._now_ms = now_ms

    async def follow(self, outlet: Outlet, message: Sent, *, is_probe: bool) -> bool:
        """Do all that a message asks for; whether others are due now that were not.

        `is_probe` says that it spoke for the whole provider.

        Raises:
            Unavailable: the store cannot be written now.
        """
        outcome = message.outcome
        self._tell(outlet, message)
        recalled = await self.remember(outlet, outcome, is_probe=is_probe)
        # A notice that fails is no reason for another notice.
        quiet = all(delivery.dialect == NOTICE for delivery in message.deliveries)
        if isinstance(outcome, Unusable):
            await self._outlets.shut(outlet, outcome.scope, outcome.reason, quiet=quiet)
        elif hopeless := self._breakers.hopeless(outlet.channel.id):
            reason = _hopeless(hopeless, settle.reason_of(outcome), self._now_ms())
            await self._outlets.shut(outlet, None, reason, quiet=quiet)
            self._breakers.forget(outlet.channel.id)
        return recalled

    async def remember(self, outlet: Outlet, outcome: Outcome, *, is_probe: bool) -> bool:
        """Keep what an outcome teaches about the far side; whether others are due now for that.

        Raises:
            Unavailable: what was learned counts, but not beyond a restart.
        """
        self._paces.heed(outcome.paces)
        if isinstance(outcome, Delivered):
            self._paces.count(outlet.scopes[1:])
        if outcome.learned:
            await self._outlets.learn(outlet, outcome.learned)
        await self._holds.keep_pace(outcome.paces)
        if isinstance(outcome, Throttled):
            await self._throttle(outlet, outcome)
        if isinstance(outcome, Delivered):
            await self._holds.succeed(outlet.scopes)
        if not await self._breakers.note(outlet, outcome, is_probe=is_probe):
            return False
        # It does well again: what waits for its next try need not wait any more.
        return await self._outbox.recall(outlet.channel.id, now=self._now_ms())

    async def _throttle(self, outlet: Outlet, outcome: Throttled) -> None:
        # A scope that is none of the channel's would hold nobody.
        scope = outcome.scope if outcome.scope in outlet.scopes else outlet.own_scope
        if outcome.untold:
            self._paces.find_out(scope)
        await self._holds.throttle(scope, outcome.after, outcome.reason)
        is_long = outcome.after is None or outcome.after >= TRIPS_FROM_S
        if scope == outlet.provider and len(outlet.scopes) > 1 and is_long:
            await self._breakers.trip(scope, outcome.reason)

    def _tell(self, outlet: Outlet, message: Sent) -> None:
        outcome, first = message.outcome, message.deliveries[0]
        name = type(outcome).__name__.lower()
        self._tally.attempts[name] += 1
        logger.info(
            Fact(
                "sent",
                event=ids.encode(ids.EVENT, first.event_id),
                delivery=ids.encode(ids.DELIVERY, first.id),
                deliveries=len(message.deliveries),
                channel=shown(outlet.channel.id),
                attempt=first.attempts,
                may_be_repeat=any(each.may_be_repeat for each in message.deliveries) or None,
                outcome=name,
                status=outcome.answer.status,
                took_ms=message.duration_ms,
                reason=settle.reason_of(outcome),
            )
        )


def _hopeless(breaker: Breaker, last: str | None, now: int) -> str:
    days = (now - (breaker.since or now)) // _DAY_MS
    return (
        f"nothing could be delivered for {days} days, in {breaker.failures} attempts; "
        f"the last one failed: {last}"
    )
