"""The only writer: one thread, one connection, one commit for all that wait."""

import asyncio
import collections
import contextlib
import enum
import logging
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
    """What the thread is told between items."""

    URGENT = enum.auto()
    """Look among the urgent ones."""
    STOP = enum.auto()
    """Nothing comes any more."""


class Writer(Generic[E, R]):
    """Writes all that waits in one transaction, and answers after the commit.

    Entries are stored all at once by `together`, which gives a result or an exception for each;
    a deed is any other change, in a savepoint of its own. Within a transaction deeds come first.
    One item's failure spoils no other.
    """

    def __init__(self, connection: sqlite3.Connection, together: Together[E, R]) -> None:
        """Own `connection` from now on; nothing else may use it."""
        self._connection = connection
        self._together = together
        self._queue: queue.SimpleQueue[_Item | _Signal] = queue.SimpleQueue()
        self._urgent: collections.deque[_Item] = collections.deque()
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._failing = False
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
            self._queue.put(_Signal.URGENT)
        else:
            self._put(item)
        done: T = await item.future
        return done

    def listen(self, written: Callable[[], None]) -> None:
        """Call `written` as well, in the loop, after each batch, however many items that was."""
        self._listeners.append(written)

    async def close(self) -> None:
        """Write all that waits, then end the thread and close the connection."""
        self._closed = True
        self._queue.put(_Signal.STOP)
        await asyncio.to_thread(self._thread.join)

    def _put(self, item: _Item) -> asyncio.Future[Any]:
        self._require_open()
        if self._queue.qsize() >= MAX_WAITING:
            raise errors.Unavailable("The server has more to store than its disk can take.")
        self._queue.put(item)
        return item.future

    def _require_open(self) -> None:
        if self._closed:
            raise errors.Unavailable("The server is stopping.")

    # In the thread ---------------------------------------------------------------------------

    def _work(self) -> None:
        stopping = False
        while not stopping:
            items, stopping = self._gather()
            if items:
                self._answer(self._write(items))
        self._connection.close()

    def _gather(self) -> tuple[list[_Item], bool]:
        """Wait for an item, then take all that wait with it; whether these are the last."""
        taken: list[_Item] = []
        came = self._queue.get()
        while came is not _Signal.STOP:
            if came is not _Signal.URGENT:
                taken.append(came)
            if len(taken) >= MAX_BATCH:
                break
            try:
                came = self._queue.get_nowait()
            except queue.Empty:
                break
        urgent = [self._urgent.popleft() for _ in range(len(self._urgent))]
        return urgent + taken, came is _Signal.STOP

    def _write(self, items: Sequence[_Item]) -> Sequence[tuple[_Item, Any]]:
        connection = self._connection
        try:
            connection.execute("begin immediate")
            deeds = [(item, self._do(item.deed)) for item in items if item.deed is not None]
            waiting = [item for item in items if item.deed is None]
            stored = self._together(connection, [item.entry for item in waiting]) if waiting else ()
            connection.execute("commit")
        except Exception as error:  # noqa: BLE001 - this thread has to outlive every batch
            self._undo()
            self._report(error)
            return [(item, _refusal(error)) for item in items]
        if self._failing:
            self._failing = False
            logger.warning("can write again")
        return [*deeds, *zip(waiting, stored, strict=True)]

    def _do(self, deed: Deed[Any]) -> Any:
        connection = self._connection
        connection.execute("savepoint deed")
        try:
            done = deed(connection)
        except Exception as error:
            # A full disk rolls back everything, which the rest of the batch has to hear.
            if not connection.in_transaction:
                raise
            connection.execute("rollback to deed")
            done = error
        connection.execute("release deed")
        return done

    def _undo(self) -> None:
        # A full disk has rolled back already, and a second rollback would be an error.
        if self._connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("rollback")

    def _report(self, error: Exception) -> None:
        """Log the first failure in a row: the log may well be on the same full disk."""
        if not self._failing:
            self._failing = True
            name = getattr(error, "sqlite_errorname", type(error).__name__)
            logger.error("cannot write: %s (%s)", error, name)

    def _answer(self, finished: Sequence[tuple[_Item, Any]]) -> None:
        # A loop that is closed has nobody left who waits; what was given is written all the same.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._finish, finished)

    # In the loop -----------------------------------------------------------------------------

    def _finish(self, finished: Sequence[tuple[_Item, Any]]) -> None:
        _resolve(finished)
        for written in self._listeners:
            written()


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
    if isinstance(error, sqlite3.Error) and not isinstance(error, sqlite3.IntegrityError):
        return _refusal(error)
    return error


def _refusal(error: Exception) -> errors.Unavailable:
    return errors.Unavailable(f"The database cannot be written: {error}.")
