import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import settings as profile

from slowping.config import DiscordSection
from slowping.core.delivery import Delivered, Rejected, Retry, Throttled, Unusable
from slowping.core.errors import InvalidInput
from slowping.core.notification import Notification
from slowping.notifiers import http, settings_form
from slowping.notifiers.discord import message as messages
from slowping.notifiers.discord.notifier import Discord, DiscordSettings
from slowping.notifiers.port import secret_names
from tests.notifiers.discord.test_message import notifications
from tests.notifiers.far_side import Behaviour, FarSide, Request, hang_up, reply
from tests.notifiers.samples import BUG, bug, tools
from tests.notifiers.specifications import DiscordSchemas, discord_schemas

WEBHOOK_TOKEN: Final = "w" * 68
URL: Final = f"https://discord.com/api/webhooks/123/{WEBHOOK_TOKEN}"
WEBHOOK: Final = DiscordSettings(url=URL)
BOT: Final = DiscordSettings(bot_token="bot.token-1", user_id="42")
KEPT: Final = reply(200, {"id": "99"})
OPENED: Final = reply(200, {"id": "55", "type": 1})
BAD_BODY: Final = reply(400, {"code": 50035, "message": "Invalid Form Body"})


@contextlib.asynccontextmanager
async def discord(*script: Behaviour) -> AsyncIterator[tuple[Discord, list[Request]]]:
    client = http.open_http()
    async with FarSide(*script).running() as far_side:
        section = DiscordSection(api_base=f"{far_side.url}/api/v10")
        yield Discord(tools(section, http=client)), far_side.requests
        await client.close()


@pytest.fixture(scope="module")
def schemas() -> DiscordSchemas:
    return discord_schemas()


