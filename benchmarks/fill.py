"""Make a data folder with many events: `python -m benchmarks.fill FOLDER --events 10000000`.

A server makes the folder and what the events are for, so that its schema is the real one; then
rows are written in bulk and indexed afterwards, with nothing synced. `slowping serve --data FOLDER`
serves it as any other.
"""

import argparse
import contextlib
import json
import os
import pathlib
import sqlite3
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from benchmarks import past, subjects
from slowping.core import ids, overview
from slowping.server.process import data_folder
from slowping.store.sqlite import store

EVENTS: Final = 10_000_000
STRETCH: Final = 250_000
"""So many events are written between two signs of life."""

CHANNELS: Final[Mapping[str, tuple[str, ...]]] = {"shop": ("team", "boss"), "lab": ("bench",)}
"""By project. They are paused, so that nothing is sent."""

ROUTES: Final[Mapping[str, tuple[str, ...]]] = dict.fromkeys(
    ("signup", "visit", "error"), ("team",)
)
"""The channels that a category names; the others go to all of their project."""

_PRAGMAS: Final = (
    "journal_mode = off",
    "synchronous = off",
    "locking_mode = exclusive",
    "foreign_keys = off",
    "cache_size = -400000",
    "threads = 2",
)


class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """What it has come to."""

    seconds: float
    bytes: int


def fill(folder: pathlib.Path, events: int) -> Filled:
    """Make a data folder that is not there yet, with so many events; tell how far it is."""
    began = time.perf_counter()
    with subjects.serving(folder) as server:
        set_up(server.api)
    path = folder / data_folder.DATABASE
    write(path, events, now_ms=time.time_ns() // 1_000_000)
    return Filled(seconds=time.perf_counter() - began, bytes=path.stat().st_size)


def set_up(api: subjects.Api) -> None:
    """Make what the events are for."""
    for project, channels in CHANNELS.items():
        api.post("/projects", {"name": project})
        for name in channels:
            made = api.post("/channels", {"project": project, "name": name, "kind": "console"})
            api.post(f"/channels/{made['channel']['id']}/pause", {})
        for name in past.SHARES[project]:
            told = ROUTES.get(name, ())
            api.post("/categories", {"project": project, "name": name, "channels": told})


def write(path: pathlib.Path, events: int, *, now_ms: int) -> None:
    """Write the past into a database that nobody uses, and leave it as a server leaves it."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in _PRAGMAS:
            connection.execute(f"pragma {pragma}").fetchall()
        connection.create_function("latency_bucket", 1, overview.latency_bucket, deterministic=True)
        _lay_out(connection)
        values = _values(connection, events, now_ms)
        connection.execute(past.BEGINNING, values)
        with _without_indexes(connection):
            for what, statement in past.ROWS.items():
                _tell(connection, what, _stretches(connection, statement, values, STRETCH))
            for what, statement in past.KEYS.items():
                _tell(connection, what, _stretches(connection, statement, values, events))
        for what, script in past.FIGURES.items():
            _tell(connection, what, _at_once(connection, script))
    # In WAL mode, with all that a server sets.
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        store.prepare(connection)


def _lay_out(connection: sqlite3.Connection) -> None:
    values = {"shares": json.dumps(past.SHARES), "sixteenths": json.dumps([*range(16)])}
    for statement in past.TABLES:
        connection.execute(statement, values)
    connection.executemany(past.PHRASES, past.phrases())


def _values(connection: sqlite3.Connection, events: int, now_ms: int) -> dict[str, int]:
    step_ms = max(1, past.SPAN_MS // events)
    first_at = now_ms - events * step_ms
    [(key_id,)] = connection.execute("select min(id) from api_key").fetchall()
    return {
        "count": events,
        "every": max(1, events // past.RARE_EVENTS),
        "first_at": first_at,
        "step_ms": step_ms,
        "first_id": ids.floor(first_at),
        "id_step": ids.floor(first_at + step_ms) - ids.floor(first_at),
        "key_id": key_id,
    }


@contextlib.contextmanager
def _without_indexes(connection: sqlite3.Connection) -> Iterator[None]:
    """Without the indexes of what is large, which are made of all rows at once afterwards."""
    found = connection.execute(
        "select name, sql from sqlite_schema where type = 'index' and sql is not null"
        "   and tbl_name in ('event', 'delivery', 'journal', 'idempotency')"
    ).fetchall()
    for name, _ in found:
        connection.execute(f"drop index {name}")
    yield
    for name, sql in found:
        _tell(connection, name, _at_once(connection, sql))


def _stretches(
    connection: sqlite3.Connection, statement: str, values: Mapping[str, int], stretch: int
) -> Iterator[int]:
    """Write so many events after so many; how many rows each time."""
    count = values["count"]
    for first in range(0, count, stretch):
        bounds = {"first": first, "last": min(first + stretch, count) - 1}
        yield connection.execute(statement, {**values, **bounds}).rowcount


def _at_once(connection: sqlite3.Connection, script: str) -> Iterator[int]:
    connection.executescript(script)
    yield 0


def _tell(connection: sqlite3.Connection, what: str, written: Iterable[int]) -> None:
    """Have something written, and say what it has taken: rows, time, room."""
    began, before, rows = time.perf_counter(), _size(connection), 0
    for number in written:
        rows += number
        if sys.stderr.isatty():
            print(f"{what:<22} {rows:>13,}", end="\r", file=sys.stderr)
    taken, grown = time.perf_counter() - began, _size(connection) - before
    told = f"{rows:,}" if rows else ""
    print(f"{what:<22} {told:>13} {taken:8.1f} s {grown / 1_048_576:9.1f} MiB", file=sys.stderr)


def _size(connection: sqlite3.Connection) -> int:
    asked: Any = "select page_count * page_size from pragma_page_count, pragma_page_size"
    [(size,)] = connection.execute(asked).fetchall()
    return int(size)


def main() -> None:
    """Fill a folder, and say how large it is."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fill", description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--events", type=int, default=EVENTS)
    asked = parser.parse_args()
    if (asked.folder / data_folder.DATABASE).exists():
        parser.error(f"{os.fspath(asked.folder)} has a database already")
    filled = fill(asked.folder, asked.events)
    print(
        f"{asked.events:,} events in {filled.seconds:.0f} s, "
        f"{filled.bytes / 1_048_576:,.0f} MiB: slowping serve --data {asked.folder}"
    )


if __name__ == "__main__":
    main()
