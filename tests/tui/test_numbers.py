import math

import pytest

from slowping.tui.figures import numbers


@pytest.mark.parametrize(
    ("figure", "room", "shown"),
    [
        (0, 7, "0"),
        (999, 7, "999"),
        (31_002, 7, "31,002"),
        (999_999, 7, "999,999"),
        (1_234_567, 7, "1.2M"),
        (999_999, 6, "1.0M"),
        (31_002, 5, "31.0k"),
        (4_200_000_000, 9, "4.2B"),
        (7 * 10**12, 9, "7.0T"),
        (10**18, 9, "1.0e+18"),
    ],
)
def test_a_count_is_whole_where_there_is_room(figure: int, room: int, shown: str) -> None:
    assert numbers.whole(figure, room) == shown


@pytest.mark.parametrize(
    ("figure", "shown"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (49.0, "49"),
        (1240.5, "1,240.50"),
        (0.1 + 0.2, "0.30"),
        (31_002.000000001, "31,002"),
        (-12.5, "-12.50"),
        (0.125, "0.125"),
        (0.0031, "0.0031"),
        (0.00000042, "4.2e-07"),
        (1e-10, "1.0e-10"),
        (123_456_789.25, "123.5M"),
        (-5e9, "-5,000,000,000"),
        (2.5e14, "250.0T"),
        (1e300, "1.0e+300"),
        (math.nan, "-"),
        (math.inf, "too large"),
        (-math.inf, "too large"),
    ],
)
def test_a_sum_can_be_read_whatever_its_size(figure: float, shown: str) -> None:
    assert numbers.amount(figure, 14 if figure < -1e9 else 13) == shown


@pytest.mark.parametrize(
    ("ms", "shown"),
    [
        (None, "-"),
        (0, "0 ms"),
        (999, "999 ms"),
        (1_000, "1.0 s"),
        (1_249, "1.2 s"),
        (9_960, "10 s"),
        (119_000, "119 s"),
        (120_000, "2 min"),
        (3_600_000, "60 min"),
        (5 * 3_600_000, "5 h"),
        (3 * 86_400_000, "3 d"),
        (4_000 * 86_400_000, "4,000 d"),
    ],
)
def test_a_latency_has_the_unit_that_fits(ms: int | None, shown: str) -> None:
    assert numbers.latency(ms) == shown


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (2, 3, "67%"),
        (1, 3, "33%"),
        (0, 3, "0%"),
        (3, 3, "100%"),
        (9_999, 10_000, "99%"),
        (1, 10_000, "1%"),
        (2, 1, "200%"),
    ],
)
def test_a_share_is_rounded_but_neither_to_all_nor_to_nothing(
    part: int, whole: int, shown: str
) -> None:
    assert numbers.percent(part, whole) == shown


@pytest.mark.parametrize(
    ("troubled", "delivered", "shown"),
    [(0, 0, "-"), (3, 117, "3 of 120"), (0, 5, "0 of 5"), (1, 12_345_678, "1 of 12.3M")],
)
def test_failures_are_told_of_all_attempts(troubled: int, delivered: int, shown: str) -> None:
    assert numbers.failures(troubled, delivered) == shown


@pytest.mark.parametrize(
    ("waiting", "failed", "shown"),
    [(0, 0, "0 waiting"), (12, 3, "12 waiting · 3 failed"), (31_002, 0, "31,002 waiting")],
)
def test_a_backlog_tells_of_failures_where_there_are_any(
    waiting: int, failed: int, shown: str
) -> None:
    assert numbers.backlog(waiting, failed) == shown