# Settings -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, "needs 'url', or 'bot_token' and 'user_id'"),
        ({"url": URL, "bot_token": "t"}, "but not both"),
        ({"url": URL, "user_id": "1"}, "but not both"),
        ({"bot_token": "t"}, "both 'bot_token' and 'user_id'"),
        ({"user_id": "1"}, "both 'bot_token' and 'user_id'"),
        ({"url": "https://evil.test/api/webhooks/1/t"}, "is no Discord webhook's"),
        ({"bot_token": "Bot t", "user_id": "1"}, "without 'Bot' before it"),
        ({"bot_token": "t", "user_id": "jane"}, "not the name"),
        ({"bot_token": "t", "user_id": "\u0663"}, "not the name"),
    ],
)
def test_settings_name_exactly_one_way(given: dict[str, str], problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        settings_form.read("discord", DiscordSettings, given)


def test_a_webhook_is_told_from_others_by_its_id() -> None:
    assert (WEBHOOK.target, BOT.target) == ("123", None)


def test_a_thread_of_a_webhook_is_another_destination() -> None:
    assert DiscordSettings(url=f"{WEBHOOK.url}?thread_id=7").target == "123/7"


def test_url_and_token_are_secrets_and_the_learned_channel_is_not_in_the_form() -> None:
    assert secret_names(DiscordSettings) == {"url", "bot_token"}
    assert "dm_channel_id" not in settings_form.schema(DiscordSettings)["properties"]


def test_scopes_are_widest_first_and_hold_no_secret() -> None:
    notifier = Discord(tools(DiscordSection()))
    everything, webhook, token = notifier.scopes(WEBHOOK)
    assert (everything, webhook) == ("discord", "discord:webhook:123")
    assert token.startswith("discord:webhook:123:")
    assert WEBHOOK_TOKEN not in token
    provider, bot, user = notifier.scopes(BOT)
    assert (provider, user) == ("discord", "discord:user:42")
    assert bot.startswith("discord:bot:")
    assert "bot.token-1" not in bot


# Through a webhook --------------------------------------------------------------------------


async def test_a_webhook_gets_the_embeds_and_is_asked_to_wait_until_they_are_kept() -> None:
    async with discord(KEPT) as (notifier, requests):
        outcome = await notifier.deliver([BUG], WEBHOOK)
    [request] = requests
    assert (request.method, request.path) == (
        "POST",
        f"/api/v10/webhooks/123/{WEBHOOK_TOKEN}?wait=true",
    )
    assert request.json == messages.message([BUG])
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("DiscordBot (https://")
    assert "authorization" not in request.headers
    assert isinstance(outcome, Delivered)
    assert outcome.reference == "99"


async def test_a_thread_of_the_url_is_kept_and_nothing_else_of_it() -> None:
    url = f"https://canary.discordapp.com:443/api/v9/webhooks/123/{WEBHOOK_TOKEN}/?thread_id=7"
    async with discord(KEPT) as (notifier, requests):
        await notifier.deliver([BUG], DiscordSettings(url=url))
    parts = urlsplit(requests[0].path)
    assert parts.path == f"/api/v10/webhooks/123/{WEBHOOK_TOKEN}"
    assert parse_qs(parts.query) == {"wait": ["true"], "thread_id": ["7"]}


async def test_several_events_go_in_one_message() -> None:
    async with discord(KEPT) as (notifier, requests):
        assert notifier.fits([BUG, BUG]) == 2
        await notifier.deliver([BUG, bug(title="two")], WEBHOOK)
    assert [embed["title"] for embed in requests[0].json["embeds"]] == ["🐛 Bug", "two"]


async def test_a_body_that_discord_finds_fault_with_goes_once_more_in_a_plainer_form() -> None:
    async with discord(BAD_BODY, KEPT) as (notifier, requests):
        outcome = await notifier.deliver([BUG], WEBHOOK)
    assert isinstance(outcome, Delivered)
    assert [request.json for request in requests] == [
        messages.message([BUG]),
        messages.plain_message(BUG),
    ]


async def test_after_that_it_is_rejected() -> None:
    async with discord(BAD_BODY) as (notifier, requests):
        outcome = await notifier.deliver([BUG], WEBHOOK)
    assert isinstance(outcome, Rejected)
    assert len(requests) == 2


async def test_a_rejected_batch_is_for_the_dispatcher_to_split() -> None:
    async with discord(BAD_BODY) as (notifier, requests):
        outcome = await notifier.deliver([BUG, BUG], WEBHOOK)
    assert isinstance(outcome, Rejected)
    assert len(requests) == 1


async def test_a_cut_connection_may_have_delivered() -> None:
    async with discord(hang_up()) as (notifier, _):
        outcome = await notifier.deliver([BUG], WEBHOOK)
    assert isinstance(outcome, Retry)
    assert outcome.unknown


async def test_a_webhook_that_is_gone_says_so_without_its_token() -> None:
    body = {"code": 10015, "message": f"Unknown Webhook {WEBHOOK_TOKEN}"}
    async with discord(reply(404, body)) as (notifier, _):
        outcome = await notifier.deliver([BUG], WEBHOOK)
    assert isinstance(outcome, Unusable)
    assert WEBHOOK_TOKEN not in f"{outcome}"


async def test_a_limit_holds_the_webhook() -> None:
    async with discord(reply(429, {"retry_after": 2.5, "global": False})) as (notifier, _):
        outcome = await notifier.deliver([BUG], WEBHOOK)
    assert isinstance(outcome, Throttled)
    assert (outcome.after, outcome.scope) == (2.5, "discord:webhook:123")


# By a bot -----------------------------------------------------------------------------------


async def test_a_bot_opens_the_direct_messages_once_and_remembers_them() -> None:
    async with discord(OPENED, KEPT) as (notifier, requests):
        outcome = await notifier.deliver([BUG], BOT)
    opened, sent = requests
    assert opened.path == "/api/v10/users/@me/channels"
    assert opened.json == {"recipient_id": "42"}
    assert sent.path == "/api/v10/channels/55/messages"
    assert {request.headers["authorization"] for request in requests} == {"Bot bot.token-1"}
    assert isinstance(outcome, Delivered)
    assert (outcome.reference, outcome.learned) == ("99", {"dm_channel_id": "55"})


async def test_the_next_message_goes_straight_there() -> None:
    known = DiscordSettings(bot_token="bot.token-1", user_id="42", dm_channel_id="55")
    async with discord(KEPT) as (notifier, requests):
        outcome = await notifier.deliver([BUG], known)
    [sent] = requests
    assert sent.json == messages.message([BUG]) | {
        "nonce": str(BUG.delivery_id),
        "enforce_nonce": True,
    }
    assert outcome.learned is None


async def test_messages_that_are_gone_are_opened_anew_with_the_next_attempt() -> None:
    known = DiscordSettings(bot_token="bot.token-1", user_id="42", dm_channel_id="55")
    async with discord(reply(404, {"code": 10003})) as (notifier, _):
        outcome = await notifier.deliver([BUG], known)
    assert isinstance(outcome, Retry)
    assert outcome.learned == {"dm_channel_id": None}


async def test_the_nonce_of_a_batch_is_known_only_by_the_same_batch() -> None:
    other = bug(delivery_id=BUG.delivery_id + 1)
    async with discord(OPENED, KEPT, OPENED, KEPT, OPENED, KEPT) as (notifier, requests):
        for batch in ([BUG], [BUG, other], [BUG, other]):
            await notifier.deliver(batch, BOT)
    lone, first, again = (request.json["nonce"] for request in requests[1::2])
    assert first == again != lone
    assert len(first) <= 25


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (reply(400, {"code": 50033}), Unusable),
        (reply(400, {"code": 50035}), Unusable),
        (reply(400), Unusable),
        (reply(403, {"code": 50278}), Unusable),
        (reply(401), Unusable),
        (reply(500), Retry),
        (reply(200, {"id": "../../users"}), Retry),
        (reply(200, b"<html>"), Retry),
    ],
)
async def test_where_they_cannot_be_opened_nothing_is_sent(
    answer: Behaviour, outcome: type[Any]
) -> None:
    async with discord(answer) as (notifier, requests):
        assert isinstance(await notifier.deliver([BUG], BOT), outcome)
    assert len(requests) == 1


