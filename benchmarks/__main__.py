"""Run all benchmarks and print ratios; exit 1 where one misses its bar."""

import contextlib
import json
import pathlib
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Final

import msgspec

from benchmarks import command_line, memory, subjects
from benchmarks.subjects import Subject

CONNECTIONS: Final = 64
ROUNDS: Final = 5
SECONDS: Final = 3.0
EVENTS: Final = 100_000


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """A figure that has to be reached."""

    what: str
    measured: float
    bar: float
    at_most: bool = False

    @property
    def is_met(self) -> bool:
        """Whether it is reached."""
        return self.measured <= self.bar if self.at_most else self.measured >= self.bar


def main() -> None:
    """Measure, print, judge."""
    print_machine()
    bars = command_line_bars()
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = pathlib.Path(name)
        bars += memory_bars(folder / "memory")
        measured = [
            stack.enter_context(subjects.slowping(folder / "data")),
            stack.enter_context(subjects.baseline("bare")),
            stack.enter_context(subjects.baseline("typed")),
            stack.enter_context(
                subjects.baseline("usual", {"BENCH_DATABASE": str(folder / "usual.db")})
            ),
        ]
        rates = ingest(measured)
    own = rates["slowping"]
    bars += [
        Bar(what="ingest / bare ASGI application", measured=own / rates["bare"], bar=0.18),
        Bar(what="ingest / FastAPI + SQLAlchemy", measured=own / rates["usual"], bar=15),
        Bar(what="ingest / typed Litestar handler", measured=own / rates["typed"], bar=0.7),
    ]
    print()
    for bar in bars:
        sign = "≤" if bar.at_most else "≥"
        verdict = "met" if bar.is_met else "MISSED"
        print(f"{bar.what:<44} {bar.measured:8.2f}  {sign} {bar.bar:<6g} {verdict}")
    sys.exit(0 if all(bar.is_met for bar in bars) else 1)


def print_machine() -> None:
    """Say what this was measured on."""
    packages = ("slowping", "litestar", "msgspec", "uvicorn", "httptools", "fastapi", "sqlalchemy")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in packages)
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {versions}")
    print(f"{platform.machine()}, {CONNECTIONS} connections, {ROUNDS} rounds of {SECONDS:g} s\n")


def ingest(measured: Sequence[Subject]) -> Mapping[str, float]:
    """Requests a second of each subject: the median over interleaved rounds."""
    rounds: dict[str, list[dict[str, float]]] = {subject.name: [] for subject in measured}
    for subject in measured:
        load(subject, 1.0)
    for number in range(ROUNDS):
        for subject in measured:
            rounds[subject.name].append(load(subject, SECONDS))
        print(f"round {number + 1} of {ROUNDS} done", file=sys.stderr)
    bare = statistics.median(figures["per_second"] for figures in rounds["bare"])
    titles = ("durable single-event ingest", "req/s", "spread", "/bare", "p99 ms")
    print("{:<30} {:>8} {:>14} {:>6} {:>8}".format(*titles))
    rates = {}
    for name, figures in rounds.items():
        speeds = sorted(one["per_second"] for one in figures)
        rates[name] = statistics.median(speeds)
        p99 = statistics.median(one["p99_ms"] for one in figures)
        spread = f"{speeds[0]:.0f}-{speeds[-1]:.0f}"
        print(f"{name:<30} {rates[name]:8.0f} {spread:>14} {rates[name] / bare:6.2f} {p99:8.2f}")
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


def command_line_bars() -> list[Bar]:
    """How long a person waits for the command line."""
    ratios = command_line.ratios()
    return [
        Bar(
            what=f"slowping {option} / import click",
            measured=ratios[f"slowping {option}"],
            bar=bar,
            at_most=True,
        )
        for option, bar in (("--version", 2), ("--help", 3.5))
    ]


def memory_bars(folder: pathlib.Path) -> list[Bar]:
    """What an idle server takes, and one that has stored many events."""
    with subjects.slowping(folder) as subject:
        time.sleep(3)
        idle = memory.pss_mib(subject.pid)
        stored = 0.0
        while stored < EVENTS:
            stored += load(subject, 2.0)["requests"]
        time.sleep(1)
        loaded = memory.pss_mib(subject.pid)
    return [
        Bar(what="MiB of memory, idle", measured=idle, bar=64, at_most=True),
        Bar(what=f"MiB of memory after {stored:.0f} events", measured=loaded, bar=88, at_most=True),
    ]


if __name__ == "__main__":
    main()
