"""Figures for tests of the overview."""

from typing import Any

import msgspec

from slowping.core import times
from slowping.core.overview import (
    HOURS,
    CategoryFigures,
    ChannelFigures,
    Counts,
    FieldSum,
    Overview,
    Periods,
)
from tests.tui.driver import NOW_MS, moment

QUIET = (0,) * HOURS
BUSY = (0, 0, 1, 0, 2, 3, 8, 12, 20, 31, 41, 40, 38, 22, 25, 30, 28, 19, 12, 9, 4, 2, 6, 7)
"""A day in a shop."""


def overview(**what: Any) -> Overview:
    """What the server has counted up to the moment of the tests; nothing, unless it is given."""
    given: dict[str, Any] = {
        "as_of": times.to_datetime(NOW_MS),
        "periods": Periods(today=moment(0), week=moment(0), month=moment(0)),
        "events": Counts(),
        "hours": QUIET,
        "waiting": 0,
        "failed": 0,
        "categories": (),
        "channels": (),
    }
    return msgspec.convert({**given, **what}, Overview)


def category_figures(name: str, emoji: str = "🔔", **what: Any) -> CategoryFigures:
    """A category of the project `shop`."""
    given: dict[str, Any] = {
        "project": "shop",
        "category": name,
        "emoji": emoji,
        "color": 0x2ECC71,
        "events": Counts(today=3, week=20, month=81, total=400),
        "hours": BUSY,
        "sums": (),
    }
    return msgspec.convert({**given, **what}, CategoryFigures)


def channel_figures(name: str, **what: Any) -> ChannelFigures:
    """A channel of the project `shop` that delivers."""
    given: dict[str, Any] = {
        "id": f"chn_{name}",
        "project": "shop",
        "channel": name,
        "kind": "discord",
        "paused": False,
        "waiting": 0,
        "failed": 0,
        "delivered": 120,
        "troubled": 0,
        "hours": BUSY,
        "troubled_hours": QUIET,
        "latency_p50_ms": 240,
        "latency_p95_ms": 1_240,
        "last_error": None,
        "last_error_at": None,
    }
    return msgspec.convert({**given, **what}, ChannelFigures)


def shop() -> Overview:
    """Two projects, of which one is a shop on a good day."""
    return overview(
        events=Counts(today=1_240, week=9_310, month=31_002, total=412_776),
        hours=BUSY,
        waiting=15,
        failed=2,
        categories=(
            category_figures(
                "sale",
                "💰",
                events=Counts(today=180, week=1_204, month=5_120, total=80_000),
                sums=(
                    FieldSum(field="amount", today=1240.5, week=9310.0, month=31002.25),
                    FieldSum(field="seats", today=12.0, week=80.0, month=312.0),
                ),
            ),
            category_figures("bug", "🐛", color=0xE74C3C, hours=QUIET, events=Counts(month=4)),
            category_figures(
                "question",
                "❓",
                color=0x3498DB,
                project="support",
                sums=(FieldSum(field="minutes", today=0.0, week=3.5, month=1.25e15),),
            ),
        ),
        channels=(
            channel_figures(
                "ops",
                troubled=3,
                delivered=117,
                waiting=3,
                failed=2,
                troubled_hours=(*QUIET[:-1], 3),
                last_error="HTTP 503: upstream busy",
                last_error_at=moment(-185),
            ),
            channel_figures(
                "mail",
                kind="email",
                paused=True,
                waiting=12,
                delivered=0,
                hours=QUIET,
                latency_p50_ms=None,
                latency_p95_ms=None,
            ),
            channel_figures("desk", kind="telegram", project="support", latency_p95_ms=185_000),
            channel_figures(
                "console",
                kind="console",
                delivered=0,
                hours=QUIET,
                latency_p50_ms=None,
                latency_p95_ms=None,
            ),
        ),
    )
