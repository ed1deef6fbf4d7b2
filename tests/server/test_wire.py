import asyncio
import contextlib
import functools
import logging
import socket
import struct
import sys
from collections.abc import AsyncIterator

import pytest
import uvicorn

from slowping.server import http, serving
from slowping.server.wire import gate, listening
from slowping.server.wire.gate import Gate
from slowping.server.wire.parting import Parting
from slowping.server.wire.protocol import (
    MOST_HEAD_BYTES,
    MOST_HEADERS,
    MOST_QUEUED,
    GatedProtocol,
)

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
HELD = b"GET /held HTTP/1.1\r\nHost: x\r\n\r\n"
SOON_S = 0.05
MORE_THAN_BUFFERS_TAKE = b"x" * 30_000_000


class Line:
    """A client's end of a connection."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client
        self._loop = asyncio.get_running_loop()

    async def send(self, data: bytes) -> None:
        """Send all of it."""
        await self._loop.sock_sendall(self._client, data)

    async def ask(self, data: bytes) -> bytes:
        """Send, and read one answer; empty where there is none."""
        await self.send(data)
        answer = b""
        while not answer.endswith(b"}"):
            part = await self._loop.sock_recv(self._client, 100_000)
            if not part:
                break
            answer += part
        return answer

    def ends(self) -> None:
        """Say that nothing follows."""
        self._client.shutdown(socket.SHUT_WR)

    async def rest(self) -> bytes:
        """Everything until the server closes."""
        received = bytearray()
        with contextlib.suppress(ConnectionError):
            while part := await self._loop.sock_recv(self._client, 100_000):
                received += part
        return bytes(received)


class Server:
    """Answers each request with its method and body, and remembers how many there were."""

    def __init__(
        self,
        *,
        most: int = 10,
        head_timeout_s: float = 20.0,
        stall_s: float = 20.0,
        rest_s: float = 20.0,
        heads_bytes: int = 1_000_000,
    ) -> None:
        self.asked = 0
        self.scopes: list[http.Scope] = []
        self.is_holding = asyncio.Event()
        self.may_answer = asyncio.Event()
        """Until this is set, what is asked for at `/held` is not answered."""
        own = Gate(
            most=most, head_timeout_s=head_timeout_s, stall_s=stall_s, rest_s=rest_s,
            heads_bytes=heads_bytes,
        )  # fmt: skip
        config = uvicorn.Config(
            self,
            http=functools.partial(GatedProtocol, gate=own),  # type: ignore[arg-type] # it is only called
            ws="none",
            lifespan="off",
            log_config=None,
            timeout_graceful_shutdown=1,
        )
        self._own = own
        self._server = serving.Server(config, own, lambda: None)

    async def __call__(self, scope: http.Scope, receive: http.Receive, send: http.Send) -> None:
        """Answer a request."""
        self.asked += 1
        self.scopes.append(scope)
        body, more = b"", scope["method"] == "POST"
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return
            body, more = body + message["body"], message["more_body"]
        if scope["path"] == "/held":
            self.is_holding.set()
            await self.may_answer.wait()
        if scope["path"] == "/large":
            body = MORE_THAN_BUFFERS_TAKE
        await http.answer(send, 200, b'{"%s":"%s"}' % (scope["method"].encode(), body))

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Server"]:
        """Serve on a free port."""
        with contextlib.closing(serving.listen("127.0.0.1", 0)) as listener:
            self._address = listener.getsockname()
            running = asyncio.create_task(self._server.serve(sockets=[listener]))
            await self._server.ready.wait()
            try:
                async with asyncio.timeout(20):
                    yield self
            finally:
                self.may_answer.set()
                self._server.should_exit = True
                await running

    def stop(self) -> None:
        """Ask it to end."""
        self._server.should_exit = True

    async def is_closed(self) -> None:
        """Wait until it takes nobody in any more."""
        while not self._own.is_closing:  # noqa: ASYNC110 - it rings no bell
            await asyncio.sleep(0)

    async def is_empty(self) -> None:
        """Wait until nobody is connected any longer, by asking on a line of one's own."""
        async with self.line() as own:
            while self.asked == 0 or len(self._server.server_state.connections) > 1:
                assert await own.ask(GET)

    @contextlib.asynccontextmanager
    async def line(self) -> AsyncIterator[Line]:
        """Connect."""
        with contextlib.closing(socket.socket()) as client:
            client.setblocking(False)
            await asyncio.get_running_loop().sock_connect(client, self._address)
            yield Line(client)


