"""Send at a pace that does not wait for answers, and watch how a server bears it."""

import asyncio
import contextlib
import itertools
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import msgspec

from benchmarks.memory import pss_mib
from tests.torture.clients import MARK, PINGPANDA, Answer, Ledger, Line, Sending, post

EVENTS: Final = 200
"""In a batch: with what they say, somewhat less than the largest body that is taken."""

_TEXT: Final = "x" * 4_000
_PLACE: Final = "m00000000"


class Batches:
    """Requests that are as large as may be, each with a mark of its own."""

    def __init__(self, key: str) -> None:
        event = {"category": "bug", "fields": {MARK: _PLACE, "text": _TEXT}}
        self._content = post(
            "/slowping/v1/events", f"Authorization: Bearer {key}", [event] * EVENTS
        )
        self._numbers = itertools.count(1)

    def __call__(self) -> Sending:
        """The next."""
        mark = f"m{next(self._numbers):08}"
        content = self._content.replace(_PLACE.encode(), mark.encode())
        return Sending(marks=(mark,), content=content, is_repeatable=False)


class Flood:
    """Connections that are opened as they are needed, up to a number, and used again."""

    def __init__(self, url: str, ledger: Ledger, make: Callable[[], Sending], most: int) -> None:
        self.slowest_s = 0.0
        """Of all answers so far."""
        self.poured_at = 0.0
        """When the last was sent at a pace, by the monotonic clock."""
        self._url = url
        self._ledger = ledger
        self._make = make
        self._idle: list[Line] = []
        self._slots = asyncio.Semaphore(most)

    async def keep_busy(self, connections: int, seconds: float) -> float:
        """Have so many requests on their way all the time; how many were taken a second."""
        before, until = len(self._ledger.acknowledged), time.monotonic() + seconds

        async def one_after_another() -> None:
            while time.monotonic() < until:
                await self._send()

        await asyncio.gather(*(one_after_another() for _ in range(connections)))
        return (len(self._ledger.acknowledged) - before) / seconds

    async def pour(self, per_second: float, seconds: float) -> float:
        """Send at a pace, whatever comes back; how many a second they really were."""
        started, count = time.monotonic(), 0
        async with asyncio.TaskGroup() as group:
            while (passed := time.monotonic() - started) < seconds:
                while count < passed * per_second:
                    await self._slots.acquire()
                    group.create_task(self._send_and_leave())
                    count += 1
                await asyncio.sleep(0.002)
            self.poured_at = time.monotonic()
        return count / seconds

    def close(self) -> None:
        """Leave; who sends again connects again."""
        while self._idle:
            self._idle.pop().close()

    async def _send_and_leave(self) -> None:
        try:
            await self._send()
        finally:
            self._slots.release()

    async def _send(self) -> None:
        sending, started = self._make(), time.monotonic()
        try:
            line = self._idle.pop() if self._idle else await Line.to(self._url)
            answer = await line.ask(sending.content)
        except (OSError, EOFError) as error:
            self._ledger.miss(sending, error)
            return
        self.slowest_s = max(self.slowest_s, time.monotonic() - started)
        self._ledger.note(sending, answer)
        if answer.is_last:
            line.close()
        else:
            self._idle.append(line)


class Probed(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody who sends one event now and then has seen."""

    at: float
    took_s: float
    answer: Answer | None


class Probe:
    """Sends one event every now and then, each on a connection of its own."""

    EVERY_S: Final = 0.05

    def __init__(self, url: str, key: str, ledger: Ledger) -> None:
        self.seen: list[Probed] = []
        self._url = url
        self._key = key
        self._ledger = ledger

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            await self.send()
            await asyncio.sleep(self.EVERY_S)

    async def has_seen(self, count: int) -> None:
        """Wait until it has sent so many."""
        while len(self.seen) < count:  # noqa: ASYNC110 - it rings no bell
            await asyncio.sleep(self.EVERY_S)

    async def send(self) -> Probed:
        """Send one."""
        mark, at = self._ledger.mark(), time.monotonic()
        content = PINGPANDA.write(self._key, (mark,), None)
        sending, answer = Sending(marks=(mark,), content=content, is_repeatable=False), None
        try:
            async with Line.on(self._url) as line:
                answer = await line.ask(content)
            self._ledger.note(sending, answer)
        except (OSError, EOFError) as error:
            self._ledger.miss(sending, error)
        probed = Probed(at=at, took_s=time.monotonic() - at, answer=answer)
        self.seen.append(probed)
        return probed

    async def normal_again_s(self, since: float, usual_s: float, patience_s: float) -> float:
        """Seconds since a moment until ten in a row are answered as fast as usual."""
        in_row = 0
        while in_row < 10 and time.monotonic() - since < patience_s:
            probed = await self.send()
            is_good = probed.answer is not None and probed.answer.status == 200
            in_row = in_row + 1 if is_good and probed.took_s <= usual_s else 0
        return time.monotonic() - since


def p99_s(seen: list[Probed]) -> float:
    """How long nearly all took."""
    took = [one.took_s for one in seen]
    return statistics.quantiles(took, n=100)[98] if len(took) > 1 else max(took, default=0.0)


class Memory:
    """The largest proportional set size of a process, looked at four times a second."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.before_mib = self.most_mib = pss_mib(pid)

    @property
    def growth_mib(self) -> float:
        """Beyond what it was at first."""
        return self.most_mib - self.before_mib

    async def watch(self) -> None:
        """Look until cancelled."""
        while True:
            self.most_mib = max(self.most_mib, pss_mib(self._pid))
            await asyncio.sleep(0.25)


@contextlib.asynccontextmanager
async def meanwhile(doing: Awaitable[None]) -> AsyncIterator[None]:
    """Have something done until the block ends."""
    task = asyncio.ensure_future(doing)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
