"""Measure how much comes in, against other ways of taking it."""

import contextlib
import json
import pathlib
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from benchmarks import subjects
from benchmarks.bar import Bar
from benchmarks.subjects import Subject

CONNECTIONS: Final = 64
ROUNDS: Final = 5
SECONDS: Final = 3.0


def bars(folder: pathlib.Path) -> Sequence[Bar]:
    """Single events, durable here and nowhere else but with FastAPI and SQLAlchemy."""
    usual = {"BENCH_DATABASE": str(folder / "usual.db")}
    with contextlib.ExitStack() as stack:
        starting = (
            subjects.slowping(folder / "data"),
            *(subjects.baseline(name) for name in ("bare", "typed")),
            subjects.baseline("usual", usual),
        )
        rates = measure([stack.enter_context(each) for each in starting])
    own = rates["slowping"]
    return [
        Bar(what="ingest / bare ASGI application", measured=own / rates["bare"], bar=0.18),
        Bar(what="ingest / FastAPI + SQLAlchemy", measured=own / rates["usual"], bar=15),
        Bar(what="ingest / typed Litestar handler", measured=own / rates["typed"], bar=0.7),
    ]


def measure(measured: Sequence[Subject]) -> Mapping[str, float]:
    """Requests a second of each subject: the median over interleaved rounds."""
    rounds: dict[str, list[dict[str, float]]] = {subject.name: [] for subject in measured}
    for subject in measured:
        load(subject, 1.0)
    for number in range(ROUNDS):
        for subject in measured:
            rounds[subject.name].append(load(subject, SECONDS))
        print(f"round {number + 1} of {ROUNDS} done", file=sys.stderr)
    bare = statistics.median(figures["per_second"] for figures in rounds["bare"])
    titles = (f"single events, {CONNECTIONS} connections", "req/s", "spread", "/bare", "p99 ms")
    print("{:<30} {:>8} {:>14} {:>6} {:>8}".format(*titles))
    rates = {}
    for name, figures in rounds.items():
        speeds = sorted(one["per_second"] for one in figures)
        rates[name] = statistics.median(speeds)
        p99 = statistics.median(one["p99_ms"] for one in figures)
        spread = f"{speeds[0]:.0f}-{speeds[-1]:.0f}"
        print(f"{name:<30} {rates[name]:8.0f} {spread:>14} {rates[name] / bare:6.2f} {p99:8.2f}")
    print()
    return rates


def load(subject: Subject, seconds: float) -> dict[str, float]:
    """Load a subject from a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load", "127.0.0.1", str(subject.port),
         str(CONNECTIONS), str(seconds)],
        input=subject.request, stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    figures: dict[str, float] = json.loads(done.stdout)
    return figures
