import pytest

from slowping.client import bringing
from slowping.client.batch import Batch, Entry, Pace
from slowping.client.courier import TryLater
from slowping.core import errors

BUSY = errors.Unavailable("The server is busy.")


class Road:
    """A way to a server that answers as told, in a time of its own."""

    def __init__(self, *script: Exception | None, ends: bool = False) -> None:
        self.script = list(script)
        self.carried: list[Batch] = []
        self.waits: list[tuple[float, float]] = []
        self.ends = ends
        self.now_s = 0.0

    def carry(self, batch: Batch) -> None:
        """Take what is not bad, as the script says."""
        self.carried.append(batch)
        if any(entry.content == b"bad" for entry in batch.entries):
            raise errors.InvalidInput("No.")
        answer = self.script.pop(0) if self.script else None
        if answer is not None:
            raise answer

    def wait(self, wait_s: float, at_least_s: float) -> bool:
        """Let the time pass."""
        self.waits.append((wait_s, at_least_s))
        self.now_s += wait_s
        return not self.ends

    def bring(self, *contents: bytes) -> list[bringing.Lost]:
        """Bring a batch; what of it is lost."""
        entries = tuple(Entry(content, None, None, 0.0) for content in contents)
        given = Batch(entries, "key")
        return list(bringing.bring(given, self.carry, self.wait, Pace(), lambda: self.now_s))


def test_what_is_taken_is_brought_once() -> None:
    road = Road()
    assert road.bring(b"one", b"two") == []
    assert len(road.carried) == 1


def test_a_retry_is_the_same_batch() -> None:
    road = Road(TryLater(BUSY), TryLater(BUSY))
    assert road.bring(b"one") == []
    assert road.carried == [road.carried[0]] * 3


def test_what_a_server_asks_for_is_the_least_that_is_waited() -> None:
    road = Road(TryLater(BUSY, 40.0), TryLater(BUSY), TryLater(BUSY, 0.1))
    assert road.bring(b"one") == []
    first, second, third = road.waits
    assert first == (40.0, 40.0)
    assert 0.5 <= second[0] <= 1.0
    assert 1.0 <= third[0] <= 2.0
    assert (second[1], third[1]) == (0.0, 0.1)


def test_a_batch_is_given_up_after_ten_minutes() -> None:
    road = Road(*[TryLater(BUSY)] * 1_000)
    [lost] = road.bring(b"one", b"two")
    assert lost.error is BUSY
    assert len(lost.entries) == 2
    assert Pace().retry_for_s - 30 <= road.now_s <= Pace().retry_for_s


def test_a_server_that_asks_for_more_time_than_there_is_is_not_waited_for() -> None:
    road = Road(TryLater(errors.QuotaReached(100), 86_400.0))
    [lost] = road.bring(b"one")
    assert isinstance(lost.error, errors.QuotaReached)
    assert road.waits == []


def test_who_ends_while_waiting_tries_no_more() -> None:
    road = Road(TryLater(BUSY), ends=True)
    assert [lost.error for lost in road.bring(b"one")] == [BUSY]
    assert len(road.carried) == 1


def test_bad_events_are_found_and_the_others_arrive_in_order() -> None:
    road = Road()
    contents = [b"1", b"bad", b"3", b"4", b"5", b"6", b"bad", b"8"]
    lost = road.bring(*contents)
    assert [entry.content for one in lost for entry in one.entries] == [b"bad", b"bad"]
    taken = [
        entry.content
        for batch in road.carried
        if all(entry.content != b"bad" for entry in batch.entries)
        for entry in batch.entries
    ]
    assert taken == [b"1", b"3", b"4", b"5", b"6", b"8"]
    keys = [batch.idempotency_key for batch in road.carried]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    "refusal", [errors.UnknownApiKey(), errors.Forbidden("No."), errors.UnexpectedAnswer("?")]
)
def test_what_is_refused_for_all_is_not_halved(refusal: Exception) -> None:
    road = Road(refusal)
    [lost] = road.bring(b"one", b"two")
    assert (lost.error, len(lost.entries)) == (refusal, 2)
    assert len(road.carried) == 1
