"""One event goes in by a dialect and comes out at a far side of every kind."""

import contextlib
import email
import email.message
import email.policy
import pathlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
import standardwebhooks

from slowping.client.client import Client
from slowping.config import (
    Config,
    DiscordSection,
    NotifiersSection,
    TelegramSection,
    WebhookSection,
)
from slowping.core.api_key import NewApiKey
from slowping.core.category import NewCategory
from slowping.core.channel import NewChannel
from slowping.core.delivery import Delivery, DeliveryState
from slowping.core.project import NewProject
from tests.acceptance.eventually import eventually
from tests.conftest import RunningHouse, running_house
from tests.notifiers import smtp_server
from tests.notifiers.far_side import FarSide, Request, reply
from tests.notifiers.smtp_server import Inbox
from tests.notifiers.specifications import discord_schemas

PROJECT = "shop"
BOT_TOKEN = "123456:AAbb-cc_dd"
KINDS = {"console", "discord", "email", "telegram", "webhook"}

SALE = {
    "category": "sale",
    "description": "New sale completed! *really*",
    "fields": {"amount": 49.0, "customer": "john@example.com", "gift": True},
}


class Line(msgspec.Struct, kw_only=True):
    """A server with a channel of every kind, and what stands at their ends."""

    house: RunningHouse
    client: Client
    discord: FarSide
    telegram: FarSide
    webhook: FarSide
    inbox: Inbox
    webhook_secret: str = ""
    api_key: str = ""

    async def send(self, path: str, headers: dict[str, str], body: Any) -> httpx.Response:
        """Send as a client of a dialect does; `KEY` in a header stands for the key."""
        keyed = {name: value.replace("KEY", self.api_key) for name, value in headers.items()}
        return await self.house.client.post(path, json=body, headers=keyed)

    async def deliveries(self, state: DeliveryState | None = None) -> tuple[Delivery, ...]:
        """Those of the project, in one state or in any."""
        states = None if state is None else (state,)
        return (await self.client.list_deliveries(project=PROJECT, states=states)).items

    async def has_arrived(self) -> None:
        """Wait until every kind has delivered."""

        async def everywhere() -> bool:
            delivered = await self.deliveries(DeliveryState.DELIVERED)
            return {delivery.kind for delivery in delivered} == KINDS

        await eventually(everywhere)


@pytest.fixture
async def line(tmp_path: pathlib.Path) -> AsyncIterator[Line]:
    async with contextlib.AsyncExitStack() as stack:
        discord = FarSide(reply(200, {"id": "1441000000000000001"}))
        telegram = FarSide(reply(200, {"ok": True, "result": {"message_id": 77}}))
        webhook, inbox = FarSide(reply(204)), Inbox()
        for far_side in (discord, telegram, webhook):
            await stack.enter_async_context(far_side.running())
        smtp_port = await stack.enter_async_context(smtp_server.running(inbox))
        notifiers = NotifiersSection(
            discord=DiscordSection(api_base=f"{discord.url}/api/v10"),
            telegram=TelegramSection(api_base=telegram.url),
            webhook=WebhookSection(allow_networks=("127.0.0.0/8",), allow_http=True),
        )
        house = await stack.enter_async_context(
            running_house(tmp_path, Config(notifiers=notifiers))
        )
        client = await stack.enter_async_context(Client(house.base_url, house.admin_key))
        opened = Line(
            house=house, client=client, discord=discord, telegram=telegram, webhook=webhook,
            inbox=inbox,
        )  # fmt: skip
        await set_up(opened, smtp_port)
        yield opened


async def set_up(line: Line, smtp_port: int) -> None:
    """Make the project, through our own API as a person's program would."""
    client = line.client
    await client.create_project(NewProject(name=PROJECT))
    await client.create_category(
        NewCategory(name="sale", project=PROJECT, emoji="💰", color=0x2ECC71)
    )
    channels: dict[str, dict[str, Any]] = {
        "console": {},
        "discord": {"url": "https://discord.com/api/webhooks/123/abc-DEF_456"},
        "email": {
            "host": "127.0.0.1", "port": smtp_port, "tls": "plain", "from": "ping@shop.example",
            "to": "owner@shop.example",
        },
        "telegram": {"bot_token": BOT_TOKEN, "chat_id": "4711"},
        "webhook": {"url": f"{line.webhook.url}/in"},
    }  # fmt: skip
    for kind, settings in channels.items():
        issued = await client.create_channel(
            NewChannel(kind=kind, name=f"to-{kind}", project=PROJECT, settings=settings)
        )
        line.webhook_secret = issued.secrets.get("secret", line.webhook_secret)
    key = await client.issue_api_key(NewApiKey(name="till", project=PROJECT))
    line.api_key = key.value


@pytest.fixture
async def event_id(line: Line) -> str:
    """What PingPanda's dialect answers to a sale that has arrived everywhere."""
    answer = await line.send("/api/v1/events", {"authorization": "Bearer KEY"}, SALE)
    assert answer.status_code == 200
    told: dict[str, str] = answer.json()
    assert told["message"] == "Event processed successfully"
    await line.has_arrived()
    return told["eventId"]


# At the end of the line --------------------------------------------------------------------------


