"""What far sides do wrong is answered as it should be, and `slowping delivery list` tells of it."""

import asyncio
import contextlib
import datetime as dt
import pathlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from slowping.client.client import Client
from slowping.config import (
    Config,
    DiscordSection,
    NotifiersSection,
    TelegramSection,
    WebhookSection,
)
from slowping.core import times
from slowping.core.breaker import STREAK
from slowping.core.channel import NewChannel
from slowping.core.delivery import Delivery
from slowping.core.event import NewEvent
from slowping.testing import FrozenClock
from tests.acceptance.eventually import eventually
from tests.acceptance.program import Machine, Ran
from tests.conftest import RunningHouse, running_house
from tests.notifiers import smtp_server
from tests.notifiers.far_side import Behaviour, FarSide, after, reply, reset, silence
from tests.notifiers.smtp_server import Inbox

WEBHOOK_TIMEOUT_S = 0.2

DISCORD_ACCEPTS = reply(200, {"id": "1"})
DISCORD_IS_BUSY = reply(
    429,
    {"message": "You are being rate limited.", "retry_after": 2.5, "global": False},
    {"retry-after": "3"},
)


class Scene(msgspec.Struct, kw_only=True):
    """A server under a clock that we move, with one channel to a far side that misbehaves."""

    house: RunningHouse
    client: Client
    clock: FrozenClock
    machine: Machine

    async def slowping(self, *arguments: str) -> Ran:
        """Run a command as somebody on another machine does."""
        return await self.machine.slowping(
            *arguments, "--server", self.house.base_url, "--api-key", self.house.admin_key
        )

    async def send(self) -> None:
        """Send an event to every channel."""
        await self.client.send_event(NewEvent(category="bug", description="It broke"))

    async def told(self) -> dict[str, Any]:
        """What `delivery list --json` says of the channel, once there is something wrong."""
        await eventually(lambda: last_errors(self.client))
        ran = await self.slowping("delivery", "list", "--channel", "far", "--json")
        delivery: dict[str, Any]
        [delivery] = ran.json
        return delivery

    async def has(self, *, paused: bool) -> bool:
        """Whether the channel is paused, or is not."""
        [channel] = (await self.client.list_channels(name="far")).items
        return (channel.paused_at is not None) is paused

    async def is_held(self, attempts: int) -> bool:
        """Whether the channel is left alone after so many attempts."""
        [channel] = (await self.client.list_channels(name="far")).items
        found = (await self.client.list_deliveries(channel="far")).items
        return channel.held_until is not None and attempts == sum(each.attempts for each in found)

    async def has_delivered(self, count: int) -> bool:
        """Whether so many have arrived."""
        found = (await self.client.list_deliveries(channel="far")).items
        return count == sum(each.state == "delivered" for each in found)

    async def delivery(self, *, attempts: int, state: str) -> Delivery:
        """The channel's delivery, once it has come so far."""

        async def so_far() -> list[Delivery]:
            found = (await self.client.list_deliveries(channel="far")).items
            return [each for each in found if (each.attempts, each.state) == (attempts, state)]

        [delivery] = await eventually(so_far)
        return delivery


@contextlib.asynccontextmanager
async def scene(folder: pathlib.Path, machine: Machine, far_side: FarSide) -> AsyncIterator[Scene]:
    """A server whose far sides, but for those of mails, are all the same."""
    clock = FrozenClock()
    notifiers = NotifiersSection(
        discord=DiscordSection(api_base=far_side.url),
        telegram=TelegramSection(api_base=far_side.url),
        webhook=WebhookSection(
            allow_networks=("127.0.0.0/8",), allow_http=True, timeout_s=WEBHOOK_TIMEOUT_S
        ),
    )
    async with (
        running_house(folder, Config(notifiers=notifiers), clock) as house,
        Client(house.base_url, house.admin_key) as client,
    ):
        yield Scene(house=house, client=client, clock=clock, machine=machine)


@contextlib.asynccontextmanager
async def scene_with(
    kind: str, folder: pathlib.Path, machine: Machine, *script: Behaviour
) -> AsyncIterator[tuple[Scene, FarSide]]:
    """A scene with one channel, `far`, to a far side with this script, beside the console."""
    async with (
        FarSide(*script).running() as far_side,
        scene(folder, machine, far_side) as opened,
    ):
        await opened.client.create_channel(channel_to(kind, far_side.url))
        yield opened, far_side


def channel_to(kind: str, url: str) -> NewChannel:
    settings: dict[str, Any] = {
        "discord": {"url": "https://discord.com/api/webhooks/123/secret-token"},
        "telegram": {"bot_token": "123:secret-token", "chat_id": "4711"},
        "webhook": {"url": f"{url}/in"},
    }[kind]
    return NewChannel(kind=kind, name="far", settings=settings)


