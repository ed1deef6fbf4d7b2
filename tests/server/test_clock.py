import asyncio
import time

from slowping.server.clock import SystemClock


def test_the_time_is_the_machines() -> None:
    before = time.time_ns() // 1_000_000
    assert before <= SystemClock().now_ms() <= time.time_ns() // 1_000_000


async def test_a_wait_ends_when_the_alarm_rings() -> None:
    alarm = asyncio.Event()
    waiting = asyncio.create_task(SystemClock().wait(alarm, 30))
    await asyncio.wait([waiting], timeout=0)
    assert not waiting.done()
    alarm.set()
    await waiting


async def test_a_wait_ends_when_its_time_is_over() -> None:
    for timeout_s in (0.001, 0.0, -1.0):
        await SystemClock().wait(asyncio.Event(), timeout_s)
