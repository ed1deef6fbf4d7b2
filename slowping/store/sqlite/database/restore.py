"""Put a copy in the place of a database, so that at every moment one of the two stands."""

import contextlib
import os
import pathlib
import shutil
import sqlite3
from typing import Final

from slowping.core import errors
from slowping.store.port.database import Step
from slowping.store.sqlite.database import backup
from slowping.store.sqlite.store import explained

_TRIGGERS: Final = "select name from sqlite_schema where type = 'trigger'"


def put_back(
    copy: pathlib.Path, database: pathlib.Path, stamp: str, step: Step
) -> pathlib.Path | None:
    """Put the copy there; where the old database lies now.

    What was claimed when the copy was made is freed by the next start, which records the attempt
    as lost: it may well have arrived.

    Raises:
        StoreUnusable: it cannot be done; the old database stands.
    """
    draft = database.with_name(f"{database.name}.new")
    backup.copy(copy, draft, step, still=True)
    with explained(database):
        try:
            _begin_anew(draft)
            backup.give_to_owner(draft)
            kept = _set_aside(database, database.with_name(f"{database.name}.before-{stamp}"))
            draft.replace(database)
        except BaseException:
            backup.forget(draft)
            raise
        backup.sync_folder(database.parent)
    return kept


def _begin_anew(draft: pathlib.Path) -> None:
    """Take the epoch away: the journal will give out numbers anew that some readers have seen.

    Raises:
        StoreUnusable: something would happen beside what slowping does there.
    """
    with contextlib.closing(sqlite3.connect(draft, isolation_level=None)) as connection:
        for (name,) in connection.execute(_TRIGGERS):
            raise errors.StoreUnusable(
                f"It has a trigger, {name}, which is none of slowping's: it could change whatever "
                "is written. Drop it in the copy, if it is yours."
            )
        connection.execute("pragma synchronous = full")
        connection.execute("delete from meta where key = 'epoch'")


def _set_aside(database: pathlib.Path, kept: pathlib.Path) -> pathlib.Path | None:
    """Give the old database a second name, under which it stays.

    Its log must be gone before another database has its name: it would be taken for its own.
    """
    if not database.exists():
        return None
    log = database.with_name(f"{database.name}-wal")
    is_sound = _fold(database)
    if is_sound and log.exists():
        raise errors.StoreUnusable("Another program has it open.")
    _name_also(database, kept)
    if log.exists() and log.stat().st_size:
        _name_also(log, kept.with_name(f"{kept.name}-wal"))
    log.unlink(missing_ok=True)
    database.with_name(f"{database.name}-shm").unlink(missing_ok=True)
    backup.sync_folder(database.parent)
    return kept


def _fold(database: pathlib.Path) -> bool:
    """Fold the write-ahead log back into its database; False where that is too damaged for it."""
    try:
        # SQLite would remove the log of what it takes for no database.
        backup.require_ours(database)
        with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as connection:
            connection.execute("pragma wal_checkpoint(truncate)").fetchall()
    except errors.StoreUnusable:
        return False
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


def _name_also(path: pathlib.Path, other: pathlib.Path) -> None:
    """Give a file a second name; where the file system knows no such thing, a copy gets it."""
    try:
        os.link(path, other)
    except FileExistsError:
        raise
    except OSError:
        shutil.copy2(path, other)
        with other.open("rb") as file:
            os.fsync(file.fileno())
