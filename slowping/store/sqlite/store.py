"""Open the database: pragmas, migrations, writer, readers; hand out the four roles."""

import contextlib
import pathlib
import sqlite3
from collections.abc import Iterator
from typing import Final

from slowping.core import errors
from slowping.core.event import Receipt
from slowping.core.ids import IdSource
from slowping.store.port import Entry
from slowping.store.sqlite import failed, inbox, journal, migrate
from slowping.store.sqlite.directory import Directory
from slowping.store.sqlite.inbox import Inbox, keys
from slowping.store.sqlite.journal import Journal
from slowping.store.sqlite.outbox import Outbox
from slowping.store.sqlite.readers import Readers
from slowping.store.sqlite.retention import Retention
from slowping.store.sqlite.secrets import Secrets
from slowping.store.sqlite.subjects import Subjects
from slowping.store.sqlite.writer import PRIMARY, Writer
from slowping.store.vault import Vault

OLDEST_SQLITE: Final = (3, 38, 0)

PATIENCE_S: Final = 1.0
"""How long to wait at the start for another program to unlock the file."""

RESTORE: Final = " Put a copy in its place: slowping restore FILE"
"""The remedy for a damaged database of a server."""

_OF_DAMAGE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PRAGMAS: Final = (
    # FULL syncs the log at each commit: NORMAL loses acknowledged events when the power goes.
    "synchronous = full",
    "busy_timeout = 5000",
    "foreign_keys = on",
    "trusted_schema = off",
    "journal_size_limit = 67108864",
    "cache_size = -4000",
    "mmap_size = 0",
    "cell_size_check = on",
)


class SqliteStore:
    """The four roles on one SQLite file."""

    def __init__(
        self,
        path: pathlib.Path,
        vault: Vault,
        writer: Writer[Entry, Receipt],
        readers: Readers,
        newest_id: int,
        epoch: str,
    ) -> None:
        self.path = path
        self.ids = IdSource(newest_id)
        self._writer = writer
        self._readers = readers
        self.inbox = Inbox(writer, readers, self.ids)
        self.outbox = Outbox(writer, readers)
        self.journal = Journal(writer, readers, Subjects(readers, vault), epoch)
        self.directory = Directory(writer, readers, self.ids, vault)
        self.retention = Retention(path, writer, readers)
        self.secrets = Secrets(writer, readers, self.ids, vault)

    @classmethod
    async def open(
        cls, path: pathlib.Path, vault: Vault, *, patience_s: float = PATIENCE_S
    ) -> "SqliteStore":
        """Open the file, make it if it is not there, and bring it to the newest schema.

        `patience_s` is how long another program may keep it locked.

        Raises:
            StoreUnusable: it cannot be used; the file is left as it was.
        """
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            raise errors.StoreUnusable(
                f"SQLite {sqlite3.sqlite_version} is too old: slowping needs 3.38 or newer."
            )
        with explained(path, remedy=RESTORE), contextlib.ExitStack() as undo:
            look(path, patience_s)
            connection = sqlite3.connect(
                path, patience_s, isolation_level=None, check_same_thread=False
            )
            undo.callback(connection.close)
            prepare(connection)
            keys.begin(connection)
            failed.begin(connection)
            newest_id = inbox.newest_id(connection)
            epoch = journal.epoch(connection)
            readers = await Readers.open(path)
            undo.pop_all()
        writer = Writer(connection, inbox.store_together)
        return cls(path, vault, writer, readers, newest_id, epoch)

    async def close(self) -> None:
        """Write what is left, and let go of the file: the readers first, the writer last."""
        try:
            await self._readers.close()
        finally:
            await self._writer.close()


@contextlib.contextmanager
def explained(path: pathlib.Path, *, remedy: str = "") -> Iterator[None]:
    """Say of whatever goes wrong that it is this database that cannot be used, and why.

    The `remedy` is for one that is damaged.
    """
    try:
        yield
    except errors.StoreUnusable as error:
        end = remedy if isinstance(error, migrate.NoDatabase) else ""
        raise errors.StoreUnusable(f"Cannot use the database {path}. {error}{end}") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise errors.StoreUnusable(f"Cannot use the database {path}: {reason}.") from error
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & PRIMARY
        reason = "another program has locked it" if code == sqlite3.SQLITE_BUSY else str(error)
        end = remedy if code in _OF_DAMAGE else ""
        raise errors.StoreUnusable(f"Cannot use the database {path}: {reason}.{end}") from error


def look(path: pathlib.Path, patience_s: float) -> None:
    """Refuse what is not ours before it is opened for writing, so that it stays as it is.

    Raises:
        StoreUnusable: it is no database, another program's, or a newer slowping's.
    """
    if not path.exists():
        return
    if not path.is_file():
        raise errors.StoreUnusable("It is no file.")
    with path.open("rb") as file:
        start = file.read(migrate.HEADER_LENGTH)
    if not start:
        return
    newest = len(migrate.scripts())
    migrate.check_header(start, newest=newest)
    if path.with_name(f"{path.name}-wal").exists():
        _look_behind_log(path, newest, patience_s)


def _look_behind_log(path: pathlib.Path, newest: int, patience_s: float) -> None:
    """Look at what the header will be once the write-ahead log is folded back."""
    with contextlib.closing(
        sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", patience_s, uri=True)
    ) as connection:
        migrate.check(connection, newest=newest)


def prepare(connection: sqlite3.Connection) -> None:
    """Make a connection the one that writes, and bring the database to the newest schema.

    Raises:
        StoreUnusable: it cannot be brought there, or keeps no write-ahead log.
    """
    connection.row_factory = sqlite3.Row
    connection.execute("pragma auto_vacuum = incremental")  # only before the first page counts
    # A file that can only be read, or that another program writes, is noticed now.
    connection.execute("begin immediate")
    connection.execute("rollback")
    if not connection.execute("select count(*) from sqlite_schema").fetchone()[0]:
        connection.execute(f"pragma application_id = {migrate.APPLICATION_ID}")
    [(mode,)] = connection.execute("pragma journal_mode = wal").fetchall()
    if mode != "wal":
        raise errors.StoreUnusable("Its file system cannot keep a write-ahead log.")
    for pragma in _PRAGMAS:
        connection.execute(f"pragma {pragma}")
    migrate.migrate(connection, migrate.scripts())
    # What a statement may have to undo is kept for as long as it runs. It is little, but as files
    # it would cost more than what is written. Making an index of many rows is not little.
    connection.execute("pragma temp_store = memory")
