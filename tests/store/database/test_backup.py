import asyncio
import pathlib
import sqlite3
import stat
from collections.abc import Callable

import pytest

from slowping.core import errors
from slowping.store.sqlite.database import SqliteDatabase
from tests.store import samples
from tests.store.database.conftest import Keeping, silent
from tests.store.samples import NOW


def _rows(path: pathlib.Path, sql: str) -> list[tuple[object, ...]]:
    opened = sqlite3.connect(path)
    found = opened.execute(sql).fetchall()
    opened.close()
    return found


# Copying -------------------------------------------------------------------------------------


async def test_a_copy_holds_what_was_acknowledged_before_it_began(
    kept: Keeping, tmp_path: pathlib.Path
) -> None:
    await kept.shop.deliver()
    await kept.shop.deliver(at=NOW + 1_000)
    contents = kept.copy(tmp_path / "copy.db").verify()
    assert (contents.events, contents.newest_event_at, contents.waiting) == (2, NOW + 1_000, 2)


async def test_a_copy_is_one_file_for_its_owner_alone(
    kept: Keeping, tmp_path: pathlib.Path
) -> None:
    await kept.shop.deliver()
    folder = tmp_path / "copies"
    folder.mkdir()
    kept.copy(folder / "copy.db").verify()
    assert [file.name for file in folder.iterdir()] == ["copy.db"]
    assert stat.S_IMODE((folder / "copy.db").stat().st_mode) == 0o600
    assert _rows(folder / "copy.db", "pragma journal_mode") == [("delete",)]


async def test_what_comes_while_it_is_copied_is_neither_held_up_nor_in_it(
    kept: Keeping, tmp_path: pathlib.Path
) -> None:
    for _ in range(40):
        await kept.shop.store.inbox.accept(kept.shop.entry(count=200, description="x" * 200))
    loop, accepted = asyncio.get_running_loop(), 0

    def meanwhile(_copied: int, _total: int) -> None:
        nonlocal accepted
        asyncio.run_coroutine_threadsafe(kept.shop.deliver(), loop).result(10)
        accepted += 1

    await asyncio.to_thread(kept.database.copy, tmp_path / "copy.db", step=meanwhile)
    assert accepted > 1
    assert SqliteDatabase(tmp_path / "copy.db").verify().events == 8_000


async def test_how_far_it_has_come_is_told(kept: Keeping, tmp_path: pathlib.Path) -> None:
    told: list[tuple[int, int]] = []
    kept.database.copy(tmp_path / "copy.db", step=lambda *step: told.append(step))
    size = (tmp_path / "copy.db").stat().st_size
    assert told[-1] == (size, size)


async def test_a_copy_that_is_broken_off_leaves_nothing(
    kept: Keeping, tmp_path: pathlib.Path
) -> None:
    def stop(_copied: int, _total: int) -> None:
        raise errors.Unavailable("stopping")

    folder = tmp_path / "copies"
    folder.mkdir()
    with pytest.raises(errors.Unavailable):
        kept.database.copy(folder / "copy.db", step=stop)
    assert not list(folder.iterdir())


async def test_a_copy_that_was_left_half_done_is_in_nobodys_way(
    kept: Keeping, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "copy.db").write_bytes(b"half a copy")
    (tmp_path / "copy.db-journal").write_bytes(b"half a journal")
    assert kept.copy(tmp_path / "copy.db").verify().events == 0
    assert not (tmp_path / "copy.db-journal").exists()


async def test_a_copy_of_what_a_crash_left_holds_its_log_too(
    kept: Keeping, tmp_path: pathlib.Path
) -> None:
    await kept.shop.deliver()
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for suffix in ("", "-wal"):
        name = f"{kept.path.name}{suffix}"
        (crashed / name).write_bytes(kept.path.with_name(name).read_bytes())
    SqliteDatabase(crashed / kept.path.name).copy(tmp_path / "copy.db", step=silent)
    assert SqliteDatabase(tmp_path / "copy.db").verify().events == 1


