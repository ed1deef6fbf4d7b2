import sqlite3
from collections.abc import Callable

import pytest

from slowping.core import ids
from slowping.core.project import NewProject
from slowping.store.port import Store
from slowping.store.sqlite.store import SqliteStore
from tests.store.samples import NOW

Told = Callable[[], list[tuple[str, int]]]


@pytest.fixture
async def project_id(store: Store) -> int:
    """The project `shop`."""
    project = await store.directory.create_project(NewProject(name="shop"), now=NOW)
    return ids.decode(ids.PROJECT, project.id)


@pytest.fixture
async def other_id(store: Store) -> int:
    """The project `other`."""
    project = await store.directory.create_project(NewProject(name="other"), now=NOW)
    return ids.decode(ids.PROJECT, project.id)


@pytest.fixture
def told(store: SqliteStore) -> Told:
    """Reads the journal: kind and subject of the lines that came since it was last read."""
    seen = 0

    def read() -> list[tuple[str, int]]:
        nonlocal seen
        connection = sqlite3.connect(store.path)
        lines = connection.execute(
            "select seq, kind, subject_id from journal where seq > ? order by seq", (seen,)
        ).fetchall()
        connection.close()
        seen = lines[-1][0] if lines else seen
        return [(kind, subject) for _, kind, subject in lines]

    return read
