"""HTTP far sides that do wrong, each in its own way."""

import asyncio
import contextlib
import email.utils
import gzip
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, Final

from tests.laboratory.site import Note, Stand
from tests.notifiers.far_side import Behaviour, FarSide, reply

GZIP_MB: Final = 50
"""What the packed answer would unpack to."""

_LOCAL: Final = "127.0.0.1"
BLACK_HOLE: Final = "::1"
"""The address of this machine that swallows, where `beside_black_hole` has it do so."""


# What stands on the port ---------------------------------------------------------------------


def answering(*script: Behaviour, tls: ssl.SSLContext | None = None) -> Stand:
    """A server that takes requests, and answers as it is told."""

    @contextlib.asynccontextmanager
    async def stand(port: int, note: Note) -> AsyncIterator[int]:
        noted = [_noting(note, behaviour) for behaviour in script]
        async with FarSide(*noted).running(tls, port=port) as far_side:
            yield far_side.port

    return stand


def refusing() -> Stand:
    """Nobody: connections are refused."""
    return _bound(lambda _: None)


def deaf() -> Stand:
    """A server that takes connections and reads nothing."""
    return _bound(lambda holder: holder.listen(128))


def half_open() -> Stand:
    """A host that drops whatever arrives, as far as the loopback can: its queue is full."""
    return _bound(_fill)


def _noting(note: Note, behaviour: Behaviour) -> Behaviour:
    async def behave(writer: asyncio.StreamWriter) -> bool:
        note()
        return await behaviour(writer)

    return behave


def _bound(hold: Callable[[socket.socket], object]) -> Stand:
    @contextlib.asynccontextmanager
    async def stand(port: int, note: Note) -> AsyncIterator[int]:
        del note  # what nobody reads cannot be noted
        with _held(_LOCAL, port, hold) as number:
            yield number

    return stand


def beside_black_hole(stand: Stand) -> Stand:
    """A host with two addresses, of which one swallows whatever it is sent."""

    @contextlib.asynccontextmanager
    async def both(port: int, note: Note) -> AsyncIterator[int]:
        async with stand(port, note) as number:
            with _held(BLACK_HOLE, number, _fill):
                yield number

    return both


@contextlib.contextmanager
def _held(host: str, port: int, hold: Callable[[socket.socket], object]) -> Iterator[int]:
    """A port of this machine behind which no server works; gives its number."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((host, port))
        callers = hold(holder)
        try:
            yield holder.getsockname()[1]
        finally:
            for caller in callers if isinstance(callers, list) else ():
                caller.close()


def _fill(holder: socket.socket) -> list[socket.socket]:
    """Fill the queue of a listener: the kernel drops who comes after that, without a word."""
    holder.listen(0)
    callers = [socket.socket(holder.family) for _ in range(3)]
    for caller in callers:
        caller.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            caller.connect(holder.getsockname())
    return callers


# What is answered ----------------------------------------------------------------------------


def late(seconds: float, behaviour: Behaviour) -> Behaviour:
    """Take so long."""

    async def behave(writer: asyncio.StreamWriter) -> bool:
        await asyncio.sleep(seconds)
        return await behaviour(writer)

    return behave


def raw(*pieces: bytes, reset: bool = False) -> Behaviour:
    """Send these bytes, one piece after the other, and hang up; with a TCP reset if asked to."""

    async def behave(writer: asyncio.StreamWriter) -> bool:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)  # so that they arrive as pieces
        if reset:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        return False

    return behave


def endless(head: bytes, piece: bytes) -> Behaviour:
    """Send a head, and then the same piece for ever."""

    async def behave(writer: asyncio.StreamWriter) -> bool:
        writer.write(head)
        while True:
            writer.write(piece)
            await writer.drain()

    return behave


def packed() -> Behaviour:
    """Say yes with a small packed body that unpacks to `GZIP_MB` megabytes."""
    content = gzip.compress(bytes(GZIP_MB * 1_000_000), compresslevel=9)
    return reply(200, content, {"content-encoding": "gzip", "content-type": "application/json"})


def redirecting(status: int) -> Behaviour:
    """Send the sender on, to another port of this machine and to an address of the cloud's."""
    return reply(status, b"", {"location": "http://169.254.169.254/latest/meta-data/"})


HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


def without_end(yes: bytes) -> Mapping[str, Behaviour]:
    """Answers of status 200 that break off, by what is wrong with them; `yes` is the whole body."""
    length = b"content-length: %d\r\n\r\n" % len(yes)
    half = yes[: len(yes) // 2]
    return {
        "closed without an answer": raw(),
        "reset without an answer": raw(reset=True),
        "reset in the head": raw(HEAD, reset=True),
        "reset after the head": raw(HEAD + length, reset=True),
        "reset in the body": raw(HEAD + length, half, reset=True),
        "closed after the head": raw(HEAD + length),
        "closed in the body": raw(HEAD + length, half),
        "longer by its Content-Length": raw(HEAD + b"content-length: 1000000\r\n\r\n", yes),
        "a chunk that is cut": raw(HEAD + b"transfer-encoding: chunked\r\n\r\nff\r\n", half),
        "a chunk that is none": raw(HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n", yes),
        "two lengths": raw(HEAD + b"content-length: 1\r\n" + length, yes),
        "no HTTP": raw(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
        "a head of zeros": raw(bytes(512)),
        "early hints without end": endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1_000),
        "chunks without end": endless(
            HEAD + b"transfer-encoding: chunked\r\n\r\n", b"1;%s\r\n1\r\n" % (b"x" * 4_000)
        ),
        "a head without end": endless(HEAD, b"x-more: %s\r\n" % (b"x" * 1_000)),
    }


def http_date(ms: int) -> str:
    """A moment as headers write it."""
    return email.utils.formatdate(ms / 1000, usegmt=True)


def json_of(**members: Any) -> bytes:
    """A body of these members."""
    return json.dumps(members).encode()
