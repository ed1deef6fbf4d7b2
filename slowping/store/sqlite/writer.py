"""The only writer: one thread, one connection, one commit for all that wait."""

import asyncio
import collections
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


class Writer(Generic[E, R]):
    """Runs deeds and stores entries in the order they come, and answers after the commit.

    Entries are stored all at once by `together`, which gives a result or an exception for each;
    a deed is any other change, in a savepoint of its own. One item's failure spoils no other.
    """

    def __init__(self, connection: sqlite3.Connection, together: Together[E, R]) -> None:
        """Own `connection` from now on; nothing else may use it."""
        self._connection = connection
        self._together = together
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._urgent: collections.deque[_Item] = collections.deque()
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="slowping-writer", daemon=True)
        self._thread.start()

    def store(self, entry: E) -> asyncio.Future[R]:
        """Store an entry together with all others that wait.

        Raises:
            Unavailable: too many wait, or the store is closed.
        """
        return self._put(_Item(None, entry, self._loop.create_future()))

    async def run(self, deed: Deed[T], *, urgent: bool = False) -> T:
        """Run a deed in the writer's thread; what it raises undoes what it did.

        An urgent one goes before everything that waits.

        Raises:
            Unavailable: the database cannot be written now.
        """
        item = _Item(deed, None, self._loop.create_future())
        if urgent:
            self._urgent.append(item)
        done: T = await self._put(item, wake_only=urgent)
        return done

    async def close(self) -> None:
        """Write all that waits, then end the thread and close the connection."""
        self._closed = True
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _put(self, item: _Item, *, wake_only: bool = False) -> asyncio.Future[Any]:
        if self._closed:
            raise errors.Unavailable("The server is stopping.")
        if self._queue.qsize() > MAX_WAITING:
            raise errors.Unavailable("The server has more to store than its disk can take.")
        self._queue.put(_WAKE if wake_only else item)
        return item.future

    def _work(self) -> None:
        stopping = False
        while not stopping:
            items, stopping = self._gather()
            if items:
                finished = self._write(items)
                self._loop.call_soon_threadsafe(_resolve, finished)
        self._connection.close()

    def _gather(self) -> tuple[list[_Item], bool]:
        """Wait for an item, then take all that wait with it."""
        taken: list[_Item] = []
        item = self._queue.get()
        while item is not None:
            if item is not _WAKE:
                taken.append(item)
            if len(taken) >= MAX_BATCH:
                break
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                break
        urgent = [self._urgent.popleft() for _ in range(len(self._urgent))]
        return urgent + taken, item is None

    def _write(self, items: Sequence[_Item]) -> Sequence[tuple[_Item, Any]]:
        connection = self._connection
        try:
            connection.execute("begin immediate")
            deeds = [(item, self._do(item.deed)) for item in items if item.deed is not None]
            waiting = [item for item in items if item.deed is None]
            stored = self._together(connection, [item.entry for item in waiting]) if waiting else ()
            connection.execute("commit")
        except sqlite3.Error as error:
            logger.error("cannot write: %s (%s)", error, getattr(error, "sqlite_errorname", "?"))
            # A full disk has rolled back already, and a second rollback would be an error.
            if connection.in_transaction:
                connection.execute("rollback")
            refusal = errors.Unavailable(f"The database cannot be written: {error}.")
            return [(item, refusal) for item in items]
        return [*deeds, *zip(waiting, stored, strict=True)]

    def _do(self, deed: Deed[Any]) -> Any:
        connection = self._connection
        connection.execute("savepoint deed")
        try:
            done = deed(connection)
        except Exception as error:  # noqa: BLE001 - it is handed to whoever waits for the deed
            if not connection.in_transaction:
                raise
            connection.execute("rollback to deed")
            done = error
        connection.execute("release deed")
        return done


_WAKE: Final = _Item(None, None, asyncio.Future.__new__(asyncio.Future))
"""Tells the thread to look among the urgent ones."""


def _resolve(finished: Sequence[tuple[_Item, Any]]) -> None:
    for item, result in finished:
        if item.future.done():  # whoever waited has gone; the write stands
            continue
        if isinstance(result, Exception):
            item.future.set_exception(result)
        else:
            item.future.set_result(result)
