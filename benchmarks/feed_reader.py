"""Follow a server's feed while it is loaded, and count the events that it tells of."""

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Iterator
from typing import Final

_MARK: Final = b"\nevent: event.accepted\n"
_PART: Final = 65_536
_PATIENCE_S: Final = 10.0


class FeedReader:
    """Counts as fast as it can, and looks no closer."""

    def __init__(self) -> None:
        self.events = 0
        """Told so far."""

    def waits_for(self, events: int) -> int:
        """How many are told in the end, of so many that have to be."""
        deadline = time.monotonic() + _PATIENCE_S
        while self.events < events and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.events

    def count(self, answer: http.client.HTTPResponse) -> None:
        """Count until the feed ends."""
        end = b""
        with contextlib.suppress(OSError, http.client.HTTPException):
            while part := answer.read1(_PART):
                seen = end + part
                self.events += seen.count(_MARK)
                end = seen[1 - len(_MARK) :]


@contextlib.contextmanager
def reading(port: int, key: str) -> Iterator[FeedReader]:
    """Read the feed in a thread, from what comes in now."""
    reader = FeedReader()
    connection = http.client.HTTPConnection("127.0.0.1", port)
    with contextlib.closing(connection):
        headers = {"Authorization": f"Bearer {key}"}
        connection.request("GET", "/slowping/v1/feed", headers=headers)
        line: socket.socket = connection.sock
        with connection.getresponse() as answer:
            if answer.status != http.client.OK:
                raise RuntimeError(f"the feed answers {answer.status}")
            thread = threading.Thread(target=reader.count, args=(answer,))
            thread.start()
            try:
                yield reader
            finally:
                line.shutdown(socket.SHUT_RDWR)
                thread.join()
