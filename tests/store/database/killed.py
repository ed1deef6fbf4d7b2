"""Do something to copies of a folder, each time killed a deed later: `killed.py DEED FOLDER`.

A deed is what Python tells its auditors of: that a file is opened, renamed, linked or removed, or
that a database is connected to; and each two hundred instructions that SQLite runs. `FOLDER/0` is
what is begun with, `FOLDER/1` is left by whom was killed before his first deed, and so on; the last
one was not killed any more. For `put_back`, `FOLDER/copy.db` is what is put back.
"""

import itertools
import os
import pathlib
import shutil
import signal
import sqlite3
import sys
from typing import Any

from slowping.store.sqlite.database import SqliteDatabase

_DEEDS = {"os.rename", "os.remove", "os.link", "open", "sqlite3.connect"}
_INSTRUCTIONS = 200
_connect = sqlite3.connect


def main() -> None:
    """Run until nobody is killed any more."""
    deed, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    for deeds in itertools.count(1):
        shutil.copytree(folder / "0", folder / str(deeds))
        child = os.fork()
        if child == 0:
            _run(deed, folder, deeds)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            sys.exit(os.waitstatus_to_exitcode(status))


def _run(deed: str, folder: pathlib.Path, left: int) -> None:
    database = SqliteDatabase(folder / str(left) / "slowping.db")
    killer = _Killer(left)
    sys.addaudithook(killer)
    sqlite3.connect = killer.connect  # type: ignore[assignment]  # of this process alone
    if deed == "put_back":
        database.put_back(folder / "copy.db", stamp="now", step=_silent)
    else:
        database.migrate(stamp="now", step=_silent)


def _silent(copied: int, total: int) -> None:
    pass


class _Killer:
    def __init__(self, left: int) -> None:
        self._left = left

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        del arguments
        if event in _DEEDS:
            self._count()

    def connect(self, *arguments: Any, **options: Any) -> sqlite3.Connection:
        """A connection that counts its instructions."""
        connection: sqlite3.Connection = _connect(*arguments, **options)
        connection.set_progress_handler(self._count, _INSTRUCTIONS)
        return connection

    def _count(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
