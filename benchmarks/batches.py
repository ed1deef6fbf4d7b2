"""Measure how fast arrays of events are stored, against SQLite alone writing the same rows."""

import contextlib
import pathlib
import statistics
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from benchmarks import dialects, ingest, processor, subjects
from benchmarks.bar import Bar
from benchmarks.rewriting import Rewriter, copy
from benchmarks.subjects import Subject

EVENTS: Final = 1_000
"""In each array."""

CONNECTIONS: Final = 2
"""One array is read while another is written, so that each is synced alone on either side."""

ROUNDS: Final = 5
SECONDS: Final = 3.0


def bars(folder: pathlib.Path) -> Sequence[Bar]:
    """Adwize arrays, durable, against `executemany` into the same tables with the same syncs."""
    own, bare = [], []
    with subjects.slowping(folder / "data") as subject, _both(subject, folder) as (sent, rewriter):
        for _ in range(ROUNDS):
            own.append(EVENTS * ingest.load(sent, SECONDS, CONNECTIONS)["per_second"])
            processor.settle(sent.pid)
            bare.append(rewriter.rate(SECONDS))
    print(f"{f'arrays of {EVENTS} events':<30} {'events/s':>9} {'spread':>16}")
    for name, rates in (("adwize", own), ("executemany", bare)):
        spread = f"{min(rates):.0f}-{max(rates):.0f}"
        print(f"{name:<30} {statistics.median(rates):9.0f} {spread:>16}")
    print()
    of_bare = [mine / other for mine, other in zip(own, bare, strict=True)]
    return [
        Bar(what="arrays of Adwize / executemany", measured=statistics.median(of_bare), bar=0.5)
    ]


@contextlib.contextmanager
def _both(own: Subject, folder: pathlib.Path) -> Iterator[tuple[Subject, Rewriter]]:
    """The server, warm, with an array to send, and SQLite alone on a copy of its database."""
    array = dialects.adwize_array(own.port, own.key, EVENTS)
    sent = msgspec.structs.replace(own, request=array)
    ingest.load(sent, 1.0, CONNECTIONS)
    processor.settle(own.pid)
    copy(folder / "data" / "slowping.db", folder / "bare.db")
    with contextlib.closing(Rewriter(folder / "bare.db")) as rewriter:
        yield sent, rewriter