async def test_opening_them_too_fast_holds_the_bot() -> None:
    body = {"retry_after": 30, "code": 40003}
    async with discord(reply(429, body)) as (notifier, _):
        outcome = await notifier.deliver([BUG], BOT)
        assert isinstance(outcome, Throttled)
        assert outcome.scope == notifier.scopes(BOT)[1]


async def test_what_was_learned_is_kept_where_the_message_is_refused() -> None:
    async with discord(OPENED, reply(403, {"code": 50007})) as (notifier, _):
        outcome = await notifier.deliver([BUG], BOT)
    assert isinstance(outcome, Unusable)
    assert outcome.learned == {"dm_channel_id": "55"}


# By Discord's own document ------------------------------------------------------------------


async def test_bodies_are_of_discords_schemas(schemas: DiscordSchemas) -> None:
    async with discord(BAD_BODY, KEPT, OPENED, BAD_BODY, KEPT) as (notifier, requests):
        await notifier.deliver([BUG], WEBHOOK)
        await notifier.deliver([BUG], BOT)
    names = [
        "IncomingWebhookRequestPartial", "IncomingWebhookRequestPartial",
        "CreatePrivateChannelRequest", "MessageCreateRequest", "MessageCreateRequest",
    ]  # fmt: skip
    for request, name in zip(requests, names, strict=True):
        schemas.check(request.json, name)


@profile(max_examples=25, deadline=None)
@given(notifications)
def test_so_are_those_of_every_text(schemas: DiscordSchemas, notification: Notification) -> None:
    schemas.check(messages.message([notification]), "IncomingWebhookRequestPartial")
    schemas.check(messages.plain_message(notification), "IncomingWebhookRequestPartial")
