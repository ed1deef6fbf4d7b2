"""Help tests, ours and those of plug-ins: a clock that stands still, a notifier that records."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Final

import msgspec

from slowping.core.delivery import Delivered, Outcome
from slowping.core.notification import Notification
from slowping.notifiers.port import Settings, Tools

START_MS: Final = 1_795_000_000_000  # 2026-11-18


class _Waiter(msgspec.Struct, frozen=True):
    """Somebody who waits on the clock."""

    alarm: asyncio.Event
    until_ms: int
    woken: asyncio.Future[None]


class FrozenClock:
    """Stands still until it is moved; who waits on it wakes when his time has come."""

    def __init__(self, now_ms: int = START_MS) -> None:
        self._now_ms = now_ms
        self._passed_ms = 0
        self._waiters: list[_Waiter] = []
        self._someone_waits = asyncio.Event()

    def now_ms(self) -> int:
        """UTC milliseconds."""
        return self._now_ms

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now_ms += round(seconds * 1000)
        self._passed_ms += round(seconds * 1000)
        for waiter in self._waiters:
            if waiter.until_ms <= self._passed_ms and not waiter.woken.done():
                waiter.woken.set_result(None)

    def step(self, seconds: float) -> None:
        """Set the time of day, on or back, while no time passes."""
        self._now_ms += round(seconds * 1000)

    async def wait(self, alarm: asyncio.Event, timeout_s: float) -> None:
        """Wait until the alarm rings or so much time has passed."""
        woken = asyncio.get_running_loop().create_future()
        waiter = _Waiter(alarm, self._passed_ms + round(timeout_s * 1000), woken)
        ringing = asyncio.create_task(alarm.wait())
        self._waiters.append(waiter)
        self._someone_waits.set()
        self.advance(0)  # for one who waits no time at all
        try:
            await asyncio.wait((ringing, woken), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._waiters.remove(waiter)
            ringing.cancel()
            woken.cancel()

    async def is_waited_on(self) -> None:
        """Wait until somebody waits for this clock to move, and for nothing that has come."""
        while not any(self._rests(waiter) for waiter in self._waiters):
            self._someone_waits.clear()
            await self._someone_waits.wait()

    def _rests(self, waiter: _Waiter) -> bool:
        return not waiter.alarm.is_set() and waiter.until_ms > self._passed_ms


class RecordingSettings(Settings, frozen=True, kw_only=True):
    """Whatever a test wants to tell channels apart."""

    label: str = ""
    learned: Annotated[str, msgspec.Meta(extra_json_schema={"readOnly": True})] = ""


class RecordingNotifier:
    """Keeps what it is given, and answers as it is told."""

    kind: ClassVar[str] = "recording"
    summary: ClassVar[str] = "Keeps what it is given."
    settings: ClassVar[type[Settings]] = RecordingSettings
    delays: ClassVar[tuple[float, ...]] = (5.0, 300.0)
    max_batch: ClassVar[int] = 10

    def __init__(self, tools: Tools | None = None) -> None:
        del tools
        self.batches: list[Sequence[Notification]] = []
        self.told: list[Any] = []
        """The settings that each batch came with."""
        self.script: list[Outcome | Exception | asyncio.Future[Outcome]] = []
        """Answers to the next messages, in order; what comes after them is delivered.

        An exception is raised, and for a future's result the far side takes its time.
        """
        self._came = asyncio.Event()

    @property
    def notifications(self) -> list[Notification]:
        """Everything that it was given, one by one."""
        return [notification for batch in self.batches for notification in batch]

    async def has_sent(self, batches: int) -> None:
        """Wait until it was given so many batches in all."""
        while len(self.batches) < batches:
            self._came.clear()
            await self._came.wait()

    def scopes(self, settings: Any) -> tuple[str, ...]:
        """One for all, and one for each label."""
        return ("recording", f"recording:{settings.label}")

    def fits(self, waiting: Sequence[Notification]) -> int:
        """All."""
        return len(waiting)

    async def deliver(self, batch: Sequence[Notification], settings: Any) -> Outcome:
        """Keep the batch."""
        self.batches.append(tuple(batch))
        self.told.append(settings)
        self._came.set()
        if not self.script:
            return Delivered(reference=f"m{len(self.batches)}")
        answer = self.script.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return await answer if isinstance(answer, asyncio.Future) else answer

    async def close(self) -> None:
        """Nothing is open."""
