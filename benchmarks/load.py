"""Send one request over and over on many connections, and say how fast the answers came.

Run as `python -m benchmarks.load HOST PORT CONNECTIONS SECONDS < request`; prints JSON. It is a
program of its own so that it has a processor of its own.
"""

import itertools
import json
import select
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any, Final

NUMBER: Final = b"#" * 19
"""Where this stands in a request, each one that is sent has a number of its own instead."""

# Keys that come in their order would all go to the end of an index, and few clients send such.
# Multiplied by a number that has no factor in common with it, all stay different.
_ALL: Final = 10 ** len(NUMBER)
_SCATTER: Final = 6_180_339_887_498_948_483

_HEADER_END: Final = b"\r\n\r\n"


class Connection:
    """One keep-alive connection with one request at a time."""

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""
        self._sent_at = 0.0

    def send(self, request: bytes | bytearray) -> None:
        """Send a request; it is small enough to go at once, or there are few who send."""
        self._sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> float | None:
        """Seconds that the answer took, once all of it is here."""
        part = self.socket.recv(65_536)
        if not part:
            raise ConnectionError("the server closed a connection")
        self._received += part
        head, end, body = self._received.partition(_HEADER_END)
        if not end or len(body) < _length(head):
            return None
        if not head.startswith(b"HTTP/1.1 2"):
            raise ValueError(self._received.decode("latin-1"))
        self._received = b""
        return time.perf_counter() - self._sent_at


def _length(head: bytes) -> int:
    start = head.lower().index(b"content-length:") + len(b"content-length:")
    return int(head[start:].split(b"\r\n", 1)[0])


def numbered(request: bytes, numbers: Iterator[int]) -> Iterator[bytes | bytearray]:
    """The request without an end, each time with the next number; good until the next is taken.

    Numbers are written scattered, and two that are different stay so.
    """
    start = request.find(NUMBER)
    if start < 0:
        yield from itertools.repeat(request)
    place = slice(start, start + len(NUMBER))
    patched = bytearray(request)
    for number in numbers:
        patched[place] = b"%019d" % (number * _SCATTER % _ALL)
        yield patched


def run(host: str, port: int, request: bytes, connections: int, seconds: float) -> dict[str, Any]:
    """Load a server for some seconds; requests a second and latencies in milliseconds.

    `busy` is the share of a processor that sending and receiving took: near 1 the server was not
    as fast as it can be.
    """
    # Nothing is sent in a nanosecond, so that no two runs share a number.
    requests = numbered(request, itertools.count(time.time_ns()))
    poller = select.epoll()
    open_ones = {}
    for _ in range(connections):
        connection = Connection(host, port)
        poller.register(connection.socket.fileno(), select.EPOLLIN)
        open_ones[connection.socket.fileno()] = connection
        connection.send(next(requests))
    took: list[float] = []
    started, worked = time.perf_counter(), time.process_time()
    until = started + seconds
    while (now := time.perf_counter()) < until or not took:
        for descriptor, _ in poller.poll(1.0):
            connection = open_ones[descriptor]
            latency = connection.receive()
            if latency is not None:
                took.append(latency)
                connection.send(next(requests))
    busy = (time.process_time() - worked) / (now - started)
    for connection in open_ones.values():
        connection.socket.close()
    took.sort()
    return {
        "per_second": len(took) / (now - started),
        "p50_ms": 1000 * took[len(took) // 2],
        "p99_ms": 1000 * took[len(took) * 99 // 100],
        "requests": len(took),
        "busy": busy,
    }


def main() -> None:
    """Read the request from standard input, print what was measured."""
    host, port, connections, seconds = sys.argv[1:]
    request = sys.stdin.buffer.read()
    print(json.dumps(run(host, int(port), request, int(connections), float(seconds))))


if __name__ == "__main__":
    main()
