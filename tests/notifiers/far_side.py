"""A far side on a real socket of 127.0.0.1, which answers as told and remembers what it got."""

import asyncio
import contextlib
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import msgspec


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it arrived; header names are lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


Behaviour = Callable[[asyncio.StreamWriter], Awaitable[bool]]
"""What is done about one request; whether the connection stays open."""


class FarSide:
    """A scripted HTTP server: each request takes the next behaviour; the last one stays."""

    def __init__(self, *script: Behaviour) -> None:
        self.script = list(script) or [reply()]
        self.requests: list[Request] = []
        self.connections = 0
        self.host = "127.0.0.1"
        self.port = 0
        self._scheme = "http"

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"{self._scheme}://{self.host}:{self.port}"

    @contextlib.asynccontextmanager
    async def running(
        self, tls: ssl.SSLContext | None = None, *, host: str = "127.0.0.1", port: int = 0
    ) -> AsyncIterator["FarSide"]:
        """Listen until the block ends, on a free port unless one is given."""
        self.host = host
        self._scheme = "https" if tls else "http"
        visits: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

        def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            visits[asyncio.ensure_future(self._serve(reader, writer))] = writer

        server = await asyncio.start_server(welcome, host, port, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for visit, writer in visits.items():
                visit.cancel()
                writer.transport.abort()
            await asyncio.gather(*visits, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        stays_open = True
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while stays_open:
                self.requests.append(await _read(reader))
                behave = self.script.pop(0) if len(self.script) > 1 else self.script[0]
                stays_open = await behave(writer)
            writer.close()
            await writer.wait_closed()


def reply(
    status: int = 200, body: Any = b"", headers: Mapping[str, str] | None = None
) -> Behaviour:
    """Answer; a body that is not bytes goes as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"content-length": str(len(content)), **(headers or {})}

    async def behave(writer: asyncio.StreamWriter) -> bool:
        writer.write(_head(status, lines) + content)
        await writer.drain()
        return True

    return behave


def after(event: asyncio.Event, behaviour: Behaviour) -> Behaviour:
    """Take the request, and do as told once the event is set."""

    async def behave(writer: asyncio.StreamWriter) -> bool:
        await event.wait()
        return await behaviour(writer)

    return behave


def silence() -> Behaviour:
    """Never answer."""

    async def behave(writer: asyncio.StreamWriter) -> bool:
        await asyncio.Event().wait()
        return False

    return behave


def hang_up() -> Behaviour:
    """Close the connection instead of answering, as for a kept one that was idle too long."""

    async def behave(writer: asyncio.StreamWriter) -> bool:
        return False

    return behave


def reset() -> Behaviour:
    """Answer with a TCP reset."""

    async def behave(writer: asyncio.StreamWriter) -> bool:
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        return False

    return behave


def cut() -> Behaviour:
    """Promise a body and close in the middle of it."""

    async def behave(writer: asyncio.StreamWriter) -> bool:
        writer.write(_head(200, {"content-length": "100"}) + b"half")
        await writer.drain()
        return False

    return behave


def drip() -> Behaviour:
    """Send one byte of the body at a time, faster than any read timeout, without end."""

    async def behave(writer: asyncio.StreamWriter) -> bool:
        writer.write(_head(200, {"transfer-encoding": "chunked"}))
        while True:
            writer.write(b"1\r\nx\r\n")
            await writer.drain()
            await asyncio.sleep(0.01)

    return behave


def flood() -> Behaviour:
    """Send a body without end."""

    async def behave(writer: asyncio.StreamWriter) -> bool:
        writer.write(_head(200, {"transfer-encoding": "chunked"}))
        while True:
            writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
            await writer.drain()

    return behave


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Said", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, path, _ = first.split(" ")
    pairs = (line.split(":", 1) for line in lines)
    headers = {name.lower(): value.strip() for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method=method, path=path, headers=headers, body=body)
