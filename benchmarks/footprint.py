"""Measure how much memory a server takes: idle, and once it has stored many events."""

import pathlib
import time
from collections.abc import Sequence
from typing import Final

from benchmarks import ingest, memory, subjects
from benchmarks.bar import Bar

EVENTS: Final = 100_000


def bars(folder: pathlib.Path) -> Sequence[Bar]:
    """Its proportional set size, in MiB: not a ratio, but hardly different from run to run."""
    with subjects.slowping(folder / "data") as subject:
        time.sleep(3)
        idle = memory.pss_mib(subject.pid)
        stored = 0.0
        while stored < EVENTS:
            stored += ingest.load(subject, 2.0)["requests"]
        time.sleep(1)
        loaded = memory.pss_mib(subject.pid)
    print(f"{stored:,.0f} events were stored\n")
    return [
        Bar(what="MiB of memory, idle", measured=idle, bar=56, at_most=True),
        Bar(what="MiB of memory after 100,000 events", measured=loaded, bar=72, at_most=True),
    ]
