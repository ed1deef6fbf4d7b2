import asyncio
import os
import pathlib
import shutil
import sqlite3
from collections.abc import Awaitable, Callable

import pytest

from slowping.core import errors
from slowping.core.category import NewCategory
from slowping.core.event import EventFilter
from slowping.store import open_store
from slowping.store.port import Idempotency
from slowping.store.sqlite import migrate
from slowping.store.sqlite.store import SqliteStore
from slowping.store.vault import Vault
from tests.conftest import VAULT_KEY
from tests.store import samples
from tests.store.conftest import Shop
from tests.store.samples import NOW


async def reopen(path: pathlib.Path) -> SqliteStore:
    """Open a database by its path."""
    return await SqliteStore.open(path, Vault([VAULT_KEY]))


def contents(folder: pathlib.Path) -> dict[str, bytes]:
    """Every file of a folder, byte for byte."""
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


# Opening -------------------------------------------------------------------------------------


async def test_a_store_that_is_not_there_is_made(tmp_path: pathlib.Path) -> None:
    store = await reopen(tmp_path / "new.db")
    await store.close()
    [name] = contents(tmp_path)
    assert name == "new.db"
    made = sqlite3.connect(tmp_path / name)
    assert [
        made.execute(f"pragma {pragma}").fetchone()[0]
        for pragma in ("application_id", "user_version", "journal_mode", "auto_vacuum")
    ] == [migrate.APPLICATION_ID, len(migrate.scripts()), "wal", 2]
    made.close()


async def test_an_empty_file_is_taken_for_a_new_one(tmp_path: pathlib.Path) -> None:
    (tmp_path / "empty.db").touch()
    store = await reopen(tmp_path / "empty.db")
    assert await store.directory.list_projects(None, before=None, limit=1) == []
    await store.close()


@pytest.mark.parametrize("name", ["with space.db", "a#b?c%20.db", "größe.db"])
async def test_a_path_may_hold_any_letter(tmp_path: pathlib.Path, name: str) -> None:
    store = await open_store(f"sqlite:{tmp_path / name}", Vault([VAULT_KEY]))
    assert await store.directory.list_projects(None, before=None, limit=1) == []
    await store.close()
    assert list(contents(tmp_path)) == [name]


async def test_the_writer_syncs_at_every_commit_and_keeps_references(shop: Shop) -> None:
    def read(connection: sqlite3.Connection) -> list[int]:
        names = ("synchronous", "foreign_keys", "trusted_schema", "busy_timeout", "mmap_size")
        return [connection.execute(f"pragma {name}").fetchone()[0] for name in names]

    assert await shop.store._writer.run(read) == [2, 1, 0, 5000, 0]


async def test_reopening_keeps_everything(shop: Shop) -> None:
    delivery_id = await shop.deliver()
    [event] = await shop.store.journal.list_events(EventFilter(), before=None, limit=2)
    await shop.store.close()
    again = await reopen(shop.store.path)
    assert await again.journal.list_events(EventFilter(), before=None, limit=2) == [event]
    assert (await again.outbox.delivery(delivery_id)).delivery.channel == "team"
    assert await again.inbox.usage(shop.project_id, 202605) == 1
    await again.close()


async def test_ids_go_on_above_the_newest_when_the_clock_steps_back(shop: Shop) -> None:
    newest = await shop.deliver(at=NOW + 86_400_000)
    await shop.store.close()
    again = await reopen(shop.store.path)
    assert again.ids.take(NOW) > newest
    await again.close()


@pytest.mark.parametrize(
    "table", ["project", "category", "channel", "api_key", "event", "delivery", "metric", "route"]
)
async def test_new_ids_are_above_those_of_every_table(shop: Shop, table: str) -> None:
    await shop.deliver()
    await shop.store.inbox.accept_metric(shop.project_id, {}, NOW)
    await shop.store.directory.create_api_key(samples.api_key(shop.project_id), now=NOW)
    await shop.store.directory.create_category(
        shop.project_id, NewCategory(name="routed", channels=("team",)), now=NOW
    )
    await shop.store.close()
    loose = sqlite3.connect(shop.store.path, isolation_level=None)
    newest = f"(select max(id) from {table})"  # noqa: S608 - our own word
    loose.execute(f"update {table} set id = ? where id = {newest}", (2**62,))  # noqa: S608 - ditto
    loose.close()
    again = await reopen(shop.store.path)
    assert again.ids.take(NOW) == 2**62 + 1
    await again.close()


