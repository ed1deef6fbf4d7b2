"""Run all benchmarks, or the parts that are named; exit 1 where a figure misses its bar."""

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
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from typing import Final

import msgspec

from benchmarks import command_line, live_view, memory, pouring, subjects
from benchmarks.subjects import Subject

CONNECTIONS: Final = 64
ROUNDS: Final = 5
SECONDS: Final = 3.0
EVENTS: Final = 100_000
_PACKAGES: Final = (
    "slowping", "litestar", "msgspec", "uvicorn", "httptools", "textual", "fastapi", "sqlalchemy",
)  # fmt: skip


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
    asked = sys.argv[1:] or list(PARTS)
    if unknown := set(asked) - set(PARTS):
        sys.exit(f"There is no part {', '.join(unknown)}; there are {', '.join(PARTS)}.")
    print_machine()
    bars = []
    for part in asked:
        with tempfile.TemporaryDirectory() as folder:
            bars += PARTS[part](pathlib.Path(folder))
    for bar in bars:
        sign = "≤" if bar.at_most else "≥"
        verdict = "met" if bar.is_met else "MISSED"
        print(f"{bar.what:<44} {bar.measured:8.2f}  {sign} {bar.bar:<6g} {verdict}")
    sys.exit(0 if all(bar.is_met for bar in bars) else 1)


def print_machine() -> None:
    """Say what this was measured on."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in _PACKAGES if _has(name))
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {versions}")
    print(f"{platform.machine()}, {CONNECTIONS} connections, {ROUNDS} rounds of {SECONDS:g} s\n")


def _has(package: str) -> bool:
    """Whether it is installed; what slowping is compared with is asked for by `ingest` alone."""
    return any(True for _ in metadata.distributions(name=package))


def ingest_bars(folder: pathlib.Path) -> list[Bar]:
    """How much comes in, against other ways of taking it."""
    usual = {"BENCH_DATABASE": str(folder / "usual.db")}
    with contextlib.ExitStack() as stack:
        starting = (
            subjects.slowping(folder / "data"),
            *(subjects.baseline(name) for name in ("bare", "typed")),
            subjects.baseline("usual", usual),
        )
        rates = ingest([stack.enter_context(each) for each in starting])
    own = rates["slowping"]
    return [
        Bar(what="ingest / bare ASGI application", measured=own / rates["bare"], bar=0.18),
        Bar(what="ingest / FastAPI + SQLAlchemy", measured=own / rates["usual"], bar=15),
        Bar(what="ingest / typed Litestar handler", measured=own / rates["typed"], bar=0.7),
    ]


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


def command_line_bars(_: pathlib.Path) -> list[Bar]:
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
    with subjects.slowping(folder / "data") as subject:
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


def live_view_bars(folder: pathlib.Path) -> list[Bar]:
    """What the live view's user feels: its first picture, and how it keeps up."""
    measured = {
        "first picture / Textual hello-world": (live_view.first_paint_ratio(), 1.6),
        "flush of 20 into 5,000 / DataTable": (live_view.flush_ratio(), 0.1),
    }
    poured = pouring.figures(folder / "data")
    measured |= {
        "events missed of 1,000 a second": (poured["missed"], 0),
        "keys unanswered meanwhile": (poured["unanswered"], 0),
        "memory after 30 s of it / after 10 s": (poured["growth"], 1.05),
    }
    return [
        Bar(what=what, measured=figure, bar=bar, at_most=True)
        for what, (figure, bar) in measured.items()
    ]


PARTS: Final[Mapping[str, Callable[[pathlib.Path], list[Bar]]]] = {
    "command-line": command_line_bars,
    "live-view": live_view_bars,
    "memory": memory_bars,
    "ingest": ingest_bars,
}


if __name__ == "__main__":
    main()
