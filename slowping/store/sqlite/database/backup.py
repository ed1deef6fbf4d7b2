"""Copy a database while it is written, and see whether a copy is whole."""

import contextlib
import errno
import os
import pathlib
import sqlite3
from collections.abc import Iterator
from typing import Final

from slowping.core import errors
from slowping.store.port.database import Contents, Step
from slowping.store.sqlite import migrate
from slowping.store.sqlite.store import explained

_PAGES: Final = 256
"""Pages of a step: a mebibyte, unless somebody has chosen larger pages."""

_SYNC_EVERY: Final = 32
"""Steps between syncs: a large one at the end would hold up those that senders wait for."""

_MOST_DAMAGE: Final = 5

_CONTENTS: Final = """
select (select count(*) from event) as events,
       (select received_at from event order by id desc limit 1) as newest_event_at,
       (select count(*) from delivery where state in ('pending', 'leased')) as waiting,
       exists (select 1 from channel where secrets is not null and removed_at is null)
           as has_secrets,
       (select page_count * page_size from pragma_page_count, pragma_page_size) as size
"""


# A view of such a name could be one without an end; virtual tables have no root.
_TABLES: Final = """
select count(*)
  from sqlite_schema
 where type = 'table' and rootpage > 0 and name in ('event', 'delivery', 'channel')
"""


def copy(source: pathlib.Path, target: pathlib.Path, step: Step, *, still: bool = False) -> None:
    """Copy all that is committed now; what is written meanwhile goes on beside.

    A read transaction holds the view: without it each commit of another connection would begin
    the copy anew. The log grows meanwhile, since it cannot be folded back past the view.

    Raises:
        StoreUnusable: it cannot be read, or there is no room; nothing is left of the copy.
    """
    with writing_new(target) as descriptor, explained(source):
        with (
            contextlib.closing(reading(source, still=still)) as connection,
            contextlib.closing(sqlite3.connect(target, isolation_level=None)) as made,
        ):
            # Until the copy is whole it is worth nothing, so that nothing guards it half done.
            made.execute("pragma journal_mode = off")
            made.execute("pragma synchronous = off")
            connection.execute("begin")
            [(size,)] = connection.execute("pragma page_size").fetchall()
            connection.execute("select 1 from sqlite_schema limit 1").fetchall()
            told = _Progress(descriptor, size, step)
            connection.backup(made, pages=_PAGES, progress=told)
            # One file, which needs no log beside it to be read.
            made.execute("pragma journal_mode = delete")
        os.fsync(descriptor)


def verify(path: pathlib.Path) -> Contents:
    """What a database holds in which every page and reference is as it should be.

    Raises:
        StoreUnusable: it is damaged, another program's, a newer slowping's, or empty.
    """
    with explained(path):
        require_ours(path)
        with contextlib.closing(reading(path, still=True)) as connection:
            if migrate.check(connection, newest=len(migrate.scripts())) == 0:
                raise errors.StoreUnusable("There is nothing in it.")
            if connection.execute(_TABLES).fetchone()[0] != 3:
                raise errors.StoreUnusable("Its tables are none of slowping's.")
            if damage := damage_of(connection, thorough=True):
                raise errors.StoreUnusable(f"It is damaged: {'; '.join(damage)}.")
            return contents(connection)


def outline(path: pathlib.Path) -> Contents:
    """What a database holds that nothing writes now.

    Raises:
        StoreUnusable: it cannot be read.
    """
    with explained(path), contextlib.closing(reading(path, still=True)) as connection:
        return contents(connection)


def require_ours(path: pathlib.Path) -> None:
    """Look at the first bytes of a file that nothing has open.

    Raises:
        StoreUnusable: it is no database, another program's, or a newer slowping's.
    """
    with path.open("rb") as file:
        start = file.read(migrate.HEADER_LENGTH)
    migrate.check_header(start, newest=len(migrate.scripts()))


def damage_of(connection: sqlite3.Connection, *, thorough: bool) -> tuple[str, ...]:
    """What is wrong with pages, indexes and references; `thorough` compares indexes with rows."""
    pragma = "integrity_check" if thorough else "quick_check"
    found = [row[0] for row in connection.execute(f"pragma {pragma}({_MOST_DAMAGE})")]
    damage = [] if found == ["ok"] else found
    if thorough and connection.execute("pragma foreign_key_check").fetchone():
        damage.append("rows refer to others that are gone")
    return tuple(damage)


def contents(connection: sqlite3.Connection) -> Contents:
    """What it holds, in short."""
    [row] = connection.execute(_CONTENTS).fetchall()
    [(schema,)] = connection.execute("pragma user_version").fetchall()
    held = {**dict(row), "has_secrets": bool(row["has_secrets"])}
    return Contents(schema=schema, **held)


def reading(path: pathlib.Path, *, still: bool = False) -> sqlite3.Connection:
    """A connection that reads only.

    Who knows that nobody begins to write to the file meanwhile says that it is `still`: then
    nothing is left beside it, and it may lie where nothing can be written.
    """
    alone = still and not path.with_name(f"{path.name}-wal").exists()
    address = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if alone else ''}"
    connection = sqlite3.connect(address, uri=True, isolation_level=None)
    connection.row_factory = sqlite3.Row
    for pragma in ("query_only = on", "busy_timeout = 5000", "trusted_schema = off"):
        connection.execute(f"pragma {pragma}")
    return connection


@contextlib.contextmanager
def writing_new(path: pathlib.Path) -> Iterator[int]:
    """Make a file for its owner alone, and take it away again where the block fails.

    It stays open until the end: closing it any sooner would drop the locks that SQLite has on it.
    """
    try:
        forget(path)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise errors.StoreUnusable(f"Cannot write {path}: {error.strerror}.") from error
    try:
        yield descriptor
    except BaseException as error:
        forget(path)
        if _is_full(error) or _is_full(error.__cause__):
            raise errors.StoreUnusable(f"There is no room for a copy in {path.parent}.") from error
        raise
    finally:
        os.close(descriptor)


def give_to_owner(path: pathlib.Path) -> None:
    """Leave what root puts into a folder to the user that the folder belongs to."""
    folder = path.parent.stat()
    if os.geteuid() == 0:
        os.chown(path, folder.st_uid, folder.st_gid, follow_symlinks=False)


def forget(path: pathlib.Path) -> None:
    """Remove a copy that was begun, with what SQLite may have left beside it."""
    for suffix in ("", "-journal", "-wal", "-shm"):
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)


def sync_folder(folder: pathlib.Path) -> None:
    """Bring the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _Progress:
    """Syncs what was copied now and then, and tells of each step."""

    def __init__(self, descriptor: int, page_size: int, step: Step) -> None:
        self._descriptor = descriptor
        self._page_size = page_size
        self._step = step
        self._steps = 0

    def __call__(self, status: int, remaining: int, total: int) -> None:
        del status
        self._steps += 1
        if self._steps % _SYNC_EVERY == 0:
            os.fdatasync(self._descriptor)
        self._step((total - remaining) * self._page_size, total * self._page_size)


def _is_full(error: BaseException | None) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    # A limit on the size of files comes as a failed write.
    codes = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE)
    return getattr(error, "sqlite_errorcode", None) in codes
