"""Send what was claimed: as many as fit into a message, one by one where that is rejected."""

import asyncio
from collections.abc import Sequence
from typing import Final

from slowping.core import notification
from slowping.core.delivery import (
    LeasedDelivery,
    Outcome,
    Pace,
    Rejected,
    Retry,
    Throttled,
    Unusable,
)
from slowping.core.notification import Notification
from slowping.core.settle import Sent
from slowping.server.clock import Clock
from slowping.server.dispatch.outlets import Outlet

TIMEOUT_S: Final = 240.0
"""A notifier has shorter ones of its own; this one is for strangers."""

WORTH_WAITING_S: Final = 0.5
"""A message that costs less than that is not the last of those that were taken apart."""


class Sender:
    """Sends messages, until it is told to stop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.stopping = False
        """Whether no message is to be begun any more."""

    async def send(self, outlet: Outlet, claimed: Sequence[LeasedDelivery]) -> Sequence[Sent]:
        """Send as many of the claimed as fit into one message, and say what came of it.

        A message that is rejected goes again one by one, so that one bad event cannot take
        others with it; the split is not an attempt.
        """
        groups = _first_group(outlet, claimed)
        sent: list[Sent] = []
        while groups and not self.stopping:
            group = groups.pop(0)
            started = self._clock.now_ms()
            outcome = await self.attempt(outlet, list(map(notification.compose, group)))
            if isinstance(outcome, Rejected) and len(group) > 1:
                groups = [(delivery,) for delivery in group]
                continue
            took = max(0, self._clock.now_ms() - started)
            sent.append(
                Sent(deliveries=group, outcome=outcome, started_at=started, duration_ms=took)
            )
            if _asks_to_stop(outcome):
                break
        return sent

    async def attempt(self, outlet: Outlet, batch: Sequence[Notification]) -> Outcome:
        """Let the notifier send a message, but not for ever."""
        delivering = asyncio.create_task(outlet.deliver(batch))
        arrived = asyncio.Event()
        delivering.add_done_callback(lambda _: arrived.set())
        try:
            await self._clock.wait(arrived, TIMEOUT_S)
        finally:
            delivering.cancel()  # nothing happens to one that is done
        if delivering.done() and not delivering.cancelled():
            return delivering.result()
        return Retry(reason="the notifier did not finish in time", unknown=True)


def _first_group(
    outlet: Outlet, claimed: Sequence[LeasedDelivery]
) -> list[tuple[LeasedDelivery, ...]]:
    if not claimed:
        return []
    return [tuple(claimed[: outlet.fits(list(map(notification.compose, claimed)))])]


def _asks_to_stop(outcome: Outcome) -> bool:
    """Whether the channel has to wait before its next message."""
    return isinstance(outcome, Throttled | Unusable) or any(map(_is_wait, outcome.paces))


def _is_wait(pace: Pace) -> bool:
    if pace.adds_up:
        return pace.wait_s >= WORTH_WAITING_S and not pace.spare_s
    return pace.wait_s > 0 and not pace.remaining
