"""Far sides that repeat what they were told, in every place and spelling that one has been seen."""

import asyncio
import base64
import contextlib
import json
import urllib.parse
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final

import msgspec

from tests.notifiers.far_side import Behaviour, FarSide, Request

Spelling = Callable[[str], str]

SPELLINGS: Final[Mapping[str, Spelling]] = {
    "as it came": lambda said: said,
    "for an address": lambda said: urllib.parse.quote(said, safe=""),
    "in base64": lambda said: base64.b64encode(said.encode()).decode(),
    "in JSON": json.dumps,
}


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """How a parrot answers."""

    status: int
    spelling: str = "as it came"
    before: int = 0
    """Characters that it says first, so that what it repeats is cut."""

    @property
    def name(self) -> str:
        """For a report."""
        return f"{self.status} {self.spelling}{f' after {self.before}' if self.before else ''}"


MANNERS: Final = (
    *(Manner(status=status) for status in (200, 302, 400, 401, 403, 404, 410, 429, 500, 503)),
    *(Manner(status=status, spelling=spelling) for status in (400, 500) for spelling in SPELLINGS),
    *(Manner(status=400, before=before) for before in (40, 90, 440, 470)),
)


class HttpParrot(FarSide):
    """Repeats requests in the bodies of its answers, as errors of Discord, Telegram and others."""

    def __init__(self) -> None:
        super().__init__()
        self.manner = Manner(status=200)
        self.script = [self._behave]

    async def _behave(self, writer: asyncio.StreamWriter) -> bool:
        return await self._answer(self.requests[-1])(writer)

    def _answer(self, request: Request) -> Behaviour:
        manner = self.manner
        head = "\n".join(f"{name}: {value}" for name, value in request.headers.items())
        told = f"{request.method} {request.path} HTTP/1.1\n{head}\n\n{request.body.decode()}"
        said = "." * manner.before + SPELLINGS[manner.spelling](told)
        content = json.dumps(
            {
                "id": said, "message": said, "code": 0, "ok": manner.status == 200,
                "error_code": manner.status, "description": said, "retry_after": 0.01,
                "result": {"message_id": 1},
            }
            if request.path.startswith(("/discord/", "/telegram/"))
            else said
        ).encode()  # fmt: skip
        words = f"HTTP/1.1 {manner.status} {said[:200].encode('ascii', 'replace')!r}"
        lines = [
            words, f"content-length: {len(content)}", "retry-after: 0",
            f"x-repeated: {told.encode('ascii', 'replace')!r}",
        ]  # fmt: skip

        async def behave(writer: asyncio.StreamWriter) -> bool:
            writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + content)
            await writer.drain()
            return True

        return behave


class MailParrot:
    """Takes mail as far as it is told, and repeats the conversation when it says no."""

    def __init__(self) -> None:
        self.refuses = "AUTH"
        """The command that it does not take: after `DATA`, the empty one is the mail."""
        self.code = 535
        self.heard: list[str] = []
        self.port = 0

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["MailParrot"]:
        """Listen until the block ends."""
        server = await asyncio.start_server(self._converse, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        told: list[str] = []
        writer.write(b"220 parrot\r\n")
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while line := (await reader.readline()).decode("utf-8", "replace").strip():
                told.append(line)
                self.heard.append(line)
                writer.write(self._reply(line.split()[0].upper(), told))
                await writer.drain()
                if line.upper() == "DATA" and self.refuses != "DATA":
                    await reader.readuntil(b"\r\n.\r\n")
                    writer.write(self._reply("", told))
        writer.close()

    def _reply(self, command: str, told: list[str]) -> bytes:
        repeated = " | ".join(told)
        replies = {
            "EHLO": "250-parrot\r\n250 AUTH PLAIN",
            "AUTH": "235 2.7.0 welcome",
            "DATA": "354 go on",
            self.refuses: f"{self.code} 5.7.0 no: {repeated}",
        }
        return f"{replies.get(command, f'250 2.0.0 heard {repeated}')}\r\n".encode()
