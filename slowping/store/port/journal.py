"""What lists and figures are made of: the append-only record of what happened."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from slowping.core.event import Event, EventFilter


class DayCount(msgspec.Struct, frozen=True):
    """How many events a day (UTC) had."""

    date: str
    events: int


class ProjectFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What SlowStats' get-metrics tells."""

    total_events: int
    unique_visitors: int
    last_7_days: tuple[DayCount, ...]


class Journal(Protocol):
    """The append-only record of what happened."""

    async def list_events(
        self, which: EventFilter, *, before: int | None, limit: int, skip: int = 0
    ) -> Sequence[Event]:
        """Events that match; `skip` counts from the newest, for a dialect that pages so."""
        ...

    async def event(self, event_id: int) -> Event:
        """One event.

        Raises:
            NotFound: there is none.
        """
        ...

    async def figures(self, project_id: int, now: int) -> ProjectFigures:
        """Counts of a project's events, in all and on each of the last seven days."""
        ...
