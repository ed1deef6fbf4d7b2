"""One picture for the deliveries in each of their states; `--update-snapshots` keeps new ones."""

from collections.abc import Callable

import pytest

from slowping.core import errors
from slowping.core.delivery import DeliveryState, Replayed
from tests.tui.delivery.outbox import Outbox
from tests.tui.delivery.samples import channel, failed
from tests.tui.driver import Driver, ScriptedServer, moment, running

LooksLike = Callable[[str, str], None]
SIZES = {"60x18": (60, 18), "80x24": (80, 24), "160x45": (160, 45)}

at_every_size = pytest.mark.parametrize("size", SIZES)


def full(server: ScriptedServer) -> Outbox:
    """A bad day in a small shop."""
    gone = "HTTP 410 Gone; the webhook is not there any more, somebody has deleted it; " * 3
    outbox = Outbox(
        server,
        *(failed(number) for number in range(1, 1_203)),
        failed(2_001, channel="ops", kind="discord", last_error=gone, project="support",
               created_at=moment(-42)),
        failed(2_002, channel="mail", kind="email", last_error="550 日本語 no such box",
               created_at=moment(-260_000), category="bug", attempts=18),
        *(failed(number, channel="mail", kind="email", state=DeliveryState.PENDING,
                 last_error=None, attempts=0, due_at=moment(0), ended_at=None,
                 created_at=moment(-3_900))
          for number in range(3_000, 3_007)),
        failed(4_000, state=DeliveryState.PENDING, attempts=2, tries=2, due_at=moment(42),
               ended_at=None, created_at=moment(-90)),
        failed(4_001, state=DeliveryState.LEASED, attempts=3, tries=3, ended_at=None,
               created_at=moment(-80)),
        failed(4_002, state=DeliveryState.DELIVERED, last_error=None, reference="msg-77",
               created_at=moment(-70)),
        failed(4_003, state=DeliveryState.DISCARDED, created_at=moment(-60)),
    )  # fmt: skip
    outbox.channels |= {
        "mail": channel("mail", kind="email", paused_at=moment(-60)),
        "ops": channel("ops", kind="discord", project="support"),
    }
    for number in (1, 2, 3, 2_002, 4_000):
        outbox.tell_of(outbox.deliveries[failed(number).id], "HTTP 503", "HTTP 503")
    return outbox


async def seen(live: Driver, *keys: str) -> str:
    await live.connects()
    await live.press("2", *keys)
    return live.picture()


@at_every_size
async def test_groups(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    full(server)
    async with running(server, size=SIZES[size]) as live:
        looks_like(await seen(live), f"delivery-full-{size}")


@at_every_size
async def test_what_waits(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    full(server)
    async with running(server, size=SIZES[size]) as live:
        looks_like(await seen(live, "f"), f"delivery-waiting-{size}")


@at_every_size
async def test_all_there_are(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    full(server)
    async with running(server, size=SIZES[size]) as live:
        looks_like(await seen(live, "f", "f"), f"delivery-all-{size}")


@at_every_size
async def test_a_group(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    full(server)
    async with running(server, size=SIZES[size]) as live:
        looks_like(await seen(live, "j", "enter", "space", "j", "space"), f"delivery-group-{size}")


@at_every_size
async def test_details(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    full(server)
    async with running(server, size=SIZES[size]) as live:
        looks_like(await seen(live, "f", "j", "enter", "enter"), f"delivery-details-{size}")


@at_every_size
async def test_no_failures(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    Outbox(server, failed(1, state=DeliveryState.PENDING))
    async with running(server, size=SIZES[size]) as live:
        looks_like(await seen(live), f"delivery-empty-{size}")


@at_every_size
async def test_a_list_that_could_not_be_loaded(
    server: ScriptedServer, looks_like: LooksLike, size: str
) -> None:
    server.refusing["/deliveries/groups"] = (503, errors.Unavailable)
    async with running(server, size=SIZES[size]) as live:
        looks_like(await seen(live), f"delivery-error-{size}")


@at_every_size
async def test_a_retry_of_many(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    outbox = full(server)
    async with running(server, size=SIZES[size]) as live:
        await live.connects()
        await live.press("2", "j", "r")
        looks_like(live.picture(), f"delivery-question-{size}")
        await live.press("y")
        names = [failed(number).id for number in range(1, 1_203)]
        await live.receives(*outbox.delivered(*names[:1_100]))
        await live.receives(*outbox.failed_again(*names[1_100:1_120]))
        looks_like(live.picture(), f"delivery-retried-{size}")


async def test_a_retry_that_goes_on(server: ScriptedServer, looks_like: LooksLike) -> None:
    full(server)
    async with running(server) as live:
        await live.connects()
        await live.press("2", "j", "r")
        server.gate.clear()
        await live.press("y")
        looks_like(live.picture(), "delivery-retrying-80x24")
        server.gate.set()
        await live.settle()


@at_every_size
async def test_an_offline_list(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    full(server)
    async with running(server, size=SIZES[size]) as live:
        await seen(live)
        server.refusing["/feed"] = (503, errors.Unavailable)
        await live.loses_the_line()
        for _ in range(3):
            server.retry.set()
            await live.settle()
        looks_like(live.picture(), f"delivery-offline-{size}")


@at_every_size
async def test_a_window(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    full(server)
    server.answers["POST /deliveries/replay"] = Replayed(events=312, queued=280, made=32)
    async with running(server, size=SIZES[size]) as live:
        await seen(live, "w", "enter", "enter", "enter", "enter", "enter")
        looks_like(live.picture(), f"delivery-replay-{size}")


async def test_a_window_that_makes_no_sense(server: ScriptedServer, looks_like: LooksLike) -> None:
    full(server)
    async with running(server) as live:
        await seen(live, "w", "enter", "x", "enter", "enter", "enter", "enter")
        looks_like(live.picture(), "delivery-replay-refused-80x24")
