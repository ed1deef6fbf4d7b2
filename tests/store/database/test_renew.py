import asyncio
import os
import pathlib
import sys

import pytest

from slowping.core import ids
from slowping.core.event import EventFilter
from slowping.store.sqlite.database import SqliteDatabase
from slowping.store.sqlite.store import SqliteStore
from slowping.store.vault import Vault
from tests.conftest import VAULT_KEY
from tests.store.database import history
from tests.store.database.conftest import silent

OLD = history.SCHEMAS[:-1]
NEWEST = history.SCHEMAS[-1]


@pytest.mark.parametrize("schema", history.SCHEMAS)
async def test_a_database_of_every_schema_keeps_what_is_in_it(
    tmp_path: pathlib.Path, schema: int
) -> None:
    path = tmp_path / "slowping.db"
    history.build(path, schema, 200)
    before = history.fingerprint(path)
    store = await SqliteStore.open(path, Vault([VAULT_KEY]))
    [newest] = await store.journal.list_events(EventFilter(), before=None, limit=1)
    assert newest.description == "No. 199: ä€😀"
    assert newest.fields == {"amount": 49.75, "plan": "pro"}
    assert newest.deliveries == {"leased": 1}
    detail = await store.outbox.delivery(ids.decode(ids.EVENT, newest.id) + 1)
    assert detail.delivery.channel == "team"
    await store.close()
    assert history.fingerprint(path) == before
    assert SqliteDatabase(path).verify().schema == NEWEST


@pytest.mark.parametrize("schema", OLD)
def test_the_old_one_is_kept_as_it_was(tmp_path: pathlib.Path, schema: int) -> None:
    path = tmp_path / "slowping.db"
    history.build(path, schema, 20)
    before = history.fingerprint(path)
    kept = SqliteDatabase(path).migrate(stamp="now", step=silent)
    assert kept == path.with_name(f"slowping.db.schema-{schema}-now")
    assert history.schema_of(kept) == schema
    assert history.fingerprint(kept) == before
    assert history.schema_of(path) == NEWEST


@pytest.mark.skipif(os.geteuid() != 0, reason="nobody else may give files away")
def test_the_copy_that_root_makes_belongs_to_the_owner_of_the_folder(
    tmp_path: pathlib.Path,
) -> None:
    path = tmp_path / "slowping.db"
    history.build(path, OLD[0], 1)
    for one in (tmp_path, path):
        os.chown(one, 12_345, 12_346)
    SqliteDatabase(path).migrate(stamp="now", step=silent)
    owners = {(one.stat().st_uid, one.stat().st_gid) for one in tmp_path.iterdir()}
    assert owners == {(12_345, 12_346)}


async def test_killed_at_any_moment_nothing_is_lost_and_it_can_go_on(
    tmp_path: pathlib.Path,
) -> None:
    folder = tmp_path / "killed"
    _begin(folder)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.store.database.killed", "migrate", folder
    )
    assert await process.wait() == 0
    before = history.fingerprint(folder / "0" / "slowping.db")
    schemas = []
    for run in range(1, sum(1 for _ in _runs(folder))):
        path = folder / str(run) / "slowping.db"
        schemas.append(history.schema_of(path))
        assert history.fingerprint(path) == before
        SqliteDatabase(path).migrate(stamp="again", step=silent)
        assert SqliteDatabase(path).verify().schema == NEWEST
        assert history.fingerprint(path) == before
    assert schemas == sorted(schemas)
    # The smallest steps are over within a few instructions.
    assert {1, 2, NEWEST} <= set(schemas)


def _begin(folder: pathlib.Path) -> None:
    (folder / "0").mkdir(parents=True)
    history.build(folder / "0" / "slowping.db", 1, 40)


def _runs(folder: pathlib.Path) -> list[pathlib.Path]:
    return list(folder.iterdir())