async def test_discord_gets_an_embed(line: Line, event_id: str) -> None:
    request = only(line.discord)
    assert request.path == "/api/v10/webhooks/123/abc-DEF_456?wait=true"
    assert request.headers["user-agent"].startswith("DiscordBot (")
    body = request.json
    assert body["allowed_mentions"]["parse"] == []
    [embed] = body["embeds"]
    assert embed["title"] == "💰 Sale"
    assert embed["description"] == r"New sale completed! \*really\*"
    assert embed["color"] == 0x2ECC71
    assert [(field["name"], field["value"]) for field in embed["fields"]] == [
        ("amount", "49"),
        ("customer", "john@example.com"),
        ("gift", "true"),
    ]


async def test_what_discord_gets_is_as_its_specification_says(line: Line, event_id: str) -> None:
    discord_schemas().check(only(line.discord).json, "IncomingWebhookRequestPartial")


async def test_telegram_gets_plain_text(line: Line, event_id: str) -> None:
    request = only(line.telegram)
    assert request.path == f"/bot{BOT_TOKEN}/sendMessage"
    assert request.json["chat_id"] == 4711
    assert "parse_mode" not in request.json
    lines = request.json["text"].splitlines()
    assert lines[:2] == ["🎉 Event Notification 🎉", ""]
    for told in (
        "📌 Category: 💰 Sale",
        "📝 Description: New sale completed! *really*",
        f"🎨 Color Code: {0x2ECC71}",
        "📌 Details:",
        "🔹 amount: 49",
        "🔹 customer: john@example.com",
        "🔹 gift: true",
    ):
        assert told in lines


async def test_an_smtp_server_gets_a_mail_that_parses(line: Line, event_id: str) -> None:
    [envelope] = line.inbox.arrived
    assert (envelope.mail_from, envelope.rcpt_tos) == ("ping@shop.example", ["owner@shop.example"])
    assert isinstance(envelope.content, bytes)
    mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert isinstance(mail, email.message.EmailMessage)
    assert not mail.defects
    assert mail["subject"] == "💰 Sale"
    assert mail["to"] == "owner@shop.example"
    assert mail["auto-submitted"] == "auto-generated"
    assert mail["message-id"].endswith("@shop.example>")
    for kind in ("plain", "html"):
        part = mail.get_body((kind,))
        assert part is not None
        assert not part.defects
        text = part.get_content()
        for told in ("New sale completed! *really*", "49", "john@example.com", "#2ECC71"):
            assert told.lower() in text.lower()


async def test_a_webhook_gets_what_its_secret_vouches_for(line: Line, event_id: str) -> None:
    request = only(line.webhook)
    assert request.path == "/in"
    told = standardwebhooks.Webhook(line.webhook_secret).verify(request.body, request.headers)
    assert told["type"] == "event.sale"
    assert told["data"]["id"] == event_id
    assert told["data"]["fields"] == SALE["fields"]


async def test_the_terminal_gets_a_card(line: Line, event_id: str) -> None:
    for told in ("💰 Sale", "New sale completed!", "49", "john@example.com", "shop / sale"):
        assert told in line.house.printed


async def test_the_deliveries_say_that_it_arrived(line: Line, event_id: str) -> None:
    deliveries = {delivery.kind: delivery for delivery in await line.deliveries()}
    assert deliveries.keys() == KINDS
    for delivery in deliveries.values():
        assert delivery.event_id == event_id
        assert delivery.state is DeliveryState.DELIVERED
        assert delivery.attempts == 1
        assert delivery.last_error is None
    assert deliveries["discord"].reference == "1441000000000000001"
    assert deliveries["telegram"].reference == "77"
    shown = await line.client.show_event(event_id)
    assert all(len(detail.attempts) == 1 for detail in shown.deliveries)


async def test_no_secret_can_be_read_back(line: Line, event_id: str) -> None:
    channels = msgspec.json.encode(await line.client.list_channels(project=PROJECT)).decode()
    for secret in (BOT_TOKEN, "abc-DEF_456", line.webhook_secret):
        assert secret not in channels


# At its beginning --------------------------------------------------------------------------------

BEARER = {"authorization": "Bearer KEY"}
X_API_KEY = {"x-api-key": "KEY"}


@pytest.mark.parametrize(
    ("path", "headers", "body", "status"),
    [
        ("/api/v1/events", BEARER, SALE, 200),
        ("/api/v1/event", BEARER, SALE, 200),
        (
            "/api/slowstats/ingest-events", X_API_KEY,
            {"projectId": PROJECT, "eventType": "sale", "payload": {"amount": 49.0}}, 200,
        ),
        (
            "/v1/events", BEARER,
            {
                "event_type": "sale", "occurred_at": "2026-11-20T10:30:00Z",
                "idempotency_key": "one", "data": {"amount": 49.0},
            }, 200,
        ),
        (
            "/api/v1/events", X_API_KEY,
            [{"source": "till", "event_type": "sale", "data": {"amount": 49.0}}], 201,
        ),
    ],
    ids=["pingpanda", "pingpilot", "slowstats", "intake", "adwize"],
)  # fmt: skip
async def test_an_event_by_any_dialect_arrives_everywhere(
    line: Line, path: str, headers: dict[str, str], body: Any, status: int
) -> None:
    answer = await line.send(path, headers, body)
    assert answer.status_code == status
    await line.has_arrived()
    [embed] = only(line.discord).json["embeds"]
    assert embed["title"] == "💰 Sale"
    assert "🔹 amount: 49" in only(line.telegram).json["text"].splitlines()
    assert only(line.webhook).json["data"]["fields"]["amount"] == 49.0
    assert len(line.inbox.arrived) == 1
    assert line.house.printed.count("💰 Sale") == 1


def only(far_side: FarSide) -> Request:
    """The one request that came."""
    [request] = far_side.requests
    return request
