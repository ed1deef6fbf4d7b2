import contextlib
import sqlite3
import time
from collections.abc import Iterator

import pytest

from benchmarks.lag import Lag
from slowping.store.sqlite import migrate


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(":memory:")) as made:
        for script in migrate.scripts():
            made.executescript(script)
        yield made


def test_the_longest_lag_is_kept(connection: sqlite3.Connection) -> None:
    lag, now = Lag(), time.time_ns() // 1_000_000
    connection.execute(
        "insert into journal (at, kind) values (?, 'event.accepted'), (?, 'event.accepted')",
        (now - 60_000, now - 30_000),
    )
    connection.execute("update meta set value = '1' where key = 'rolled_up'")
    lag.look(connection)
    assert 60 <= lag.longest_s < 90
    connection.execute("update meta set value = '2' where key in ('rolled_up', 'searchable')")
    lag.look(connection)
    assert 60 <= lag.longest_s < 90


def test_where_all_is_followed_there_is_none(connection: sqlite3.Connection) -> None:
    lag = Lag()
    lag.look(connection)
    assert lag.longest_s == 0