async def test_what_a_crash_left_in_the_log_is_there_again(
    shop: Shop, tmp_path: pathlib.Path
) -> None:
    delivery_id = await shop.deliver()
    crashed = _as_after_a_crash(shop.store.path, tmp_path / "crashed")
    again = await reopen(crashed)
    assert (await again.outbox.delivery(delivery_id)).delivery.channel == "team"
    await again.close()


async def test_a_closed_store_leaves_one_file(shop: Shop) -> None:
    await shop.deliver()
    await shop.store.close()
    assert list(contents(shop.store.path.parent)) == [shop.store.path.name]


# Reading --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ask",
    [
        lambda shop: shop.store.inbox.recall(shop.project_id, Idempotency(key="k", fingerprint="")),
        lambda shop: shop.store.inbox.usage(shop.project_id, 202605),
        lambda shop: shop.store.outbox.lanes(),
        lambda shop: shop.store.directory.stored_channel(shop.team),
        lambda shop: shop.store.directory.snapshots(),
        lambda shop: shop.store.directory.live_api_keys(),
        lambda shop: shop.store.directory.list_projects(None, before=None, limit=1),
    ],
    ids=["recall", "usage", "lanes", "channel", "snapshots", "keys", "health"],
)
async def test_senders_and_deliveries_do_not_wait_for_those_who_list(
    shop: Shop, ask: Callable[[Shop], Awaitable[object]]
) -> None:
    slow = (
        "with recursive n(i) as (select 1 union all select i + 1 from n limit 200000) "
        "select max(i) from n"
    )
    reading = shop.store._readers
    lists = [asyncio.ensure_future(reading.fetch(slow)) for _ in range(20)]
    await asyncio.sleep(0)
    await ask(shop)
    assert sum(each.done() for each in lists) < len(lists) // 2
    await asyncio.gather(*lists)


# What cannot be opened -----------------------------------------------------------------------


async def refusal(path: pathlib.Path) -> str:
    """Why the database cannot be used."""
    with pytest.raises(errors.StoreUnusable) as caught:
        await SqliteStore.open(path, Vault([VAULT_KEY]), patience_s=0.0)
    return str(caught.value)


def _foreign(path: pathlib.Path, *pragmas: str) -> None:
    """Make another program's database."""
    foreign = sqlite3.connect(path, isolation_level=None)
    for pragma in pragmas:
        foreign.execute(f"pragma {pragma}")
    foreign.execute("create table theirs (value)")
    foreign.close()


def _foreign_in_use(path: pathlib.Path) -> sqlite3.Connection:
    foreign = sqlite3.connect(path, isolation_level=None)
    foreign.execute("pragma journal_mode = wal")
    foreign.execute("create table theirs (value)")
    return foreign


def _ours(path: pathlib.Path, *pragmas: str) -> None:
    """Make a database of ours with some pragmas."""
    asyncio.run(_make(path))
    ours = sqlite3.connect(path, isolation_level=None)
    for pragma in pragmas:
        ours.execute(f"pragma {pragma}")
    ours.close()


async def _make(path: pathlib.Path) -> None:
    await (await reopen(path)).close()


