import asyncio
import contextlib
import pathlib
from collections.abc import AsyncIterator, Sequence

import httpx
import msgspec
import pytest

from slowping.client import Client
from slowping.client.stream import Patience
from slowping.core import errors, times
from slowping.core.event import Event, NewEvent
from slowping.core.feed import Connected, EventAccepted, Lost, StreamItem
from slowping.testing import START_MS
from tests.conftest import RunningHouse, running_house

Coming = Sequence[bytes | Exception]
"""What comes on one connection; an exception breaks it."""

HELLO = b": so far\nid: e-0\n\n"


class Script:
    """A server that plays each connection as it is written, and then stays silent."""

    def __init__(self, *connections: Coming | httpx.Response) -> None:
        self._connections = list(connections)
        self.requests: list[httpx.Request] = []
        self.slept: list[float] = []

    def client(self) -> Client:
        """One that never really waits, with the least jitter."""

        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)

        return Client(
            "http://server.example",
            "slp_key",
            transport=httpx.MockTransport(self._answer),
            patience=Patience(sleep=sleep, jitter=lambda: 1.0),
        )

    async def told(self, count: int, **query: object) -> list[StreamItem]:
        """The first so many items."""
        async with self.client() as client:
            stream = client.stream(**query)  # type: ignore[arg-type]  # as it takes them
            async with contextlib.aclosing(stream):
                return [await anext(stream) for _ in range(count)]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        coming = self._connections.pop(0) if self._connections else ()
        if isinstance(coming, httpx.Response):
            return coming
        if coming and isinstance(coming[0], Exception):
            raise coming[0]
        headers = {"content-type": "text/event-stream; charset=utf-8"}
        return httpx.Response(200, headers=headers, content=_play(coming))


async def _play(coming: Coming) -> AsyncIterator[bytes]:
    for part in coming:
        if isinstance(part, Exception):
            raise part
        yield part


def refusal(status: int, condition: str, **more: object) -> httpx.Response:
    problem = {
        "type": f"/slowping/v1/docs#{condition}", "title": "", "status": status,
        "detail": "Not now.", **more,
    }  # fmt: skip
    headers = {"content-type": "application/problem+json"}
    return httpx.Response(status, headers=headers, content=msgspec.json.encode(problem))


def event(number: int) -> EventAccepted:
    return EventAccepted(
        id=f"evt_{number}",
        event=Event(
            id=f"evt_{number}",
            project="shop",
            category="sale",
            description="New sale!\u2028\x85",
            fields={"amount": 49.5},
            source=None,
            color=None,
            dialect="slowping",
            occurred_at=None,
            received_at=times.to_datetime(START_MS),
            notify=True,
        ),
    )


def told(number: int) -> bytes:
    data = msgspec.json.encode(event(number))
    return b"id: e-%d\nevent: event.accepted\ndata: %b\n\n" % (number, data)


async def test_what_happens_is_given_out_after_the_connection() -> None:
    script = Script([HELLO, told(1) + told(2)])
    assert await script.told(3) == [Connected(), event(1), event(2)]


async def test_the_server_is_asked_for_what_is_wanted() -> None:
    script = Script([HELLO])
    await script.told(1, project="shop", categories=("a", "b"), last_id="e-7")
    [request] = script.requests
    assert request.url.path == "/slowping/v1/feed"
    assert request.url.params.multi_items() == [
        ("project", "shop"), ("category", "a"), ("category", "b"),
    ]  # fmt: skip
    assert request.headers["last-event-id"] == "e-7"
    assert request.headers["authorization"] == "Bearer slp_key"
    assert request.extensions["timeout"]["read"] == 45.0


async def test_a_lost_line_is_taken_up_where_it_was() -> None:
    script = Script([HELLO, told(1)], [told(2)])
    items = await script.told(5)
    lost = Lost(reason="The server ended the stream.", retry_in_s=1.0)
    assert items == [Connected(), event(1), lost, Connected(), event(2)]
    assert "last-event-id" not in script.requests[0].headers
    assert script.requests[1].headers["last-event-id"] == "e-1"


