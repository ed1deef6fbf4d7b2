import asyncio
import contextlib
import functools
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Sequence

import pytest
import uvicorn

from slowping.core import errors
from slowping.server import http, serving
from slowping.server.http import Bodies, Gone, Message
from slowping.server.wire.gate import Gate
from slowping.server.wire.protocol import GatedProtocol

LIMIT = 100


class Sender:
    """A client that sends a body in these parts, and then leaves."""

    def __init__(self, *parts: bytes) -> None:
        self._messages: list[Message] = [
            {"type": "http.request", "body": part, "more_body": number < len(parts)}
            for number, part in enumerate(parts, start=1)
        ]

    def leaves_early(self) -> "Sender":
        """Instead of the last part."""
        self._messages[-1] = {"type": "http.disconnect"}
        return self

    async def __call__(self) -> Message:
        """What comes next."""
        return self._messages.pop(0)


async def never() -> Message:
    """A client that sends nothing and stays."""
    await asyncio.get_running_loop().create_future()
    raise AssertionError("it does not come")


async def read(sender: http.Receive, timeout_s: float = 10.0, **headers: str) -> bytes:
    given = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return await Bodies(limit_bytes=LIMIT, timeout_s=timeout_s).read(given, sender)


# Reading -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "parts", [(b"{}",), (b"{", b"}"), (b"", b"{}", b""), (b"{}", b""), (b"\xef\xbb\xbf{}",)]
)
async def test_a_body_is_read_whole_and_without_its_mark(parts: Sequence[bytes]) -> None:
    assert await read(Sender(*parts)) == b"{}"


async def test_a_mark_that_comes_in_parts_is_skipped_too() -> None:
    assert await read(Sender(b"\xef\xbb", b"\xbf{}")) == b"{}"


@pytest.mark.parametrize("parts", [(b"",), (b"", b"")])
async def test_a_body_may_be_empty(parts: Sequence[bytes]) -> None:
    assert await read(Sender(*parts)) == b""


@pytest.mark.parametrize("parts", [(LIMIT,), (60, 40)])
async def test_a_body_of_the_very_limit_is_taken(parts: Sequence[int]) -> None:
    body = await read(Sender(*(b"x" * size for size in parts)), content_length=str(LIMIT))
    assert len(body) == LIMIT


@pytest.mark.parametrize("parts", [(LIMIT + 1,), (60, 41), (60, 41, 0)])
async def test_a_body_over_the_limit_is_too_large_whatever_it_says(parts: Sequence[int]) -> None:
    with pytest.raises(errors.TooLarge) as refusal:
        await read(Sender(*(b"x" * size for size in parts)))
    assert refusal.value.limit_bytes == LIMIT


@pytest.mark.parametrize("length", ["101", "9" * 30])
async def test_a_length_over_the_limit_is_refused_before_a_byte_is_read(length: str) -> None:
    with pytest.raises(errors.TooLarge):
        await read(never, content_length=length)


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip", "GZIP"])
async def test_a_compressed_body_is_not_taken(encoding: str) -> None:
    with pytest.raises(errors.UnsupportedEncoding):
        await read(Sender(b"{}"), content_encoding=encoding)


@pytest.mark.parametrize("encoding", ["identity", "Identity", " identity ", ""])
async def test_a_body_that_is_said_to_be_plain_is_taken(encoding: str) -> None:
    assert await read(Sender(b"{}"), content_encoding=encoding) == b"{}"


@pytest.mark.parametrize("parts", [(b"",), (b"{", b"")])
async def test_a_client_that_leaves_is_gone(parts: Sequence[bytes]) -> None:
    with pytest.raises(Gone):
        await read(Sender(*parts).leaves_early())


# Patience ------------------------------------------------------------------------------------


async def test_a_body_that_does_not_come_is_too_slow() -> None:
    with pytest.raises(errors.SlowBody):
        await read(never, timeout_s=0.01)


async def test_whoever_was_too_slow_goes_on_as_before() -> None:
    with pytest.raises(errors.SlowBody):
        await read(never, timeout_s=0.01)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    assert await read(Sender(b"{}")) == b"{}"


async def test_one_slow_body_does_not_end_another() -> None:
    bodies = Bodies(limit_bytes=LIMIT, timeout_s=0.05)
    late: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

    async def slow() -> Message:
        return await late

    hopeless = asyncio.create_task(bodies.read({}, never))
    with pytest.raises(errors.SlowBody):
        await hopeless
    reading = asyncio.create_task(bodies.read({}, slow))
    late.set_result({"type": "http.request", "body": b"{}", "more_body": False})
    assert await reading == b"{}"


