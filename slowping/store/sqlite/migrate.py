"""Bring a database to the newest schema: numbered files, in order, each once."""

import importlib.resources
import sqlite3
from collections.abc import Sequence
from typing import Final

from slowping.core import errors

APPLICATION_ID: Final = 0x736C7067  # "slpg"

HEADER_LENGTH: Final = 100
_MAGIC: Final = b"SQLite format 3\0"
_VERSION: Final = slice(60, 64)
_OWNER: Final = slice(68, 72)  # https://www.sqlite.org/fileformat.html#the_database_header


class NoDatabase(errors.StoreUnusable):
    """What stands in the place of a database is none, or none any more."""


def scripts() -> list[str]:
    """The SQL of every version, from the first on."""
    folder = importlib.resources.files("slowping.store.sqlite") / "migrations"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(folder / name).read_text(encoding="utf-8") for name in names]


def migrate(connection: sqlite3.Connection, steps: Sequence[str]) -> None:
    """Apply each step that is newer than the database, each in a transaction of its own.

    Raises:
        StoreUnusable: the database is of a newer slowping, or a step fails.
    """
    version = check(connection, newest=len(steps))
    for number, script in enumerate(steps[version:], start=version + 1):
        try:
            connection.executescript(
                f"begin immediate;\n{script}\npragma user_version = {number};\ncommit;"
            )
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("rollback")
            raise errors.StoreUnusable(
                f"It could not be brought to version {number}: {error}."
            ) from error


def check(connection: sqlite3.Connection, *, newest: int) -> int:
    """The version of a database's schema; 0 for a new one. Nothing is written.

    Raises:
        StoreUnusable: the database is of a newer slowping, or of another program.
    """
    [(owner,)] = connection.execute("pragma application_id").fetchall()
    [(version,)] = connection.execute("pragma user_version").fetchall()
    _require_ours(owner)
    _require_known(version, newest)
    return int(version)


def check_header(start: bytes, *, newest: int) -> None:
    """Look at the first `HEADER_LENGTH` bytes of a file that is not empty.

    The version in them may be an older one, where the newest still stands in a write-ahead log.

    Raises:
        StoreUnusable: the file is no database, or one of another program or a newer slowping.
    """
    if len(start) < HEADER_LENGTH or not start.startswith(_MAGIC):
        raise NoDatabase("It is no SQLite database.")
    _require_ours(int.from_bytes(start[_OWNER], "big"))
    _require_known(int.from_bytes(start[_VERSION], "big"), newest)


def _require_ours(owner: int) -> None:
    if owner != APPLICATION_ID:
        raise errors.StoreUnusable("It is a database of another program.")


def _require_known(version: int, newest: int) -> None:
    if version > newest:
        raise errors.StoreUnusable(
            f"Its schema has version {version}, and this slowping knows {newest} at most. "
            "Install the newer slowping that wrote it."
        )
