import asyncio
import os
import pathlib
import shutil
import sqlite3
import sys

import pytest

from slowping.core import errors
from slowping.core.feed import FeedFilter
from slowping.store.sqlite.database import SqliteDatabase
from slowping.store.sqlite.store import SqliteStore
from slowping.store.vault import Vault
from tests.conftest import VAULT_KEY
from tests.store.database.conftest import Keeping, silent
from tests.store.samples import NOW

STAMP = "20261121T120000Z"


async def _copied(kept: Keeping, tmp_path: pathlib.Path) -> pathlib.Path:
    """A copy with one event, after which two more came."""
    await kept.shop.deliver()
    copy = tmp_path / "copy.db"
    kept.copy(copy)
    await kept.shop.deliver(at=NOW + 1_000)
    await kept.shop.deliver(at=NOW + 2_000)
    return copy


def _put_back(kept: Keeping, copy: pathlib.Path) -> pathlib.Path | None:
    return kept.database.put_back(copy, stamp=STAMP, step=silent)


async def test_a_copy_takes_the_place_of_the_database_which_is_kept(
    kept: Keeping, tmp_path: pathlib.Path
) -> None:
    copy = await _copied(kept, tmp_path)
    await kept.shop.store.close()
    old = _put_back(kept, copy)
    assert old == kept.path.with_name(f"slowping.db.before-{STAMP}")
    assert kept.database.verify().events == 1
    assert SqliteDatabase(old).verify().events == 3
    assert copy.exists()


async def test_where_there_was_none_there_is_one_now(kept: Keeping, tmp_path: pathlib.Path) -> None:
    copy = await _copied(kept, tmp_path)
    new = tmp_path / "elsewhere"
    new.mkdir()
    database = SqliteDatabase(new / "slowping.db")
    assert database.put_back(copy, stamp=STAMP, step=silent) is None
    assert database.verify().events == 1
    assert [file.name for file in new.iterdir()] == ["slowping.db"]


async def test_the_log_of_a_crash_goes_with_the_old_one(
    kept: Keeping, tmp_path: pathlib.Path
) -> None:
    copy = await _copied(kept, tmp_path)
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for suffix in ("", "-wal"):
        shutil.copyfile(f"{kept.path}{suffix}", crashed / f"slowping.db{suffix}")
    database = SqliteDatabase(crashed / "slowping.db")
    old = database.put_back(copy, stamp=STAMP, step=silent)
    assert old is not None
    assert database.verify().events == 1
    assert SqliteDatabase(old).verify().events == 3
    assert sorted(file.name for file in crashed.iterdir()) == ["slowping.db", old.name]


async def test_a_database_that_is_beyond_repair_is_kept_as_it_is(
    kept: Keeping, tmp_path: pathlib.Path
) -> None:
    copy = await _copied(kept, tmp_path)
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "slowping.db").write_bytes(b"nothing that anybody could read")
    (broken / "slowping.db-wal").write_bytes(b"its log")
    database = SqliteDatabase(broken / "slowping.db")
    old = database.put_back(copy, stamp=STAMP, step=silent)
    assert old is not None
    assert old.read_bytes() == b"nothing that anybody could read"
    assert old.with_name(f"{old.name}-wal").read_bytes() == b"its log"
    assert not (broken / "slowping.db-wal").exists()
    assert database.verify().events == 1


async def test_readers_of_the_feed_start_anew(kept: Keeping, tmp_path: pathlib.Path) -> None:
    copy = tmp_path / "copy.db"
    await kept.shop.deliver()
    place = await kept.shop.store.journal.head()
    kept.copy(copy)
    await kept.shop.store.close()
    _put_back(kept, copy)
    again = await SqliteStore.open(kept.path, Vault([VAULT_KEY]))
    page = await again.journal.since(place, FeedFilter(), limit=10)
    await again.close()
    assert page.reset


