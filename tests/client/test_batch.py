import pytest

from slowping.client import batch
from slowping.client.batch import Batch, Entry, Pace


def entry(
    project: str | None = None, key: str | None = None, content: bytes = b'{"category":"sale"}'
) -> Entry:
    return Entry(content, project, key, 0.0)


LARGE = entry(content=b"x" * (batch.MOST_BYTES // 2))
HUGE = entry(content=b"x" * (batch.MOST_BYTES * 2))


@pytest.mark.parametrize(
    ("waiting", "count"),
    [
        ([], 0),
        ([entry()], 1),
        ([entry()] * 5, 5),
        ([entry()] * 11, 10),
        ([entry("shop"), entry("shop"), entry("club"), entry("shop")], 2),
        ([entry(), entry("shop")], 1),
        ([entry(), entry(key="a"), entry()], 1),
        ([entry(key="a"), entry()], 1),
        ([entry(key="a"), entry(key="a")], 1),
        ([LARGE, LARGE, LARGE], 1),
        ([entry(), HUGE], 1),
        ([HUGE, entry()], 1),
    ],
)
def test_what_goes_together(waiting: list[Entry], count: int) -> None:
    assert batch.together(waiting, 10) == count


def test_a_batch_is_an_array_with_a_key_of_its_own() -> None:
    bound = batch.bind((entry(), entry()), "fresh")
    assert bound == Batch((entry(), entry()), "fresh")
    assert bound.body == b'[{"category":"sale"},{"category":"sale"}]'


def test_an_event_keeps_its_idempotency_key() -> None:
    assert batch.bind((entry(key="order 17"),), "fresh").idempotency_key == "order 17"


def test_fresh_keys_are_all_different() -> None:
    assert len({batch.fresh_key() for _ in range(100)}) == 100


@pytest.mark.parametrize(
    ("tries", "jitter", "wait_s"),
    [
        (1, 0.0, 0.5),
        (1, 1.0, 0.25),
        (2, 0.0, 1.0),
        (5, 0.0, 8.0),
        (7, 0.0, 30.0),
        (9999, 1.0, 15.0),
    ],
)
def test_waits_double_up_to_the_longest(tries: int, jitter: float, wait_s: float) -> None:
    assert batch.retry_wait_s(tries, Pace(), jitter) == wait_s