# Heads ---------------------------------------------------------------------------------------

OPENING = b"GET / HTTP/1.1\r\nHost: x\r\nX-A: "
TOO_LONG = MOST_HEAD_BYTES + 1 - len(OPENING)


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(OPENING + b"a" * TOO_LONG, id="a header without an end"),
        pytest.param(b"GET /" + b"a" * (MOST_HEAD_BYTES - 4), id="an address without an end"),
        pytest.param(
            OPENING + b"a" * (TOO_LONG + 50) + b"\r\n" * 2, id="a header that is too long"
        ),
        pytest.param(OPENING + b"\r\nX-A: 1" * MOST_HEADERS + b"\r\n" * 2, id="too many headers"),
        pytest.param(b"\r\n" * 32_769, id="nothing but empty lines"),
    ],
)
async def test_a_head_without_measure_is_refused_and_the_line_closed(head: bytes) -> None:
    async with Server().running() as server, server.line() as line:
        await line.send(head)
        answer = await line.rest()
    assert answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert answer.endswith(b'\r\n\r\n{"message":"Request header fields too large"}')
    assert server.asked == 0


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(OPENING + b"a" * (TOO_LONG - 100) + b"\r\n" * 2, id="long"),
        pytest.param(OPENING + b"\r\nX-A: 1" * (MOST_HEADERS - 2) + b"\r\n" * 2, id="of many"),
    ],
)
async def test_a_head_up_to_the_limit_is_read(head: bytes) -> None:
    async with Server().running() as server, server.line() as line:
        assert (await line.ask(head)).startswith(b"HTTP/1.1 200 OK\r\n")


async def test_a_body_does_not_count_as_head() -> None:
    body = b"a" * 2 * MOST_HEAD_BYTES
    async with Server().running() as server, server.line() as line:
        asked = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        for _ in range(2):
            assert (await line.ask(asked)).endswith(b'{"POST":"%s"}' % body)


CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("what", [b"0\r\nX-A: ", b"1;"])
async def test_what_a_body_in_chunks_has_besides_does_not_go_on_without_end(what: bytes) -> None:
    async with Server().running() as server, server.line() as line:
        await line.send(CHUNKED + what)
        with contextlib.suppress(ConnectionError):
            for _ in range(100):
                await line.send(b"a" * MOST_HEAD_BYTES)
        assert await line.rest() == b""


async def test_what_follows_a_body_in_chunks_is_no_header() -> None:
    async with Server().running() as server, server.line() as line:
        assert await line.ask(CHUNKED + b"0\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n")
    assert dict(server.scopes[0]["headers"]).keys() == {b"host", b"transfer-encoding"}


# Requests sent ahead -------------------------------------------------------------------------


