"""Take in who connects, as long as there is room, and stop without a reset for anybody.

The kernel completes connections by itself, and resets those that nobody has accepted when the
socket is closed. So first no new ones are begun: a client whose first packet is not heard sends it
again a second later, when nothing listens any more, or the next process does.
"""

import asyncio
import contextlib
import ctypes
import errno
import functools
import socket
import ssl
import struct
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from slowping.server.wire.gate import HEAD_TIMEOUT_S, Gate

_LAST_S: Final = 0.02
"""For whoever has begun to connect, when listening ends."""

_MOST_COMING: Final = 1_024
"""Beyond so many who are not through with TLS, the first of them has to go."""

_TLS_S: Final = 0.5
"""For whoever is not through with it, when listening ends."""

_NOTHING_LEFT: Final = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

_BREATHER_S: Final = 0.1
"""Before it is tried again where the system has nothing left for another connection."""

_SO_ATTACH_FILTER: Final = 26

_TCP_FLAGS: Final = 13
"""Where they stand in the header."""

_SYN: Final = 0x02

# Classic BPF: code, jump if true, jump if false, operand.
_NO_FIRST_PACKETS: Final = (
    (0x30, 0, 0, _TCP_FLAGS),  # load a byte
    (0x45, 0, 1, _SYN),  # is this bit set?
    (0x06, 0, 0, 0),  # take nothing of the packet
    (0x06, 0, 0, 0xFFFFFFFF),  # take all of it
)


class Listening:
    """Accepts connections, and has a protocol for each."""

    def __init__(
        self,
        make_protocol: Callable[[], asyncio.Protocol],
        the_gate: Gate,
        tls: ssl.SSLContext | None,
        *,
        most_coming: int = _MOST_COMING,
    ) -> None:
        self._most_coming = most_coming
        self._make_protocol = make_protocol
        self._gate = the_gate
        self._gate.on_eased = self._resume
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._listeners: Sequence[socket.socket] = ()
        self._has_paused = False
        self._coming: dict[asyncio.Task[None], None] = {}
        """Those who were accepted and are not through with TLS, the first of them first."""

    def begin(self, listeners: Sequence[socket.socket]) -> None:
        """Accept from now on."""
        self._listeners = listeners
        for listener in listeners:
            self._loop.add_reader(listener.fileno(), self._accept, listener)

    async def end(self) -> None:
        """Begin no new connections, take in all that are begun, and accept no more."""
        turn_away(self._listeners)
        await asyncio.sleep(_LAST_S)
        listeners = self._listeners
        self._pause()
        self._listeners = ()
        for listener in listeners:
            self._accept(listener)
        if coming := tuple(self._coming):
            _, late = await asyncio.wait(coming, timeout=_TLS_S)
            for each in late:
                each.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _pause(self) -> None:
        self._has_paused = True
        for listener in self._listeners:
            self._loop.remove_reader(listener.fileno())

    def _resume(self) -> None:
        if self._has_paused and self._gate.lets_in():
            self._has_paused = False
            self.begin(self._listeners)

    def _accept(self, listener: socket.socket) -> None:
        """Take in all who wait, as long as there is room."""
        while self._gate.lets_in():
            try:
                connection, _ = listener.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if error.errno not in _NOTHING_LEFT:
                    continue  # the client has left
                self._loop.call_later(_BREATHER_S, self._resume)
                break
            self._take_in(connection)
        self._pause()

    def _take_in(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._gate.begins_to_come()
        coming = self._loop.create_task(self._welcome(connection))
        self._coming[coming] = None
        coming.add_done_callback(functools.partial(self._has_come, connection))
        # Without TLS nobody is waited for.
        if self._tls is not None and len(self._coming) > self._most_coming:
            first = next(iter(self._coming))
            del self._coming[first]
            first.cancel()

    async def _welcome(self, connection: socket.socket) -> None:
        # Whatever a stranger does wrong while a connection is made is no fault of ours.
        with contextlib.suppress(OSError):
            await self._loop.connect_accepted_socket(
                self._make_protocol,
                connection,
                ssl=self._tls,
                ssl_handshake_timeout=HEAD_TIMEOUT_S if self._tls else None,
            )

    def _has_come(self, connection: socket.socket, coming: asyncio.Task[None]) -> None:
        self._coming.pop(coming, None)
        if coming.cancelled():
            # Where that was before it had begun, nobody else knows of the connection.
            connection.close()
        self._gate.has_come()


def turn_away(listeners: Iterable[socket.socket]) -> None:
    """Begin no new connections; whoever is about to be connected still is, and can be accepted.

    Where the system has no such filter, nothing is done, and closing may reset a few.
    """
    if sys.platform != "linux":
        return
    program = ctypes.create_string_buffer(
        b"".join(struct.pack("HBBI", *step) for step in _NO_FIRST_PACKETS)
    )
    described = struct.pack("HP", len(_NO_FIRST_PACKETS), ctypes.addressof(program))
    for listener in listeners:
        with contextlib.suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, described)
