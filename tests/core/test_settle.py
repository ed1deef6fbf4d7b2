from collections.abc import Callable

import msgspec
import pytest

from slowping.core import settle
from slowping.core.channel import ChannelTest
from slowping.core.delivery import (
    Answer,
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
from slowping.core.settle import Sent

NOW = 1_795_000_000_000
LATER = NOW + 3_600_000
POLICY = RetryPolicy(delays=(5.0, 300.0))
ANSWER = Answer(status=503, excerpt="busy")


def leased(number: int, *, tries: int = 1, attempts: int = 1, due_at: int = 0) -> LeasedDelivery:
    """A claimed delivery of which only the counts matter."""
    return LeasedDelivery(
        id=number,
        attempts=attempts,
        tries=tries,
        due_at=due_at,
        is_early=due_at > NOW,
        may_be_repeat=False,
        created_at=NOW,
        overrides={},
        event_id=1,
        project="shop",
        category="sale",
        emoji="💰",
        category_color=0,
        description=None,
        fields={},
        source=None,
        color=None,
        dialect="slowping",
        occurred_at=None,
        received_at=NOW,
    )


def settled(
    outcome: Outcome, delivery: LeasedDelivery, jitter: Callable[[], float] = lambda: 0.5
) -> Settlement:
    """What becomes of a delivery that went alone."""
    sent = Sent(deliveries=(delivery,), outcome=outcome, started_at=NOW - 80, duration_ms=80)
    [settlement] = settle.settlements([sent], [delivery], POLICY, now=NOW, jitter=jitter)
    return settlement


@pytest.mark.parametrize(
    ("outcome", "state", "recorded", "last_error", "due_at"),
    [
        (Delivered(answer=ANSWER), "delivered", "delivered", None, None),
        (Rejected(answer=ANSWER, reason="HTTP 422"), "failed", "rejected", "HTTP 422", None),
        (Unusable(answer=ANSWER, reason="gone"), "pending", "unusable", "gone", None),
        (Retry(answer=ANSWER, reason="HTTP 503"), "pending", "retry", "HTTP 503", NOW + 5_000),
        (Retry(answer=ANSWER, reason="silence", unknown=True), "pending", "unknown", "silence",
         NOW + 5_000),
        (Retry(answer=ANSWER, reason="HTTP 503", after=900.0), "pending", "retry", "HTTP 503",
         NOW + 900_000),
    ],
)  # fmt: skip
def test_an_outcome_decides_what_becomes_of_a_delivery(
    outcome: Outcome, state: str, recorded: str, last_error: str | None, due_at: int | None
) -> None:
    assert settled(outcome, leased(1)) == Settlement(
        delivery_id=1,
        state=DeliveryState(state),
        due_at=due_at,
        last_error=last_error,
        attempt=AttemptRecord(
            started_at=NOW - 80,
            duration_ms=80,
            outcome=AttemptOutcome(recorded),
            status=503,
            reason=last_error,
            excerpt="busy",
        ),
    )


def test_what_was_delivered_keeps_the_far_side_s_reference() -> None:
    assert settled(Delivered(reference="m1"), leased(1)).reference == "m1"


def test_a_wait_that_the_far_side_asks_for_is_no_attempt() -> None:
    throttled = Throttled(after=60.0, scope="discord")
    assert settled(throttled, leased(1)) == Settlement(
        delivery_id=1, state=DeliveryState.PENDING, last_error="the far side asked to wait"
    )


def test_the_schedule_counts_the_tries_of_the_present_round() -> None:
    assert settled(Retry(reason="no"), leased(1, tries=2, attempts=9)).due_at == NOW + 300_000


def test_a_schedule_that_is_used_up_ends_in_failure() -> None:
    given_up = settled(Retry(reason="HTTP 503"), leased(1, tries=3, attempts=7))
    assert given_up.state is DeliveryState.FAILED
    assert given_up.due_at is None


def test_after_however_many_attempts_the_same_error_is_told() -> None:
    for attempts in (1, 7):
        given_up = settled(Retry(reason="HTTP 503"), leased(1, tries=3, attempts=attempts))
        assert given_up.last_error == "HTTP 503"


def test_what_was_claimed_and_not_sent_is_given_back() -> None:
    claimed = [leased(number) for number in (1, 2, 3)]
    sent = Sent(deliveries=(claimed[0],), outcome=Delivered(), started_at=NOW, duration_ms=1)
    settlements = settle.settlements([sent], claimed, POLICY, now=NOW, jitter=lambda: 0.5)
    assert settlements[1:] == [
        Settlement(delivery_id=number, state=DeliveryState.PENDING) for number in (2, 3)
    ]


def test_what_was_claimed_early_and_not_sent_is_as_early_as_before() -> None:
    [settlement] = settle.given_back([leased(1, due_at=LATER)])
    assert (settlement.was_early, settlement.due_at, settlement.attempt) == (True, None, None)


def test_deliveries_that_went_together_wait_together() -> None:
    claimed = tuple(leased(number) for number in (1, 2, 3))
    draws = iter((0.1, 0.9))
    sent = [
        Sent(deliveries=claimed[:2], outcome=Retry(reason="no"), started_at=NOW, duration_ms=1),
        Sent(deliveries=claimed[2:], outcome=Retry(reason="no"), started_at=NOW, duration_ms=1),
    ]
    one, other, apart = settle.settlements(
        sent, claimed, POLICY, now=NOW, jitter=lambda: next(draws)
    )
    assert one.due_at == other.due_at == NOW + 4_200
    assert apart.due_at == NOW + 5_800


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (Delivered(), ("delivered", None)),
        (Retry(reason="HTTP 503"), ("retry", "HTTP 503")),
        (Throttled(after=3.0, scope="discord"), ("throttled", "the far side asked to wait")),
        (Unusable(reason="the webhook is gone"), ("unusable", "the webhook is gone")),
    ],
)
def test_a_test_of_a_channel_tells_what_came_of_it(
    outcome: Outcome, told: tuple[str, str | None]
) -> None:
    answered = msgspec.structs.replace(outcome, answer=ANSWER)
    assert settle.trial_result(answered, 80) == ChannelTest(
        outcome=told[0], reason=told[1], status=503, excerpt="busy", duration_ms=80
    )


@pytest.mark.parametrize(
    ("after", "due_at"), [(None, LATER), (10.0, LATER), (7_200.0, NOW + 7_200_000)]
)
def test_what_was_tried_ahead_of_its_schedule_goes_on_by_it(
    after: float | None, due_at: int
) -> None:
    settlement = settled(Retry(reason="HTTP 503", after=after), leased(1, due_at=LATER))
    assert (settlement.was_early, settlement.due_at) == (True, due_at)
    assert settlement.attempt is not None


def test_what_was_tried_in_its_turn_counts() -> None:
    assert not settled(Retry(reason="HTTP 503"), leased(1)).was_early
