"""Remove what has been kept for long enough, or what there is no room for, a little at a time."""

import asyncio
import collections
import time
from collections.abc import AsyncIterator, Callable
from typing import Final

from slowping.core import retention
from slowping.core.retention import Keeping, Pruned, PrunedPart, Sweep, What
from slowping.server.clock import Clock
from slowping.server.tally import Tally
from slowping.store.port import Portion, Retention

PAUSE_S: Final = 0.02
"""Between two steps others have the writer: what is removed is in no hurry."""

REQUEST_S: Final = 20.0
"""How long one request prunes at most."""

STEPS: Final = 5
"""After so many it is looked at again whether there is room."""


class Pruner:
    """Prunes one store: whoever asks while it is pruned already shares the work, step by step."""

    def __init__(
        self,
        store: Retention,
        keeping: Keeping,
        clock: Clock,
        tally: Tally,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._keeping = keeping
        self._clock = clock
        self._tally = tally
        self._monotonic = monotonic
        self._lock = asyncio.Lock()

    async def preview(self) -> Pruned:
        """What would go now.

        Raises:
            Unavailable: the store cannot be read now.
        """
        gone = _Gone()
        for sweep, project in await self._sweeps():
            after: int | None = sweep.after
            while after is not None:
                portion = await self._store.count(sweep, after=after)
                gone.add(sweep, project, portion)
                after = portion.last
        return gone.told(is_complete=True)

    async def prune(self, limit_s: float = REQUEST_S) -> Pruned:
        """Remove what is older than it is kept, for `limit_s` seconds at most.

        Raises:
            Unavailable: the store cannot be written now; what is gone by then is gone.
        """
        gone, ends_at = _Gone(), self._monotonic() + limit_s
        for sweep, project in await self._sweeps():
            async for portion in self._remove(sweep):
                gone.add(sweep, project, portion)
                if self._monotonic() >= ends_at:
                    return gone.told(is_complete=False)
        return gone.told(is_complete=True)

    async def make_room(self, most_bytes: int) -> int:
        """Remove the oldest events until the database takes `most_bytes`; how many went.

        Raises:
            Unavailable: the store cannot be written now.
        """
        removed = 0
        for sweep in retention.for_room(self._clock.now_ms()):
            steps = 0
            async for portion in self._remove(sweep):
                removed += portion.number if sweep.what is What.EVENTS else 0
                steps += 1
                if steps % STEPS == 0 and (await self._store.space()).used <= most_bytes:
                    break
            if (await self._store.space()).used <= most_bytes:
                break
        return removed

    async def _sweeps(self) -> list[tuple[Sweep, str | None]]:
        """All that goes now, and the project it is in."""
        projects = await self._store.stocks()
        edges = {}
        for project_id, category_id, room in retention.limits(projects):
            edge = await self._store.edge(project_id, category_id, room)
            if edge is not None:
                edges[project_id, category_id] = edge
        names = {project.id: project.name for project in projects}
        now = self._clock.now_ms()
        return [
            (sweep, None if sweep.project_id is None else names[sweep.project_id])
            for sweep in retention.sweeps(projects, edges, self._keeping, now)
        ]

    async def _remove(self, sweep: Sweep) -> AsyncIterator[Portion]:
        after: int | None = sweep.after
        while after is not None:
            # What one has looked at no other is to remove: it would be counted twice.
            async with self._lock:
                portion = await self._store.remove(sweep, after=after)
            self._tally.pruned[sweep.what] += portion.number
            yield portion
            if portion.number:
                await asyncio.sleep(PAUSE_S)
            after = portion.last


class _Gone:
    """Adds up what went, by project and kind."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str | None, What], collections.Counter[str]] = {}

    def add(self, sweep: Sweep, project: str | None, portion: Portion) -> None:
        counts = self._counts.setdefault((project, sweep.what), collections.Counter())
        counts["number"] += portion.number
        counts["deliveries"] += portion.deliveries
        counts["bytes"] += portion.bytes

    def told(self, *, is_complete: bool) -> Pruned:
        parts = [
            PrunedPart(
                project=project,
                what=what,
                number=counts["number"],
                deliveries=counts["deliveries"],
                bytes=counts["bytes"],
            )
            for (project, what), counts in self._counts.items()
            if counts["number"]
        ]
        return Pruned(parts=tuple(parts), is_complete=is_complete)
