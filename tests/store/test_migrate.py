import pathlib
import sqlite3
from collections.abc import Iterator, Mapping

import pytest

from slowping.core import errors
from slowping.store.sqlite import migrate

FIRST = "create table one (value integer) strict;"
SECOND = "create table two (value integer) strict;"


@pytest.fixture
def connection(tmp_path: pathlib.Path) -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(tmp_path / "new.db", isolation_level=None)
    opened.execute(f"pragma application_id = {migrate.APPLICATION_ID}")
    yield opened
    opened.close()


def state(connection: sqlite3.Connection) -> tuple[int, list[str]]:
    """The version of a database, and its tables."""
    [(version,)] = connection.execute("pragma user_version")
    return version, [row[0] for row in connection.execute("select name from sqlite_schema")]


def test_a_new_database_goes_through_every_step(connection: sqlite3.Connection) -> None:
    migrate.migrate(connection, [FIRST, SECOND])
    assert state(connection) == (2, ["one", "two"])


def test_an_older_database_goes_through_the_steps_it_lacks(connection: sqlite3.Connection) -> None:
    migrate.migrate(connection, [FIRST])
    connection.execute("insert into one values (7)")
    migrate.migrate(connection, [FIRST, SECOND])
    assert state(connection) == (2, ["one", "two"])
    assert connection.execute("select value from one").fetchall() == [(7,)]


def test_the_newest_database_stays_as_it_is(connection: sqlite3.Connection) -> None:
    migrate.migrate(connection, [FIRST])
    before = connection.total_changes
    migrate.migrate(connection, [FIRST])
    assert (state(connection), connection.total_changes) == ((1, ["one"]), before)


@pytest.mark.parametrize(
    "broken", ["create table two (value integer); create table one (value integer);", "nonsense;"]
)
def test_a_step_that_fails_leaves_nothing_behind(
    connection: sqlite3.Connection, broken: str
) -> None:
    with pytest.raises(errors.StoreUnusable, match="could not be brought to version 2"):
        migrate.migrate(connection, [FIRST, broken])
    assert not connection.in_transaction
    assert state(connection) == (1, ["one"])
    migrate.migrate(connection, [FIRST, SECOND])
    assert state(connection) == (2, ["one", "two"])


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ("application_id = 1", "another program"),
        ("user_version = 3", "version 3, and this slowping knows 2 at most"),
    ],
)
def test_a_database_that_is_not_ours_is_left_alone(
    connection: sqlite3.Connection, setting: str, problem: str
) -> None:
    connection.execute(f"pragma {setting}")
    before = state(connection)
    with pytest.raises(errors.StoreUnusable, match=problem):
        migrate.migrate(connection, [FIRST, SECOND])
    assert state(connection) == before


def _header(*, owner: int = migrate.APPLICATION_ID, version: int = 1) -> bytes:
    zeros = bytes(migrate.HEADER_LENGTH)
    magic = b"SQLite format 3\0"
    return b"".join(
        (magic, zeros[16:60], version.to_bytes(4, "big"), zeros[64:68], owner.to_bytes(4, "big"),
         zeros[72:])
    )  # fmt: skip


def test_the_header_of_our_own_file_is_good() -> None:
    migrate.check_header(_header(), newest=1)


@pytest.mark.parametrize(
    ("start", "problem"),
    [
        (b"x" * 100, "no SQLite database"),
        (_header()[:99], "no SQLite database"),
        (_header(owner=0), "another program"),
        (_header(owner=7), "another program"),
        (_header(version=2), "version 2, and this slowping knows 1 at most. Install the newer"),
    ],
)
def test_other_headers_are_refused(start: bytes, problem: str) -> None:
    with pytest.raises(errors.StoreUnusable, match=problem):
        migrate.check_header(start, newest=1)


def test_steps_are_numbered_without_a_gap() -> None:
    folder = pathlib.Path(migrate.__file__).parent / "migrations"
    numbers = [int(file.name[:4]) for file in sorted(folder.glob("*.sql"))]
    assert numbers == list(range(1, len(migrate.scripts()) + 1))


def _tables() -> Mapping[str, bool]:
    """Our own tables, and whether each is strict; what a text index consists of is SQLite's."""
    with sqlite3.connect(":memory:") as made:
        for script in migrate.scripts():
            made.executescript(script)
        found = made.execute(
            "select name, strict from pragma_table_list"
            " where schema = 'main' and type = 'table' and name not glob 'sqlite_*'"
        ).fetchall()
    made.close()
    return {name: bool(strict) for name, strict in found}


@pytest.mark.parametrize("name", _tables())
def test_every_table_is_strict(name: str) -> None:
    assert _tables()[name]
