"""Set up channels that lead to a webhook on this machine, and see what arrives there."""

import contextlib
import os
import pathlib
import select
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from typing import Final

from benchmarks import subjects
from benchmarks.subjects import Api, Server

PATIENCE_S: Final = 60.0

_ALLOWED: Final = {
    "SLOWPING_NOTIFIERS__WEBHOOK__ALLOW_HTTP": "true",
    "SLOWPING_NOTIFIERS__WEBHOOK__ALLOW_NETWORKS": "127.0.0.0/8",
}


class FarSide:
    """A webhook, as who set it up sees it."""

    def __init__(self, port: int, arrivals: int) -> None:
        """`arrivals` is a descriptor from which lines come, each the moment of an arrival."""
        self.url = f"http://127.0.0.1:{port}/"
        self._arrivals = arrivals
        self._read = b""

    def await_arrivals(self, count: int) -> list[int]:
        """The moments at which the next ones arrive, in nanoseconds of the monotonic clock.

        Raises:
            RuntimeError: they do not.
        """
        deadline = time.monotonic() + PATIENCE_S
        while self._read.count(b"\n") < count:
            left_s = max(0.0, deadline - time.monotonic())
            is_there = select.select([self._arrivals], [], [], left_s)[0]
            if not is_there or not (read := os.read(self._arrivals, 65_536)):
                raise RuntimeError(f"of {count} messages some do not arrive")
            self._read += read
        *moments, self._read = self._read.split(b"\n", count)
        return [int(moment) for moment in moments]

    def have_enough(self) -> None:
        """Put off whatever comes from now on."""
        try:
            urllib.request.urlopen(f"{self.url}full", data=b"").close()
        except urllib.error.HTTPError:
            self.await_arrivals(1)


@contextlib.contextmanager
def far_side(folder: pathlib.Path) -> Iterator[FarSide]:
    """A webhook that is up, in a process of its own; `folder` is there."""
    path = folder / "arrivals"
    os.mkfifo(path)
    # Who opens this end first does not wait for the other.
    arrivals = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with subjects.baseline("receiver", {"BENCH_ARRIVALS": str(path)}) as subject:
            yield FarSide(subject.port, arrivals)
    finally:
        os.close(arrivals)


@contextlib.contextmanager
def server(folder: pathlib.Path, far_side: FarSide, channels: int) -> Iterator[Server]:
    """A fresh server with so many webhooks, each with a category that leads to it alone."""
    with subjects.serving(folder, _ALLOWED) as server:
        server.api.post("/projects", {"name": "bench"})
        for number in range(channels):
            settings = {"url": f"{far_side.url}{number}"}
            channel = {"name": f"c{number}", "kind": "webhook", "settings": settings}
            server.api.post("/channels", {"project": "bench", **channel})
            category = {"name": f"c{number}", "channels": [f"c{number}"]}
            server.api.post("/categories", {"project": "bench", **category})
        yield server


def event(number: int, *, notify: bool = True) -> dict[str, object]:
    """What is sent for a channel; without `notify` it does not hear of it."""
    return {
        "project": "bench",
        "category": f"c{number}",
        "description": "New sale completed!",
        "fields": {"amount": 49.99, "customer": "john@example.com", "plan": "PRO"},
        "notify": notify,
    }


def send(api: Api, numbers: Sequence[int], *, notify: bool = True) -> None:
    """Send an event for each of these channels, in one request."""
    api.post("/events", [event(number, notify=notify) for number in numbers])


def send_in_vain(api: Api, far_side: FarSide, numbers: Sequence[int]) -> int:
    """Send to a far side that has enough from now on; how many events wait for it to have room."""
    far_side.have_enough()
    send(api, numbers)
    return len(numbers)
