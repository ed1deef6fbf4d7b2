"""Close a listening socket without a reset for anybody who has come as far as to be connected.

The kernel completes connections by itself, and resets those that nobody has accepted when the
socket is closed. So first no new ones are begun: a client whose first packet is not heard sends it
again a second later, when nothing listens any more, or the next process does.
"""

import contextlib
import ctypes
import socket
import struct
import sys
from collections.abc import Iterable
from typing import Final

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