async def test_requests_sent_ahead_are_answered_in_order() -> None:
    asked = [b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n%02d" % n for n in range(20)]
    async with Server().running() as server, server.line() as line:
        await line.send(
            b"".join(asked) + GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        )
        answers = (await line.rest()).split(b"HTTP/1.1 200 OK")[1:]
    assert [answer[-4:-2] for answer in answers[:-1]] == [b"%02d" % n for n in range(20)]
    assert answers[-1].endswith(b'{"GET":""}')


async def test_while_requests_wait_no_more_are_read() -> None:
    held = b"POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
    async with Server().running() as server, server.line() as line, server.line() as other:
        await line.send(held * 2)
        await server.is_holding.wait()
        await line.send(b"no request")
        for _ in range(3):
            assert await other.ask(GET)  # by now it would have been read
        server.may_answer.set()
        answers = await line.rest()
    assert [part[:3] for part in answers.split(b"HTTP/1.1 ")] == [b"", b"200", b"200", b"400"]


async def test_what_follows_a_request_and_is_none_does_not_answer_for_it() -> None:
    post = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
    async with Server().running() as server, server.line() as line:
        await line.send(post + b"none\r\n\r\n")
        answers = await line.rest()
    assert [part[:3] for part in answers.split(b"HTTP/1.1 ")] == [b"", b"200"]


async def test_who_sends_requests_ahead_without_end_is_cut_off() -> None:
    async with Server().running() as server, server.line() as line:
        with contextlib.suppress(ConnectionError):
            await line.send(HELD * (MOST_QUEUED + 2))
        assert await line.rest() == b""
        assert server.asked <= 1


@pytest.mark.parametrize("requests", [1, 3])
async def test_who_says_behind_a_request_that_nothing_follows_is_answered(requests: int) -> None:
    async with Server().running() as server, server.line() as line, server.line() as other:
        await line.send(HELD * requests)
        await server.is_holding.wait()
        line.ends()
        assert await other.ask(GET)  # by now it has been heard
        server.may_answer.set()
        answers = (await line.rest()).split(b"HTTP/1.1 200 OK")[1:]
        assert [answer.endswith(b'{"GET":""}') for answer in answers] == [True] * requests
        await server.is_empty()


@pytest.mark.parametrize("said", [b"", GET[:-2], b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{"])
async def test_who_says_in_the_middle_of_a_request_that_nothing_follows_has_left(
    said: bytes,
) -> None:
    async with Server().running() as server, server.line() as line:
        await line.send(said)
        line.ends()
        assert await line.rest() == b""
        await server.is_empty()


# Other protocols -----------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket"])
async def test_a_request_that_asks_for_another_protocol_is_a_request(
    protocol: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    asked = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: %s\r\nX-A: b\r\n" % protocol
    post = b"POST /a?b HTTP/1.1\r\nHost: x\r\n%sContent-Length: 7\r\n\r\n" % asked
    caplog.set_level(logging.WARNING)
    async with Server().running() as server, server.line() as line:
        for _ in range(2):
            assert (await line.ask(post + b"so what")).endswith(b'{"POST":"so what"}')
        assert (await line.ask(GET.replace(b"\r\n\r\n", b"\r\n" + asked + b"\r\n"))).endswith(
            b'{"GET":""}'
        )
        assert (await line.ask(GET)).endswith(b'{"GET":""}')
    scope = server.scopes[0]
    assert (scope["path"], scope["query_string"]) == ("/a", b"b")
    assert scope["headers"] == [
        (b"host", b"x"),
        (b"connection", b"Upgrade, HTTP2-Settings"),
        (b"x-a", b"b"),
        (b"content-length", b"7"),
    ]
    assert caplog.messages == []


async def test_the_body_of_such_a_request_may_come_later() -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n"
    async with Server().running() as server, server.line() as line:
        await line.send(head)
        await line.send(b"Content-Length: 7\r\n\r\nso ")
        assert (await line.ask(b"what")).endswith(b'{"POST":"so what"}')


@pytest.mark.parametrize("given", [b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", b"nonsense\r\n\r\n"])
async def test_what_is_no_request_is_told_so_and_nobody_else(
    given: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with Server().running() as server, server.line() as line:
        await line.send(given)
        assert (await line.rest()).startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert caplog.messages == []


# Patience ------------------------------------------------------------------------------------


@pytest.mark.parametrize("begun", [b"", GET[:9], b"\r\n", CHUNKED[:-2]])
async def test_a_head_that_does_not_come_is_not_waited_for(begun: bytes) -> None:
    async with Server(head_timeout_s=SOON_S).running() as server, server.line() as line:
        await line.send(begun)
        assert await line.rest() == b""


@pytest.mark.parametrize("begun", [GET[:9], b"\r\n"])
async def test_nor_is_the_head_of_a_later_request(begun: bytes) -> None:
    async with Server(head_timeout_s=SOON_S).running() as server, server.line() as line:
        assert await line.ask(GET)
        await line.send(begun)
        assert await line.rest() == b""


async def test_nor_is_one_that_begins_while_another_is_answered() -> None:
    async with Server(head_timeout_s=SOON_S).running() as server, server.line() as line:
        await line.send(GET + GET[:9])
        assert (await line.rest()).endswith(b'{"GET":""}')


async def test_bytes_now_and_then_win_no_time() -> None:
    async with (
        Server(head_timeout_s=SOON_S).running() as server,
        server.line() as slow,
        server.line() as other,
    ):
        await slow.send(OPENING)
        ended = asyncio.create_task(slow.rest())
        with contextlib.suppress(ConnectionError):
            while not ended.done():
                await slow.send(b"a")
                await other.ask(GET)
        assert await ended == b""


async def test_who_rests_between_requests_is_left_alone() -> None:
    async with Server(head_timeout_s=SOON_S).running() as server, server.line() as resting:
        assert await resting.ask(GET)
        async with server.line() as silent:
            assert await silent.rest() == b""
        assert await resting.ask(GET)


async def test_who_rests_too_long_hears_that_the_line_ends() -> None:
    async with Server(rest_s=SOON_S).running() as server, server.line() as line:
        assert await line.ask(GET)
        assert await line.rest() == b""


async def test_large_heads_that_do_not_end_make_room_for_one_another() -> None:
    head = OPENING + b"a" * 20_000
    async with (
        Server(heads_bytes=50_000).running() as server,
        server.line() as first,
        server.line() as second,
        server.line() as third,
    ):
        for line in (first, second, third):
            await line.send(head)
        assert await first.rest() == b""
        for line in (second, third):
            assert await line.ask(b"\r\n\r\n")


async def test_who_is_being_answered_is_left_alone() -> None:
    async with Server(head_timeout_s=SOON_S).running() as server, server.line() as asking:
        await asking.send(HELD)
        async with server.line() as silent:
            assert await silent.rest() == b""
        server.may_answer.set()
        assert await asking.ask(b"")


async def test_the_rest_of_a_body_that_was_not_waited_for_is_not_either() -> None:
    head = b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
    async with Server(head_timeout_s=SOON_S).running() as server, server.line() as line:
        assert (await line.ask(head)).endswith(b'{"PUT":""}')
        await line.send(b"a")
        assert await line.rest() == b""


@pytest.mark.parametrize("more", [b"", b"Connection: close\r\n"])
async def test_who_takes_nothing_of_an_answer_is_not_waited_for(more: bytes) -> None:
    large = b"GET /large HTTP/1.1\r\nHost: x\r\n%s\r\n" % more
    async with Server(stall_s=SOON_S).running() as server, server.line() as line:
        await line.send(large)
        await server.is_empty()
        assert len(await line.rest()) < len(MORE_THAN_BUFFERS_TAKE)


async def test_who_takes_an_answer_gets_all_of_it() -> None:
    large = b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    async with Server(stall_s=SOON_S).running() as server, server.line() as line:
        await line.send(large)
        assert len(await line.rest()) > len(MORE_THAN_BUFFERS_TAKE)


# How many ------------------------------------------------------------------------------------


async def test_who_was_silent_longest_makes_room() -> None:
    async with Server(most=2).running() as server, server.line() as silent, server.line() as busy:
        assert await silent.ask(GET)
        assert await busy.ask(GET)
        async with server.line() as third:
            assert await third.ask(GET)
            assert (await silent.rest()).startswith(b"HTTP/1.1 503 ")
            assert await busy.ask(GET)


async def test_so_does_who_never_said_anything() -> None:
    async with Server(most=1).running() as server, server.line() as silent:
        async with server.line() as line:
            assert await line.ask(GET)
        assert (await silent.rest()).startswith(b"HTTP/1.1 503 ")


async def test_one_connection_too_many_is_told_so_and_the_others_go_on() -> None:
    async with Server(most=2).running() as server, server.line() as first, server.line() as second:
        await first.send(HELD)
        await second.send(HELD)
        await server.is_holding.wait()
        async with server.line() as third:
            await third.send(GET)
            answer = await third.rest()
        server.may_answer.set()
        for line in (first, second):
            assert (await line.ask(b"")).endswith(b'{"GET":""}')
    assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"\r\nretry-after: 5\r\n" in answer
    assert answer.endswith(b'\r\n\r\n{"message":"Too many are connected."}')


async def test_who_does_not_hear_that_he_is_turned_away_is_cut_off() -> None:
    async with Server(most=1).running() as server, server.line() as first:
        await first.send(HELD)
        await server.is_holding.wait()
        async with contextlib.AsyncExitStack() as stack:
            lines = [await stack.enter_async_context(server.line()) for _ in range(4)]
            for line in lines:
                with contextlib.suppress(ConnectionError):
                    while await line.ask(b"a"):
                        pass
        server.may_answer.set()


async def test_who_leaves_makes_room() -> None:
    async with Server(most=1).running() as server:
        for _ in range(3):
            async with server.line() as line:
                await line.send(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
                assert (await line.rest()).endswith(b'{"GET":""}')


@pytest.mark.parametrize(
    ("descriptors", "connections"),
    [(1_024, 796), (9_000, 7_886), (9_344, 8_192), (10**9, 8_192), (-1, 8_192), (129, 1), (9, 1)],
)
def test_some_descriptors_are_kept_for_the_rest(descriptors: int, connections: int) -> None:
    assert gate.room_for(descriptors) == connections


def test_this_process_has_room_for_what_it_says() -> None:
    assert gate.open_wide() == gate.open_wide() >= 1


# The end -------------------------------------------------------------------------------------


async def test_what_is_asked_while_the_server_stops_is_answered_and_was_the_last() -> None:
    async with Server().running() as server, server.line() as resting, server.line() as fresh:
        assert await resting.ask(GET)
        server.stop()
        await server.is_closed()
        for line in (resting, fresh):
            await line.send(GET)
            answer = await line.rest()
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
            assert b"\r\nconnection: close\r\n" in answer


async def test_who_asks_nothing_while_the_server_stops_hears_that_the_line_ends() -> None:
    async with Server().running() as server, server.line() as resting, server.line() as fresh:
        assert await resting.ask(GET)
        server.stop()
        for line in (resting, fresh):
            assert await line.rest() == b""


async def test_who_speaks_when_all_is_said_is_not_reset() -> None:
    async with Server().running() as server, server.line() as line:
        await line.send(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        await line.send(b"a" * MOST_HEAD_BYTES)
        assert (await line.rest()).endswith(b'{"GET":""}')


async def test_the_end_of_a_line_that_its_client_has_reset_is_no_fault() -> None:
    loop, left = asyncio.get_running_loop(), []
    with contextlib.closing(serving.listen("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        accepted, _ = await loop.sock_accept(listener)
        transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, accepted)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        Parting(transport, lambda: left.append("waited for")).close()
        assert transport.is_closing()
    assert left == []


async def test_who_goes_on_speaking_is_not_listened_to_for_ever() -> None:
    async with Server().running() as server, server.line() as line:
        await line.send(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        with contextlib.suppress(ConnectionError):
            while True:  # until it is cut off
                await line.send(b"a" * MOST_HEAD_BYTES)


@pytest.mark.skipif(sys.platform != "linux", reason="only there is the filter")
async def test_who_connects_while_the_server_stops_comes_too_late() -> None:
    with contextlib.closing(serving.listen("127.0.0.1", 0)) as listener:
        listening.turn_away([listener])
        with contextlib.closing(socket.socket()) as late:
            late.settimeout(SOON_S)
            with pytest.raises(TimeoutError):
                late.connect(listener.getsockname())


async def test_who_is_connected_already_is_not_turned_away() -> None:
    loop = asyncio.get_running_loop()
    with (
        contextlib.closing(serving.listen("127.0.0.1", 0)) as listener,
        contextlib.closing(socket.create_connection(listener.getsockname())) as early,
    ):
        early.sendall(b"hello")
        listening.turn_away([listener])
        accepted, _ = await loop.sock_accept(listener)
        with contextlib.closing(accepted):
            accepted.setblocking(False)
            assert await loop.sock_recv(accepted, 10) == b"hello"