async def test_a_request_that_is_cancelled_by_others_is_not_called_slow() -> None:
    reading = asyncio.create_task(read(never))
    await asyncio.wait([reading], timeout=0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


async def test_nothing_is_looked_at_where_nothing_is_read() -> None:
    bodies = Bodies(limit_bytes=LIMIT, timeout_s=0.01)
    with pytest.raises(errors.SlowBody):
        await bodies.read({}, never)
    assert bodies._arriving == {}


# Room for all --------------------------------------------------------------------------------


class Upload:
    """A client that has sent a part of a body, and sends the rest when it is told to."""

    def __init__(self, bodies: Bodies, size: int) -> None:
        self.go_on = asyncio.Event()
        self._size = size
        self._begun = asyncio.Event()
        self._has_begun = False
        self.reading = asyncio.create_task(bodies.read({}, self))

    async def __call__(self) -> Message:
        """What comes next."""
        if not self._has_begun:
            self._has_begun = True
            return {"type": "http.request", "body": b"x" * self._size, "more_body": True}
        self._begun.set()
        await self.go_on.wait()
        return {"type": "http.request", "body": b"", "more_body": False}

    async def begins(self) -> "Upload":
        """Wait until the part is there, or refused."""
        begun = asyncio.create_task(self._begun.wait())
        await asyncio.wait((begun, self.reading), return_when=asyncio.FIRST_COMPLETED)
        begun.cancel()
        return self

    async def ends(self) -> bytes:
        """Send the rest."""
        self.go_on.set()
        return await self.reading


def room_for(together_bytes: int) -> Bodies:
    return Bodies(limit_bytes=LIMIT, timeout_s=10, together_bytes=together_bytes)


async def test_whoever_takes_longest_makes_room_for_the_others() -> None:
    bodies = room_for(2 * LIMIT)
    slow = await Upload(bodies, 90).begins()
    later = await Upload(bodies, 90).begins()
    assert len(await bodies.read({}, Sender(b"x" * 90))) == 90
    with pytest.raises(errors.Unavailable) as refusal:
        await slow.reading
    assert refusal.value.retry_after_s > 0
    assert len(await later.ends()) == 90


async def test_who_has_sent_nothing_of_his_body_makes_no_room() -> None:
    bodies = room_for(LIMIT)
    nothing, much = await Upload(bodies, 0).begins(), await Upload(bodies, 90).begins()
    assert len(await bodies.read({}, Sender(b"x" * 20))) == 20
    with pytest.raises(errors.Unavailable):
        await much.reading
    assert await nothing.ends() == b""


async def test_where_all_bodies_are_being_answered_another_one_has_to_wait() -> None:
    bodies = room_for(LIMIT)
    body = await bodies.read({}, Sender(b"x" * 90))
    with pytest.raises(errors.Unavailable):
        await bodies.read({}, Sender(b"x" * 20))
    with pytest.raises(errors.Unavailable):
        await bodies.read({}, Sender(b"x" * 20, b"x" * 20))
    with pytest.raises(errors.Unavailable):
        await bodies.read({b"content-length": b"20"}, never)  # before a byte of it is read
    bodies.let_go(body)
    assert len(await bodies.read({}, Sender(b"x" * 20))) == 20


@pytest.mark.parametrize(
    "sender",
    [
        Sender(b"x" * 90, b"x" * 20),
        Sender(b"x" * 90, b"").leaves_early(),
        Sender(b"\xef\xbb", b"\xbf{}"),
    ],
    ids=["too large", "gone", "with a mark"],
)
async def test_nothing_is_held_of_what_is_over(sender: Sender) -> None:
    bodies = room_for(LIMIT)
    with contextlib.suppress(errors.TooLarge, Gone):
        bodies.let_go(await bodies.read({}, sender))
    assert bodies._held_bytes == 0


# Answering -----------------------------------------------------------------------------------


async def answered(status: int, body: bytes, *headers: tuple[bytes, bytes]) -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await http.answer(send, status, body, headers)
    return sent


async def test_an_answer_is_json_with_its_length() -> None:
    start, body = await answered(201, b'{"ok":true}', (b"x-own", b"1"))
    assert start["status"] == 201
    assert dict(start["headers"]) == {
        b"content-length": b"11",
        b"content-type": b"application/json",
        b"x-own": b"1",
    }
    assert body["body"] == b'{"ok":true}'


async def test_an_empty_answer_has_no_type() -> None:
    start, body = await answered(405, b"")
    assert dict(start["headers"]) == {b"content-length": b"0"}
    assert body["body"] == b""


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ("order-7", "order-7"),
        ('"order-7"', "order-7"),
        ('" a \\"b\\" \\\\ "', ' a "b" \\ '),
        ('"', '"'),
        ("x" * 255, "x" * 255),
    ],
)
def test_an_idempotency_key_is_bare_or_quoted(given: str, key: str) -> None:
    assert http.idempotency_key({b"idempotency-key": given.encode("latin-1")}) == key


def test_without_the_header_there_is_no_idempotency_key() -> None:
    assert http.idempotency_key({}) is None


@pytest.mark.parametrize("given", ["", '""', "x" * 256, "a\x7f", "ä"])
def test_what_is_no_idempotency_key_is_refused(given: str) -> None:
    with pytest.raises(errors.InvalidInput):
        http.idempotency_key({b"idempotency-key": given.encode("latin-1")})


MOST = http.MAX_CONTAINERS


