import contextlib

import pytest

from slowping.core import errors
from slowping.server import limits
from slowping.server.limits import UNLIMITED, WINDOW_MS, Allowance, Guesses, Windows
from slowping.testing import START_MS

NOW = START_MS
KEY = 7


def use_up(windows: Windows[int], limit: int, now: int = NOW) -> None:
    for _ in range(limit):
        windows.take(KEY, limit, now)


def test_the_first_request_opens_the_window() -> None:
    allowance = Windows[int]().take(KEY, 60, NOW + 123)
    assert (allowance.limit, allowance.remaining) == (60, 59)
    assert allowance.reset_at == (NOW + WINDOW_MS) // 1000 + 1  # never earlier than the end
    assert allowance.retry_after_s == 60


def test_the_sixtieth_of_sixty_is_the_last() -> None:
    windows = Windows[int]()
    use_up(windows, 59)
    assert windows.take(KEY, 60, NOW).remaining == 0
    with pytest.raises(errors.RateLimited) as refusal:
        windows.take(KEY, 60, NOW)
    assert refusal.value.limit == 60


@pytest.mark.parametrize(
    ("passed_ms", "retry_after_s"), [(0, 60), (15_000, 45), (15_001, 45), (59_999, 1)]
)
def test_the_wait_is_the_rest_of_the_window(passed_ms: int, retry_after_s: int) -> None:
    windows = Windows[int]()
    use_up(windows, 5)
    with pytest.raises(errors.RateLimited) as refusal:
        windows.take(KEY, 5, NOW + passed_ms)
    assert refusal.value.retry_after_s == retry_after_s
    assert refusal.value.reset_at == (NOW + WINDOW_MS) // 1000


def test_a_refused_request_does_not_lengthen_the_window() -> None:
    windows = Windows[int]()
    use_up(windows, 5)
    with pytest.raises(errors.RateLimited):
        windows.take(KEY, 5, NOW + 59_000)
    assert windows.take(KEY, 5, NOW + WINDOW_MS).remaining == 4


def test_keys_do_not_share_a_window() -> None:
    windows = Windows[int]()
    use_up(windows, 5)
    assert windows.take(KEY + 1, 5, NOW).remaining == 4


def test_a_limit_of_nought_counts_nothing() -> None:
    windows = Windows[int]()
    assert [windows.take(KEY, 0, NOW) for _ in range(3)] == [UNLIMITED] * 3


def test_a_limit_that_is_changed_counts_from_the_next_request() -> None:
    windows = Windows[int]()
    use_up(windows, 5)
    assert windows.take(KEY, 10, NOW).remaining == 4
    with pytest.raises(errors.RateLimited):
        windows.take(KEY, 3, NOW)


def test_a_clock_that_steps_back_keeps_nobody_out_for_longer_than_a_minute() -> None:
    windows = Windows[int]()
    use_up(windows, 5)
    assert windows.take(KEY, 5, NOW - 3_600_000).remaining == 4


def test_windows_that_are_over_make_room() -> None:
    windows = Windows[int]()
    for key_id in range(10_000):
        windows.take(key_id, 5, NOW)
    windows.take(10_000, 5, NOW + WINDOW_MS)
    assert len(windows._windows) == 1


# What a client is told -----------------------------------------------------------------------


def test_a_client_is_told_of_its_minute_by_all_names() -> None:
    headers = dict(limits.rate_headers(Allowance(60, 59, 1_795_000_060, 45)))
    assert headers == {
        b"x-ratelimit-limit": b"60",
        b"x-ratelimit-remaining": b"59",
        b"x-ratelimit-reset": b"1795000060",
        b"ratelimit-policy": b'"minute";q=60;w=60',
        b"ratelimit": b'"minute";r=59;t=45',
    }


def test_the_last_request_that_succeeds_is_told_to_wait() -> None:
    headers = dict(limits.rate_headers(Allowance(60, 0, 1_795_000_060, 45)))
    assert headers[b"retry-after"] == b"45"


def test_a_refused_request_is_told_the_same() -> None:
    refusal = errors.RateLimited(45, limit=60, reset_at=1_795_000_060)
    headers = dict(limits.rate_headers(limits.used_up(refusal)))
    assert headers[b"x-ratelimit-remaining"] == b"0"
    assert headers[b"retry-after"] == b"45"


def test_who_is_not_limited_is_told_nothing() -> None:
    assert limits.rate_headers(UNLIMITED) == []


# Wrong keys ----------------------------------------------------------------------------------


def guess(guesses: Guesses, count: int, address: str | None = "192.0.2.7", now: int = NOW) -> None:
    for _ in range(count):
        guesses.take(address, now)


def test_the_twenty_first_wrong_key_of_a_minute_is_one_too_many() -> None:
    guesses = Guesses(20)
    guess(guesses, 20)
    with pytest.raises(errors.TooManyGuesses) as refusal:
        guess(guesses, 1, now=NOW + 15_000)
    assert (refusal.value.limit, refusal.value.retry_after_s) == (20, 45)
    guess(guesses, 20, now=NOW + WINDOW_MS)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("192.0.2.7", "::ffff:192.0.2.7", True),
        ("2001:db8:0:1::7", "2001:db8:0:1:ffff::8", True),
        ("2001:db8:0:1::7", "2001:db8:0:2::7", False),
        ("no address", "no address", True),
        (None, None, True),
        (None, "192.0.2.7", False),
    ],
)
def test_addresses_that_one_sender_can_choose_from_share_a_window(
    one: str | None, other: str | None, same: bool
) -> None:
    guesses = Guesses(1)
    guess(guesses, 1, one)
    with pytest.raises(errors.TooManyGuesses) if same else contextlib.nullcontext():
        guess(guesses, 1, other)


def test_a_limit_of_nought_looks_at_every_key() -> None:
    guess(Guesses(0), 1_000)


def test_however_many_addresses_guess_the_latest_ten_thousand_are_known() -> None:
    guesses = Guesses(1)
    for number in range(10_001):
        guess(guesses, 1, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    with pytest.raises(errors.TooManyGuesses):
        guess(guesses, 1, "10.0.0.1")
    guess(guesses, 1, "10.0.0.0")


def test_a_clock_that_steps_back_keeps_no_guess_out_for_longer_than_a_minute() -> None:
    guesses = Guesses(1)
    guess(guesses, 1)
    guess(guesses, 1, now=NOW - 3_600_000)
