"""The overview: how much came in, and how it went out."""

import datetime as dt
from typing import Any, Final

import msgspec

from slowping.core import errors, overview, times
from slowping.core.api_key import Scope
from slowping.core.overview import Overview, Periods
from slowping.server.api import reach
from slowping.server.api.endpoint import Call, Endpoint

LONGEST: Final = dt.timedelta(days=366)
"""A period began no longer ago."""

AHEAD: Final = dt.timedelta(hours=1)
"""A period may begin so far in the future: clocks of others are not ours."""


class OverviewQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of what, and since when."""

    project: str | None = None
    """A project's id or name; all that the key may see where it is left out."""
    today: dt.datetime | None = None
    """When the day began where the reader is; rounded down to a quarter of an hour. In UTC where
    it is left out."""
    week: dt.datetime | None = None
    """When the week began; on Monday, in UTC, where it is left out."""
    month: dt.datetime | None = None
    """When the month began; in UTC where it is left out."""


async def tell_overview(call: Call[OverviewQuery, None]) -> Overview:
    """Figures of a project, or of all that the key may see; they are kept, not looked up.

    Raises:
        InvalidInput: a period begins in the future, or more than a year ago.
    """
    services, now = call.services, call.services.now_ms()
    return await services.store.journal.overview(
        reach.narrowed(services.roster, call.principal, call.query.project),
        _periods(call.query, times.to_datetime(now)),
        now=now,
    )


def _periods(query: OverviewQuery, now: dt.datetime) -> Periods:
    """The periods that are asked for, in UTC, or those of UTC."""
    usual = overview.began(now)
    return Periods(
        **{
            name: _start(name, getattr(query, name) or getattr(usual, name), now)
            for name in Periods.__struct_fields__
        }
    )


def _start(name: str, given: dt.datetime, now: dt.datetime) -> dt.datetime:
    moment = times.to_datetime(times.to_ms(given))
    if moment > now + AHEAD:
        raise errors.InvalidInput(f"{name}: it has to begin in the past.")
    if moment < now - LONGEST:
        raise errors.InvalidInput(f"{name}: it has to begin {LONGEST.days} days ago at most.")
    return moment - (moment - dt.datetime.min.replace(tzinfo=dt.UTC)) % overview.QUARTER


ENDPOINTS: Final[tuple[Endpoint[Any, Any], ...]] = (
    Endpoint(
        method="GET",
        path="/overview",
        summary="Read the figures of a project: events, sums of their numbers, how channels do",
        scope=Scope.READ,
        handle=tell_overview,
        query=OverviewQuery,
        answer=Overview,
        refusals=(errors.NotFound,),
    ),
)
