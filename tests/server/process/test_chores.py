import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from slowping.core import errors, overview, times
from slowping.server.process.chores import FOLLOW_EVERY_S, keep_following
from slowping.store.port import Journal
from slowping.testing import FrozenClock
from tests.server.engine import Engine


class Watched:
    """A journal that tells when it was counted to its end, and fails as it is told to."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.listen = journal.listen
        self.failures: list[Exception] = []
        self.looks = 0

    async def count_on(self) -> bool:
        """As it is, or fails."""
        self.looks += 1
        if self.failures:
            raise self.failures.pop(0)
        return await self._journal.count_on()


@pytest.fixture
def journal(engine: Engine) -> Watched:
    return Watched(engine.store.journal)


@pytest.fixture
async def counting(journal: Any, clock: FrozenClock) -> AsyncIterator[None]:
    """Counting that goes on beside the test, and has looked once."""
    task = asyncio.create_task(keep_following(journal, clock, journal.count_on, "count events"))
    await clock.is_waited_on()
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def counted(engine: Engine) -> int:
    """How many events are counted."""
    now = engine.clock.now_ms()
    periods = overview.began(times.to_datetime(now))
    return (await engine.store.journal.overview(None, periods, now=now)).events.total


async def passes(clock: FrozenClock) -> None:
    """Let the time pass after which is counted again, and wait until that is done."""
    clock.advance(FOLLOW_EVERY_S)
    await clock.is_waited_on()


async def test_what_came_while_nobody_counted_is_counted_at_the_start(
    engine: Engine, journal: Any, clock: FrozenClock
) -> None:
    await engine.accept("a", "b")
    task = asyncio.create_task(keep_following(journal, clock, journal.count_on, "count events"))
    await clock.is_waited_on()
    assert await counted(engine) == 2
    task.cancel()


@pytest.mark.usefixtures("counting")
async def test_what_comes_is_counted_within_a_second(engine: Engine, clock: FrozenClock) -> None:
    await engine.accept("a")
    await engine.accept("b")
    assert await counted(engine) == 0
    await passes(clock)
    assert await counted(engine) == 2


@pytest.mark.usefixtures("counting")
async def test_where_nothing_comes_nobody_looks(
    engine: Engine, journal: Watched, clock: FrozenClock
) -> None:
    clock.advance(FOLLOW_EVERY_S)
    await asyncio.wait_for(clock_is_left_alone(clock), 10)
    looks = journal.looks
    clock.advance(3_600)
    await engine.store.journal.head()
    assert journal.looks == looks


async def clock_is_left_alone(clock: FrozenClock) -> None:
    """Wait until nobody waits for time to pass."""
    while clock._waiters:
        clock.advance(FOLLOW_EVERY_S)
        await asyncio.sleep(0)


@pytest.mark.usefixtures("counting")
@pytest.mark.parametrize("failure", [errors.Unavailable("The disk is full."), LookupError("bug")])
async def test_what_fails_is_told_once_and_tried_again(
    engine: Engine,
    journal: Watched,
    clock: FrozenClock,
    caplog: pytest.LogCaptureFixture,
    failure: Exception,
) -> None:
    caplog.set_level(logging.ERROR)
    journal.failures = [failure, failure]
    await engine.accept("a")
    await passes(clock)
    await passes(clock)
    assert await counted(engine) == 0
    await passes(clock)
    assert await counted(engine) == 1
    [record] = caplog.records
    assert record.getMessage().startswith("cannot count events")
