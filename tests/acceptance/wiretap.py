"""Stand between a client and a server, and keep what the server says to each connection."""

import asyncio
import contextlib
import urllib.parse
from collections.abc import AsyncIterator

import msgspec


class Answer(msgspec.Struct, frozen=True):
    """An answer as it went over the wire."""

    status: int
    body: bytes


class Wiretap:
    """Passes bytes on, both ways, for clients that send one request on a connection."""

    def __init__(self, server_url: str) -> None:
        self._server = urllib.parse.urlsplit(server_url)
        self._heard: list[bytearray] = []
        self.url = ""

    @property
    def answers(self) -> list[Answer]:
        """What the server has answered, the oldest first."""
        return [_read(bytes(heard)) for heard in self._heard]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Wiretap"]:
        """Listen until the block ends."""
        visits: set[asyncio.Task[None]] = set()

        def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            visits.add(asyncio.ensure_future(self._serve(reader, writer)))

        server = await asyncio.start_server(welcome, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        self.url = f"http://{host}:{port}"
        try:
            yield self
        finally:
            server.close()
            for visit in visits:
                visit.cancel()
            await asyncio.gather(*visits, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard = bytearray()
        self._heard.append(heard)
        far_reader, far_writer = await asyncio.open_connection(
            self._server.hostname, self._server.port
        )
        try:
            await asyncio.gather(
                _pass_on(reader, far_writer, bytearray()), _pass_on(far_reader, writer, heard)
            )
        finally:
            for each in (writer, far_writer):
                each.transport.abort()


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: bytearray
) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            heard += data
            writer.write(data)
            await writer.drain()
        writer.write_eof()


def _read(heard: bytes) -> Answer:
    head, _, body = heard.partition(b"\r\n\r\n")
    return Answer(int(head.split(b" ", 2)[1]), body)
