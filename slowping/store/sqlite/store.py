"""Open the database: pragmas, migrations, writer, readers; hand out the four roles."""

import pathlib
import sqlite3
from typing import Any, Final

from slowping.core import errors
from slowping.core.ids import IdSource
from slowping.store.sqlite import inbox, migrate
from slowping.store.sqlite.directory import Directory
from slowping.store.sqlite.inbox import Inbox
from slowping.store.sqlite.journal import Journal
from slowping.store.sqlite.outbox import Outbox
from slowping.store.sqlite.readers import Readers
from slowping.store.sqlite.writer import Writer
from slowping.store.vault import Vault

OLDEST_SQLITE: Final = (3, 38, 0)
_HEADER: Final = b"SQLite format 3\0"

_PRAGMAS: Final = (
    # FULL syncs the log at each commit: NORMAL loses acknowledged events when the power goes.
    "synchronous = full",
    "busy_timeout = 5000",
    "foreign_keys = on",
    "trusted_schema = off",
    "journal_size_limit = 67108864",
    "cache_size = -8000",
    "mmap_size = 0",
    "cell_size_check = on",
)


class SqliteStore:
    """The four roles on one SQLite file."""

    def __init__(self, path: pathlib.Path, vault: Vault, parts: "_Parts") -> None:
        self.path = path
        self.ids = IdSource(parts.newest_id)
        self._writer = parts.writer
        self._readers = parts.readers
        self.inbox = Inbox(parts.writer, parts.readers, self.ids)
        self.outbox = Outbox(parts.writer, parts.readers)
        self.journal = Journal(parts.readers)
        self.directory = Directory(parts.writer, parts.readers, self.ids, vault)

    @classmethod
    async def open(cls, path: pathlib.Path, vault: Vault) -> "SqliteStore":
        """Open the file, make it if it is not there, and bring it to the newest schema.

        Raises:
            StoreUnusable: it cannot be used; the file is left as it was.
        """
        connection = _connect(path)
        newest_id = inbox.newest_id(connection)
        readers = await Readers.open(path)
        writer = Writer(connection, inbox.store_together)
        return cls(path, vault, _Parts(writer, readers, newest_id))

    async def close(self) -> None:
        """Write what is left, and let go of the file: the readers first, the writer last."""
        await self._readers.close()
        await self._writer.close()


class _Parts:
    def __init__(self, writer: Writer[Any, Any], readers: Readers, newest_id: int) -> None:
        self.writer = writer
        self.readers = readers
        self.newest_id = newest_id


def _connect(path: pathlib.Path) -> sqlite3.Connection:
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise errors.StoreUnusable(
            f"SQLite {sqlite3.sqlite_version} is too old: slowping needs 3.38 or newer."
        )
    try:
        _look(path)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise errors.StoreUnusable(f"Cannot open the database {path}: {error}.") from error
    try:
        _prepare(connection)
    except errors.StoreUnusable as error:
        connection.close()
        raise errors.StoreUnusable(f"Cannot use the database {path}. {error}") from error
    except sqlite3.Error as error:
        connection.close()
        raise errors.StoreUnusable(f"Cannot use the database {path}: {error}.") from error
    return connection


def _look(path: pathlib.Path) -> None:
    """Refuse what is not ours while it is only read, so that it stays as it is."""
    if not path.exists() or not path.stat().st_size:
        return
    with path.open("rb") as file:
        if file.read(len(_HEADER)) != _HEADER:
            raise errors.StoreUnusable(f"Cannot use {path}: it is no SQLite database.")
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        migrate.check(connection)
    except errors.StoreUnusable as error:
        raise errors.StoreUnusable(f"Cannot use the database {path}. {error}") from error
    finally:
        connection.close()


def _prepare(connection: sqlite3.Connection) -> None:
    connection.row_factory = sqlite3.Row
    if not connection.execute("select count(*) from sqlite_schema").fetchone()[0]:
        connection.execute("pragma auto_vacuum = incremental")
        connection.execute(f"pragma application_id = {migrate.APPLICATION_ID}")
    connection.execute("pragma journal_mode = wal")
    for pragma in _PRAGMAS:
        connection.execute(f"pragma {pragma}")
    migrate.migrate(connection)
