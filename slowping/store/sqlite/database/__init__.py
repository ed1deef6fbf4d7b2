"""What is done to an SQLite database as a whole: a file for each deed, all at hand here.

None of them may run on a file that is open for writing, but for copying and looking it over.
"""

import pathlib
import sqlite3

from slowping.store.port.database import Contents, Examination, Step
from slowping.store.sqlite.database import backup, examine, renew, restore


class SqliteDatabase:
    """The database at a path."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path

    @property
    def faults(self) -> tuple[str, ...]:
        """What is known to be wrong with this SQLite."""
        return examine.known_faults(sqlite3.sqlite_version_info)

    def copy(self, target: pathlib.Path, *, step: Step, still: bool = False) -> None:
        """Write a copy as of this moment into a new file."""
        backup.copy(self._path, target, step, still=still)

    def verify(self) -> Contents:
        """Look at every page and reference."""
        return backup.verify(self._path)

    def outline(self) -> Contents:
        """What it holds, however sound it is."""
        return backup.outline(self._path)

    def put_back(self, copy: pathlib.Path, *, stamp: str, step: Step) -> pathlib.Path | None:
        """Put a copy in the place of the database; where the old one lies now."""
        return restore.put_back(copy, self._path, stamp, step)

    def migrate(self, *, stamp: str, step: Step) -> pathlib.Path | None:
        """Bring it to the newest schema; where a copy of the old one lies, if it was older."""
        return renew.migrate(self._path, stamp, step)

    def examine(self, *, thorough: bool) -> Examination:
        """Look it over, whoever is at work on it."""
        return examine.examine(self._path, thorough=thorough)
