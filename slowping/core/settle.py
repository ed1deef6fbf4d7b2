"""Decide what becomes of claimed deliveries, once their messages were sent or were not."""

import math
from collections.abc import Callable, Iterable, Sequence

import msgspec

from slowping.core import retry
from slowping.core.channel import ChannelTest
from slowping.core.delivery import (
    AttemptOutcome,
    AttemptRecord,
    Delivered,
    DeliveryState,
    LeasedDelivery,
    Outcome,
    Rejected,
    Retry,
    Settlement,
    Throttled,
    Unusable,
)
from slowping.core.retry import RetryPolicy


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was sent, for which deliveries, and what came of it."""

    deliveries: tuple[LeasedDelivery, ...]
    outcome: Outcome
    started_at: int
    duration_ms: int


def settlements(
    sent: Iterable[Sent],
    claimed: Sequence[LeasedDelivery],
    policy: RetryPolicy,
    *,
    now: int,
    jitter: Callable[[], float],
) -> list[Settlement]:
    """One settlement for each claimed delivery; what was not sent is given back."""
    settled: list[Settlement] = []
    for message in sent:
        # Deliveries that went together wait together: one draw for all of them.
        draw = jitter()
        settled += [
            _settlement(delivery, message, policy, now, draw) for delivery in message.deliveries
        ]
    done = {settlement.delivery_id for settlement in settled}
    return settled + given_back(delivery for delivery in claimed if delivery.id not in done)


def given_back(claimed: Iterable[LeasedDelivery]) -> list[Settlement]:
    """For deliveries that were claimed and not sent: as if they had not been claimed."""
    return [
        Settlement(
            delivery_id=delivery.id, state=DeliveryState.PENDING, was_early=delivery.is_early
        )
        for delivery in claimed
    ]


def _settlement(
    delivery: LeasedDelivery,
    message: Sent,
    policy: RetryPolicy,
    now: int,
    draw: float,
) -> Settlement:
    outcome, state = message.outcome, DeliveryState.PENDING
    due_at: int | None = None
    match outcome:
        case Delivered():
            state = DeliveryState.DELIVERED
        case Rejected():
            state = DeliveryState.FAILED
        case Retry() if delivery.is_early:
            # It waits for its turn as before, or for as long as the far side asks.
            due_at = max(delivery.due_at, now + round((outcome.after or 0.0) * 1000))
        case Retry():
            delay = retry.next_delay(outcome, delivery.tries, policy, lambda: draw)
            if delay is None:
                state = DeliveryState.FAILED
            else:
                due_at = now + round(delay * 1000)
    return Settlement(
        delivery_id=delivery.id,
        state=state,
        due_at=due_at,
        # A wait is not an attempt.
        attempt=None if isinstance(outcome, Throttled) else _record(message),
        was_early=delivery.is_early,
        # What went wrong and no more: deliveries that failed of the same are grouped by it.
        last_error=reason_of(outcome),
        reference=outcome.reference if isinstance(outcome, Delivered) else None,
    )


def _record(message: Sent) -> AttemptRecord:
    outcome = message.outcome
    return AttemptRecord(
        started_at=message.started_at,
        duration_ms=message.duration_ms,
        outcome=recorded(outcome),
        status=outcome.answer.status,
        reason=reason_of(outcome),
        excerpt=outcome.answer.excerpt,
    )


def recorded(outcome: Outcome) -> AttemptOutcome:
    """How an outcome stands in the record."""
    match outcome:
        case Delivered():
            return AttemptOutcome.DELIVERED
        case Rejected():
            return AttemptOutcome.REJECTED
        case Unusable():
            return AttemptOutcome.UNUSABLE
        case Retry(unknown=True):
            return AttemptOutcome.UNKNOWN
    return AttemptOutcome.RETRY


def reason_of(outcome: Outcome) -> str | None:
    """Why it was not delivered; None where it was."""
    return None if isinstance(outcome, Delivered) else outcome.reason


def held_trial(wait_ms: int) -> ChannelTest:
    """What is told instead of a test while the far side has asked to wait."""
    return ChannelTest(
        outcome="throttled",
        reason=f"the far side asked to wait: {math.ceil(wait_ms / 1000)} s are left",
        status=None,
        excerpt=None,
        duration_ms=0,
    )


def trial_result(outcome: Outcome, duration_ms: int) -> ChannelTest:
    """What a test of a channel tells the person who asked for it."""
    throttled = isinstance(outcome, Throttled)
    return ChannelTest(
        outcome="throttled" if throttled else str(recorded(outcome)),
        reason=reason_of(outcome),
        status=outcome.answer.status,
        excerpt=outcome.answer.excerpt,
        duration_ms=duration_ms,
    )
