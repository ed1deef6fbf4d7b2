"""Help tests, ours and those of plug-ins: a clock that stands still, a notifier that records."""

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar, Final

from slowping.core.delivery import Delivered, Outcome
from slowping.core.notification import Notification
from slowping.notifiers.port import Settings, Tools

START_MS: Final = 1_795_000_000_000  # 2026-11-18


class FrozenClock:
    """Stands still until it is moved; who waits on it wakes when his time has come."""

    def __init__(self, now_ms: int = START_MS) -> None:
        self._now_ms = now_ms
        self._moved = asyncio.Event()

    def now_ms(self) -> int:
        """UTC milliseconds."""
        return self._now_ms

    def advance(self, seconds: float) -> None:
        """Move on, or back."""
        self._now_ms += round(seconds * 1000)
        self._moved.set()
        self._moved = asyncio.Event()

    async def wait(self, alarm: asyncio.Event, timeout_s: float) -> None:
        """Wait until the alarm rings or the clock was moved far enough."""
        until = self._now_ms + timeout_s * 1000
        ringing = asyncio.ensure_future(alarm.wait())
        try:
            while self._now_ms < until and not ringing.done():
                moving = asyncio.ensure_future(self._moved.wait())
                await asyncio.wait((ringing, moving), return_when=asyncio.FIRST_COMPLETED)
                moving.cancel()
        finally:
            ringing.cancel()


class RecordingSettings(Settings):
    """Whatever a test wants to tell channels apart."""

    label: str = ""


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
        self.script: list[Outcome | Exception] = []
        """Outcomes for the next messages, in order; what comes after them is delivered."""

    @property
    def notifications(self) -> list[Notification]:
        """Everything that it was given, one by one."""
        return [notification for batch in self.batches for notification in batch]

    def scopes(self, settings: Any) -> tuple[str, ...]:
        """One for all, and one for each label."""
        return ("recording", f"recording:{settings.label}")

    def fits(self, waiting: Sequence[Notification]) -> int:
        """All."""
        return len(waiting)

    async def deliver(self, batch: Sequence[Notification], settings: Any) -> Outcome:
        """Keep the batch."""
        del settings
        self.batches.append(tuple(batch))
        if not self.script:
            return Delivered(reference=f"m{len(self.batches)}")
        outcome = self.script.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def close(self) -> None:
        """Nothing is open."""
