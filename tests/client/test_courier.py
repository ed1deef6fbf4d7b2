import asyncio
import datetime as dt
import email.utils

import pytest

from slowping.client import courier
from slowping.client.batch import Batch, Entry
from slowping.client.courier import Courier, TryLater
from slowping.client.whereabouts import Address
from slowping.core import errors
from tests.notifiers.far_side import Behaviour, FarSide, cut, hang_up, reply, reset, silence

KEY = "slp_a_key_that_nobody_may_see"
BATCH = Batch((Entry(b'{"category":"sale"}', None, None, 0.0),), 'a "key"')
TAKEN = reply(201, {"events": []})


async def carried(server: str, key: str | None = KEY, timeout_s: float = 5.0) -> None:
    away = Courier(lambda: Address(server, key), timeout_s)
    try:
        await asyncio.to_thread(away.carry, BATCH)
    finally:
        away.close()


async def test_a_batch_is_a_request_of_our_own_api() -> None:
    async with FarSide(TAKEN).running() as server:
        await carried(f"{server.url}/behind/a/proxy/")
    [request] = server.requests
    assert (request.method, request.path) == ("POST", "/behind/a/proxy/slowping/v1/events")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["idempotency-key"] == r'"a \"key\""'
    assert request.headers["user-agent"].startswith("slowping/")
    assert request.json == [{"category": "sale"}]


async def test_the_environments_proxy_does_not_see_the_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with FarSide().running() as proxy, FarSide(TAKEN).running() as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        await carried(server.url)
    assert not proxy.requests


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (hang_up(), "the connection broke"),
        (reset(), "the connection broke"),
        (silence(), "it took too long"),
    ],
    ids=["hang up", "reset", "silence"],
)
async def test_a_server_that_fails_is_to_be_tried_later(behaviour: Behaviour, words: str) -> None:
    async with FarSide(behaviour).running() as server:
        with pytest.raises(TryLater, match=words) as raised:
            await carried(server.url, timeout_s=0.2)
        assert server.url in str(raised.value)
    assert isinstance(raised.value.cause, errors.Unreachable)
    assert KEY not in str(raised.value)


async def test_what_speaks_no_http_is_named() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        await reader.read(1)
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(TryLater, match="no HTTP server"):
            await carried(f"http://127.0.0.1:{port}")
        with pytest.raises(TryLater, match="no TLS"):
            await carried(f"https://127.0.0.1:{port}")


@pytest.mark.parametrize("host", ["127.0.0.1:1", "nobody.invalid", ".", "a" * 64])
async def test_a_server_that_is_not_there_may_come(host: str) -> None:
    with pytest.raises(TryLater, match="refused or the name is unknown"):
        await carried(f"http://{host}")


async def test_an_answer_without_its_end_is_an_answer() -> None:
    async with FarSide(cut()).running() as server:
        with pytest.raises(errors.UnexpectedAnswer):  # for it is a 200
            await carried(server.url)


async def test_who_refuses_before_he_has_read_is_heard() -> None:
    refusal = b"HTTP/1.1 413 Said\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(refusal)
        await writer.drain()
        writer.close()

    large = Batch((Entry(b'"' + b"x" * 20_000_000 + b'"', None, None, 0.0),), "key")
    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        away = Courier(lambda: Address(f"http://127.0.0.1:{port}", KEY), 5.0)
        # Whether the answer survives the end of the connection is the operating system's choice.
        with pytest.raises((errors.UnexpectedAnswer, TryLater)):
            await asyncio.to_thread(away.carry, large)
        away.close()


@pytest.mark.parametrize(
    "address",
    ["", "nonsense", "ftp://a.example", "http://", "http://[", "http://a:port", "http://a b",
     "http://a/?x", "http://a/ü", "http://a\r\nx: y"],
)  # fmt: skip
async def test_what_is_no_address_is_said_to_be_none(address: str) -> None:
    with pytest.raises(errors.ConfigError, match="is no address of a server"):
        await carried(address)


@pytest.mark.parametrize("key", ["k\u00e4y", "two words", "line\nbreak"])
async def test_what_is_no_key_is_not_shown(key: str) -> None:
    with pytest.raises(errors.ConfigError, match="The API key is no key") as raised:
        await carried("http://127.0.0.1:1", key)
    assert key not in str(raised.value)


async def test_a_server_may_be_found_elsewhere_after_a_failure() -> None:
    async with FarSide(TAKEN).running() as server:
        places = iter([Address("http://127.0.0.1:1", KEY), Address(server.url, KEY)])
        away = Courier(lambda: next(places), 5.0)
        with pytest.raises(TryLater):
            await asyncio.to_thread(away.carry, BATCH)
        assert isinstance(away.trouble, errors.Unreachable)
        await asyncio.to_thread(away.carry, BATCH)
        await asyncio.to_thread(away.carry, BATCH)
        away.close()
    assert away.trouble is None
    assert server.connections == 1


def in_seconds(seconds: float) -> str:
    moment = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
    return email.utils.format_datetime(moment, usegmt=True)


@pytest.mark.parametrize(
    ("given", "least", "most"),
    [
        (None, 0, 0),
        ("", 0, 0),
        ("7", 7, 7),
        (" 30 ", 30, 30),
        ("1.5", 0, 0),
        ("-1", 0, 0),
        ("soon", 0, 0),
        ("9" * 400, 999_999_999, 999_999_999),
        ("Mon, 99 Foo 2026", 0, 0),
    ],
)
def test_how_long_a_server_asks_to_wait(given: str | None, least: float, most: float) -> None:
    assert least <= courier._retry_after_s(given) <= most


@pytest.mark.parametrize(("seconds", "least", "most"), [(3_600, 3_000, 3_600), (-60, 0, 0)])
def test_a_server_may_name_a_moment(seconds: float, least: float, most: float) -> None:
    assert least <= courier._retry_after_s(in_seconds(seconds)) <= most
