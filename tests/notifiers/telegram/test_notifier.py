import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest

from slowping.config import TelegramSection
from slowping.core.delivery import Delivered, Pace, Rejected, Retry, Unusable
from slowping.core.errors import InvalidInput
from slowping.notifiers import http, settings_form
from slowping.notifiers.port import secret_names
from slowping.notifiers.telegram import message as messages
from slowping.notifiers.telegram.notifier import Telegram, TelegramSettings
from tests.notifiers.far_side import Behaviour, FarSide, Request, hang_up, reply
from tests.notifiers.samples import BUG, bug, tools
from tests.notifiers.specifications import telegram_method

TOKEN: Final = "12345:AAAA-bbbb_cccc"
PRIVATE: Final = TelegramSettings(bot_token=TOKEN, chat_id="777")
GROUP: Final = TelegramSettings(bot_token=TOKEN, chat_id=-100_777, message_thread_id=3)
SENT: Final = reply(200, {"ok": True, "result": {"message_id": 9}})
TOO_LONG: Final = reply(
    400, {"ok": False, "error_code": 400, "description": "Bad Request: message is too long"}
)
MOVED: Final = reply(
    400,
    {
        "ok": False,
        "error_code": 400,
        "description": "Bad Request: group chat was upgraded to a supergroup chat",
        "parameters": {"migrate_to_chat_id": -100_888},
    },
)


@contextlib.asynccontextmanager
async def telegram(*script: Behaviour) -> AsyncIterator[tuple[Telegram, list[Request]]]:
    client = http.open_http()
    async with FarSide(*script).running() as far_side:
        section = TelegramSection(api_base=far_side.url)
        yield Telegram(tools(section, http=client)), far_side.requests
        await client.close()


