"""Bring a database to the newest schema: numbered files, in order, each once."""

import importlib.resources
import sqlite3
from typing import Final

from slowping.core import errors

APPLICATION_ID: Final = 0x736C7067  # "slpg"


def migrate(connection: sqlite3.Connection) -> None:
    """Apply each file that is newer than the database, each in a transaction of its own.

    Raises:
        StoreUnusable: the database is of a newer slowping, or of another program.
    """
    scripts = _scripts()
    version = check(connection, newest=len(scripts))
    for number, script in enumerate(scripts[version:], start=version + 1):
        try:
            connection.executescript(
                f"begin immediate;\n{script}\npragma user_version = {number};\ncommit;"
            )
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("rollback")
            raise errors.StoreUnusable(
                f"The database could not be brought to version {number}: {error}."
            ) from error


def check(connection: sqlite3.Connection, *, newest: int | None = None) -> int:
    """The version of a database's schema; 0 for an empty one. Nothing is written.

    Raises:
        StoreUnusable: the database is of a newer slowping, or of another program.
    """
    newest = len(_scripts()) if newest is None else newest
    [(owner,)] = connection.execute("pragma application_id").fetchall()
    [(version,)] = connection.execute("pragma user_version").fetchall()
    [(things,)] = connection.execute("select count(*) from sqlite_schema").fetchall()
    if owner != APPLICATION_ID and (things or owner or version):
        raise errors.StoreUnusable("It is a database of another program.")
    if version > newest:
        raise errors.StoreUnusable(
            f"Its schema has version {version}, and this slowping knows {newest} at most. "
            "Install the newer slowping that wrote it."
        )
    return int(version)


def _scripts() -> list[str]:
    folder = importlib.resources.files("slowping.store.sqlite") / "migrations"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(folder / name).read_text(encoding="utf-8") for name in names]
