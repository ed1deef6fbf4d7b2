"""Send the head and the body of an answer in one packet, and close so that the last one arrives.

The server program writes the two apart, and each write is a system call, which costs more than
everything else that is done for a small answer. And a socket that is closed while something lies
in it unread resets the connection, which may take an answer with it that is still on its way.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

_HEAD: Final = b"HTTP/1.1 "
_CONTINUE: Final = b"HTTP/1.1 1"


class Corked:
    """A transport that keeps the head of an answer until its body comes, or the loop turns once.

    It closes by saying that nothing follows; what else comes is for nobody. Whoever hears by
    `leaving` that it is said so has to see that the connection ends, even if the client does not.
    """

    def __init__(self, transport: asyncio.Transport, leaving: Callable[[], None]) -> None:
        self._transport = transport
        self._leaving = leaving
        self._write = transport.write
        self.get_write_buffer_size = transport.get_write_buffer_size
        self._call_soon = asyncio.get_running_loop().call_soon
        self._head = b""
        self._flushing: asyncio.Handle | None = None
        self._is_ended = False

    def write(self, data: bytes) -> None:
        """Write, or keep a head for a moment."""
        if self._is_ended:
            return
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
            data, self._head = self._head + data, b""
        elif data.startswith(_HEAD) and not data.startswith(_CONTINUE):
            self._head = data
            self._flushing = self._call_soon(self._flush)
            return
        self._write(data)

    def is_closing(self) -> bool:
        """Whether nothing is written any more."""
        return self._is_ended or self._transport.is_closing()

    def close(self) -> None:
        """Write what is kept, say that nothing follows, and leave the rest to the client."""
        if self._is_ended:
            return
        self._flush()
        if not self._ends():
            self._transport.close()  # what is not sent yet is sent before
            return
        self._is_ended = True
        # However much it has sent: only so is it heard that it closes its end.
        self._transport.resume_reading()
        self._leaving()

    def _ends(self) -> bool:
        """Say that nothing follows, where that can be said now."""
        transport = self._transport
        if transport.is_closing() or transport.get_write_buffer_size():
            return False
        if not transport.can_write_eof():
            return False
        try:
            transport.write_eof()
        except OSError:  # nobody is there any more
            return False
        return True

    def _flush(self) -> None:
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
            self._write(self._head)
            self._head = b""

    def __getattr__(self, name: str) -> Any:  # everything else is the transport's own
        return getattr(self._transport, name)
