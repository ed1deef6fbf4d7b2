"""One picture for the feed in each of its states; `--update-snapshots` keeps new ones."""

from collections.abc import Callable

import pytest

from slowping.core import errors
from slowping.core.delivery import AttemptOutcome, DeliveryDetail, DeliveryState
from tests.tui.driver import (
    ScriptedServer,
    attempt,
    category,
    delivery,
    event,
    moment,
    running,
)

LooksLike = Callable[[str, str], None]
SIZES = {"60x18": (60, 18), "80x24": (80, 24), "160x45": (160, 45)}


def full(server: ScriptedServer) -> None:
    """A day in a small shop."""
    server.categories = [
        category("sale", "💰", 0x2ECC71),
        category("bug", "🐛", 0xE74C3C),
        category("question", "❓", 0x3498DB, project="support"),
    ]
    server.events = [
        event(1, description="Nightly backup", fields={"gigabytes": 12.5}, category="cron",
              deliveries={"delivered": 1}, received_at=moment(-90_000)),
        event(2, description="New sale", fields={"amount": 49.0, "plan": "pro"},
              deliveries={"delivered": 3}, received_at=moment(-3_700)),
        event(3, description="日本語のエラー 👩‍💻", category="bug",
              deliveries={"failed": 1, "pending": 1}, received_at=moment(-95)),
        event(4, description=None, fields={"from": "Ann", "text": "How?"}, category="question",
              project="support", deliveries={"delivered": 2, "pending": 1},
              received_at=moment(-4)),
        event(5, description="A title that is much longer than any line could ever be, " * 4,
              deliveries={}, received_at=moment(0)),
    ]  # fmt: skip
    failed = delivery(1, 3, DeliveryState.FAILED, channel="ops", kind="discord")
    tries = (
        attempt(1, AttemptOutcome.RETRY, 503, "HTTP 503", "upstream busy"),
        attempt(2, AttemptOutcome.REJECTED, 400, "HTTP 400", "embed too large"),
    )
    waiting = delivery(2, 3, DeliveryState.PENDING, channel="mail", kind="email",
                       due_at=moment(42), attempts=0)  # fmt: skip
    server.deliveries = {
        event(3).id: (
            DeliveryDetail(delivery=failed, attempts=tries),
            DeliveryDetail(delivery=waiting, attempts=()),
        )
    }


@pytest.mark.parametrize("size", SIZES)
async def test_a_full_feed(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    full(server)
    async with running(server, size=SIZES[size]) as live:
        await live.connects()
        looks_like(live.picture(), f"feed-full-{size}")


@pytest.mark.parametrize("size", SIZES)
async def test_an_empty_feed(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    async with running(server, size=SIZES[size]) as live:
        await live.connects()
        looks_like(live.picture(), f"feed-empty-{size}")


@pytest.mark.parametrize("size", SIZES)
async def test_details(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    full(server)
    async with running(server, size=SIZES[size]) as live:
        await live.connects()
        await live.press("k", "k", "enter")
        looks_like(live.picture(), f"feed-details-{size}")


@pytest.mark.parametrize("size", SIZES)
async def test_an_offline_feed(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    full(server)
    async with running(server, size=SIZES[size]) as live:
        await live.connects()
        server.refusing["/feed"] = (503, errors.Unavailable)
        await live.loses_the_line()
        for _ in range(3):
            server.retry.set()
            await live.settle()
        looks_like(live.picture(), f"feed-offline-{size}")


async def test_a_filtered_and_held_feed(server: ScriptedServer, looks_like: LooksLike) -> None:
    full(server)
    async with running(server) as live:
        await live.connects()
        await live.press("k", "slash")
        await live.write("state:failed")
        await live.press("enter")
        await live.receives(
            event(6, category="bug", deliveries={"failed": 1}, received_at=moment(0))
        )
        looks_like(live.picture(), "feed-filtered-and-held-80x24")


@pytest.mark.parametrize("size", SIZES)
async def test_connecting(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    server.refusing["/events"] = (401, errors.UnknownApiKey)
    async with running(server, size=SIZES[size], profile=None) as live:
        await live.write("slp_wrong")
        await live.press("enter")
        looks_like(live.picture(), f"connect-refused-{size}")


async def test_help(server: ScriptedServer, looks_like: LooksLike) -> None:
    async with running(server) as live:
        await live.press("question_mark")
        looks_like(live.picture(), "help-80x24")