@pytest.mark.parametrize(
    ("body", "crowded"),
    [
        (b"[" + b",".join([b"[]"] * MOST) + b"]", True),
        (b"[" + b",".join([b"{}"] * MOST) + b"]", True),
        (b"[" * MOST + b"[", True),
        (b"[" + b",".join([b"{}"] * (MOST - 1)) + b"]", False),
        (b'["' + b"[{" * MOST + b'"]', False),
        (b'["\\"' + b"[" * MOST + b'"]', False),
        (b'["\\\\",' + b"[" * MOST, True),
        (b'["' + b'\\"[' * 2 * MOST, False),
        (b'["a' + b"[" * 2 * MOST + b"\\", False),
        (b"[" + b",".join([b"1"] * MOST * 2) + b"]", False),
    ],
    ids=lambda value: str(value)[:20],
)
def test_arrays_and_objects_of_a_body_are_counted_outside_of_texts(
    body: bytes, crowded: bool
) -> None:
    assert http.is_crowded(body) is crowded


# Endless answers -----------------------------------------------------------------------------


class Endless:
    """A server that answers every request without an end, on a socket of its own."""

    def __init__(self, chunk: bytes, stall_s: float = 30.0) -> None:
        self.stop = asyncio.Event()
        self.ended = asyncio.Event()
        """Set when the chunks are no longer asked for."""
        self.go_on = asyncio.Event()
        self._chunk = chunk
        self._stall_s = stall_s

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The same again and again."""
        try:
            while not self.stop.is_set():
                yield self._chunk
                await self.go_on.wait()
        finally:
            self.ended.set()

    async def __call__(self, scope: http.Scope, receive: http.Receive, send: http.Send) -> None:
        """Answer a request."""
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await http.stream(
            scope, receive, send, self.chunks(), stop=self.stop, stall_s=self._stall_s
        )

    @contextlib.asynccontextmanager
    async def asked(self) -> AsyncIterator[socket.socket]:
        """A client that has asked, and takes no more than it reads."""
        own = Gate(most=10)
        config = uvicorn.Config(
            self,
            http=functools.partial(GatedProtocol, gate=own),  # type: ignore[arg-type] # it is only called
            lifespan="off",
            log_config=None,
            timeout_graceful_shutdown=30,
        )
        server = serving.Server(config, own, self.stop.set)
        with (
            contextlib.closing(serving.listen("127.0.0.1", 0)) as listener,
            contextlib.closing(socket.socket()) as client,
        ):
            running = asyncio.create_task(server.serve(sockets=[listener]))
            await server.ready.wait()
            client.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(client, listener.getsockname())
            await loop.sock_sendall(client, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            async with asyncio.timeout(20):
                yield client
                server.should_exit = True
                self.go_on.set()
                await running


async def receive_until(client: socket.socket, ending: bytes) -> None:
    """Read as little as can be."""
    received = b""
    while ending not in received:
        part = await asyncio.get_running_loop().sock_recv(client, 100)
        assert part, received
        received += part


async def receive_rest(client: socket.socket) -> bytes:
    """Read to the end; the last of it."""
    last = b""
    with contextlib.suppress(ConnectionResetError):
        while part := await asyncio.get_running_loop().sock_recv(client, 1_000_000):
            last = part
            await asyncio.sleep(0)  # what is there already is given without a pause
    return last


MORE_THAN_BUFFERS_TAKE = b"x" * 30_000_000


async def test_a_client_that_leaves_is_sent_nothing_more() -> None:
    endless = Endless(b"so far")
    async with endless.asked() as client:
        await receive_until(client, b"so far")
        client.close()
        await endless.ended.wait()


async def test_a_client_that_takes_nothing_is_cut_off() -> None:
    endless = Endless(MORE_THAN_BUFFERS_TAKE, stall_s=0.05)
    async with endless.asked() as client:
        endless.go_on.set()
        await endless.ended.wait()
        assert not (await receive_rest(client)).endswith(b"0\r\n\r\n")


async def test_when_the_server_stops_the_answer_ends_as_it_should() -> None:
    endless = Endless(b"so far")
    async with endless.asked() as client:
        await receive_until(client, b"so far")
        endless.stop.set()
        endless.go_on.set()
        assert (await receive_rest(client)).endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("goes_on", [True, False])
async def test_a_server_that_stops_waits_for_nobody_who_takes_nothing(goes_on: bool) -> None:
    endless = Endless(MORE_THAN_BUFFERS_TAKE)
    loop = asyncio.get_running_loop()
    async with endless.asked() as client:
        await receive_until(client, b"x")
        if goes_on:
            endless.go_on.set()
        stopped_at = loop.time()
    assert endless.ended.is_set()
    assert loop.time() - stopped_at < 5


@pytest.mark.parametrize(
    ("headers", "keys"),
    [
        ({}, ("", "")),
        ({b"authorization": b"Bearer abc"}, ("abc", "")),
        ({b"authorization": b"abc", b"x-api-key": b"d\xe9f"}, ("abc", "d\xe9f")),
    ],
)
def test_what_may_be_an_api_key_is_found_in_the_headers(
    headers: http.Headers, keys: tuple[str, ...]
) -> None:
    assert http.keys_in(headers) == keys
