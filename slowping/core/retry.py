"""Decide when a delivery is tried again."""

from collections.abc import Callable

import msgspec

from slowping.core.delivery import Outcome, Retry


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How patient we are with a kind of channel: seconds to wait after each attempt."""

    delays: tuple[float, ...]


def next_delay(
    outcome: Outcome, attempt_no: int, policy: RetryPolicy, jitter: Callable[[], float]
) -> float | None:
    """Seconds until the next attempt, or None when this delivery is over.

    `attempt_no` counts from one within the present round; `jitter` gives 0 to 1.
    """
    if not isinstance(outcome, Retry) or attempt_no > len(policy.delays):
        return None
    # Up to a fifth either way: enough to break up a herd, and the table keeps its meaning.
    delay = policy.delays[attempt_no - 1] * (0.8 + 0.4 * jitter())
    return max(delay, outcome.after or 0.0)
