"""Baseline for arrays: SQLite alone writes the rows of one array again and again."""

import contextlib
import pathlib
import sqlite3
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from slowping.core import ids
from slowping.store.sqlite import store
from slowping.store.sqlite.inbox import keys

Row = tuple[Any, ...]

_NEWEST: Final = "select max(first_event_id) from idempotency"
_ITS_ROWS: Final[Mapping[str, str]] = {
    "idempotency": "select * from idempotency where first_event_id = :first",
    "event": "select * from event where id between :first and :last",
    "journal": """
        select at, kind, project_id, category_id, subject_id
          from journal
         where kind = 'event.accepted' and subject_id between :first and :last
    """,
    "delivery": "select * from delivery where event_id between :first and :last",
}
_IDS: Final = frozenset({"id", "event_id", "first_event_id", "subject_id"})
_COUNT_USAGE: Final = "update usage set events = events + :events where project_id = :project_id"


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """What one array has put into a table."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Row]

    @property
    def insert(self) -> str:
        """The statement that takes such a row."""
        places = ", ".join("?" * len(self.columns))
        return f"insert into {self.name} ({', '.join(self.columns)}) values ({places})"

    def later(self, by_ms: int) -> list[Row]:
        """The rows as they are of an array so many milliseconds later, with a key of its own."""
        shift = by_ms * (ids.COUNTER + 1)
        return [
            tuple(
                value + shift if column in _IDS else f"{by_ms:019d}" if column == "key" else value
                for column, value in zip(self.columns, row, strict=True)
            )
            for row in self.rows
        ]


class Rewriter:
    """Writes one array at a time with `executemany`, each in a transaction that is synced."""

    def __init__(self, database: pathlib.Path) -> None:
        """Own a copy of a server's database, and repeat the newest array in it."""
        self._connection = sqlite3.connect(database, isolation_level=None)
        store.prepare(self._connection)
        keys.begin(self._connection)
        while keys.fold(self._connection):
            pass
        self._tables = newest_array(self._connection)
        [event] = [table for table in self._tables if table.name == "event"]
        self._events = len(event.rows)
        self._project_id = event.rows[0][event.columns.index("project_id")]
        self._number = 0

    def rate(self, seconds: float) -> float:
        """Events a second; rows are made ready beside the clock."""
        written, taken = 0, 0.0
        while taken < seconds:
            taken += self.write()
            written += self._events
        return written / taken

    def write(self) -> float:
        """Write the array once more; how many seconds it took."""
        self._number += 1
        ready = [(table.insert, table.later(self._number)) for table in self._tables]
        connection = self._connection
        started = time.perf_counter()
        connection.execute("begin immediate")
        for insert, rows in ready:
            connection.executemany(insert, rows)
        count = {"events": self._events, "project_id": self._project_id}
        connection.execute(_COUNT_USAGE, count)
        connection.execute("commit")
        return time.perf_counter() - started

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()


def copy(database: pathlib.Path, to: pathlib.Path) -> None:
    """Copy a database that is at work."""
    address = f"file:{database}?mode=ro"
    with (
        contextlib.closing(sqlite3.connect(address, uri=True)) as source,
        contextlib.closing(sqlite3.connect(to)) as target,
    ):
        source.backup(target)


def newest_array(connection: sqlite3.Connection) -> list[Table]:
    """What the newest request with an idempotency key has written, in the order of the tables."""
    [(first,)] = connection.execute(_NEWEST)
    [(count,)] = connection.execute(
        "select event_count from idempotency where first_event_id = ?", (first,)
    )
    events = {"first": first, "last": first + count - 1}
    tables = []
    for name, query in _ITS_ROWS.items():
        found = connection.execute(query, events)
        columns = [column[0] for column in found.description]
        tables.append(Table(name=name, columns=columns, rows=[tuple(row) for row in found]))
    return tables
