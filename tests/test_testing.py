import asyncio

import pytest

from slowping.core.delivery import Delivered, Outcome, Retry
from slowping.core.notification import trial
from slowping.testing import START_MS, FrozenClock, RecordingNotifier, RecordingSettings

BATCH = [trial("team", "shop", START_MS)]


async def waiting(clock: FrozenClock, alarm: asyncio.Event, timeout_s: float) -> asyncio.Task[None]:
    task = asyncio.create_task(clock.wait(alarm, timeout_s))
    await asyncio.wait([task], timeout=0)
    return task


async def test_a_frozen_clock_wakes_whose_time_has_come(clock: FrozenClock) -> None:
    soon = await waiting(clock, asyncio.Event(), 5)
    late = await waiting(clock, asyncio.Event(), 6)
    clock.advance(5)
    await soon
    assert not late.done()
    clock.advance(1)
    await late
    assert clock.now_ms() == START_MS + 6_000


async def test_a_frozen_clock_wakes_whose_alarm_rings(clock: FrozenClock) -> None:
    alarm = asyncio.Event()
    task = await waiting(clock, alarm, 5)
    alarm.set()
    await task


async def test_setting_a_frozen_clock_wakes_nobody(clock: FrozenClock) -> None:
    task = await waiting(clock, asyncio.Event(), 5)
    clock.step(3_600)
    await asyncio.wait([task], timeout=0)
    assert not task.done()
    clock.step(-7_200)
    clock.advance(5)
    await task
    assert clock.now_ms() == START_MS - 3_600_000 + 5_000


async def test_waiting_no_time_at_all_is_over_at_once(clock: FrozenClock) -> None:
    await clock.wait(asyncio.Event(), 0)


async def test_a_frozen_clock_tells_when_somebody_waits(clock: FrozenClock) -> None:
    asked = asyncio.create_task(clock.is_waited_on())
    await asyncio.wait([asked], timeout=0)
    assert not asked.done()
    task = await waiting(clock, asyncio.Event(), 5)
    await asked
    clock.advance(5)
    await task


async def test_a_recording_notifier_answers_as_it_is_told() -> None:
    notifier = RecordingNotifier()
    later: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    notifier.script = [Retry(reason="HTTP 503"), later, ValueError("no")]
    settings = RecordingSettings(label="team")
    assert await notifier.deliver(BATCH, settings) == Retry(reason="HTTP 503")
    later.set_result(Delivered(reference="slow"))
    assert await notifier.deliver(BATCH, settings) == Delivered(reference="slow")
    with pytest.raises(ValueError, match="no"):
        await notifier.deliver(BATCH, settings)
    assert await notifier.deliver(BATCH, settings) == Delivered(reference="m4")
    assert len(notifier.notifications) == 4
    assert notifier.told == [settings] * 4


async def test_a_recording_notifier_tells_when_it_was_given_something() -> None:
    notifier = RecordingNotifier()
    waiting_for_two = asyncio.create_task(notifier.has_sent(2))
    for sent in range(2):
        await asyncio.wait([waiting_for_two], timeout=0)
        assert not waiting_for_two.done(), sent
        await notifier.deliver(BATCH, RecordingSettings())
    await waiting_for_two
