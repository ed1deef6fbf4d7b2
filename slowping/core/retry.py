"""Decide when a delivery is tried again."""

from collections.abc import Callable
from typing import Final

import msgspec

from slowping.core.delivery import Outcome, Retry

LONGEST_S: Final = 108_000.0
"""No wait is longer, whatever a table or a far side says: a day, its jitter, and some more.

What is due later than that was planned by a clock that has stepped back since.
"""


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
    return min(max(delay, outcome.after or 0.0), LONGEST_S)
