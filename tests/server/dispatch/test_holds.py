import pytest

from slowping.core import retry
from slowping.core.delivery import Hold, Pace
from slowping.server.dispatch.holds import KEPT_FROM_MS, Holds
from slowping.store.port import Store
from slowping.testing import START_MS, FrozenClock


@pytest.fixture
def holds(store: Store, clock: FrozenClock) -> Holds:
    return Holds(store.outbox, clock.now_ms)


async def test_a_scope_is_held_until_its_time_is_over(holds: Holds, clock: FrozenClock) -> None:
    assert await holds.hold("bot", 2.5, "slow down") == START_MS + 2_500
    clock.advance(2.4)
    assert holds.free_at(["bot"]) == START_MS + 2_500
    clock.advance(0.1)
    assert holds.free_at(["bot"]) == 0


async def test_the_last_of_several_scopes_counts(holds: Holds) -> None:
    await holds.hold("discord", 2, "slow down")
    await holds.hold("discord:webhook:1", 5, "slow down")
    assert holds.free_at(["discord", "discord:webhook:1", "other"]) == START_MS + 5_000


async def test_a_shorter_wait_does_not_end_a_longer_one(holds: Holds) -> None:
    await holds.hold("bot", 60, "slow down")
    assert await holds.hold("bot", 1, "slow down") == START_MS + 60_000


async def test_a_wait_that_a_restart_would_outlast_is_stored(holds: Holds, store: Store) -> None:
    await holds.hold("long", KEPT_FROM_MS / 1000, "slow down")
    await holds.hold("short", KEPT_FROM_MS / 1000 - 0.1, "slow down")
    [kept] = await store.outbox.holds()
    assert kept == Hold(scope="long", until=START_MS + KEPT_FROM_MS, why="slow down")


async def test_a_new_process_knows_the_holds_of_the_last_one(
    holds: Holds, store: Store, clock: FrozenClock
) -> None:
    await holds.hold("bot", 60, "slow down")
    later = Holds(store.outbox, clock.now_ms)
    await later.load()
    assert later.free_at(["bot"]) == START_MS + 60_000


async def test_holds_that_are_over_are_forgotten_at_the_start(
    holds: Holds, store: Store, clock: FrozenClock
) -> None:
    await holds.hold("bot", 60, "slow down")
    clock.advance(60)
    await Holds(store.outbox, clock.now_ms).load()
    assert await store.outbox.holds() == []


async def test_a_hold_beyond_any_wait_is_of_a_clock_that_stepped_back(
    holds: Holds, clock: FrozenClock
) -> None:
    await holds.hold("bot", 60, "slow down")
    clock.step(-3 * 86_400)
    assert holds.free_at(["bot"]) == 0


@pytest.mark.parametrize("wait_s", [1e9, float("inf")])
async def test_no_hold_is_longer_than_any_wait(holds: Holds, wait_s: float) -> None:
    assert await holds.hold("bot", wait_s, "slow down") == START_MS + retry.LONGEST_S * 1000


@pytest.mark.parametrize("wait_s", [0.0, -5.0, float("nan")])
async def test_throttling_holds_for_some_time_always(holds: Holds, wait_s: float) -> None:
    assert await holds.throttle("bot", wait_s, "slow down") == START_MS + 500


async def test_an_answer_sets_the_pace(holds: Holds) -> None:
    await holds.keep_pace(Pace("bot", 0.3))
    assert holds.free_at(["bot"]) == START_MS + 300


@pytest.mark.parametrize("pace", [None, Pace("bot", 0.0)])
async def test_an_answer_that_asks_for_no_wait_holds_nothing(
    holds: Holds, pace: Pace | None
) -> None:
    await holds.keep_pace(pace)
    assert holds.free_at(["bot"]) == 0
