import msgspec
import pytest

from slowping.core import breaker as core
from slowping.core.breaker import (
    FIRST_WAIT_S,
    HOPELESS_FAILURES,
    HOPELESS_MS,
    LONGEST_WAIT_S,
    STREAK,
    WINDOW,
    Breaker,
)
from slowping.core.delivery import (
    Answer,
    Delivered,
    Outcome,
    Rejected,
    Retry,
    Throttled,
    Unusable,
)

NOW = 1_795_000_000_000
HOUR_MS = 3_600_000


def after(told: str, now: int = NOW) -> Breaker:
    """A breaker after successes (`+`) and failures (`-`), all at one moment."""
    breaker = Breaker()
    for sign in told:
        breaker = core.succeeded(breaker) if sign == "+" else core.failed(breaker, now=now)
    return breaker


# Opening -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "is_open"),
    [
        ("", False),
        ("-" * (STREAK - 1), False),
        ("-" * STREAK, True),
        ("----+----", False),
        ("+" * 100 + "-----", True),
        ("-+" * 9, False),
        ("-+" * 9 + "-", True),
        ("-++" * 30, False),
    ],
)
def test_five_failures_in_a_row_open_it_and_so_does_half_of_the_last_twenty(
    told: str, is_open: bool
) -> None:
    assert (after(told).since is not None) is is_open


def test_only_the_last_attempts_are_remembered() -> None:
    assert len(after("-++" * 30).recent) == WINDOW


@pytest.mark.parametrize(
    ("outcome", "well"),
    [
        (Delivered(), True),
        (Rejected(reason="HTTP 400"), True),
        (Retry(reason="HTTP 503"), False),
        (Retry(reason="no answer", unknown=True), False),
        (Throttled(after=40, scope="bot"), None),
        (Unusable(reason="gone", answer=Answer(404)), True),
        (Unusable(reason="a forbidden address"), None),
    ],
)
def test_who_refuses_one_message_or_one_channel_is_all_right(
    outcome: Outcome, well: bool | None
) -> None:
    assert core.went_well(outcome) is well


@pytest.mark.parametrize(
    ("status", "is_there"),
    [(None, False), (503, False), (302, False), (421, False), (404, True), (450, True)],
)
def test_a_provider_that_answers_by_4xx_does_its_work(status: int | None, is_there: bool) -> None:
    assert core.is_there(Retry(reason="no", answer=Answer(status))) is is_there


# Waiting -------------------------------------------------------------------------------------


def test_each_probe_that_fails_is_followed_by_twice_the_wait_up_to_a_quarter_of_an_hour() -> None:
    breaker, now, waits = after("-----"), NOW, []
    for _ in range(8):
        waits.append((breaker.until - now) / 1000)
        now = breaker.until
        breaker = core.failed(breaker, now=now)
    assert waits == [FIRST_WAIT_S, 60, 120, 240, 480, LONGEST_WAIT_S, LONGEST_WAIT_S, 900]


def test_what_fails_before_the_probe_makes_nobody_wait_longer() -> None:
    opened = after("-----")
    again = core.failed(opened, now=opened.until - 1)
    assert (again.until, again.failures) == (opened.until, STREAK + 1)


def test_a_success_closes_it_and_is_a_new_beginning() -> None:
    closed = core.succeeded(after("-----"))
    assert closed == Breaker()
    assert core.failed(closed, now=NOW).since is None


def test_nobody_is_asked_before_the_time_that_he_has_named() -> None:
    breaker = core.failed(after("----"), now=NOW, asked_s=3_600)
    assert breaker.until == NOW + HOUR_MS


def test_what_one_message_was_asked_to_wait_counts_for_the_probe() -> None:
    breaker = core.failed(Breaker(), now=NOW, asked_s=3_600)
    for _ in range(STREAK - 1):
        breaker = core.failed(breaker, now=NOW + 1_000)
    assert breaker.until == NOW + HOUR_MS


def test_a_clock_that_is_set_back_makes_no_wait_longer() -> None:
    opened = after("-----")
    assert core.opened(opened, now=NOW - HOUR_MS).until == NOW - HOUR_MS + 30_000


# Giving up -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failures", "lasted_ms", "is_hopeless"),
    [
        (HOPELESS_FAILURES, HOPELESS_MS, True),
        (HOPELESS_FAILURES - 1, HOPELESS_MS, False),
        (HOPELESS_FAILURES, HOPELESS_MS - 1, False),
        (1_000, HOUR_MS, False),
    ],
)
def test_who_has_failed_for_days_and_often_is_left_to_a_person(
    failures: int, lasted_ms: int, is_hopeless: bool
) -> None:
    breaker = msgspec.structs.replace(after("-----"), failures=failures)
    assert core.is_hopeless(breaker, now=NOW + lasted_ms) is is_hopeless


def test_nobody_is_given_up_whose_breaker_is_closed() -> None:
    assert not core.is_hopeless(Breaker(failures=100), now=NOW)


def test_a_clock_that_was_set_back_changes_no_wait() -> None:
    breaker = after("-" * STREAK)
    assert breaker.since is not None
    earlier = core.set_back(breaker, HOUR_MS)
    assert (earlier.since, earlier.until) == (breaker.since - HOUR_MS, breaker.until - HOUR_MS)
    assert (earlier.failures, earlier.asked_until) == (STREAK, 0)
    assert core.set_back(Breaker(), HOUR_MS) == Breaker()