# One answer --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "behaviour", "state", "attempts", "last_error", "paused"),
    [
        # A wait is not an attempt.
        ("discord", DISCORD_IS_BUSY, "pending", 0, "Discord asks to wait", False),
        ("discord", reply(429, b"<html>"), "pending", 0, "bans this server's address", False),
        ("webhook", reply(429, b"", {"retry-after": "60"}), "pending", 0, "asked to wait", False),
        (
            "telegram",
            reply(429, {"ok": False, "error_code": 429, "parameters": {"retry_after": 5}}),
            "pending", 0, "Telegram asks to wait", False,
        ),
        # What may pass is tried again.
        ("discord", reply(500), "pending", 1, "HTTP 500", False),
        ("webhook", reply(500), "pending", 1, "HTTP 500", False),
        ("discord", reset(), "pending", 1, "the connection was cut", False),
        ("webhook", reset(), "pending", 1, "the connection was cut", False),
        ("webhook", silence(), "pending", 1, "no answer within 0.2 s", False),
        ("webhook", reply(404), "pending", 1, "HTTP 404", False),
        # What someone has to mend stops the channel; the delivery waits.
        ("discord", reply(404, {"code": 10015}), "pending", 1, "does not know this webhook", True),
        ("webhook", reply(410), "pending", 1, "it wants no more deliveries", True),
        (
            "telegram",
            reply(403, {"ok": False, "error_code": 403, "description": "Forbidden"}),
            "pending", 1, "the bot was blocked", True,
        ),
        # What will never be taken ends.
        ("discord", reply(400, {"code": 50035}), "failed", 1, "does not take this message", False),
        ("webhook", reply(400), "failed", 1, "it will not take this one", False),
    ],
)  # fmt: skip
async def test_an_answer_leads_to_what_it_should(
    tmp_path: pathlib.Path,
    machine: Machine,
    kind: str,
    behaviour: Behaviour,
    state: str,
    attempts: int,
    last_error: str,
    paused: bool,
) -> None:
    async with scene_with(kind, tmp_path, machine, behaviour) as (here, _):
        await here.send()
        told = await here.told()
        await eventually(lambda: here.has(paused=paused))
    assert (told["state"], told["attempts"]) == (state, attempts)
    assert last_error in told["last_error"]
    assert "secret" not in told["last_error"]


@pytest.mark.parametrize(
    ("replies", "state", "attempts", "last_error", "paused"),
    [
        ({"data": "451 4.3.0 later"}, "pending", 1, "451 4.3.0 later", False),
        ({"data": "554 5.7.1 spam"}, "failed", 1, "554 5.7.1 spam", False),
        ({"rcpt": "550 5.1.1 nobody"}, "pending", 1, "refuses the recipient", True),
    ],
)
async def test_an_answer_to_a_mail_leads_to_what_it_should(
    tmp_path: pathlib.Path,
    machine: Machine,
    replies: dict[str, str],
    state: str,
    attempts: int,
    last_error: str,
    paused: bool,
) -> None:
    async with (
        smtp_server.running(Inbox(**replies)) as port,
        scene(tmp_path, machine, FarSide()) as here,
    ):
        settings = {"host": "127.0.0.1", "port": port, "tls": "plain", "to": "me@shop.example"}
        await here.client.create_channel(NewChannel(kind="email", name="far", settings=settings))
        await here.send()
        told = await here.told()
        await eventually(lambda: here.has(paused=paused))
    assert (told["state"], told["attempts"]) == (state, attempts)
    assert last_error in told["last_error"]


async def test_a_far_side_that_takes_its_time_holds_nobody_else_up(
    tmp_path: pathlib.Path, machine: Machine
) -> None:
    go_on = asyncio.Event()
    slow = after(go_on, DISCORD_ACCEPTS)
    async with scene_with("discord", tmp_path, machine, slow) as (here, far_side):
        await here.send()
        await eventually(lambda: far_side.requests and "It broke" in here.house.printed)
        [listed] = (await here.slowping("delivery", "list", "--channel", "far", "--json")).json
        assert listed["state"] == "leased"
        go_on.set()
        await here.delivery(attempts=1, state="delivered")


# What follows ------------------------------------------------------------------------------------


async def test_after_the_wait_it_is_delivered_at_the_first_attempt(
    tmp_path: pathlib.Path, machine: Machine
) -> None:
    script = (DISCORD_IS_BUSY, DISCORD_ACCEPTS)
    async with scene_with("discord", tmp_path, machine, *script) as (here, far_side):
        await here.send()
        await here.told()
        assert len(far_side.requests) == 1
        here.clock.advance(3.0)
        delivery = await here.delivery(attempts=1, state="delivered")
        detail = await here.client.show_delivery(delivery.id)
    assert [attempt.outcome for attempt in detail.attempts] == ["delivered"]
    assert len(far_side.requests) == 2


