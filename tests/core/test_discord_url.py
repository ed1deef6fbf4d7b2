from typing import Any

import pytest

from slowping.core import discord_url
from slowping.core.discord_url import WebhookAddress
from tests.vectors import vectors

TOKEN = "t" * 68


@pytest.mark.parametrize("case", vectors("discord_webhook_url", "accept"), ids=lambda c: c["url"])
def test_a_webhook_address_is_taken_apart(case: dict[str, Any]) -> None:
    address = discord_url.parse_webhook_url(case["url"])
    assert address is not None
    assert (address.id, address.thread_id) == (case["id"], case["thread_id"])
    assert f"/{address.id}/{address.token}" in case["url"]


@pytest.mark.parametrize("url", vectors("discord_webhook_url", "reject"))
def test_what_only_looks_like_one_is_refused(url: str) -> None:
    assert discord_url.parse_webhook_url(url) is None


@pytest.mark.parametrize(
    "url",
    [
        f"https://discord.com/api/webhooks/1/{TOKEN}?thread_id=",
        f"https://discord.com/api/webhooks/1/{TOKEN}?thread_id=1&thread_id=2",
        f"https://discord.com/api/webhooks/1/{TOKEN}?with_components=true",
        f"https://discord.com/api/webhooks/1/{TOKEN}#x",
        f"https://discord.com/api/webhooks/1/{TOKEN}\n",
        f"https://discord.com/api/v100/webhooks/1/{TOKEN}",
        f"https://discord.com./api/webhooks/1/{TOKEN}",
        f"https://di\u017fcord.com/api/webhooks/1/{TOKEN}",
        f"https://discord.com/api/webhooks/1/{'t' * 512}",
    ],
)
def test_so_is_what_goes_beyond_id_token_and_thread(url: str) -> None:
    assert discord_url.parse_webhook_url(url) is None


@pytest.mark.parametrize(
    "url",
    [
        f"https://discord.com/api/webhooks/1/{TOKEN}",
        f"https://discordapp.com/api/webhooks/1/{TOKEN}",
        f"https://discord.com/api/v10/webhooks/1/{TOKEN}",
        f"https://DISCORD.com:443/api/webhooks/1/{TOKEN}/",
        f"https://discord.com/api/webhooks/1/{TOKEN}?wait=true",
    ],
)
def test_every_spelling_is_the_same_address(url: str) -> None:
    assert discord_url.one_spelling(url) == f"https://discord.com/api/webhooks/1/{TOKEN}"


def test_the_one_spelling_says_all_that_matters() -> None:
    address = WebhookAddress(id="1", token=TOKEN, thread_id="7")
    assert discord_url.parse_webhook_url(address.url) == address


def test_what_is_no_webhook_has_the_spelling_it_has() -> None:
    assert discord_url.one_spelling("https://shop.example/?wait=true") == (
        "https://shop.example/?wait=true"
    )


@pytest.mark.parametrize(("thread_id", "target"), [(None, "1"), ("7", "1/7")])
def test_a_thread_is_another_destination(thread_id: str | None, target: str) -> None:
    assert WebhookAddress(id="1", token=TOKEN, thread_id=thread_id).target == target


def test_thread_and_wait_may_stand_together() -> None:
    url = f"https://ptb.discordapp.com/api/v10/webhooks/1/{TOKEN}/?wait=true&thread_id=7"
    assert discord_url.parse_webhook_url(url) == WebhookAddress(id="1", token=TOKEN, thread_id="7")
