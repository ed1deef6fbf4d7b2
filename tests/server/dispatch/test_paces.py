import pytest

from slowping.core.delivery import Pace
from slowping.server.dispatch.paces import (
    FEWEST,
    FIRST_ANSWER_MS,
    LOOKED_BACK_MS,
    REMEMBERED_MS,
    Paces,
)
from slowping.testing import START_MS, FrozenClock

HOOK = ("discord", "discord:webhook:1")
[PROVIDER, WEBHOOK] = HOOK


@pytest.fixture
def paces(clock: FrozenClock) -> Paces:
    return Paces(clock.now_ms)


def send(paces: Paces, *told: Pace) -> None:
    """A message that is delivered, and what its answer says of the next ones."""
    paces.begin(HOOK)
    paces.heed(told)
    paces.count(HOOK[1:])
    paces.end(HOOK)


def waits_ms(paces: Paces, clock: FrozenClock) -> int:
    free_at = paces.free_at(HOOK)
    return free_at - clock.now_ms() if free_at else 0


# What answers tell ---------------------------------------------------------------------------


def test_an_answer_that_leaves_nothing_makes_its_scope_wait(
    paces: Paces, clock: FrozenClock
) -> None:
    send(paces, Pace(WEBHOOK, 0.3))
    assert waits_ms(paces, clock) == 300
    clock.advance(0.3)
    assert waits_ms(paces, clock) == 0


def test_the_longest_pace_of_several_answers_counts(paces: Paces, clock: FrozenClock) -> None:
    send(paces, Pace(WEBHOOK, 2.0), Pace(WEBHOOK, 0.5))
    assert waits_ms(paces, clock) == 2_000


@pytest.mark.parametrize("told", [(), (Pace(WEBHOOK, 0.0),), (Pace(WEBHOOK, float("nan")),)])
def test_an_answer_that_asks_for_no_wait_holds_nothing(
    paces: Paces, clock: FrozenClock, told: tuple[Pace, ...]
) -> None:
    send(paces, *told)
    assert waits_ms(paces, clock) == 0


def test_no_more_go_ahead_than_the_last_answer_has_left(paces: Paces, clock: FrozenClock) -> None:
    send(paces, Pace(WEBHOOK, 2.0, remaining=2, limit=5))
    paces.begin(HOOK)
    assert waits_ms(paces, clock) == 0
    paces.begin(HOOK)
    assert waits_ms(paces, clock) == 2_000


def test_an_answer_does_not_know_of_what_went_after_it(paces: Paces, clock: FrozenClock) -> None:
    send(paces, Pace(WEBHOOK, 2.0, remaining=2, limit=5))
    paces.begin(HOOK)
    paces.begin(HOOK)
    paces.heed([Pace(WEBHOOK, 1.9, remaining=1, limit=5)])
    assert waits_ms(paces, clock) == 2_000


def test_a_bucket_that_is_full_again_takes_as_many_as_it_holds(
    paces: Paces, clock: FrozenClock
) -> None:
    send(paces, Pace(WEBHOOK, 2.0, remaining=0, limit=3))
    clock.advance(2)
    for _ in range(3):
        assert waits_ms(paces, clock) == 0
        paces.begin(HOOK)
    assert waits_ms(paces, clock) == 2_000


def test_a_scope_that_has_not_answered_yet_gets_one_message_at_a_time(
    paces: Paces, clock: FrozenClock
) -> None:
    paces.begin(HOOK)
    assert waits_ms(paces, clock) == FIRST_ANSWER_MS
    paces.end(HOOK)
    paces.begin(HOOK)
    assert waits_ms(paces, clock) == 0


def test_a_provider_that_has_not_answered_yet_keeps_nobody_waiting(
    paces: Paces, clock: FrozenClock
) -> None:
    paces.begin(HOOK)
    assert paces.free_at([PROVIDER, "discord:webhook:2"]) == 0


# What a message costs ------------------------------------------------------------------------


def test_what_each_message_costs_adds_up(paces: Paces, clock: FrozenClock) -> None:
    cost = Pace(WEBHOOK, 0.04, adds_up=True)
    send(paces, cost)
    for _ in range(24):
        paces.begin(HOOK)
    assert waits_ms(paces, clock) == 1_000
    clock.advance(60)
    assert waits_ms(paces, clock) == 0
    send(paces, cost)
    assert waits_ms(paces, clock) == 40


def test_a_budget_holds_nobody_up_until_it_is_used_up(paces: Paces, clock: FrozenClock) -> None:
    for _ in range(1_000):
        send(paces, Pace(PROVIDER, 0.6, adds_up=True, spare_s=600.0))
    assert waits_ms(paces, clock) == 0
    send(paces, Pace(PROVIDER, 0.6, adds_up=True, spare_s=600.0))
    assert waits_ms(paces, clock) == 600


# What nobody tells ---------------------------------------------------------------------------


def test_after_a_limit_that_nobody_told_of_a_minute_sees_less_than_it_allowed(
    paces: Paces, clock: FrozenClock
) -> None:
    for _ in range(30):
        send(paces)
        clock.advance(0.4)
    paces.find_out(WEBHOOK)
    clock.advance(60)
    for _ in range(27):
        assert waits_ms(paces, clock) == 0
        send(paces)
        clock.advance(1)
    assert waits_ms(paces, clock) == LOOKED_BACK_MS - 27_000


def test_a_limit_is_forgotten_after_a_while(paces: Paces, clock: FrozenClock) -> None:
    for _ in range(10):
        send(paces)
    paces.find_out(WEBHOOK)
    assert waits_ms(paces, clock) == LOOKED_BACK_MS
    clock.advance(REMEMBERED_MS / 1000)
    for _ in range(20):
        send(paces)
    assert waits_ms(paces, clock) == 0


def test_a_limit_that_others_have_used_up_is_not_taken_for_none_at_all(
    paces: Paces, clock: FrozenClock
) -> None:
    paces.find_out(WEBHOOK)
    for _ in range(FEWEST):
        assert waits_ms(paces, clock) == 0
        send(paces)
    assert waits_ms(paces, clock) == LOOKED_BACK_MS


def test_a_second_refusal_tightens_the_limit_and_never_loosens_it(
    paces: Paces, clock: FrozenClock
) -> None:
    for sent in (20, 10, 30):
        clock.advance(61)
        for _ in range(sent):
            send(paces)
        paces.find_out(WEBHOOK)
    clock.advance(61)
    for _ in range(9):
        assert waits_ms(paces, clock) == 0
        send(paces)
    assert waits_ms(paces, clock) == LOOKED_BACK_MS


# The clock -----------------------------------------------------------------------------------


@pytest.mark.parametrize("step_s", [-3_600.0, -3 * 86_400.0])
def test_a_clock_that_is_set_back_makes_nobody_wait_for_what_it_showed_before(
    paces: Paces, clock: FrozenClock, step_s: float
) -> None:
    send(paces, Pace(WEBHOOK, 2.0), Pace(PROVIDER, 5.0, adds_up=True))
    assert waits_ms(paces, clock) == 5_000
    clock.step(step_s)
    assert waits_ms(paces, clock) == 0


def test_a_clock_that_is_corrected_by_a_little_changes_nothing(
    paces: Paces, clock: FrozenClock
) -> None:
    send(paces, Pace(WEBHOOK, 2.0))
    clock.step(-0.2)
    assert paces.free_at(HOOK) == START_MS + 2_000
