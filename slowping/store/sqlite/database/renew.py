"""Bring a database to the newest schema without serving it, after a copy was made."""

import contextlib
import pathlib
import sqlite3

from slowping.store.port.database import Step
from slowping.store.sqlite import migrate as migrations
from slowping.store.sqlite.database import backup
from slowping.store.sqlite.store import PATIENCE_S, explained, look, prepare


def migrate(database: pathlib.Path, stamp: str, step: Step) -> pathlib.Path | None:
    """Bring it there; where the copy of the old one lies, None where it was the newest already.

    Raises:
        StoreUnusable: it cannot be used; it is left as it was.
    """
    newest = len(migrations.scripts())
    with explained(database):
        look(database, PATIENCE_S)
        with contextlib.closing(backup.reading(database, still=True)) as connection:
            version = migrations.check(connection, newest=newest)
    if version == newest:
        return None
    kept = database.with_name(f"{database.name}.schema-{version}-{stamp}")
    draft = kept.with_name(f"{database.name}.new")
    backup.copy(database, draft, step, still=True)
    with explained(database):
        backup.give_to_owner(draft)
        draft.replace(kept)
        backup.sync_folder(kept.parent)
        with contextlib.closing(
            sqlite3.connect(database, PATIENCE_S, isolation_level=None)
        ) as connection:
            prepare(connection)
    return kept
