"""The time of day, and waiting: passed in, so that days of retries are tested in milliseconds."""

import asyncio
import contextlib
import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits."""

    def now_ms(self) -> int:
        """UTC milliseconds: due times are kept as such."""
        ...

    async def wait(self, alarm: asyncio.Event, timeout_s: float) -> None:
        """Wait until the alarm rings or the time is over, whichever comes first."""
        ...


class SystemClock:
    """The machine's own: due times by the wall clock, waiting by the one that never steps."""

    def now_ms(self) -> int:
        """UTC milliseconds."""
        return time.time_ns() // 1_000_000

    async def wait(self, alarm: asyncio.Event, timeout_s: float) -> None:
        """Wait until the alarm rings or the time is over, whichever comes first."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await alarm.wait()