# Settings -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chat_id", "chat"),
    [("777", 777), (-100_777, -100_777), ("-100777", -100_777), ("@news", "@news")],
)
def test_a_chat_is_a_number_or_a_public_name(chat_id: str | int, chat: str | int) -> None:
    given = {"bot_token": TOKEN, "chat_id": chat_id}
    settings = settings_form.read("telegram", TelegramSettings, given)
    assert isinstance(settings, TelegramSettings)
    assert settings.chat == chat


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"bot_token": TOKEN}, "need the setting 'chat_id'"),
        ({"bot_token": TOKEN, "chat_id": "jane"}, "is a chat's number such as"),
        ({"bot_token": TOKEN, "chat_id": "\u0663"}, "is a chat's number such as"),
        ({"bot_token": f"bot{TOKEN}", "chat_id": "1"}, "As BotFather shows it"),
        ({"bot_token": f"{TOKEN}/x", "chat_id": "1"}, "As BotFather shows it"),
    ],
)
def test_other_settings_are_refused(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        settings_form.read("telegram", TelegramSettings, given)


def test_the_token_is_a_secret() -> None:
    assert secret_names(TelegramSettings) == {"bot_token"}


def test_scopes_are_widest_first_and_hold_no_secret() -> None:
    provider, bot, chat = Telegram(tools(TelegramSection())).scopes(PRIVATE)
    assert provider == "telegram"
    assert bot.startswith("telegram:bot:")
    assert chat.endswith(":777")
    assert "AAAA" not in bot + chat


# Sending ------------------------------------------------------------------------------------


async def test_a_message_is_sent_as_plain_text_without_a_preview_of_links() -> None:
    async with telegram(SENT) as (notifier, requests):
        outcome = await notifier.deliver([BUG], PRIVATE)
    [request] = requests
    assert (request.method, request.path) == ("POST", f"/bot{TOKEN}/sendMessage")
    assert request.json == {
        "chat_id": 777,
        "text": messages.message([BUG]),
        "link_preview_options": {"is_disabled": True},
    }
    assert isinstance(outcome, Delivered)
    assert outcome.reference == "9"


async def test_a_topic_is_named_where_there_is_one() -> None:
    async with telegram(SENT) as (notifier, requests):
        await notifier.deliver([BUG], GROUP)
    assert requests[0].json["message_thread_id"] == 3


@pytest.mark.parametrize(
    ("settings", "pace_s"),
    [(PRIVATE, 1.0), (GROUP, 3.0), (TelegramSettings(bot_token=TOKEN, chat_id="@news"), 3.0)],
    ids=["private", "group", "channel"],
)
async def test_the_next_message_waits_as_the_kind_of_chat_asks(
    settings: TelegramSettings, pace_s: float
) -> None:
    async with telegram(SENT) as (notifier, _):
        outcome = await notifier.deliver([BUG], settings)
        _, bot, chat = notifier.scopes(settings)
    assert outcome.paces == (Pace(bot, 0.04, adds_up=True), Pace(chat, pace_s, adds_up=True))


async def test_several_events_go_in_one_message() -> None:
    async with telegram(SENT) as (notifier, requests):
        assert notifier.fits([BUG, BUG]) == 2
        await notifier.deliver([BUG, bug(title="two")], PRIVATE)
    [request] = requests
    assert request.json["text"].count("📌 Category:") == 2


async def test_a_text_that_is_refused_goes_once_more_in_a_plainer_form() -> None:
    async with telegram(TOO_LONG, SENT) as (notifier, requests):
        outcome = await notifier.deliver([BUG], PRIVATE)
    assert isinstance(outcome, Delivered)
    assert requests[1].json["text"] == messages.plain_message(BUG)


async def test_after_that_it_is_rejected() -> None:
    async with telegram(TOO_LONG) as (notifier, requests):
        outcome = await notifier.deliver([BUG], PRIVATE)
    assert isinstance(outcome, Rejected)
    assert len(requests) == 2


async def test_a_rejected_batch_is_for_the_dispatcher_to_split() -> None:
    async with telegram(TOO_LONG) as (notifier, requests):
        assert isinstance(await notifier.deliver([BUG, BUG], PRIVATE), Rejected)
    assert len(requests) == 1


async def test_a_group_that_became_a_supergroup_gets_it_at_once_and_is_remembered() -> None:
    async with telegram(MOVED, SENT) as (notifier, requests):
        outcome = await notifier.deliver([BUG], GROUP)
    assert [request.json["chat_id"] for request in requests] == [-100_777, -100_888]
    assert isinstance(outcome, Delivered)
    assert outcome.learned == {"chat_id": -100_888}
    assert outcome.paces[-1].scope.endswith(":-100888")


async def test_its_new_id_is_remembered_where_it_gets_nothing() -> None:
    async with telegram(MOVED, hang_up()) as (notifier, _):
        outcome = await notifier.deliver([BUG], GROUP)
    assert isinstance(outcome, Retry)
    assert outcome.unknown
    assert outcome.learned == {"chat_id": -100_888}


async def test_a_second_move_is_for_the_next_attempt() -> None:
    async with telegram(MOVED) as (notifier, requests):
        assert isinstance(await notifier.deliver([BUG], GROUP), Retry)
    assert len(requests) == 2


async def test_a_refused_token_stops_the_bot_and_is_not_told() -> None:
    body = {"ok": False, "error_code": 404, "description": f"Not Found: /bot{TOKEN}/"}
    async with telegram(reply(404, body)) as (notifier, _):
        outcome = await notifier.deliver([BUG], PRIVATE)
        assert isinstance(outcome, Unusable)
        assert outcome.scope == notifier.scopes(PRIVATE)[1]
    assert "AAAA" not in f"{outcome}"


async def test_a_cut_connection_may_have_delivered() -> None:
    async with telegram(hang_up()) as (notifier, _):
        outcome = await notifier.deliver([BUG], PRIVATE)
    assert isinstance(outcome, Retry)
    assert outcome.unknown


async def test_the_request_has_the_members_of_the_bot_api() -> None:
    method = telegram_method("sendMessage")
    kinds = {"Integer": int, "String": str, "LinkPreviewOptions": dict}
    async with telegram(SENT) as (notifier, requests):
        await notifier.deliver([BUG], GROUP)
    fields = {field["name"]: field for field in method["fields"]}
    body = requests[0].json
    assert {name for name, field in fields.items() if field["required"]} <= body.keys()
    for name, value in body.items():
        assert isinstance(value, tuple(kinds[kind] for kind in fields[name]["types"]))
