import datetime as dt
import re
import subprocess
import sys
from collections.abc import Callable

import httpx
import pytest

from slowping.client import Client, all_items
from slowping.core import errors
from slowping.core.api_key import NewApiKey, Scope
from slowping.core.category import CategoryChange, NewCategory
from slowping.core.channel import ChannelChange, NewChannel
from slowping.core.delivery import DeliverySelection, DeliveryState
from slowping.core.event import NewEvent
from slowping.core.project import NewProject, ProjectChange
from tests.conftest import RunningHouse

KEY = "slp_a_key_that_nobody_may_see"


async def test_everything_is_administered(house: RunningHouse) -> None:
    async with Client(house.base_url, house.admin_key) as client:
        project = await client.create_project(NewProject(name="shop"))
        project = await client.change_project(project.id, ProjectChange(monthly_quota=9))
        assert await client.show_project(project.id) == project
        issued = await client.create_channel(
            NewChannel(kind="console", name="here", project="shop")
        )
        issued = await client.change_channel(issued.channel.id, ChannelChange(name="there"))
        channel = issued.channel
        assert (await client.list_channels(project="shop")).items == (channel,)
        category = await client.create_category(
            NewCategory(name="sale", project="shop", channels=("there",))
        )
        category = await client.change_category(category.id, CategoryChange(emoji="💰"))
        assert (await client.list_categories(name="sale", project="shop")).items == (category,)
        key = await client.issue_api_key(
            NewApiKey(name="ci", project="shop", scopes=(Scope.INGEST,))
        )
        assert (await client.list_api_keys(name="ci", revoked=False)).items == (key.api_key,)
        assert (await client.revoke_api_key(key.api_key.id)).revoked_at is not None
        await client.remove_category(category.id)
        await client.remove_channel(channel.id)
        await client.remove_project(project.id)
        assert [one.name for one in (await client.list_projects()).items] == ["default"]


async def test_events_go_in_and_deliveries_come_out(house: RunningHouse) -> None:
    await house.project("shop", channels=["console"])
    async with Client(house.base_url, await house.key("shop")) as client:
        moment = dt.datetime(2026, 3, 6, 10, 30, tzinfo=dt.UTC)
        new = NewEvent(category="sale", fields={"amount": 49.0}, occurred_at=moment)
        sent = await client.send_event(new, idempotency_key=' a "quoted\\" key ')
        again = await client.send_event(new, idempotency_key=' a "quoted\\" key ')
        assert (again.id, again.deduplicated) == (sent.id, True)
        detail = await client.show_event(sent.id)
        assert detail.event.occurred_at == moment
        more = await client.send_events([NewEvent(category="a"), NewEvent(category="b")])
        listed = await client.list_events(since=sent.received_at - dt.timedelta(hours=1))
        assert [one.id for one in listed.items] == [more[1].id, more[0].id, sent.id]
        pending = await client.list_deliveries(
            states=[DeliveryState.PENDING, DeliveryState.FAILED], event=sent.id
        )
        assert [one.event_id for one in pending.items] == [sent.id]


async def test_deliveries_are_discarded_and_retried(house: RunningHouse) -> None:
    await house.project("shop", channels=["console"])
    async with Client(house.base_url, house.admin_key) as client:
        await client.send_events([NewEvent(category="a", project="shop")] * 3)
        first, *_ = (await client.list_deliveries(project="shop")).items
        assert (await client.discard_delivery(first.id)).state is DeliveryState.DISCARDED
        assert (await client.retry_delivery(first.id)).state is DeliveryState.PENDING
        pending = DeliverySelection(project="shop", states=(DeliveryState.PENDING,))
        assert (await client.discard_deliveries(pending)).moved == 3
        discarded = DeliverySelection(ids=(first.id,))
        assert (await client.retry_deliveries(discarded)).moved == 1
        assert (await client.show_delivery(first.id)).delivery.state is DeliveryState.PENDING


async def test_channels_are_paused_resumed_and_tried(house: RunningHouse) -> None:
    async with Client(house.base_url, house.admin_key) as client:
        [console] = (await client.list_channels(kind="console")).items
        assert (await client.pause_channel(console.id, "why not")).paused_reason == "why not"
        assert (await client.resume_channel(console.id)).paused_at is None
        assert (await client.test_channel(console.id)).outcome == "delivered"
        assert "console" in [kind.kind for kind in await client.list_channel_kinds()]