async def test_who_has_seen_nothing_yet_misses_nothing_either() -> None:
    script = Script([HELLO], [b": so far\nid: e-5\n\n"])
    await script.told(3)
    assert script.requests[1].headers["last-event-id"] == "e-0"


async def test_half_a_block_is_asked_for_again() -> None:
    script = Script([HELLO, told(1), told(2)[:-1]], [told(2)])
    items = [item for item in await script.told(5) if isinstance(item, EventAccepted)]
    assert items == [event(1), event(2)]
    assert script.requests[1].headers["last-event-id"] == "e-1"


async def test_the_place_to_go_on_from_can_be_kept() -> None:
    script = Script([HELLO, told(1), told(2)])
    places: list[str | None] = []
    async with script.client() as client, contextlib.aclosing(client.stream()) as stream:
        assert stream.last_id is None
        for _ in range(3):
            await anext(stream)
            places.append(stream.last_id)
    assert places == ["e-0", "e-1", "e-2"]


async def test_a_reset_is_told_whenever_it_comes() -> None:
    reset = b"id: e-9\nevent: reset\ndata: {}\n\n"
    items = await Script([reset, told(10), reset]).told(3)
    assert items == [Connected(reset=True), event(10), Connected(reset=True)]


async def test_a_kind_that_only_a_newer_server_knows_is_passed_over() -> None:
    newer = b'id: e-1\nevent: planet.moved\ndata: {"kind":"planet.moved"}\n\n'
    assert await Script([HELLO, newer, told(2)]).told(2) == [Connected(), event(2)]


async def test_each_failure_is_waited_for_twice_as_long_up_to_a_cap() -> None:
    script = Script(*[[httpx.ConnectError("refused")]] * 7)
    items = await script.told(7)
    waits = [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert [item.retry_in_s for item in items if isinstance(item, Lost)] == waits
    assert script.slept == waits[:-1]


@pytest.mark.parametrize(
    ("jitter", "failures", "wait_s"),
    [(0.0, 2, 2.0), (0.5, 2, 3.0), (1.0, 2, 4.0), (1.0, 10_000, 30.0)],
)
def test_no_two_clients_come_back_in_step(jitter: float, failures: int, wait_s: float) -> None:
    assert Patience(jitter=lambda: jitter).wait_s(failures) == wait_s


async def test_a_line_that_says_something_makes_up_for_failures() -> None:
    bad, hello, good = [httpx.ConnectError("x")], [HELLO], [HELLO, b": so far\nid: e-1\n\n"]
    items = await Script(bad, hello, good, bad).told(6)
    assert [item.retry_in_s for item in items if isinstance(item, Lost)] == [1.0, 2.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ([httpx.ConnectError("x")], "No server answers at http://server.example: the connection"),
        ([HELLO, httpx.ReadError("x")], "The connection to http://server.example broke."),
        ([HELLO, httpx.RemoteProtocolError("x")], "The connection to http://server.example broke."),
        ([HELLO, httpx.ReadTimeout("x")], "http://server.example has said nothing for 45 s."),
        ([HELLO, told(1).replace(b'"id"', b'"no"')], "words that this version does not know"),
        (httpx.Response(502, text="Bad gateway"), "The server answered 502"),
        (httpx.Response(200, html="<html>"), "does not answer as slowping does"),
    ],
)
async def test_what_went_wrong_is_told(broken: Coming | httpx.Response, reason: str) -> None:
    items = await Script(broken).told(2)
    [lost] = [item for item in items if isinstance(item, Lost)][:1]
    assert reason in lost.reason


