"""The overview on the command line: how much came in, and how the channels are doing."""

import datetime as dt
import time
from typing import TYPE_CHECKING, Final

import rich_click as click

from slowping.cli import named, output, where
from slowping.cli.output import Column
from slowping.core.overview import CategoryFigures, ChannelFigures, Overview

if TYPE_CHECKING:
    from slowping.client.client import Client

_CATEGORY_COLUMNS = (
    Column("PROJECT"),
    Column("CATEGORY"),
    Column("TODAY", whole=True),
    Column("WEEK", whole=True),
    Column("MONTH", whole=True),
    Column("24 HOURS", whole=True),
    Column("MONTH'S SUMS", prose=True),
)
_CHANNEL_COLUMNS = (
    Column("PROJECT"),
    Column("CHANNEL"),
    Column("WAITING", whole=True),
    Column("FAILED", whole=True),
    Column("FAILURES", whole=True),
    Column("P50", whole=True),
    Column("P95", whole=True),
    Column("24 HOURS", whole=True),
)
_BARS: Final = 12

_BEHIND: Final = dt.timedelta(minutes=1)
"""A server whose figures are so old is behind, whatever the clocks say."""


@click.command()
@named.project_option
@output.json_option
@where.connected(where.ADMIN_KEY_FILE)
async def overview(client: "Client", project: str | None, as_json: bool) -> None:
    """Tell what came in today, this week and this month, and how it went out.

    Days are those of this machine, and a week begins on Monday. What channels did is that of the
    last 24 hours; a bar is two hours.
    """
    from slowping.tui.figures.periods import periods

    began = periods(time.time_ns() // 1_000_000)
    told = await client.overview(
        project=project, today=began.today, week=began.week, month=began.month
    )
    if as_json:
        output.as_json(told)
        return
    _print(told)
    if dt.datetime.now(dt.UTC) - told.as_of > _BEHIND:
        output.talk(f"The server is still counting; so far up to {output.moment(told.as_of)}.")


def _print(told: Overview) -> None:
    events = told.events
    output.details(
        [
            ("today", _events(events.today)),
            ("this week", _events(events.week)),
            ("this month", _events(events.month)),
            ("in all", _events(events.total)),
            ("waiting", output.counted(told.waiting, "delivery", "deliveries")),
            ("failed", output.counted(told.failed, "delivery", "deliveries")),
        ]
    )
    output.gap()
    output.table("categories", _CATEGORY_COLUMNS, [_category(one) for one in told.categories])
    output.gap()
    output.table("channels", _CHANNEL_COLUMNS, [_channel(one) for one in told.channels])
    in_trouble = [(one.channel, _trouble(one)) for one in told.channels if one.last_error_at]
    if in_trouble:
        output.gap()
        output.details(in_trouble)


def _events(count: int) -> str:
    return output.counted(count, "event", "events")


def _category(figures: CategoryFigures) -> tuple[str, ...]:
    from slowping.tui.figures import numbers

    events = figures.events
    sums = (f"{one.field} {numbers.amount(one.month)}" for one in figures.sums)
    return (
        figures.project,
        f"{figures.emoji} {figures.category}",
        numbers.whole(events.today, 6),
        numbers.whole(events.week, 6),
        numbers.whole(events.month, 6),
        _drawn(figures.hours),
        ", ".join(sums),
    )


def _channel(figures: ChannelFigures) -> tuple[str, ...]:
    from slowping.tui.figures import numbers

    return (
        figures.project,
        f"{figures.channel} (paused)" if figures.paused else figures.channel,
        numbers.whole(figures.waiting, 6),
        numbers.whole(figures.failed, 6),
        numbers.failures(figures.troubled, figures.delivered),
        numbers.latency(figures.latency_p50_ms),
        numbers.latency(figures.latency_p95_ms),
        _drawn(figures.hours),
    )


def _drawn(hours: tuple[int, ...]) -> str:
    from slowping.tui.widgets import drawing

    return drawing.sparkline(drawing.gathered(hours, _BARS), nothing="·")


def _trouble(figures: ChannelFigures) -> str:
    again = " (it works again)" if figures.mended_at is not None else ""
    return f"{output.age(figures.last_error_at)} ago{again}: {figures.last_error or 'unknown'}"
