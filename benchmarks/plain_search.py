"""Baseline: events found by a word with nothing but SQLite's own full-text index."""

import contextlib
import pathlib
import sqlite3
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Final

TIMES: Final = 21

# No text is kept twice, so that the index is what it would have to be in a server.
_MAKE: Final = """
create virtual table text using fts5(description, fields, content='');
insert into text (rowid, description, fields)
select id,
       description,
       (select group_concat(value, ' ') from json_each(event.fields) where type = 'text')
  from source.event;
insert into text (text) values ('optimize');
"""

_NEWEST: Final = """
select event.id, event.description, event.fields
  from (select rowid from text where text match ? order by rowid desc limit 50) as found
  join source.event on event.id = found.rowid
"""


class PlainSearch:
    """An index of all events of a database, in a file beside it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def newest(self, word: str) -> Sequence[tuple[int, str, str]]:
        """The newest page of events with a word: their ids, descriptions and fields."""
        return self._connection.execute(_NEWEST, (word,)).fetchall()

    def ms(self, word: str) -> float:
        """How long that takes, in milliseconds: the median."""
        taken = []
        for _ in range(TIMES):
            began = time.perf_counter()
            self.newest(word)
            taken.append(1000 * (time.perf_counter() - began))
        return statistics.median(taken)


@contextlib.contextmanager
def indexed(database: pathlib.Path, path: pathlib.Path) -> Iterator[PlainSearch]:
    """Make the index at a path, and search by it."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("pragma synchronous = off")
        connection.execute("attach ? as source", (str(database),))
        began = time.perf_counter()
        connection.executescript(f"begin; {_MAKE} commit;")
        seconds, mib = time.perf_counter() - began, path.stat().st_size / 1_048_576
        print(f"plain full-text index      {seconds:8.1f} s {mib:9.1f} MiB", file=sys.stderr)
        yield PlainSearch(connection)