async def test_a_wait_survives_a_restart(tmp_path: pathlib.Path, machine: Machine) -> None:
    allowed = {
        "SLOWPING_NOTIFIERS__WEBHOOK__ALLOW_NETWORKS": "127.0.0.0/8",
        "SLOWPING_NOTIFIERS__WEBHOOK__ALLOW_HTTP": "true",
    }
    folder = tmp_path / "data"
    async with FarSide(reply(429, b"", {"retry-after": "600"}), reply(204)).running() as far_side:
        async with machine.serving(folder, **allowed) as server, server.client() as client:
            await client.create_channel(channel_to("webhook", far_side.url))
            await client.send_event(NewEvent(category="bug", description="Before"))
            await eventually(lambda: last_errors(client))
        async with machine.serving(folder, **allowed) as server, server.client() as client:
            await client.send_event(NewEvent(category="bug", description="Afterwards"))
            await server.prints("Afterwards")
            waiting = (await client.list_deliveries(channel="far")).items
    assert [(each.state, each.attempts) for each in waiting] == [("pending", 0), ("pending", 0)]
    assert len(far_side.requests) == 1


async def last_errors(client: Client) -> list[str]:
    found = (await client.list_deliveries(channel="far")).items
    return [delivery.last_error for delivery in found if delivery.last_error]


async def test_a_far_side_that_names_a_time_is_not_asked_before_it(
    tmp_path: pathlib.Path, machine: Machine
) -> None:
    later = reply(503, b"", {"retry-after": "3600"})
    async with scene_with("webhook", tmp_path, machine, later) as (here, _):
        await here.send()
        told = await here.told()
        now = times.to_datetime(here.clock.now_ms())
    assert dt.datetime.fromisoformat(told["due_at"]) - now == dt.timedelta(hours=1)


@pytest.mark.parametrize(
    ("kind", "attempts", "days"), [("webhook", 10, 3.15), ("discord", 12, 0.99)]
)
async def test_a_far_side_that_stays_broken_is_given_up_after_days(
    tmp_path: pathlib.Path, machine: Machine, kind: str, attempts: int, days: float
) -> None:
    async with scene_with(kind, tmp_path, machine, reply(500)) as (here, far_side):
        started = here.clock.now_ms()
        await here.send()
        for number in range(1, attempts):
            waiting = await here.delivery(attempts=number, state="pending")
            assert waiting.due_at is not None
            here.clock.advance((times.to_ms(waiting.due_at) - here.clock.now_ms()) / 1000)
        await here.delivery(attempts=attempts, state="failed")
        told = await here.told()
        lasted = (here.clock.now_ms() - started) / 86_400_000
    assert told["state"] == "failed"
    assert told["attempts"] == attempts == len(far_side.requests)
    assert "HTTP 500" in told["last_error"]
    assert lasted == pytest.approx(days, rel=0.2)


async def test_the_owner_is_told_through_another_channel_and_can_mend_it(
    tmp_path: pathlib.Path, machine: Machine
) -> None:
    async with scene_with("webhook", tmp_path, machine, reply(410), reply(204)) as (here, _):
        await here.send()
        await here.told()
        await eventually(lambda: "The channel far was paused" in here.house.printed)
        assert (await here.slowping("channel", "resume", "far")).code == 0
        await here.delivery(attempts=2, state="delivered")


async def test_what_failed_is_sent_again_when_a_person_asks(
    tmp_path: pathlib.Path, machine: Machine
) -> None:
    async with scene_with("webhook", tmp_path, machine, reply(400), reply(204)) as (here, _):
        await here.send()
        assert (await here.told())["state"] == "failed"
        ran = await here.slowping("delivery", "retry", "--failed", "--channel", "far")
        assert ran.code == 0, ran.stderr
        await here.delivery(attempts=2, state="delivered")


async def test_a_channel_that_keeps_failing_says_so_and_is_tried_when_a_person_asks(
    tmp_path: pathlib.Path, machine: Machine
) -> None:
    script = [reply(503)] * STREAK + [reply(204)]
    async with scene_with("webhook", tmp_path, machine, *script) as (here, far_side):
        for _ in range(STREAK):
            await here.send()
        await eventually(lambda: here.is_held(STREAK))
        listed = (await here.slowping("channel", "list")).stdout
        [row] = [line for line in listed.splitlines() if "troubled" in line]
        assert "the far side answered with HTTP 503; next try " in row
        await here.send()
        last, *others = (await here.client.list_deliveries(channel="far")).items
        assert last.attempts == 0
        why = "the channel far is troubled (the far side answered with HTTP 503)"
        assert why in (await here.slowping("delivery", "show", last.id)).stdout
        assert (await here.slowping("delivery", "retry", others[0].id)).code == 0
        # It arrives, and with it all that waited.
        await eventually(lambda: here.has_delivered(STREAK + 1))
        assert not await here.is_held(STREAK)
    assert len(far_side.requests) == 2 * STREAK + 1


async def test_a_delivery_that_fails_again_when_a_person_asks_ends_with_1(
    tmp_path: pathlib.Path, machine: Machine
) -> None:
    async with scene_with("webhook", tmp_path, machine, reply(400), reply(400)) as (here, _):
        await here.send()
        failed = await here.told()
        ran = await here.slowping("delivery", "retry", failed["id"])
        assert ran.code == 1
        assert f"{failed['id']}: rejected after" in ran.stderr
