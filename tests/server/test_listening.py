import asyncio
import contextlib
import pathlib
import socket
import ssl
from collections.abc import AsyncIterator, Iterator

import pytest

from slowping.server import serving
from slowping.server.wire.gate import Gate
from slowping.server.wire.listening import Listening
from tests.laboratory.tls import Authority

MOST = 7
SOONER_THAN_A_HANDSHAKE_IS_GIVEN_UP_S = 5.0


class Greeting(asyncio.Protocol):
    """Says hello, and leaves."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say it."""
        assert isinstance(transport, asyncio.WriteTransport)
        transport.write(b"hello")
        transport.close()


@pytest.fixture
def tls(tmp_path: pathlib.Path) -> ssl.SSLContext:
    return Authority(tmp_path).well()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with contextlib.closing(serving.listen("127.0.0.1", 0)) as listener:
        yield listener


@contextlib.asynccontextmanager
async def connected(listener: socket.socket, count: int) -> AsyncIterator[list[socket.socket]]:
    """So many clients that the system has connected, and who say nothing."""
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(socket.socket()) for _ in range(count)]
        for client in clients:
            client.setblocking(False)
            await loop.sock_connect(client, listener.getsockname())
        yield clients


async def heard(client: socket.socket) -> bytes:
    """What a client hears until the line ends."""
    loop, all_of_it = asyncio.get_running_loop(), b""
    async with asyncio.timeout(SOONER_THAN_A_HANDSHAKE_IS_GIVEN_UP_S):
        while part := await loop.sock_recv(client, 100):
            all_of_it += part
    return all_of_it


def room_in(gate: Gate) -> int:
    """How many more are let in; nobody is afterwards."""
    room = 0
    while gate.lets_in():
        gate.begins_to_come()
        room += 1
    return room


async def test_who_has_to_go_before_a_word_leaves_no_place_taken(
    listener: socket.socket, tls: ssl.SSLContext
) -> None:
    gate = Gate(most=MOST)
    listening = Listening(Greeting, gate, tls, most_coming=2)
    async with connected(listener, 5) as clients:
        listening.begin([listener])
        # Nobody says which of them the system hands over first.
        ends = [asyncio.create_task(heard(client)) for client in clients]
        while sum(end.done() for end in ends) < 3:
            await asyncio.wait(
                [end for end in ends if not end.done()], return_when=asyncio.FIRST_COMPLETED
            )
        for client in clients:
            client.shutdown(socket.SHUT_WR)
        assert await asyncio.gather(*ends) == [b""] * 5
    await listening.end()
    assert room_in(gate) == room_in(Gate(most=MOST))


async def test_however_many_come_at_once_without_tls_nobody_has_to_go(
    listener: socket.socket,
) -> None:
    listening = Listening(Greeting, Gate(most=MOST), None, most_coming=2)
    async with connected(listener, 5) as clients:
        listening.begin([listener])
        assert [await heard(client) for client in clients] == [b"hello"] * 5
    await listening.end()


async def test_who_never_begins_with_tls_does_not_hold_up_the_end(
    listener: socket.socket, tls: ssl.SSLContext
) -> None:
    gate = Gate(most=MOST)
    listening = Listening(Greeting, gate, tls)
    async with connected(listener, 2) as clients:
        listening.begin([listener])
        async with asyncio.timeout(SOONER_THAN_A_HANDSHAKE_IS_GIVEN_UP_S):
            await listening.end()
        assert [await heard(client) for client in clients] == [b"", b""]
    assert room_in(gate) == room_in(Gate(most=MOST))
