"""Measure how much comes in, in each dialect, against other ways of taking it."""

import contextlib
import json
import pathlib
import sqlite3
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from benchmarks import bar, dialects, feed_reader, lag, processor, subjects
from benchmarks.bar import Bar
from benchmarks.subjects import Subject
from slowping.server.process import data_folder

CONNECTIONS: Final = 64
ROUNDS: Final = 5
SECONDS: Final = 3.0

Figures = Mapping[str, float]
"""What one load found, as `benchmarks.load` prints it."""
Rounds = Mapping[str, Sequence[Figures]]
"""The figures of each subject, in the order of the rounds."""

_EVENTS: Final = "select count(*) from journal where kind = 'event.accepted'"


class _Against(msgspec.Struct, frozen=True):
    """What a dialect is compared with, in which figure."""

    words: str
    baseline: str
    bar: float
    figure: str = "per_second"
    at_most: bool = False


_AGAINST: Final = (
    _Against("ingest, {} / bare ASGI application", "bare", 0.25),
    _Against("ingest, {} / typed Litestar handler", "typed", 1.0),
    _Against("ingest, {} / FastAPI + SQLAlchemy", "usual", 25),
    _Against("p99 of ingest, {} / typed Litestar handler", "typed", 3, "p99_ms", at_most=True),
)


def bars(folder: pathlib.Path) -> Sequence[Bar]:
    """Single events, durable here and with FastAPI and SQLAlchemy, stored nowhere else."""
    usual = {"BENCH_DATABASE": str(folder / "usual.db")}
    data = folder / "data"
    with contextlib.ExitStack() as stack:
        own = stack.enter_context(subjects.slowping(data))
        admin_key = (data / "admin.key").read_text().strip()
        reader = stack.enter_context(feed_reader.reading(own.port, admin_key))
        behind = stack.enter_context(lag.watched(data / data_folder.DATABASE))
        starting = [subjects.baseline(name) for name in ("bare", "typed")]
        starting.append(subjects.baseline("usual", usual))
        rounds = measure([*spoken(own), *(stack.enter_context(each) for each in starting)])
        untold = stored_in(data) - reader.waits_for(stored_in(data))
    print_rounds(rounds)
    return [
        *(each for dialect in dialects.NAMES for each in judged(dialect, rounds)),
        bar.never("events that a reader of the feed was not told of", untold),
        Bar(
            what="figures and search lag behind events, s",
            measured=behind.longest_s,
            bar=2,
            at_most=True,
            is_kept=False,
        ),
    ]


def spoken(own: Subject) -> list[Subject]:
    """The same server, once for each dialect."""
    return [
        msgspec.structs.replace(own, name=name, request=dialects.request(name, own.port, own.key))
        for name in dialects.NAMES
    ]


def measure(measured: Sequence[Subject]) -> Rounds:
    """Load each subject in interleaved rounds, each alone, with no other's work left over."""
    rounds: dict[str, list[Figures]] = {subject.name: [] for subject in measured}
    for subject in measured:
        _load_alone(subject, 1.0)
    for number in range(ROUNDS):
        for subject in measured:
            rounds[subject.name].append(_load_alone(subject, SECONDS))
        print(f"round {number + 1} of {ROUNDS} done", file=sys.stderr)
    return rounds


def _load_alone(subject: Subject, seconds: float) -> Figures:
    figures = load(subject, seconds)
    processor.settle(subject.pid)
    return figures


def judged(dialect: str, rounds: Rounds) -> list[Bar]:
    """What a dialect reaches: the median of its ratios, each within a round."""
    return [
        Bar(
            what=against.words.format(dialect),
            measured=statistics.median(
                ratios(rounds[dialect], rounds[against.baseline], against.figure)
            ),
            bar=against.bar,
            at_most=against.at_most,
        )
        for against in _AGAINST
    ]


def ratios(own: Sequence[Figures], baseline: Sequence[Figures], figure: str) -> list[float]:
    """A figure as a ratio to the baseline's, of each round: what slows both does not count."""
    return [mine[figure] / other[figure] for mine, other in zip(own, baseline, strict=True)]


def print_rounds(rounds: Rounds) -> None:
    """A table of medians, with the spread of the rounds."""
    titles = (f"single events, {CONNECTIONS} connections", "req/s", "spread", "/bare")
    print("{:<30} {:>8} {:>14} {:>6} {:>8} {:>8} {:>6}".format(*titles, "p50 ms", "p99 ms", "load"))
    for name, figures in rounds.items():
        speeds = sorted(one["per_second"] for one in figures)
        of_bare = statistics.median(ratios(figures, rounds["bare"], "per_second"))
        p50, p99, busy = (
            statistics.median(one[each] for one in figures) for each in ("p50_ms", "p99_ms", "busy")
        )
        print(
            f"{name:<30} {statistics.median(speeds):8.0f} "
            f"{f'{speeds[0]:.0f}-{speeds[-1]:.0f}':>14} {of_bare:6.2f} {p50:8.2f} {p99:8.2f} "
            f"{busy:6.0%}"
        )
    print()


def load(subject: Subject, seconds: float, connections: int = CONNECTIONS) -> dict[str, float]:
    """Load a subject from a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load", "127.0.0.1", str(subject.port),
         str(connections), str(seconds)],
        input=subject.request, stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def stored_in(data: pathlib.Path) -> int:
    """How many events a server has stored in its data folder."""
    address = f"file:{data / data_folder.DATABASE}?mode=ro"
    with contextlib.closing(sqlite3.connect(address, uri=True)) as connection:
        [(events,)] = connection.execute(_EVENTS)
    return int(events)
