import sqlite3
from pathlib import Path

import pytest

from slowping.server.process import data_folder
from slowping.store.sqlite import migrate
from slowping.store.sqlite.database import SqliteDatabase
from tests.cli.keep.folder import files, left_by_a_server, run


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A data folder with a database of the first schema."""
    folder = tmp_path / "data"
    folder.mkdir()
    made = sqlite3.connect(folder / data_folder.DATABASE, isolation_level=None)
    made.execute(f"pragma application_id = {migrate.APPLICATION_ID}")
    migrate.migrate(made, migrate.scripts()[:1])
    made.close()
    return folder


async def test_an_old_database_is_copied_and_brought_to_the_newest_schema(old: Path) -> None:
    ran = await run("migrate", "--data", old)
    assert ran.exit_code == 0, ran.stderr
    newest = len(migrate.scripts())
    assert ran.stdout.startswith(f"The database has schema {newest} now, and 0 events")
    assert SqliteDatabase(old / data_folder.DATABASE).verify().schema == newest
    [kept] = files(old, "slowping.db.schema-1-*")
    assert SqliteDatabase(kept).verify().schema == 1


async def test_the_newest_stays_as_it_is(tmp_path: Path) -> None:
    folder = await left_by_a_server(tmp_path / "data")
    ran = await run("migrate", "--data", folder)
    assert ran.stdout.endswith("which is the newest.\n")
    assert not files(folder, "slowping.db.schema-*")


async def test_where_there_is_no_database_none_is_made(tmp_path: Path) -> None:
    ran = await run("migrate", "--data", tmp_path)
    assert ran.exit_code == 1
    assert f"There is no database in {tmp_path}." in ran.stderr
    assert not files(tmp_path)


async def test_while_a_server_runs_nothing_is_migrated(old: Path) -> None:
    with data_folder.owned(old):
        ran = await run("migrate", "--data", old)
    assert ran.exit_code == 1
    assert SqliteDatabase(old / data_folder.DATABASE).verify().schema == 1