async def test_a_list_is_walked_over_all_its_pages(house: RunningHouse) -> None:
    await house.project("shop")
    async with Client(house.base_url, await house.key("shop")) as client:
        await client.send_events([NewEvent(category="a")] * 1_000)
        await client.send_event(NewEvent(category="a"))
        assert len([one async for one in all_items(client.list_events, category="a")]) == 1_001


async def test_health_needs_no_key(house: RunningHouse) -> None:
    async with Client(house.base_url + "/") as client:
        assert (await client.health()).status == "ok"


async def test_a_refusal_comes_as_the_condition_it_is(house: RunningHouse) -> None:
    async with Client(house.base_url, house.admin_key) as client:
        with pytest.raises(errors.NameTaken, match="project named 'default'") as taken:
            await client.create_project(NewProject(name="default"))
        assert (taken.value.noun, taken.value.name) == ("project", "default")
        with pytest.raises(errors.NotFound, match=re.escape("no event 'a b?c#d'")):
            await client.show_event("a b?c#d")
        with pytest.raises(errors.InvalidInput, match="printable"):
            await client.send_event(NewEvent(category="\n"))
    async with Client(house.base_url, "unknown") as client:
        with pytest.raises(errors.UnknownApiKey):
            await client.list_projects()
    async with Client(house.base_url, house.ingest_key) as client:
        with pytest.raises(errors.Forbidden, match="scope 'admin'"):
            await client.create_project(NewProject(name="x"))


def answering(status: int, content: bytes, media_type: str) -> Callable[..., httpx.Response]:
    return lambda _: httpx.Response(status, content=content, headers={"content-type": media_type})


@pytest.mark.parametrize(
    ("status", "content", "media_type", "condition"),
    [
        (200, b"<html>", "text/html", errors.UnexpectedAnswer),
        (200, b'{"items":7}', "application/json", errors.UnexpectedAnswer),
        (200, b'{"items":["\xff"]}', "application/json", errors.UnexpectedAnswer),
        (302, b"", "", errors.UnexpectedAnswer),
        (404, b"not here", "text/plain", errors.UnexpectedAnswer),
        (500, b"{", "application/problem+json", errors.UnexpectedAnswer),
        (
            500,
            b'{"type":"about:blank","title":"x","status":500,"detail":"broken"}',
            "application/problem+json",
            errors.UnexpectedAnswer,
        ),
        (
            401,
            b'{"type":"/slowping/v1/docs#of-a-later-version","title":"","status":401,"detail":""}',
            "application/problem+json",
            errors.UnknownApiKey,
        ),
        (
            403,
            b'{"type":"/slowping/v1/docs#of-a-later-version","title":"","status":403,"detail":""}',
            "application/problem+json; charset=utf-8",
            errors.Forbidden,
        ),
    ],
)
async def test_a_strange_answer_is_told_apart(
    status: int, content: bytes, media_type: str, condition: type[Exception]
) -> None:
    transport = httpx.MockTransport(answering(status, content, media_type))
    async with Client("http://server.example", KEY, transport=transport) as client:
        with pytest.raises(condition) as raised:
            await client.list_projects()
    assert KEY not in str(raised.value)


def failing(error: Exception) -> httpx.MockTransport:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    return httpx.MockTransport(fail)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (httpx.ConnectError("refused"), "refused"),
        (httpx.ReadTimeout("slow"), "too long"),
        (httpx.ReadError("gone"), "broke"),
        (httpx.RemoteProtocolError("SSH-2.0"), "no HTTP server"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_a_server_that_is_not_there_is_named(error: Exception, words: str) -> None:
    async with Client("http://server.example:1", KEY, transport=failing(error)) as client:
        with pytest.raises(errors.Unreachable, match=words) as raised:
            await client.list_projects()
    assert "http://server.example:1" in str(raised.value)
    assert KEY not in str(raised.value)


@pytest.mark.parametrize(
    ("address", "key"), [("http://[", "k"), ("nonsense", "k"), ("http://a.example", "käy")]
)
async def test_what_is_no_address_is_unreachable(address: str, key: str) -> None:
    with pytest.raises(errors.Unreachable):
        async with Client(address, key) as client:
            await client.health()


def test_importing_it_loads_no_server() -> None:
    heavy = "{'litestar', 'textual', 'aiosqlite', 'uvicorn', 'slowping.server'}"
    code = f"import slowping.client, sys; sys.exit(bool({heavy} & set(sys.modules)))"
    imported = subprocess.run([sys.executable, "-c", code], check=False)  # noqa: S603 - our own words
    assert imported.returncode == 0
