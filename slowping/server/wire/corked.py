"""Send the head and the body of an answer in one packet.

The server program writes them apart, and each write is a system call, which costs more than
everything else that is done for a small answer.
"""

import asyncio
from typing import Any, Final

_HEAD: Final = b"HTTP/1.1 "
_CONTINUE: Final = b"HTTP/1.1 1"


class Corked:
    """A transport that keeps the head of an answer until its body comes, or the loop turns once."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._write = transport.write
        self.get_write_buffer_size = transport.get_write_buffer_size
        self.is_closing = transport.is_closing
        self._call_soon = asyncio.get_running_loop().call_soon
        self._head = b""
        self._flushing: asyncio.Handle | None = None

    def write(self, data: bytes) -> None:
        """Write, or keep a head for a moment."""
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
            data, self._head = self._head + data, b""
        elif data.startswith(_HEAD) and not data.startswith(_CONTINUE):
            self._head = data
            self._flushing = self._call_soon(self._flush)
            return
        self._write(data)

    def close(self) -> None:
        """Write what is kept, then close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
            self._write(self._head)
            self._head = b""

    def __getattr__(self, name: str) -> Any:  # everything else is the transport's own
        return getattr(self._transport, name)
