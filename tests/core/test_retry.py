import pytest
from hypothesis import given
from hypothesis import strategies as st

from slowping.core import retry
from slowping.core.delivery import Delivered, Outcome, Rejected, Retry, Throttled, Unusable
from slowping.core.retry import RetryPolicy

POLICY = RetryPolicy(delays=(5.0, 300.0))


@pytest.mark.parametrize(
    ("outcome", "attempt_no", "delay"),
    [
        (Delivered(), 1, None),
        (Rejected(reason="HTTP 422"), 1, None),
        (Unusable(reason="HTTP 404"), 1, None),
        (Throttled(after=3.0, scope="discord"), 1, None),
        (Retry(reason="HTTP 503"), 1, 5.0),
        (Retry(reason="HTTP 503"), 2, 300.0),
        (Retry(reason="HTTP 503"), 3, None),
        (Retry(reason="HTTP 503", after=900.0), 1, 900.0),
        (Retry(reason="HTTP 503", after=1.0), 1, 5.0),
        (Retry(reason="HTTP 503", after=900.0), 3, None),
        (Retry(reason="HTTP 503", after=10**9), 1, retry.LONGEST_S),
    ],
)
def test_the_next_attempt_follows_the_table_and_the_far_side(
    outcome: Outcome, attempt_no: int, delay: float | None
) -> None:
    assert retry.next_delay(outcome, attempt_no, POLICY, jitter=lambda: 0.5) == delay


@given(st.floats(min_value=0, max_value=1))
def test_chance_moves_a_delay_by_a_fifth_at_most(draw: float) -> None:
    delay = retry.next_delay(Retry(reason="HTTP 503"), 2, POLICY, jitter=lambda: draw)
    assert delay is not None
    assert delay == pytest.approx(300.0, abs=60.001)


def test_a_kind_without_delays_tries_once() -> None:
    once = RetryPolicy(delays=())
    assert retry.next_delay(Retry(reason="HTTP 503"), 1, once, jitter=lambda: 0.5) is None