def test_what_is_not_there_is_not_copied(tmp_path: pathlib.Path) -> None:
    with pytest.raises(errors.StoreUnusable, match="unable to open database file"):
        SqliteDatabase(tmp_path / "gone.db").copy(tmp_path / "copy.db", step=silent)
    assert not list(tmp_path.iterdir())


# Verifying -----------------------------------------------------------------------------------


def _cut(path: pathlib.Path) -> None:
    path.write_bytes(path.read_bytes()[:-4096])


def _scratch(path: pathlib.Path) -> None:
    """Spoil the page that the events begin with."""
    opened = sqlite3.connect(path, isolation_level=None)
    [(size,)] = opened.execute("pragma page_size").fetchall()
    [(page,)] = opened.execute("select rootpage from sqlite_schema where name = 'event'").fetchall()
    opened.close()
    whole = bytearray(path.read_bytes())
    whole[(page - 1) * size : page * size] = b"\xff" * size
    path.write_bytes(whole)


def _orphan(path: pathlib.Path) -> None:
    opened = sqlite3.connect(path, isolation_level=None)
    opened.execute("update event set category_id = 7")
    opened.close()


def _misorder(path: pathlib.Path) -> None:
    """Have an index say something else than the rows do."""
    opened = sqlite3.connect(path, isolation_level=None)
    opened.execute("pragma writable_schema = on")
    opened.execute(
        "update sqlite_schema set sql = replace(sql, '(project_id, id)', '(received_at, id)')"
        " where name = 'event_project'"
    )
    opened.close()


def _foreign(path: pathlib.Path) -> None:
    path.unlink()
    opened = sqlite3.connect(path, isolation_level=None)
    opened.execute("create table theirs (value)")
    opened.close()


def _newer(path: pathlib.Path) -> None:
    opened = sqlite3.connect(path, isolation_level=None)
    opened.execute("pragma user_version = 9999")
    opened.close()


def _endless(path: pathlib.Path) -> None:
    opened = sqlite3.connect(path, isolation_level=None)
    opened.executescript(
        "alter table event rename to event_before;"
        "create view event as with recursive more(id) as"
        " (select 1 union all select id + 1 from more) select id, id as received_at from more;"
    )
    opened.close()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (_endless, "tables are none of slowping's"),
        (_cut, "malformed|damaged"),
        (_scratch, "malformed|damaged"),
        (_orphan, "It is damaged: rows refer to others that are gone."),
        (_misorder, "It is damaged: row 1 missing from index event_project"),
        (_foreign, "another program"),
        (_newer, "version 9999"),
        (lambda path: path.write_bytes(b""), "no SQLite database"),
        (lambda path: path.unlink(), "No such file"),
    ],
)
async def test_what_is_not_whole_is_no_copy(
    kept: Keeping, tmp_path: pathlib.Path, spoil: Callable[[pathlib.Path], object], why: str
) -> None:
    for _ in range(20):
        await kept.shop.deliver()
    copy = kept.copy(tmp_path / "copy.db")
    spoil(tmp_path / "copy.db")
    with pytest.raises(errors.StoreUnusable, match=why):
        copy.verify()


async def test_verifying_leaves_nothing_beside_a_copy(
    kept: Keeping, tmp_path: pathlib.Path
) -> None:
    await kept.shop.store.close()
    folder = tmp_path / "copies"
    folder.mkdir()
    (folder / "plain.db").write_bytes(kept.path.read_bytes())
    SqliteDatabase(folder / "plain.db").verify()
    assert [file.name for file in folder.iterdir()] == ["plain.db"]


@pytest.mark.parametrize("has_secrets", [True, False])
async def test_a_copy_says_whether_it_needs_a_key(
    kept: Keeping, tmp_path: pathlib.Path, has_secrets: bool
) -> None:
    secrets = {"url": "https://discord.com/api/webhooks/1/a"} if has_secrets else {}
    await kept.shop.store.directory.create_channel(
        kept.shop.project_id, samples.channel("secret", secrets=secrets), now=NOW
    )
    assert kept.copy(tmp_path / "copy.db").verify().has_secrets is has_secrets