def _broken(path: pathlib.Path) -> None:
    """Make a database of ours of which all but the header is damaged."""
    _ours(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + b"\xff" * (len(whole) - 100))


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: path.write_bytes(b"Dear diary, "), "It is no SQLite database. Put a copy in"),
        (lambda path: path.write_bytes(b"\0" * 8192), "It is no SQLite database."),
        (lambda path: path.write_bytes(b"SQLite format 3\0"), "It is no SQLite database."),
        (_foreign, "It is a database of another program."),
        (lambda path: _foreign(path, "application_id = 7"), "It is a database of another program."),
        (lambda path: _foreign(path, "journal_mode = wal"), "It is a database of another program."),
        (lambda path: _ours(path, "user_version = 99"), "version 99, and this slowping knows"),
        (_broken, "malformed. Put a copy in its place: slowping restore FILE"),
        (lambda path: path.mkdir(), "It is no file."),
        (lambda path: os.mkfifo(path), "It is no file."),
        (lambda path: path.symlink_to(path), "unable to open database file."),
    ],
    ids=[
        "text",
        "zeros",
        "a header cut short",
        "another program's",
        "another program's with an id",
        "another program's with a log",
        "a newer slowping's",
        "damaged",
        "a directory",
        "a pipe",
        "a link to itself",
    ],
)
def test_what_cannot_be_used_is_left_byte_for_byte(
    tmp_path: pathlib.Path, make: Callable[[pathlib.Path], object], why: str
) -> None:
    path = tmp_path / "slowping.db"
    make(path)
    before = contents(tmp_path)
    told = asyncio.run(refusal(path))
    assert told.startswith(f"Cannot use the database {path}")
    assert why in told
    assert contents(tmp_path) == before


async def test_another_program_s_file_in_use_is_left_byte_for_byte(tmp_path: pathlib.Path) -> None:
    theirs = _foreign_in_use(tmp_path / "theirs.db")
    before = contents(tmp_path)
    assert "another program" in await refusal(tmp_path / "theirs.db")
    assert contents(tmp_path) == before
    theirs.close()


@pytest.mark.parametrize("place", ["missing/slowping.db", "file/slowping.db"])
async def test_a_folder_that_is_not_there_is_no_place(tmp_path: pathlib.Path, place: str) -> None:
    (tmp_path / "file").touch()
    assert (await refusal(tmp_path / place)).endswith("unable to open database file.")
    assert list(contents(tmp_path)) == ["file"]


@pytest.mark.skipif(not pathlib.Path("/proc/self/mem").exists(), reason="Linux has such a file")
async def test_what_cannot_be_read_is_refused() -> None:
    told = await refusal(pathlib.Path("/proc/self/mem"))
    assert told == "Cannot use the database /proc/self/mem: Input/output error."


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
@pytest.mark.parametrize(("mode", "why"), [(0o000, "Permission denied"), (0o444, "readonly")])
async def test_what_is_forbidden_is_refused(tmp_path: pathlib.Path, mode: int, why: str) -> None:
    path = tmp_path / "slowping.db"
    await _make(path)
    path.chmod(mode)
    assert why in await refusal(path)


async def test_a_newer_schema_that_stands_in_the_log_is_refused_too(
    shop: Shop, tmp_path: pathlib.Path
) -> None:
    def renew(connection: sqlite3.Connection) -> None:
        connection.execute("pragma user_version = 99")

    await shop.store._writer.run(renew)
    crashed = _as_after_a_crash(shop.store.path, tmp_path / "crashed")
    before = contents(crashed.parent)
    assert "version 99" in await refusal(crashed)
    after = contents(crashed.parent)
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize("lock", ["begin immediate", "begin exclusive"])
async def test_a_file_that_another_program_has_locked_is_refused(
    tmp_path: pathlib.Path, lock: str
) -> None:
    path = tmp_path / "slowping.db"
    await _make(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute(lock)
    before = path.read_bytes()
    told = await refusal(path)
    assert told == f"Cannot use the database {path}: another program has locked it."
    assert path.read_bytes() == before
    other.execute("rollback")
    other.close()
    await _make(path)


async def test_a_file_that_another_program_keeps_for_itself_is_refused(
    tmp_path: pathlib.Path,
) -> None:
    path = tmp_path / "slowping.db"
    await _make(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("pragma locking_mode = exclusive")
    other.execute("begin immediate")
    assert (await refusal(path)).endswith("another program has locked it.")
    other.close()


async def test_a_store_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(errors.StoreUnusable, match="No store knows 'mysql:'"):
        await open_store("mysql:localhost", Vault([VAULT_KEY]))


def _as_after_a_crash(path: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """A copy of an open database as a sudden end of its process would leave it."""
    folder.mkdir()
    for suffix in ("", "-wal"):
        shutil.copyfile(f"{path}{suffix}", folder / f"{path.name}{suffix}")
    return folder / path.name
