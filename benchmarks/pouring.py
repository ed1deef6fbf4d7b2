"""Pour 1,000 events a second into a server, and see that its live view misses none of them.

As a program it is that live view: `python -m benchmarks.pouring URL KEY FILE` on a terminal, which
writes into the file what it has seen, once it is left.
"""

import http.client
import json
import pathlib
import statistics
import sys
import threading
import time
from collections.abc import Mapping
from typing import Final

from benchmarks import memory, subjects, terminal
from benchmarks.terminal import Terminal
from slowping.core.feed import EventAccepted
from slowping.tui.app import SlowpingApp
from slowping.tui.live import Batch
from slowping.tui.settings import Profile, Settings

PER_SECOND: Final = 1_000
SECONDS: Final = 30
_TOGETHER: Final = 10
_SETTLED_S: Final = 10
"""When the list is full, and memory should grow no more."""
_ANSWER_S: Final = 5.0
"""A key that has not been answered by then is not answered."""


def figures(folder: pathlib.Path) -> Mapping[str, float]:
    """`missed` events, `unanswered` keys, and `growth` of memory from second 10 to the end."""
    seen = folder.with_suffix(".seen")
    with subjects.slowping(folder) as subject:
        key = (folder / "admin.key").read_text().strip()
        url = f"http://127.0.0.1:{subject.port}"
        command = [sys.executable, "-m", "benchmarks.pouring", url, key, str(seen)]
        with terminal.running(command, (160, 45)) as screen:
            if not screen.sees(b"live", 30):
                raise RuntimeError("the live view does not come to life")
            source = _Source(subject.port, key)
            source.start()
            found = _press_keys(screen)
            source.join()
            screen.watch(3)
            screen.press(b"q")
            screen.process.wait(timeout=30)
    found["missed"] = source.sent - json.loads(seen.read_text())["events"]
    print(
        f"{source.sent} events in {SECONDS} s ({source.rate:.0f}/s): {found['missed']:.0f} missed, "
        f"{found['unanswered']:.0f} keys unanswered, a key took {found['key_ms']:.0f} ms "
        f"(at most {found['worst_ms']:.0f}), memory {found['from_mib']:.0f} → "
        f"{found['to_mib']:.0f} MiB\n"
    )
    return found


def _press_keys(screen: Terminal) -> dict[str, float]:
    """Open and close the help again and again while events pour in."""
    started, before, taken, unanswered = time.perf_counter(), 0.0, list[float](), 0
    while (now := time.perf_counter()) - started < SECONDS:
        if not before and now - started > _SETTLED_S:
            before = memory.pss_mib(screen.process.pid)
        screen.press(b"?")
        if screen.sees(b"search", _ANSWER_S):
            taken.append(time.perf_counter() - now)
        else:
            unanswered += 1
        screen.press(b"\x1b")
        screen.watch(0.5)
    after = memory.pss_mib(screen.process.pid)
    return {
        "unanswered": unanswered,
        "key_ms": 1000 * statistics.median(taken),
        "worst_ms": 1000 * max(taken),
        "from_mib": before,
        "to_mib": after,
        "growth": after / before,
    }


class _Source(threading.Thread):
    """Sends at an even rate, ten at once."""

    def __init__(self, port: int, key: str) -> None:
        super().__init__()
        self.sent = 0
        self.rate = 0.0
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        event = {"project": "bench", "category": "sale", "fields": {"amount": 49.99, "plan": "pro"}}
        self._body = json.dumps([{**event, "description": "New sale"}] * _TOGETHER)
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def run(self) -> None:
        """Send until the time is over."""
        started = time.perf_counter()
        while (passed := time.perf_counter() - started) < SECONDS:
            if self.sent < passed * PER_SECOND:
                self._send()
            else:
                time.sleep(0.002)
        self.rate = self.sent / passed

    def _send(self) -> None:
        self._connection.request("POST", "/slowping/v1/events", self._body, self._headers)
        with self._connection.getresponse() as answer:
            if answer.status >= 300:
                raise RuntimeError(f"{answer.status} {answer.read().decode()}")
            answer.read()
        self.sent += _TOGETHER


class _Counting(SlowpingApp):
    """The live view, which counts the events that it is told of."""

    def __init__(self, profile: Profile) -> None:
        super().__init__(Settings(), profile)
        self.seen: set[str] = set()

    def on_ready(self) -> None:
        """Listen as its screens do."""
        self.live.batch.subscribe(self, self._count)

    def _count(self, batch: Batch) -> None:
        self.seen |= {item.event.id for item in batch if isinstance(item, EventAccepted)}


def _watch(url: str, key: str, file: str) -> None:
    app = _Counting(Profile.of(url, key))
    app.run()
    pathlib.Path(file).write_text(json.dumps({"events": len(app.seen)}))


if __name__ == "__main__":
    _watch(*sys.argv[1:])
