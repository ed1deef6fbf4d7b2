import pytest

from slowping.core import retry
from slowping.core.delivery import Hold, Pace
from slowping.server.dispatch.holds import KEPT_FROM_S, Holds
from slowping.store.port import Store
from slowping.testing import START_MS, FrozenClock


@pytest.fixture
def holds(store: Store, clock: FrozenClock) -> Holds:
    return Holds(store.outbox, clock.now_ms)


async def test_a_scope_is_held_until_its_time_is_over(holds: Holds, clock: FrozenClock) -> None:
    assert await holds.throttle("bot", 2.5, "slow down") == START_MS + 2_500
    clock.advance(2.4)
    assert holds.free_at(["bot"]) == START_MS + 2_500
    clock.advance(0.1)
    assert holds.free_at(["bot"]) == 0


async def test_the_last_of_several_scopes_counts(holds: Holds) -> None:
    await holds.throttle("discord", 2, "slow down")
    await holds.throttle("discord:webhook:1", 5, "slow down")
    assert holds.free_at(["discord", "discord:webhook:1", "other"]) == START_MS + 5_000


async def test_a_shorter_wait_does_not_end_a_longer_one(holds: Holds) -> None:
    await holds.throttle("bot", 60, "slow down")
    assert await holds.throttle("bot", 1, "slow down") == START_MS + 60_000


async def test_what_a_far_side_has_asked_for_is_stored(holds: Holds, store: Store) -> None:
    await holds.throttle("bot", 2, "slow down")
    [kept] = await store.outbox.holds()
    assert kept == Hold(scope="bot", until=START_MS + 2_000, why="slow down")


async def test_a_pace_is_stored_where_a_restart_would_not_outlast_it(
    holds: Holds, store: Store
) -> None:
    await holds.keep_pace([Pace("long", KEPT_FROM_S), Pace("short", KEPT_FROM_S - 0.1)])
    [kept] = await store.outbox.holds()
    assert kept == Hold(scope="long", until=START_MS + 5_000, why="pace")


async def test_a_new_process_knows_the_holds_of_the_last_one(
    holds: Holds, store: Store, clock: FrozenClock
) -> None:
    await holds.throttle("bot", 60, "slow down")
    later = Holds(store.outbox, clock.now_ms)
    await later.load()
    assert later.free_at(["bot"]) == START_MS + 60_000


async def test_holds_that_are_over_are_forgotten_at_the_start(
    holds: Holds, store: Store, clock: FrozenClock
) -> None:
    await holds.throttle("bot", 60, "slow down")
    clock.advance(60)
    await Holds(store.outbox, clock.now_ms).load()
    assert await store.outbox.holds() == []


async def test_a_hold_beyond_any_wait_is_of_a_clock_that_stepped_back(
    holds: Holds, clock: FrozenClock
) -> None:
    await holds.throttle("bot", 60, "slow down")
    clock.step(-3 * 86_400)
    assert holds.free_at(["bot"]) == 0


@pytest.mark.parametrize("wait_s", [1e9, float("inf")])
async def test_no_hold_is_longer_than_any_wait(holds: Holds, wait_s: float) -> None:
    assert await holds.throttle("bot", wait_s, "slow down") == START_MS + retry.LONGEST_S * 1000


@pytest.mark.parametrize("wait_s", [0.0, -5.0, float("nan")])
async def test_throttling_holds_for_some_time_always(holds: Holds, wait_s: float) -> None:
    assert await holds.throttle("bot", wait_s, "slow down") == START_MS + 1_000


@pytest.mark.parametrize(
    "pace",
    [Pace("bot", 60.0, adds_up=True), Pace("bot", 60.0, remaining=1), Pace("bot", float("nan"))],
)
async def test_a_pace_that_leaves_something_holds_nothing(holds: Holds, pace: Pace) -> None:
    await holds.keep_pace([pace])
    assert holds.free_at(["bot"]) == 0


# Without a word of how long ------------------------------------------------------------------


async def told_nothing(holds: Holds, clock: FrozenClock, times: int) -> list[float]:
    """How long each wait is, where the scope is refused again as soon as one is over."""
    waits = []
    for _ in range(times):
        until = await holds.throttle("discord", None, "banned")
        waits.append((until - clock.now_ms()) / 1000)
        clock.advance(waits[-1])
    return waits


async def test_each_wait_is_twice_as_long_up_to_an_hour(holds: Holds, clock: FrozenClock) -> None:
    assert await told_nothing(holds, clock, 8) == [60, 120, 240, 480, 960, 1920, 3600, 3600]


async def test_whoever_says_nothing_for_months_is_asked_every_hour(
    holds: Holds, clock: FrozenClock
) -> None:
    assert set((await told_nothing(holds, clock, 1_100))[6:]) == {3600}


async def test_messages_that_were_on_their_way_together_count_once(
    holds: Holds, clock: FrozenClock
) -> None:
    for _ in range(5):
        assert await holds.throttle("discord", None, "banned") == START_MS + 60_000
    clock.advance(60)
    assert await told_nothing(holds, clock, 1) == [120]


async def test_a_success_begins_anew(holds: Holds, store: Store, clock: FrozenClock) -> None:
    await told_nothing(holds, clock, 3)
    await holds.succeed(["discord", "discord:webhook:1"])
    assert await store.outbox.holds() == []
    assert await told_nothing(holds, clock, 1) == [60]


async def test_a_restart_does_not_begin_anew(
    holds: Holds, store: Store, clock: FrozenClock
) -> None:
    await told_nothing(holds, clock, 2)
    later = Holds(store.outbox, clock.now_ms)
    await later.load()
    assert await told_nothing(later, clock, 1) == [240]
