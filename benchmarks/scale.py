"""Measure what a server with many events is slower at than one with few.

`BENCH_EVENTS` says how many are many; `BENCH_FILLED` is a folder that `python -m benchmarks.fill`
has made, and that is used instead of a new one. It gets some more events.
"""

import contextlib
import math
import os
import pathlib
import sqlite3
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from benchmarks import (
    dialects,
    fill,
    ingest,
    memory,
    past,
    plain_search,
    processor,
    questions,
    subjects,
)
from benchmarks.bar import Bar
from benchmarks.questions import Asker, Question, Side
from benchmarks.subjects import Server, Subject
from slowping.core import ids
from slowping.server.process import data_folder

FEW: Final = 10_000
MANY: Final = 1_000_000
MOST: Final = 1.5
"""So much slower it may be."""

SEARCH_MS: Final = 100

WORDS: Final = {
    "text search for a common word": past.COMMON,
    "text search for a rare word": past.RARE,
}

STARTS: Final = 5
ROUNDS: Final = 5
SECONDS: Final = 2.0

_API: Final = "/slowping/v1"
_SEARCH: Final = "/events?text="
_SAMPLES: Final = 200


def _get(path: str) -> Question:
    return lambda asker, _: asker.get(_API + path)


PROMISED: Final[Mapping[str, Question]] = {
    "feed resume": lambda asker, _: asker.resume(),
    "first page of events": _get("/events"),
    "filtered page": _get("/events?project=shop&category=visit"),
    "page of long ago": lambda asker, turn: asker.get(
        f"{_API}/events?cursor={asker.event_id(turn).replace(ids.EVENT, 'cur')}"
    ),
    "delivery list": _get("/deliveries"),
    "failed deliveries": _get("/deliveries?state=failed&project=shop&limit=5"),
    "one event": lambda asker, turn: asker.get(f"{_API}/events/{asker.event_id(turn)}"),
    "overview sums": _get("/overview"),
}
"""What many events may not make slow, as ingest."""

LOOKED_AT: Final[Mapping[str, Question]] = {
    "page by a source that is rare": _get(f"/events?source={past.SELDOM}"),
    "deliveries of a channel": _get("/deliveries?channel=bench"),
    "groups of deliveries": _get("/deliveries/groups"),
    "metrics": _get("/metrics"),
    "figures of SlowStats": lambda asker, _: asker.get("/api/slowstats/get-metrics?projectId=shop"),
}
"""What people and machines ask for as well: only its change is looked at."""


def bars(folder: pathlib.Path) -> Sequence[Bar]:
    """The same of a server with few events and of one with many, both in one run."""
    few, many = folder / "few", _filled(folder)
    fill.fill(few, FEW)
    slower = {"start": _start_ms(many) / _start_ms(few)}
    with subjects.serving(few) as small, subjects.serving(many) as large:
        with side_of(few, small) as one, side_of(many, large) as other:
            asked = {**PROMISED, **LOOKED_AT, **_searching(other.asker)}
            taken = questions.measure(asked, (one, other))
        slower |= {what: ms[other.name] / ms[one.name] for what, ms in taken.items()}
        slower["memory"] = memory.pss_mib(large.pid) / memory.pss_mib(small.pid)
        speeds = _ingest({one.name: small, other.name: large})
        slower["ingest"] = speeds[one.name] / speeds[other.name]
    searched = {what: ms[other.name] for what, ms in taken.items()}
    return [
        *(
            Bar(
                what=f"{what}: {other.name} / {one.name} events",
                measured=ratio,
                bar=MOST if what in PROMISED or what == "ingest" else None,
                at_most=True,
            )
            for what, ratio in slower.items()
        ),
        *_of_search(searched, many, folder / "plain.db"),
    ]


def _start_ms(folder: pathlib.Path) -> float:
    """How long a server takes until it answers; the first start may fold a log, so not that."""
    taken = []
    for _ in range(STARTS + 1):
        began = time.perf_counter()
        with subjects.serving(folder):
            taken.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken[1:])


