"""See how far figures and search lag behind what comes in."""

import contextlib
import pathlib
import sqlite3
import threading
import time
from collections.abc import Iterator
from typing import Final

LOOK_EVERY_S: Final = 0.1

_OLDEST_AHEAD: Final = """
select max((select journal.at
              from journal
             where journal.seq > cast(meta.value as integer)
             order by journal.seq
             limit 1) * -1 + ?) as lag_ms
  from meta
 where key in ('rolled_up', 'searchable')
"""


class Lag:
    """The longest that anything that was accepted had not been followed."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    def look(self, connection: sqlite3.Connection) -> None:
        """See how old the oldest is that was not followed."""
        now_ms = time.time_ns() // 1_000_000
        [(lag_ms,)] = connection.execute(_OLDEST_AHEAD, (now_ms,)).fetchall()
        self.longest_s = max(self.longest_s, (lag_ms or 0) / 1000)


@contextlib.contextmanager
def watched(database: pathlib.Path) -> Iterator[Lag]:
    """Look at a server's database now and then, in a thread, until the context ends."""
    lag, over = Lag(), threading.Event()

    def look() -> None:
        address = f"{database.absolute().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(address, uri=True)) as connection:
            while not over.wait(LOOK_EVERY_S):
                lag.look(connection)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield lag
    finally:
        over.set()
        thread.join()