async def test_what_was_on_its_way_is_pending_again_after_the_next_start(
    kept: Keeping, tmp_path: pathlib.Path
) -> None:
    delivery_id = await kept.shop.deliver()
    await kept.shop.lease()
    kept.copy(tmp_path / "copy.db")
    await kept.shop.store.close()
    _put_back(kept, tmp_path / "copy.db")
    again = await SqliteStore.open(kept.path, Vault([VAULT_KEY]))
    assert await again.outbox.free_leases(owner="another", now=NOW) == 1
    assert (await again.outbox.delivery(delivery_id)).delivery.state == "pending"
    await again.close()


async def test_a_database_that_another_program_has_open_stands(
    kept: Keeping, tmp_path: pathlib.Path
) -> None:
    copy = await _copied(kept, tmp_path)
    with pytest.raises(errors.StoreUnusable):
        _put_back(kept, copy)
    assert await kept.shop.peek("select count(*) from event") == [(3,)]
    assert not kept.path.with_name("slowping.db.new").exists()


async def test_a_copy_in_which_something_happens_by_itself_changes_nothing(
    kept: Keeping, tmp_path: pathlib.Path
) -> None:
    copy = await _copied(kept, tmp_path)
    await kept.shop.store.close()
    opened = sqlite3.connect(copy)
    opened.execute("create trigger back after update on api_key begin select 1; end")
    opened.close()
    with pytest.raises(errors.StoreUnusable, match="trigger, back,"):
        _put_back(kept, copy)
    assert kept.database.verify().events == 3
    assert not kept.path.with_name("slowping.db.new").exists()


async def test_a_copy_that_is_none_changes_nothing(kept: Keeping, tmp_path: pathlib.Path) -> None:
    await kept.shop.deliver()
    await kept.shop.store.close()
    (tmp_path / "copy.db").write_bytes(b"Dear diary, ")
    before = {file.name: file.read_bytes() for file in kept.path.parent.iterdir()}
    with pytest.raises(errors.StoreUnusable):
        _put_back(kept, tmp_path / "copy.db")
    assert {file.name: file.read_bytes() for file in kept.path.parent.iterdir()} == before


async def test_a_file_system_without_links_gets_a_copy(
    kept: Keeping, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    copy = await _copied(kept, tmp_path)
    await kept.shop.store.close()
    monkeypatch.setattr(os, "link", refuse)
    old = _put_back(kept, copy)
    assert old is not None
    assert SqliteDatabase(old).verify().events == 3


async def test_killed_before_any_deed_one_of_the_two_stands(
    kept: Keeping, tmp_path: pathlib.Path
) -> None:
    folder = tmp_path / "killed"
    (folder / "0").mkdir(parents=True)
    copy = await _copied(kept, folder)
    for suffix in ("", "-wal"):
        shutil.copyfile(f"{kept.path}{suffix}", folder / "0" / f"slowping.db{suffix}")
    killed = ("-m", "tests.store.database.killed", "put_back", folder)
    process = await asyncio.create_subprocess_exec(sys.executable, *killed)
    assert await process.wait() == 0
    runs = sorted(int(each.name) for each in folder.iterdir() if each.name.isdecimal())
    stood = []
    for run in runs:
        database = SqliteDatabase(folder / str(run) / "slowping.db")
        stood.append(database.verify().events)
        # And what was begun is in nobody's way.
        database.put_back(copy, stamp=STAMP, step=silent)
        assert database.verify().events == 1
    assert set(stood) == {1, 3}
    assert stood == sorted(stood, reverse=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="nobody else may give files away")
async def test_what_root_puts_back_belongs_to_the_owner_of_the_folder(
    kept: Keeping, tmp_path: pathlib.Path
) -> None:
    copy = await _copied(kept, tmp_path)
    folder = tmp_path / "of another"
    folder.mkdir()
    os.chown(folder, 12_345, 12_346)
    SqliteDatabase(folder / "slowping.db").put_back(copy, stamp=STAMP, step=silent)
    found = (folder / "slowping.db").stat()
    assert (found.st_uid, found.st_gid) == (12_345, 12_346)
