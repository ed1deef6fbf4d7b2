"""Channels, their figures and their kinds, for tests of the place where they are."""

from typing import Any

import msgspec

from slowping.core import times
from slowping.core.channel import Channel, ChannelKind
from slowping.core.overview import HOURS, ChannelFigures, Counts, Overview, Periods
from slowping.notifiers.port import Tools
from slowping.notifiers.registry import Registry
from tests.tui.driver import NOW_MS, moment


def channel(name: str, kind: str = "webhook", **what: Any) -> Channel:
    """A channel of the project `shop`."""
    given = {
        "id": f"chn_{name}",
        "project": "shop",
        "name": name,
        "kind": kind,
        "settings": {"url": "https://ops.test/hook", "secret": "…fKw="}
        if kind == "webhook"
        else {},
        "ad_hoc": False,
        "paused_at": None,
        "paused_reason": None,
        "created_at": times.to_datetime(NOW_MS - 86_400_000),
    }
    return msgspec.convert({**given, **what}, Channel)


def figures(of: Channel, **what: Any) -> ChannelFigures:
    """Figures of a channel that has done nothing yet."""
    given = {
        "id": of.id,
        "project": of.project,
        "channel": of.name,
        "kind": of.kind,
        "paused": of.paused_at is not None,
        "waiting": 0,
        "failed": 0,
        "delivered": 0,
        "troubled": 0,
        "hours": (0,) * HOURS,
        "troubled_hours": (0,) * HOURS,
        "latency_p50_ms": None,
        "latency_p95_ms": None,
        "last_error": None,
        "last_error_at": None,
    }
    return msgspec.convert({**given, **what}, ChannelFigures)


def hours(*latest: int) -> tuple[int, ...]:
    """So many in each of the latest hours, and none before."""
    return (0,) * (HOURS - len(latest)) + latest


def overview(*channels: ChannelFigures) -> Overview:
    """An overview of nothing but these channels."""
    return Overview(
        as_of=moment(0),
        periods=Periods(today=moment(0), week=moment(0), month=moment(0)),
        events=Counts(),
        hours=hours(),
        waiting=sum(each.waiting for each in channels),
        failed=sum(each.failed for each in channels),
        categories=(),
        channels=channels,
    )


def real_kinds() -> tuple[ChannelKind, ...]:
    """The kinds that come along, as a server tells of them."""
    return Registry(_no_tools).channel_kinds()


def _no_tools(kind: str) -> Tools:
    raise AssertionError(f"Nothing is sent by {kind} here.")
