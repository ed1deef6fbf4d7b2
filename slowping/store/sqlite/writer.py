"""The only writer: one thread, one connection, one commit for all that wait."""

import asyncio
import collections
import contextlib
import enum
import logging
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar

import msgspec

from slowping.core import errors

logger = logging.getLogger("slowping.store")

MAX_BATCH: Final = 200
"""Most items in one commit: the last of them waits for all."""

MAX_WAITING: Final = 20_000
"""Beyond this many waiting items the disk cannot keep up, and new ones are refused."""

ANSWERED_TOGETHER: Final = 64
"""Most who are answered in one turn of the loop. Answered all at once they would all come back at
once, to be written in one commit again, and the loop would have nothing to do while that syncs."""

FATAL: Final = frozenset({sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC})
"""After one of these nobody knows what is on the disk, and asking again may well be answered with
yes: the kernel reports it once, and forgets what it could not write."""

EXIT_CODE: Final = 74
"""Of a process that ends so: an input or output error, as sysexits.h has it."""

_OF_THE_DISK: Final = frozenset(
    {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY}
)
PRIMARY: Final = 0xFF
"""Of SQLite's error codes, the part that says what sort of error it is."""

_MISTAKES: Final = (sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.ProgrammingError)

E = TypeVar("E")
R = TypeVar("R")
T = TypeVar("T")

Deed = Callable[[sqlite3.Connection], T]
Together = Callable[[sqlite3.Connection, Sequence[E]], Sequence[R | Exception]]


class _Item(msgspec.Struct, frozen=True, gc=False):
    """Something to write, and who waits for it: a deed, or an entry for the batch."""

    deed: Deed[Any] | None
    entry: Any
    future: asyncio.Future[Any]


class _Signal(enum.Enum):
    """What the thread is told while nothing waits."""

    WORK = enum.auto()
    """Look what waits."""
    STOP = enum.auto()
    """Look once more: nothing comes any more."""


