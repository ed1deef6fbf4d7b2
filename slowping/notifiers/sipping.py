"""Read answers in small sips, and no more of one than an answer can need.

Whoever takes answers apart lets nobody else do anything meanwhile: a far side that sends tiny
pieces without end would stop the server without it.
"""

import asyncio
import select
import socket
import ssl
from typing import Any, Final

import httpcore

SIP_BYTES: Final = 4_096
MOST_BYTES: Final = 256 * 1_024
"""Of one answer, whatever of it is kept; heads may have 100 KiB."""


class EndlessAnswer(httpcore.ReadError):
    """The far side goes on and on."""


class Sipping(httpcore.AsyncNetworkStream):
    """A stream to a far side that is not trusted to come to an end."""

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner
        self._left = MOST_BYTES
        self._socket: socket.socket | None = None

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
    ) -> bytes:
        """Read a little, after everyone else had a turn."""
        if self._left <= 0:
            raise EndlessAnswer
        await asyncio.sleep(0)
        sip = await self._inner.read(min(max_bytes, SIP_BYTES), timeout)
        self._left -= len(sip)
        return sip

    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,  # noqa: ASYNC109 - as above
    ) -> None:
        """Write; what is read from now on answers this."""
        self._left = MOST_BYTES
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        """Close it."""
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - as above
    ) -> httpcore.AsyncNetworkStream:
        """The same, encrypted."""
        return Sipping(await self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:  # httpcore's word for it
        """What the stream below knows."""
        return self._is_readable() if info == "is_readable" else self._inner.get_extra_info(info)

    def _is_readable(self) -> bool:
        """Whether there is something to read: on a connection at rest, its end.

        A pool asks this of all its connections at each request. The stream below looks for its
        socket anew each time, which costs more than the question.
        """
        if self._socket is None:
            self._socket = self._inner.get_extra_info("socket")
        if self._socket is None or self._socket.fileno() < 0:
            return True  # it was closed or reset while it was at rest
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(0))
