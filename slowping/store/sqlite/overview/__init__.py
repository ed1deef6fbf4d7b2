"""Read the overview from the figures that are kept: no event, and no delivery that has ended.

`category` reads how much came in, `channel` how it went out; `../rollups.py` keeps the figures.
"""

import collections
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from slowping.core import times
from slowping.core.overview import HOURS, Overview, Periods
from slowping.store.sqlite.overview import category, channel
from slowping.store.sqlite.readers import Readers
from slowping.store.sqlite.rollups import HOUR_MS

# The first line of the journal that is not counted yet.
NEXT: Final = """
select at
  from journal
 where seq > (select cast(value as integer) from meta where key = 'rolled_up')
 order by seq
 limit 1
"""

_encode = msgspec.json.Encoder().encode


async def read(
    readers: Readers, project_ids: Sequence[int] | None, periods: Periods, *, now: int
) -> Overview:
    """The figures of these projects, or of all that are live; periods begin with a quarter-hour."""
    # Asked first: whatever is read after it is counted up to there at least.
    uncounted = await readers.fetch(NEXT)
    projects = None if project_ids is None else _encode(project_ids).decode()
    hours = range(now // HOUR_MS * HOUR_MS - (HOURS - 1) * HOUR_MS, now + 1, HOUR_MS)
    events = await category.events(readers, projects, periods, hours)
    channels = await channel.figures(readers, projects, hours)
    everything: collections.Counter[Any] = sum(events.values(), collections.Counter())
    return Overview(
        as_of=times.to_datetime(min([now, *(row["at"] for row in uncounted)])),
        periods=periods,
        events=category.counts(everything),
        hours=tuple(everything[hour] for hour in hours),
        waiting=sum(one.figures.waiting for one in channels),
        failed=sum(one.figures.failed for one in channels),
        categories=await category.figures(readers, projects, periods, events, hours),
        channels=tuple(one.figures for one in channels if one.is_shown),
    )
