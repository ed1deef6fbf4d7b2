"""SMTP servers that answer, cut or stay silent as they are told, at any command.

Plain sockets, not aiosmtpd: there the greeting and the reply to DATA cannot be chosen.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from tests.laboratory.site import Note, Stand

CUT: Final = "cut"
SILENCE: Final = "silence"
"""Instead of a reply."""

PLACES: Final = ("greeting", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "end", "quit")
"""Where a reply can be chosen, in the order in which they come; `end` is that of the mail."""

_USUAL: Final = {
    "greeting": "220 laboratory ESMTP",
    "ehlo": "250-laboratory\r\n250-STARTTLS\r\n250 AUTH PLAIN",
    "starttls": "220 go ahead",
    "auth": "235 2.7.0 welcome",
    "mail": "250 2.1.0 OK",
    "rcpt": "250 2.1.5 OK",
    "data": "354 go on",
    "end": "250 2.0.0 queued",
    "quit": "221 2.0.0 bye",
    "rset": "250 OK",
}


def answering(**replies: str) -> Stand:
    """A server with these replies in their places, the usual ones elsewhere."""

    @contextlib.asynccontextmanager
    async def stand(port: int, note: Note) -> AsyncIterator[int]:
        async with serving(_Talk({**_USUAL, **replies}, note), port) as number:
            yield number

    return stand


@contextlib.asynccontextmanager
async def serving(talk: "_Talk", port: int) -> AsyncIterator[int]:
    """Have conversations with whoever connects, until the block ends."""
    visits: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visits[asyncio.ensure_future(talk.hold(reader, writer))] = writer

    server = await asyncio.start_server(welcome, "127.0.0.1", port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for visit, writer in visits.items():
            visit.cancel()
            writer.transport.abort()
        await asyncio.gather(*visits, return_exceptions=True)


class _Over(Exception):
    """The conversation has come to its end."""


class _Talk:
    """The server's part of a conversation."""

    def __init__(self, replies: dict[str, str], note: Note) -> None:
        self._replies = replies
        self._note = note

    async def hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk until either side has had enough."""
        self._note()
        with contextlib.suppress(_Over, ConnectionError, asyncio.IncompleteReadError):
            await self._say("greeting", writer)
            while line := await reader.readline():
                command = line[:4].decode("ascii", "replace").strip().lower()
                place = {"helo": "ehlo", "star": "starttls"}.get(command, command)
                await self._say(place, writer)
                if place == "data" and self._replies["data"].startswith("354"):
                    await reader.readuntil(b"\r\n.\r\n")
                    await self._say("end", writer)
        writer.close()

    async def _say(self, place: str, writer: asyncio.StreamWriter) -> None:
        said = self._replies.get(place, "502 5.5.1 no such command")
        if said == SILENCE:
            await asyncio.Event().wait()
        if said == CUT:
            raise _Over
        writer.write(f"{said}\r\n".encode())
        await writer.drain()
        if said.startswith(("221", "421", "554 5.3.2")) or place == "quit":
            raise _Over