@pytest.mark.parametrize(
    ("busy", "wait_s"),
    [
        (refusal(429, "rate-limited", retry_after_s=42), 42.0),
        (refusal(503, "unavailable", retry_after_s=7), 7.0),
    ],
)
async def test_a_server_that_asks_for_time_gets_it(busy: httpx.Response, wait_s: float) -> None:
    script = Script(busy, [HELLO])
    lost, connected = await script.told(2)
    assert isinstance(lost, Lost)
    assert (lost.retry_in_s, script.slept) == (wait_s, [wait_s])
    assert connected == Connected()


@pytest.mark.parametrize(
    ("refused", "condition"),
    [
        (refusal(401, "unknown-api-key"), errors.UnknownApiKey),
        (refusal(403, "forbidden"), errors.Forbidden),
        (refusal(403, "foreign-project", project="x"), errors.ForeignProject),
        (refusal(404, "not-found", noun="project", name="x"), errors.NotFound),
    ],
)
async def test_what_trying_again_does_not_change_is_raised(
    refused: httpx.Response, condition: type[Exception]
) -> None:
    script = Script([HELLO], refused)
    with pytest.raises(condition):
        await script.told(3)
    assert len(script.requests) == 2


# With a real server ---------------------------------------------------------------------------


async def test_nothing_is_missed_or_given_twice_over_a_restart(tmp_path: pathlib.Path) -> None:
    found: asyncio.Queue[StreamItem] = asyncio.Queue()
    address = Address()
    async with running_house(tmp_path) as house:
        key = house.admin_key
        address.leads_to(house)
        client = Client(
            "http://server.example", key, transport=address, patience=Patience(first_s=0.01)
        )
        following = asyncio.create_task(_follow(client, found))
        assert await found.get() == Connected()
        sent = [await _send(house, key) for _ in range(3)]
        seen = [await _event(found) for _ in range(2)]
    async with running_house(tmp_path) as house:
        sent.append(await _send(house, key))
        address.leads_to(house)
        seen += [await _event(found) for _ in range(2)]
        sent.append(await _send(house, key))
        seen.append(await _event(found))
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await client.close()
    assert seen == sent
    assert not [item for item in _rest(found) if isinstance(item, EventAccepted)]


async def test_a_revoked_key_ends_the_stream_with_what_is_wrong(house: RunningHouse) -> None:
    async with (
        Client(house.base_url, house.admin_key) as admin,
        Client(house.base_url, house.ingest_key, patience=Patience(first_s=0.01)) as client,
        contextlib.aclosing(client.stream()) as stream,
    ):
        assert await anext(stream) == Connected()
        keys = (await admin.list_api_keys()).items
        ingest = next(one for one in keys if house.ingest_key.startswith(one.prefix))
        await admin.revoke_api_key(ingest.id)
        assert isinstance(await anext(stream), Lost)
        with pytest.raises(errors.UnknownApiKey):
            await anext(stream)


class Address(httpx.AsyncBaseTransport):
    """One address for the servers that come one after another on ports of their own."""

    def __init__(self) -> None:
        self._inner = httpx.AsyncHTTPTransport()
        self._url = httpx.URL()

    def leads_to(self, house: RunningHouse) -> None:
        """From now on."""
        self._url = httpx.URL(house.base_url)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass it on."""
        request.url = request.url.copy_with(host=self._url.host, port=self._url.port)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._inner.aclose()


async def _follow(client: Client, found: asyncio.Queue[StreamItem]) -> None:
    async with contextlib.aclosing(client.stream(project="default")) as stream:
        async for item in stream:
            found.put_nowait(item)


async def _event(found: asyncio.Queue[StreamItem]) -> str:
    while True:
        item = await found.get()
        if isinstance(item, EventAccepted):
            return item.id


def _rest(found: asyncio.Queue[StreamItem]) -> list[StreamItem]:
    return [found.get_nowait() for _ in range(found.qsize())]


async def _send(house: RunningHouse, key: str) -> str:
    async with Client(house.base_url, key) as client:
        return (await client.send_event(NewEvent(category="sale"))).id
