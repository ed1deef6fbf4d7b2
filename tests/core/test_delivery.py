import pytest

from slowping.core import delivery
from slowping.core.delivery import MOVES, DeliveryState


def test_every_state_says_what_it_may_become() -> None:
    assert set(MOVES) == set(DeliveryState)


def test_no_delivery_is_ever_out_of_reach() -> None:
    """From each state some moves lead back to pending, so that everything can be replayed."""
    reached = {DeliveryState.PENDING}
    while more := {state for state, after in MOVES.items() if after & reached} - reached:
        reached |= more
    assert reached == set(DeliveryState)


@pytest.mark.parametrize(
    ("state", "before"),
    [
        ("pending", {"leased", "delivered", "failed", "discarded"}),
        ("leased", {"pending"}),
        ("delivered", {"leased"}),
        ("failed", {"pending", "leased"}),
        ("discarded", {"pending", "failed"}),
    ],
)
def test_a_state_is_reached_from_few_others(state: str, before: set[str]) -> None:
    assert set(delivery.may_become(DeliveryState(state))) == before
