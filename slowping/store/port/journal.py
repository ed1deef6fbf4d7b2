"""What lists and figures are made of: the append-only record of what happened."""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from slowping.core.event import Event, EventFilter
from slowping.core.feed import FeedFilter, FeedItem
from slowping.core.overview import Overview, Periods


class DayCount(msgspec.Struct, frozen=True):
    """How many events a day (UTC) had."""

    date: str
    events: int


class ProjectFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What SlowStats' get-metrics tells."""

    total_events: int
    unique_visitors: int
    last_7_days: tuple[DayCount, ...]


class FeedEntry(msgspec.Struct, frozen=True):
    """What happened, and the place after it."""

    cursor: str
    item: FeedItem


class FeedPage(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the journal, the oldest first; several lines of one thing may be one entry."""

    entries: tuple[FeedEntry, ...]
    cursor: str
    """The place after everything that was looked at."""
    more: bool = False
    """Whether more is there already."""
    reset: bool = False
    """The place is lost: it was trimmed away, or is one of another journal. `cursor` is now."""


class Journal(Protocol):
    """The append-only record of what happened."""

    async def list_events(
        self, which: EventFilter, *, before: int | None, limit: int, skip: int = 0
    ) -> Sequence[Event]:
        """Events that match; `skip` counts from the newest, for a dialect that pages so.

        There are fewer than `limit` where they are large: see `page.MAX_BYTES`. One that matches
        is always given.
        """
        ...

    async def figures(self, project_id: int, now: int) -> ProjectFigures:
        """Counts of a project's events, in all and on each of the last seven days."""
        ...

    async def head(self) -> str:
        """The place after everything that has happened."""
        ...

    async def since(self, cursor: str, which: FeedFilter, *, limit: int) -> FeedPage:
        """What happened after a place, at most `limit` lines of it, as it stands now.

        Of a cursor nothing is certain but that it was given out here: its text means nothing.
        """
        ...

    async def overview(
        self, project_ids: Sequence[int] | None, periods: Periods, *, now: int
    ) -> Overview:
        """The figures of these projects, or of all that are live, as far as they are counted.

        Each period begins with a quarter-hour of UTC.
        """
        ...

    async def count_on(self) -> bool:
        """Count a stretch of what has happened since the last one; whether there is more already.

        Everything counts once, whoever calls this and whenever the process ends.
        """
        ...

    async def index_on(self) -> bool:
        """Make events searchable by their words, as far as `count_on` counts them; the same way."""
        ...

    def listen(self, written: Callable[[], None]) -> None:
        """Call `written` as well, in the loop and once for all that came together, after a commit.

        It is an alarm clock and may ring for nothing.
        """
        ...
