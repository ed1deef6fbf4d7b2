import asyncio
import logging
import pathlib
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pytest

from slowping.core import errors
from slowping.store.sqlite import writer as module
from slowping.store.sqlite.writer import Writer


class Bench:
    """A writer on a table of numbers, with a way to hold it and to see what it did."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self.batches: list[int] = []
        self.statements: list[str] = []
        self.begun, self.let_go = threading.Event(), threading.Event()
        self._holding: asyncio.Future[None] | None = None
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma foreign_keys = on")
        connection.execute("pragma busy_timeout = 0")
        connection.execute("create table number (value integer primary key, text text) strict")
        connection.execute(
            "create table promise (value integer"
            " references number (value) deferrable initially deferred) strict"
        )
        connection.set_trace_callback(self.statements.append)
        self.writer: Writer[int, int] = Writer(connection, self.together)

    def together(self, connection: sqlite3.Connection, entries: Sequence[int]) -> Sequence[int]:
        """Store numbers; a negative one fails the whole batch."""
        self.batches.append(len(entries))
        if min(entries) < 0:
            raise ZeroDivisionError("a mistake of ours")
        connection.executemany(
            "insert into number (value) values (?)", [(entry,) for entry in entries]
        )
        return [entry * 10 for entry in entries]

    async def hold(self) -> None:
        """Stop the thread in the middle of a transaction of its own."""
        self._holding = asyncio.ensure_future(self.writer.run(self._wait))
        await asyncio.to_thread(self.begun.wait, 10)

    async def release(self) -> None:
        """Let it go on."""
        self.let_go.set()
        if self._holding is not None:
            await self._holding

    def _wait(self, _: sqlite3.Connection) -> None:
        self.begun.set()
        self.let_go.wait(10)

    @property
    def stored(self) -> list[int]:
        """What another connection sees."""
        with sqlite3.connect(self.path) as connection:
            found = [row[0] for row in connection.execute("select value from number")]
        connection.close()
        return found


def insert(value: int, text: str | None = None) -> module.Deed[int]:
    """A deed that stores a number."""

    def deed(connection: sqlite3.Connection) -> int:
        connection.execute("insert into number values (?, ?)", (value, text))
        return value

    return deed


def count_stored(connection: sqlite3.Connection) -> int:
    """A deed that tells how much was written before it."""
    found: int = connection.execute("select count(*) from number").fetchone()[0]
    return found


def insert_and_fail(value: int, error: Exception) -> module.Deed[int]:
    """A deed that stores a number, and then cannot go on."""

    def deed(connection: sqlite3.Connection) -> int:
        insert(value)(connection)
        raise error

    return deed


@pytest.fixture
async def bench(tmp_path: pathlib.Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path / "numbers.db")
    yield bench
    bench.let_go.set()
    await bench.writer.close()


# Writing -------------------------------------------------------------------------------------


async def test_an_entry_is_on_the_disk_when_it_is_answered(bench: Bench) -> None:
    assert await bench.writer.store(4) == 40
    assert bench.stored == [4]


async def test_a_deed_is_on_the_disk_when_it_is_answered(bench: Bench) -> None:
    assert await bench.writer.run(insert(4)) == 4
    assert bench.stored == [4]


async def test_all_that_waits_is_one_commit(bench: Bench) -> None:
    await bench.hold()
    waiting = [bench.writer.store(number) for number in range(50)]
    deed = asyncio.ensure_future(bench.writer.run(insert(99)))
    await asyncio.sleep(0)
    bench.statements.clear()
    await bench.release()
    assert await asyncio.gather(*waiting) == [number * 10 for number in range(50)]
    assert await deed == 99
    assert bench.statements.count("commit") == 2  # of what was held, and of these
    assert bench.batches == [50]


async def test_all_that_comes_in_one_turn_of_the_loop_is_one_commit(bench: Bench) -> None:
    await asyncio.gather(*map(bench.writer.store, range(50)))
    assert bench.batches == [50]


async def test_a_long_queue_is_written_in_batches(bench: Bench) -> None:
    await bench.hold()
    waiting = [bench.writer.store(number) for number in range(module.MAX_BATCH + 1)]
    await bench.release()
    await asyncio.gather(*waiting)
    assert bench.batches == [module.MAX_BATCH, 1]


async def test_an_urgent_deed_is_done_in_the_next_batch_however_many_wait(bench: Bench) -> None:
    await bench.hold()
    waiting = [bench.writer.store(number) for number in range(module.MAX_BATCH * 2)]
    urgent = asyncio.ensure_future(bench.writer.run(count_stored, urgent=True))
    await asyncio.sleep(0)
    await bench.release()
    await asyncio.gather(*waiting)
    assert await urgent == module.MAX_BATCH


async def test_who_stops_waiting_does_not_stop_the_write(bench: Bench) -> None:
    await bench.hold()
    gone, patient = bench.writer.store(1), bench.writer.store(2)
    left = asyncio.ensure_future(bench.writer.run(insert(3)))
    await asyncio.sleep(0)
    gone.cancel()
    left.cancel()
    await bench.release()
    assert await patient == 20
    assert bench.stored == [1, 2, 3]


# One that fails ------------------------------------------------------------------------------


async def test_a_deed_that_fails_is_undone_and_spoils_no_other(bench: Bench) -> None:
    await bench.hold()
    wrong = insert_and_fail(1, errors.NameTaken("channel", "team"))
    begun = [
        asyncio.ensure_future(bench.writer.run(deed)) for deed in (insert(2), wrong, insert(3))
    ]
    entry = bench.writer.store(4)
    await asyncio.sleep(0)
    await bench.release()
    before, failed, after = await asyncio.gather(*begun, return_exceptions=True)
    assert isinstance(failed, errors.NameTaken)
    assert (before, after, await entry) == (2, 3, 40)
    assert bench.stored == [2, 3, 4]


async def test_what_a_constraint_refuses_is_handed_to_who_asked(bench: Bench) -> None:
    await bench.writer.run(insert(1))
    with pytest.raises(sqlite3.IntegrityError):
        await bench.writer.run(insert(1))


async def test_what_sqlite_cannot_do_is_unavailable(bench: Bench) -> None:
    def deed(connection: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with pytest.raises(errors.Unavailable, match=r"cannot be written: disk I/O error\."):
        await bench.writer.run(deed)


async def test_a_mistake_in_a_batch_does_not_end_the_thread(bench: Bench) -> None:
    with pytest.raises(errors.Unavailable, match="a mistake of ours"):
        await bench.writer.store(-1)
    assert await bench.writer.store(1) == 10


async def test_each_who_is_refused_gets_an_error_of_his_own(bench: Bench) -> None:
    await bench.hold()
    waiting = [bench.writer.store(number) for number in (-1, 1)]
    await bench.release()
    one, other = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(one, errors.Unavailable)
    assert isinstance(other, errors.Unavailable)
    assert one is not other


# The disk ------------------------------------------------------------------------------------


def fill_disk(connection: sqlite3.Connection) -> None:
    """Let the file grow no further."""
    [(pages,)] = connection.execute("pragma page_count").fetchall()
    connection.execute(f"pragma max_page_count = {pages}").fetchall()


def empty_disk(connection: sqlite3.Connection) -> None:
    """Let it grow again."""
    connection.execute("pragma max_page_count = 1000000").fetchall()


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.INFO, "slowping.store"):
        yield caplog


async def test_a_full_disk_refuses_all_of_a_batch(bench: Bench) -> None:
    await bench.writer.run(fill_disk)
    await bench.hold()
    small = asyncio.ensure_future(bench.writer.run(insert(1)))
    large = asyncio.ensure_future(bench.writer.run(insert(2, "x" * 100_000)))
    entry = bench.writer.store(3)
    await asyncio.sleep(0)
    await bench.release()
    refused = await asyncio.gather(small, large, entry, return_exceptions=True)
    assert [type(error) for error in refused] == [errors.Unavailable] * 3
    assert bench.stored == []


async def test_writing_goes_on_when_there_is_room_again(bench: Bench) -> None:
    await bench.writer.run(fill_disk)
    with pytest.raises(errors.Unavailable, match="full"):
        await bench.writer.run(insert(1, "x" * 100_000))
    await bench.writer.run(empty_disk)
    assert await bench.writer.run(insert(1, "x" * 100_000)) == 1


async def test_a_commit_that_fails_refuses_all_that_was_in_it(
    bench: Bench, told: pytest.LogCaptureFixture
) -> None:
    def promise(connection: sqlite3.Connection) -> None:
        connection.execute("insert into promise values (404)")

    await bench.hold()
    deed = asyncio.ensure_future(bench.writer.run(promise))
    entry = bench.writer.store(1)
    await asyncio.sleep(0)
    await bench.release()
    refused = await asyncio.gather(deed, entry, return_exceptions=True)
    assert [type(error) for error in refused] == [errors.Unavailable] * 2
    assert bench.stored == []
    assert await bench.writer.store(2) == 20
    bench.writer.note_well()
    assert [record.getMessage() for record in told.records] == [
        "cannot write: FOREIGN KEY constraint failed (SQLITE_CONSTRAINT_FOREIGNKEY)",
        "can write again",
    ]


async def test_a_file_that_another_program_writes_is_unavailable(
    bench: Bench, told: pytest.LogCaptureFixture
) -> None:
    other = sqlite3.connect(bench.path, isolation_level=None)
    other.execute("begin immediate")
    for number in range(3):
        with pytest.raises(errors.Unavailable, match="locked"):
            await bench.writer.store(number)
    other.execute("rollback")
    other.close()
    assert await bench.writer.store(1) == 10
    bench.writer.note_well()
    # Three refusals, one line: the log may lie on the same full disk.
    assert [record.getMessage() for record in told.records] == [
        "cannot write: database is locked (SQLITE_BUSY)",
        "can write again",
    ]


async def test_a_disk_that_is_full_now_and_then_is_logged_once_until_it_is_well(
    bench: Bench, told: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        await bench.writer.run(fill_disk)
        with pytest.raises(errors.Unavailable, match="full"):
            await bench.writer.run(insert(1, "x" * 100_000))
        await bench.writer.run(empty_disk)
    bench.writer.note_well()
    bench.writer.note_well()
    assert [record.getMessage() for record in told.records] == [
        "cannot write: database or disk is full (SQLITE_FULL)",
        "can write again",
    ]


async def test_more_than_the_disk_can_take_is_refused_but_for_the_urgent(bench: Bench) -> None:
    await bench.hold()
    waiting = [bench.writer.store(number) for number in range(module.MAX_WAITING)]
    with pytest.raises(errors.Unavailable, match="more to store than its disk can take"):
        bench.writer.store(module.MAX_WAITING)
    urgent = asyncio.ensure_future(bench.writer.run(insert(-1), urgent=True))
    await asyncio.sleep(0)
    await bench.release()
    assert await urgent == -1
    await asyncio.gather(*waiting)


# The end -------------------------------------------------------------------------------------


async def test_closing_writes_all_that_waits(bench: Bench) -> None:
    await bench.hold()
    waiting = [bench.writer.store(number) for number in range(module.MAX_BATCH + 1)]
    urgent = asyncio.ensure_future(bench.writer.run(insert(-1), urgent=True))
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(bench.writer.close())
    await asyncio.sleep(0)
    await bench.release()
    await closing
    assert all(future.done() for future in waiting)
    assert await urgent == -1
    assert len(bench.stored) == module.MAX_BATCH + 2


@pytest.mark.parametrize("urgent", [False, True])
async def test_a_closed_writer_refuses_and_does_nothing(bench: Bench, urgent: bool) -> None:
    await bench.hold()
    closing = asyncio.ensure_future(bench.writer.close())
    await asyncio.sleep(0)
    with pytest.raises(errors.Unavailable, match="stopping"):
        bench.writer.store(1)
    with pytest.raises(errors.Unavailable, match="stopping"):
        await bench.writer.run(insert(2), urgent=urgent)
    await bench.release()
    await closing
    assert bench.stored == []


async def test_closing_twice_is_closing_once(bench: Bench) -> None:
    await bench.writer.close()
    await bench.writer.close()


def test_what_was_given_is_written_even_if_the_loop_is_gone(tmp_path: pathlib.Path) -> None:
    async def leave() -> Bench:
        bench = Bench(tmp_path / "numbers.db")
        await bench.hold()
        bench.writer.store(1)
        return bench

    bench = asyncio.run(leave())
    bench.let_go.set()
    asyncio.run(bench.writer.close())
    assert bench.stored == [1]


# Between transactions, and a disk that lies -----------------------------------------------------


async def test_a_deed_between_two_transactions_is_in_none(bench: Bench) -> None:
    def fold(connection: sqlite3.Connection) -> tuple[bool, int]:
        [(busy, *_)] = connection.execute("pragma wal_checkpoint(truncate)").fetchall()
        return connection.in_transaction, busy

    await bench.hold()
    storing = bench.writer.store(1)
    folding = asyncio.ensure_future(bench.writer.run_between(fold))
    await asyncio.sleep(0)
    await bench.release()
    assert await storing == 10
    assert await folding == (False, 0)


async def test_a_deed_between_two_transactions_that_fails_fails_alone(bench: Bench) -> None:
    def fail(_: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("it is busy")

    with pytest.raises(errors.Unavailable, match="it is busy"):
        await bench.writer.run_between(fail)
    assert await bench.writer.store(1) == 10


class LyingDisk(sqlite3.Connection):
    """A connection whose disk fails to keep what a commit has written."""

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:  # as the library takes them
        """Everything but the commit works."""
        if sql == "commit":
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
            error.sqlite_errorname = "SQLITE_IOERR_FSYNC"
            raise error
        return super().execute(sql, *values)


async def test_a_failed_sync_ends_the_process_before_anything_is_answered(
    tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    ended: list[int] = []
    waiting: asyncio.Future[int] | None = None
    seen_when_it_ended: list[bool] = []

    def end(code: int) -> None:
        assert waiting is not None
        seen_when_it_ended.append(waiting.done())
        ended.append(code)

    connection = sqlite3.connect(
        tmp_path / "lies.db", isolation_level=None, check_same_thread=False, factory=LyingDisk
    )
    writer: Writer[int, int] = Writer(connection, lambda _, entries: list(entries), end=end)
    waiting = writer.store(1)
    with pytest.raises(errors.Unavailable):
        await waiting
    await writer.close()
    assert (ended, seen_when_it_ended) == ([module.EXIT_CODE], [False])
    assert "this process ends" in caplog.text


async def test_why_nothing_can_be_written_is_known_until_something_is(bench: Bench) -> None:
    def limit(connection: sqlite3.Connection, pages: int) -> None:
        [(size,)] = connection.execute("pragma page_count").fetchall()
        connection.execute(f"pragma max_page_count = {size + pages}").fetchall()

    assert bench.writer.trouble is None
    await bench.writer.run(lambda connection: limit(connection, 0))
    with pytest.raises(errors.Unavailable):
        await bench.writer.run(insert(1, "x" * 100_000))
    assert bench.writer.trouble == "database or disk is full"
    await bench.writer.run(lambda connection: limit(connection, 1_000))
    assert bench.writer.trouble is None
