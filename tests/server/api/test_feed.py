import asyncio
import contextlib
import json
import pathlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest

from slowping.client import sse
from slowping.core import ids
from slowping.core.feed import EventAccepted, JournalKind
from slowping.server.api import feed
from slowping.store.port import FeedEntry, FeedPage
from slowping.testing import START_MS, FrozenClock
from tests.conftest import RunningHouse, running_house
from tests.server.api.conftest import Speak


class Block(msgspec.Struct, frozen=True):
    """What stands between two empty lines."""

    id: str | None
    event: str | None = None
    data: Any = None


class Line:
    """An open stream."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._blocks = self._read()

    async def block(self) -> Block:
        """The next one."""
        return await anext(self._blocks)

    async def _read(self) -> AsyncIterator[Block]:
        reader = sse.Reader()
        async for chunk in self.response.aiter_bytes():
            for block in reader.read(chunk):
                yield Block(block.id, block.name, block.data and json.loads(block.data))

    async def ended(self) -> None:
        """Wait for the end."""
        with contextlib.suppress(StopAsyncIteration):
            while True:
                await self.block()


@contextlib.asynccontextmanager
async def opened(
    client: httpx.AsyncClient, after: str | None = None, **query: Any
) -> AsyncIterator[Line]:
    headers = {} if after is None else {"last-event-id": after}
    async with asyncio.timeout(20):
        async with client.stream("GET", "/feed", params=query, headers=headers) as response:
            assert response.status_code == 200, await response.aread()
            yield Line(response)


async def send(client: httpx.AsyncClient, category: str = "sale", **more: Any) -> str:
    answer = await client.post("/events", json={"category": category, **more})
    assert answer.status_code == 201, answer.text
    event_id: str = answer.json()["id"]
    return event_id


async def test_what_happens_is_told_as_server_sent_events(admin: httpx.AsyncClient) -> None:
    async with opened(admin) as line:
        assert line.response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert line.response.headers["x-accel-buffering"] == "no"
        assert line.response.headers["cache-control"] == "no-store"
        start = await line.block()
        assert (start.event, start.data) == (None, None)
        event_id = await send(admin, description="New\nsale!\u2028", fields={"amount": 49.5})
        told = await line.block()
        assert told.event == "event.accepted"
        assert told.id != start.id
        assert (told.data["kind"], told.data["id"]) == ("event.accepted", event_id)
        assert told.data["event"]["description"] == "New\nsale!\u2028"
        assert told.data["event"]["project"] == "default"


async def test_every_noun_is_told(admin: httpx.AsyncClient) -> None:
    async with opened(admin) as line:
        await line.block()
        await admin.post("/projects", json={"name": "shop"})
        channel = {"kind": "console", "name": "here", "project": "shop"}
        await admin.post("/channels", json=channel)
        await admin.post("/categories", json={"name": "bug", "project": "shop"})
        await admin.post("/keys", json={"name": "ci", "project": "shop"})
        await send(admin, "bug", project="shop")
        kinds: set[str] = set()
        while kinds < {kind.value for kind in JournalKind}:
            kinds.add(str((await line.block()).event))


async def test_a_reader_goes_on_after_the_id_that_came_last(admin: httpx.AsyncClient) -> None:
    async with opened(admin, category="sale") as line:
        start = await line.block()
    missed = [await send(admin) for _ in range(3)]
    async with opened(admin, start.id, category="sale") as line:
        assert [block.data["id"] for block in await accepted(line, 3)] == missed
    async with opened(admin, last_id=start.id, category="sale") as line:
        told = await accepted(line, 3)
        assert [block.data["id"] for block in told] == missed
    async with opened(admin, told[0].id, last_id=start.id, category="sale") as line:
        assert [block.data["id"] for block in await accepted(line, 2)] == missed[1:]


async def test_nothing_is_missed_or_told_twice_over_a_restart(tmp_path: pathlib.Path) -> None:
    async with running_house(tmp_path) as house:
        key = house.admin_key
        async with api(house, key) as client, opened(client) as line:
            await line.block()
            sent = [await send(client), await send(client)]
            first = await accepted(line, 1)
    async with running_house(tmp_path) as house, api(house, key) as client:
        sent.append(await send(client))
        async with opened(client, first[0].id) as line:
            rest = await accepted(line, 2)
            sent.append(await send(client))
            rest += await accepted(line, 1)
    assert [block.data["id"] for block in first + rest] == sent


@pytest.mark.parametrize("lost", ["0123456789abcdef-1", "nonsense", "%00"])
async def test_a_lost_place_is_reset_and_goes_on_from_now(
    admin: httpx.AsyncClient, lost: str
) -> None:
    await send(admin)
    async with opened(admin, lost) as line:
        reset = await line.block()
        assert (reset.event, reset.data) == ("reset", {})
        event_id = await send(admin, "bug")
        told = await accepted(line, 1)
        assert told[0].data["id"] == event_id


async def test_a_key_is_told_of_its_projects_and_of_no_keys(
    house: RunningHouse, admin: httpx.AsyncClient, speak: Speak
) -> None:
    await house.project("shop")
    await house.project("other")
    reader = await speak("shop")
    async with opened(reader) as line:
        await line.block()
        await send(admin, project="other")
        await admin.post("/keys", json={"name": "ci", "project": "shop"})
        await send(admin, project="shop")
        told = await until(line, "event.accepted")
    assert [block.event for block in told if block.event] == ["category.changed", "event.accepted"]
    assert told[-1].data["event"]["project"] == "shop"


async def test_an_admin_is_told_of_the_projects_that_are_named(
    house: RunningHouse, admin: httpx.AsyncClient
) -> None:
    await house.project("shop", categories=["sale"])
    await house.project("other", categories=["sale"])
    async with opened(admin, project=["shop", "other"]) as line:
        await line.block()
        for project in ("default", "other", "shop"):
            await send(admin, project=project)
        assert [block.data["event"]["project"] for block in await accepted(line, 2)] == [
            "other", "shop",
        ]  # fmt: skip
        await admin.post("/keys", json={"name": "ci", "project": "shop"})
        assert (await until(line, "key.changed"))[-1].data["api_key"]["name"] == "ci"


async def test_a_project_that_the_key_may_not_see_is_refused(
    house: RunningHouse, admin: httpx.AsyncClient, speak: Speak
) -> None:
    await house.project("shop")
    reader = await speak("shop")
    assert (await reader.get("/feed", params={"project": "default"})).status_code == 403
    assert (await admin.get("/feed", params={"project": "none"})).status_code == 404
    assert (await admin.get("/feed", params={"unknown": "x"})).status_code == 422
    sender = await speak("shop", scopes=("ingest",))
    assert (await sender.get("/feed")).status_code == 403


async def test_a_revoked_key_is_told_no_more_at_once(
    house: RunningHouse, admin: httpx.AsyncClient
) -> None:
    await house.project("shop")
    issued = (await admin.post("/keys", json={"name": "ci", "project": "shop"})).json()
    async with api(house, issued["value"]) as reader, opened(reader) as line:
        await line.block()
        revoked = await admin.post(f"/keys/{issued['api_key']['id']}/revoke")
        assert revoked.status_code == 200
        await line.ended()
        assert (await reader.get("/feed")).status_code == 401


async def test_an_expired_key_is_told_no_more(tmp_path: pathlib.Path) -> None:
    clock = FrozenClock()
    async with running_house(tmp_path, clock=clock) as house:
        key = await house.key("default", expires_at=START_MS + 60_000)
        admin_api = api(house, house.admin_key)
        async with admin_api as admin, api(house, key) as reader, opened(reader) as line:
            await line.block()
            clock.advance(60)
            await send(admin)
            await line.ended()


async def test_a_server_that_stops_ends_the_streams_at_once(tmp_path: pathlib.Path) -> None:
    loop = asyncio.get_running_loop()
    async with contextlib.AsyncExitStack() as stack:
        async with running_house(tmp_path) as house:
            client = await stack.enter_async_context(api(house, house.admin_key))
            line = await stack.enter_async_context(opened(client))
            await line.block()
            stopped_at = loop.time()
        assert loop.time() - stopped_at < 3  # it would wait 10 s for a stream that is open
        await line.ended()


async def test_a_head_request_ends(admin: httpx.AsyncClient) -> None:
    async with asyncio.timeout(10):
        answer = await admin.head("/feed")
    assert (answer.status_code, answer.content) == (200, b"")


async def test_the_reference_tells_what_is_in_the_stream(house: RunningHouse) -> None:
    document = (await house.client.get("/slowping/v1/openapi.json")).json()
    told = document["paths"]["/slowping/v1/feed"]["get"]
    schema = told["responses"]["200"]["content"]["text/event-stream"]["schema"]
    data = schema["properties"]["data"]["contentSchema"]
    assert {arm["$ref"].rpartition("/")[2] for arm in data["anyOf"]} >= {
        "EventAccepted", "DeliveryChanged",
    }  # fmt: skip
    names = {parameter["name"] for parameter in told["parameters"]}
    assert names == {"project", "category", "last_id"}
    assert "Last-Event-ID" in told["description"]


def test_the_last_block_of_a_page_carries_the_place_after_it() -> None:
    event_id = ids.encode(ids.EVENT, 7)
    item = EventAccepted(id=event_id, event=None)  # type: ignore[arg-type]  # not looked at
    entries = (FeedEntry("e-7", item),)

    def last_id(page: FeedPage) -> bytes:
        *_, last = feed.blocks(page)
        return next(line for line in last.splitlines() if line.startswith(b"id: "))

    assert last_id(FeedPage(entries=entries, cursor="e-7")) == b"id: e-7"
    assert last_id(FeedPage(entries=entries, cursor="e-9")) == b"id: e-9"
    assert last_id(FeedPage(entries=(), cursor="e-9")) == b"id: e-9"
    assert last_id(FeedPage(entries=(), cursor="e-9", reset=True)) == b"id: e-9"


async def accepted(line: Line, count: int) -> list[Block]:
    """The next so many events, whatever else is told between them."""
    found: list[Block] = []
    while len(found) < count:
        block = await line.block()
        if block.event == "event.accepted":
            found.append(block)
    return found


async def until(line: Line, event: str) -> list[Block]:
    """Everything up to the next event of that name."""
    found = [await line.block()]
    while found[-1].event != event:
        found.append(await line.block())
    return found


@contextlib.asynccontextmanager
async def api(house: RunningHouse, key: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": f"Bearer {key}"}
    address = f"{house.base_url}/slowping/v1"
    async with httpx.AsyncClient(base_url=address, headers=headers, trust_env=False) as client:
        yield client
