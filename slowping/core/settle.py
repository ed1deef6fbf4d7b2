"""Decide what becomes of claimed deliveries, once their messages were sent or were not."""

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
    return settled + [
        Settlement(delivery_id=delivery.id, state=DeliveryState.PENDING)
        for delivery in claimed
        if delivery.id not in done
    ]


def _settlement(
    delivery: LeasedDelivery,
    message: Sent,
    policy: RetryPolicy,
    now: int,
    draw: float,
) -> Settlement:
    outcome = message.outcome
    attempt = _record(message)
    match outcome:
        case Delivered(reference=reference):
            return Settlement(
                delivery_id=delivery.id,
                state=DeliveryState.DELIVERED,
                attempt=attempt,
                reference=reference,
            )
        case Throttled(reason=reason):
            return Settlement(
                delivery_id=delivery.id, state=DeliveryState.PENDING, last_error=reason
            )
        case Unusable(reason=reason):
            return Settlement(
                delivery_id=delivery.id,
                state=DeliveryState.PENDING,
                attempt=attempt,
                last_error=reason,
            )
        case Rejected(reason=reason):
            return Settlement(
                delivery_id=delivery.id,
                state=DeliveryState.FAILED,
                attempt=attempt,
                last_error=reason,
            )
    delay = retry.next_delay(outcome, delivery.tries, policy, lambda: draw)
    if delay is None:
        return Settlement(
            delivery_id=delivery.id,
            state=DeliveryState.FAILED,
            attempt=attempt,
            last_error=f"{outcome.reason}; given up after {delivery.attempts} attempts",
        )
    return Settlement(
        delivery_id=delivery.id,
        state=DeliveryState.PENDING,
        due_at=now + round(delay * 1000),
        attempt=attempt,
        last_error=outcome.reason,
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
