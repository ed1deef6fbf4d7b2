"""Close a connection so that the last answer arrives.

A socket that is closed while something lies in it unread resets the connection, which may take an
answer with it that is still on its way.
"""

import asyncio
from collections.abc import Callable
from typing import Any


class Parting:
    """A transport that closes by saying that nothing follows; what else comes is for nobody.

    Whoever hears by `leaving` that it is said so has to see that the connection ends, even if the
    client does not end it.
    """

    def __init__(self, transport: asyncio.Transport, leaving: Callable[[], None]) -> None:
        self._transport = transport
        self._leaving = leaving
        self._write = transport.write
        self.get_write_buffer_size = transport.get_write_buffer_size
        self._is_ended = False
        self.is_heard_out = False
        """Whether the client has said that nothing follows; then it is not waited for."""

    def write(self, data: bytes) -> None:
        """Write, unless nothing follows any more."""
        if not self._is_ended:
            self._write(data)

    def is_closing(self) -> bool:
        """Whether nothing is written any more."""
        return self._is_ended or self._transport.is_closing()

    def close(self) -> None:
        """Say that nothing follows, and leave the rest to the client."""
        if self._is_ended:
            return
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
        if self.is_heard_out or transport.is_closing() or transport.get_write_buffer_size():
            return False
        if not transport.can_write_eof():
            return False
        try:
            transport.write_eof()
        except OSError:  # nobody is there any more
            return False
        return True

    def __getattr__(self, name: str) -> Any:  # everything else is the transport's own
        return getattr(self._transport, name)