def _filled(folder: pathlib.Path) -> pathlib.Path:
    if given := os.environ.get("BENCH_FILLED"):
        return pathlib.Path(given)
    many, events = folder / "many", int(os.environ.get("BENCH_EVENTS", MANY))
    filled = fill.fill(many, events)
    print(f"{events:,} events made in {filled.seconds:.0f} s, {filled.bytes / 1_048_576:,.0f} MiB")
    return many


@contextlib.contextmanager
def side_of(folder: pathlib.Path, server: Server) -> Iterator[Side]:
    """A server by the number of its events, rounded, with some of them from all of its time."""
    with _reading(folder) as connection:
        [(first, last)] = connection.execute("select min(id), max(id) from event").fetchall()
        [(events,)] = connection.execute("select count(*) from event").fetchall()
        places = [(first + (last - first) // _SAMPLES * number,) for number in range(_SAMPLES)]
        found = [
            connection.execute("select id from event where id >= ? limit 1", place).fetchone()
            for place in places
        ]
    event_ids = [ids.encode(ids.EVENT, number) for (number,) in found]
    with contextlib.closing(Asker(server, event_ids)) as asker:
        yield Side(f"{round(events, 1 - len(str(events))):,}", asker)


@contextlib.contextmanager
def _reading(folder: pathlib.Path) -> Iterator[sqlite3.Connection]:
    address = f"{(folder / data_folder.DATABASE).absolute().as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(address, uri=True)) as connection:
        yield connection


def _searching(asker: Asker) -> Mapping[str, Question]:
    """The questions of a search, unless the server knows none."""
    if asker.may_get(f"{_API}{_SEARCH}{past.RARE}"):
        return {what: _get(f"{_SEARCH}{word}") for what, word in WORDS.items()}
    print("there is no text search yet\n")
    return {}


def _of_search(
    taken: Mapping[str, float], folder: pathlib.Path, path: pathlib.Path
) -> Iterator[Bar]:
    """Whether a search is fast enough, and how it compares with the bare index."""
    with plain_search.indexed(folder / data_folder.DATABASE, path) as plain:
        bare = {what: plain.ms(word) for what, word in WORDS.items()}
    for what, plain_ms in bare.items():
        print(f"{what}: {plain_ms:.2f} ms by the plain index")
        ms = taken.get(what, math.inf)
        yield Bar(what=f"{what}, ms", measured=ms, bar=SEARCH_MS, at_most=True, is_kept=False)
        if what in taken:
            yield Bar(what=f"{what} / plain index", measured=ms / plain_ms, at_most=True)


def _ingest(servers: Mapping[str, Server]) -> Mapping[str, float]:
    """Events a second that each of them takes: the median over interleaved rounds."""
    measured = [_subject(name, server) for name, server in servers.items()]
    rates: dict[str, list[float]] = {subject.name: [] for subject in measured}
    for number in range(ROUNDS + 1):
        for subject in measured:
            rate = ingest.load(subject, SECONDS)["per_second"]
            processor.settle(subject.pid)
            if number:  # the first round fills the caches
                rates[subject.name].append(rate)
    print("{:<34} {:>20} {:>16}".format("ingest", "events/s", "spread"))
    for name, found in rates.items():
        spread = f"{min(found):,.0f}-{max(found):,.0f}"
        print(f"{f'{name} events':<34} {statistics.median(found):20,.0f} {spread:>16}")
    print()
    return {name: statistics.median(found) for name, found in rates.items()}


def _subject(name: str, server: Server) -> Subject:
    """With two deliveries for each event, a limit that never bites, and idempotency keys."""
    issued = server.api.post("/keys", {"project": "shop", "name": name, "rate_limit": 1_000_000})
    key = issued["value"]
    request = dialects.request(dialects.PINGPANDA, server.port, key)
    return Subject(name=name, port=server.port, pid=server.pid, key=key, request=request)