class Writer(Generic[E, R]):
    """Writes all that waits in one transaction, and answers after the commit.

    Entries are stored all at once by `together`, which gives a result or an exception for each;
    a deed is any other change, in a savepoint of its own. Within a transaction entries come first,
    and `together` may begin it anew. One item's failure spoils no other.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        together: Together[E, R],
        *,
        end: Callable[[int], object] = os._exit,
    ) -> None:
        """Own `connection` from now on; nothing else may use it.

        `end` ends the process where it must not go on, before anything is answered.
        """
        self._connection = connection
        self._end = end
        self._together = together
        self._bell: queue.SimpleQueue[_Signal] = queue.SimpleQueue()
        self._is_ringing = False
        """Whether the bell is going to be rung."""
        self._waiting: collections.deque[_Item] = collections.deque()
        self._urgent: collections.deque[_Item] = collections.deque()
        self._between: collections.deque[_Item] = collections.deque()
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self.trouble: str | None = None
        """Why the last batch could not be written; None where it was."""
        self.failures = 0
        """How many batches could not be written so far."""
        self._has_told = False
        """Whether the log has a failure, and not yet that it is over."""
        self._listeners: list[Callable[[], None]] = []
        self._thread = threading.Thread(target=self._work, name="slowping-writer", daemon=True)
        self._thread.start()

    def store(self, entry: E) -> asyncio.Future[R]:
        """Store an entry together with all others that wait.

        The future fails with Unavailable where the database cannot be written now.

        Raises:
            Unavailable: too many wait, or the store is closed.
        """
        return self._put(_Item(None, entry, self._loop.create_future()))

    async def run(self, deed: Deed[T], *, urgent: bool = False) -> T:
        """Run a deed in the writer's thread; what it raises undoes what it did.

        An urgent one goes before everything that waits, however much that is. A deed must not
        give a cursor back: it would be let go of in another thread.

        Raises:
            Unavailable: the database cannot be written now, or the store is closed.
        """
        item = _Item(deed, None, self._loop.create_future())
        if urgent:
            self._require_open()
            self._urgent.append(item)
            self._ring()
        else:
            self._put(item)
        done: T = await item.future
        return done

    async def run_between(self, deed: Deed[T]) -> T:
        """Run a deed between two transactions; what it raises undoes nothing.

        Raises:
            Unavailable: the database could not do it now, or the store is closed.
        """
        item = _Item(deed, None, self._loop.create_future())
        self._require_open()
        self._between.append(item)
        self._ring()
        done: T = await item.future
        return done

    def listen(self, written: Callable[[], None]) -> None:
        """Call `written` as well, in the loop, after each batch, however many items that was."""
        self._listeners.append(written)

    def note_well(self) -> None:
        """Log that a failure is over, if there was one: what works once may fail again at once."""
        if self._has_told:
            self._has_told = False
            logger.warning("can write again")

    async def close(self) -> None:
        """Write all that waits, then end the thread and close the connection."""
        self._closed = True
        self._bell.put(_Signal.STOP)
        await asyncio.to_thread(self._thread.join)

    def _put(self, item: _Item) -> asyncio.Future[Any]:
        self._require_open()
        if len(self._waiting) >= MAX_WAITING:
            raise errors.Unavailable("The server has more to store than its disk can take.")
        self._waiting.append(item)
        self._ring()
        return item.future

    def _ring(self) -> None:
        """Wake the thread once the loop has turned, for all that has come by then.

        Woken by the first it would write that alone, and the others would wait for two commits;
        and it would work while the loop does, for which both pay with Python's lock.
        """
        if not self._is_ringing:
            self._is_ringing = True
            self._loop.call_soon(self._rung)

    def _rung(self) -> None:
        self._is_ringing = False
        self._bell.put(_Signal.WORK)

    def _require_open(self) -> None:
        if self._closed:
            raise errors.Unavailable("The server is stopping.")

    # In the thread ---------------------------------------------------------------------------

    def _work(self) -> None:
        stopping = False
        while not stopping:
            stopping = self._bell.get() is _Signal.STOP
            while items := self._next_batch():
                self._answer(self._write(items))
                self._work_between()
            self._work_between()
        self._connection.close()

    def _next_batch(self) -> list[_Item]:
        """All that is urgent, and of what waits as much as one commit takes."""
        urgent = [self._urgent.popleft() for _ in range(len(self._urgent))]
        count = min(len(self._waiting), MAX_BATCH)
        return urgent + [self._waiting.popleft() for _ in range(count)]

    def _work_between(self) -> None:
        while self._between:
            item = self._between.popleft()
            self._answer([(item, self._do_between(item.deed))])

    def _write(self, items: Sequence[_Item]) -> Sequence[tuple[_Item, Any]]:
        connection = self._connection
        try:
            connection.execute("begin immediate")
            waiting = [item for item in items if item.deed is None]
            stored = self._together(connection, [item.entry for item in waiting]) if waiting else ()
            deeds = [(item, self._do(item.deed)) for item in items if item.deed is not None]
            connection.execute("commit")
        except Exception as error:  # noqa: BLE001 - this thread has to outlive every batch
            self._end_if_fatal(error)
            self._undo()
            self._report(error)
            return [(item, _refusal(error)) for item in items]
        self.trouble = None
        return [*deeds, *zip(waiting, stored, strict=True)]

    def _do(self, deed: Deed[Any]) -> Any:
        connection = self._connection
        connection.execute("savepoint deed")
        try:
            done = deed(connection)
        except Exception as error:
            # A full disk rolls back everything, which the rest of the batch has to hear.
            if not connection.in_transaction or is_of_disk(error):
                raise
            connection.execute("rollback to deed")
            done = error
        connection.execute("release deed")
        return done

    def _do_between(self, deed: Deed[Any] | None) -> Any:
        if deed is None:
            raise ValueError("entries are written in transactions")
        try:
            return deed(self._connection)
        except Exception as error:  # noqa: BLE001 - this thread has to outlive it
            self._end_if_fatal(error)
            return error

    def _end_if_fatal(self, error: Exception) -> None:
        """End the process where what was written may be lost: the next one reads what is there."""
        if getattr(error, "sqlite_errorcode", None) in FATAL:
            logger.critical(
                "the disk failed to keep what was written (%s); this process ends", error
            )
            self._end(EXIT_CODE)

    def _undo(self) -> None:
        # A full disk has rolled back already, and a second rollback would be an error.
        if self._connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("rollback")

    def _report(self, error: Exception) -> None:
        """Log the first failure until all is well: the log may well be on the same full disk."""
        if not self._has_told:
            self._has_told = True
            name = getattr(error, "sqlite_errorname", type(error).__name__)
            logger.error("cannot write: %s (%s)", error, name)
        self.trouble = str(error)
        self.failures += 1

    def _answer(self, finished: Sequence[tuple[_Item, Any]]) -> None:
        # A loop that is closed has nobody left who waits; what was given is written all the same.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._finish, finished)

    # In the loop -----------------------------------------------------------------------------

    def _finish(self, finished: Sequence[tuple[_Item, Any]]) -> None:
        _resolve(finished[:ANSWERED_TOGETHER])
        if len(finished) > ANSWERED_TOGETHER:
            self._loop.call_soon(self._finish, finished[ANSWERED_TOGETHER:])
            return
        for written in self._listeners:
            written()


def is_of_disk(error: Exception) -> bool:
    """Whether it is the disk that has failed, or is full: what else is to be written fails too."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & PRIMARY in _OF_THE_DISK


def _resolve(finished: Sequence[tuple[_Item, Any]]) -> None:
    for item, result in finished:
        if item.future.done():  # whoever waited has gone; the write stands
            continue
        if isinstance(result, Exception):
            item.future.set_exception(_as_condition(result))
        else:
            item.future.set_result(result)


def _as_condition(error: Exception) -> Exception:
    """What SQLite could not do is a condition; what it refuses to store is a mistake of ours."""
    if isinstance(error, sqlite3.Error) and not isinstance(error, _MISTAKES):
        return _refusal(error)
    return error


def _refusal(error: Exception) -> errors.Unavailable:
    return errors.Unavailable(f"The database cannot be written: {error}.")
