"""Read-only connections, so that reading never waits for writing."""

import asyncio
import contextlib
import pathlib
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final

import aiosqlite

from slowping.core import errors

CONNECTIONS: Final = 3
"""The last of them is kept for what senders and deliveries wait for."""

DEADLINE_S: Final = 10.0
"""A read that stays open would stop the write-ahead log from being folded back."""

_PATIENCE: Final = 2.0
"""For so many deadlines a read waits for its turn, whether its client is still there or not."""

_INTERRUPT_EVERY_S: Final = 0.05

_PRAGMAS: Final = (
    "query_only = on",
    "busy_timeout = 5000",
    "cache_size = -2000",
    "trusted_schema = off",
)


class Readers:
    """A few connections that can only read. Answers are fetched whole, so reads stay short."""

    def __init__(
        self, connections: Sequence[aiosqlite.Connection], deadline_s: float = DEADLINE_S
    ) -> None:
        self._connections = connections
        self._deadline_s = deadline_s
        self._idle: asyncio.Queue[aiosqlite.Connection] = asyncio.Queue()
        self._kept: asyncio.Queue[aiosqlite.Connection] = asyncio.Queue()
        for connection in connections[:-1]:
            self._idle.put_nowait(connection)
        self._kept.put_nowait(connections[-1])
        self._slow = asyncio.Lock()

    @classmethod
    async def open(cls, path: pathlib.Path, deadline_s: float = DEADLINE_S) -> "Readers":
        """Open them on a database that exists."""
        address = f"{path.absolute().as_uri()}?mode=ro"  # noqa: ASYNC240 - it reads no disk
        connections = []
        async with contextlib.AsyncExitStack() as undo:
            for _ in range(CONNECTIONS):
                connection = await aiosqlite.connect(address, uri=True, isolation_level=None)
                undo.push_async_callback(connection.close)
                await _prepare(connection)
                connections.append(connection)
            undo.pop_all()
        return cls(connections, deadline_s)

    async def fetch(
        self, sql: str, parameters: Mapping[str, object] | Sequence[object] = ()
    ) -> list[sqlite3.Row]:
        """All rows of a query.

        Raises:
            Unavailable: it took too long, and was broken off, or its turn did not come.
        """
        return await self._fetch(self._idle, sql, parameters)

    async def fetch_at_once(
        self, sql: str, parameters: Mapping[str, object] | Sequence[object] = ()
    ) -> list[sqlite3.Row]:
        """The same, for a short query that senders or deliveries wait for.

        However many lists somebody asks for, and however long these take, it comes before them.

        Raises:
            Unavailable: it took too long, and was broken off, or its turn did not come.
        """
        return await self._fetch(self._kept, sql, parameters)

    async def fetch_alone(
        self, sql: str, parameters: Mapping[str, object] | Sequence[object] = ()
    ) -> list[sqlite3.Row]:
        """The same, for a query that may take long: one at a time, so that lists need not wait.

        Raises:
            Unavailable: it took too long, and was broken off, or its turn did not come.
        """
        # Whoever stops waiting does not stop the query, and its turn lasts as long as it does.
        return await asyncio.shield(self._fetch_alone(sql, parameters))

    async def _fetch_alone(
        self, sql: str, parameters: Mapping[str, object] | Sequence[object]
    ) -> list[sqlite3.Row]:
        try:
            async with asyncio.timeout(self._deadline_s * _PATIENCE):
                await self._slow.acquire()
        except TimeoutError:
            raise errors.Unavailable("Too many are searching at once.") from None
        try:
            return await self._fetch(self._idle, sql, parameters)
        finally:
            self._slow.release()

    async def _fetch(
        self,
        idle: asyncio.Queue[aiosqlite.Connection],
        sql: str,
        parameters: Mapping[str, object] | Sequence[object],
    ) -> list[sqlite3.Row]:
        try:
            async with asyncio.timeout(self._deadline_s * _PATIENCE if idle.empty() else None):
                connection = await idle.get()
        except TimeoutError:
            raise errors.Unavailable("Too many are reading at once.") from None
        # Whoever stops waiting does not stop the statement, and it needs its connection still.
        return await asyncio.shield(self._read(connection, idle, sql, parameters))

    async def _read(
        self,
        connection: aiosqlite.Connection,
        idle: asyncio.Queue[aiosqlite.Connection],
        sql: str,
        parameters: Mapping[str, object] | Sequence[object],
    ) -> list[sqlite3.Row]:
        reading = asyncio.ensure_future(connection.execute_fetchall(sql, parameters))
        try:
            await asyncio.wait((reading,), timeout=self._deadline_s)
            while not reading.done():
                # An interrupt that comes before the thread has begun the statement is lost.
                await connection.interrupt()
                await asyncio.wait((reading,), timeout=_INTERRUPT_EVERY_S)
            return list(await reading)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
            raise errors.Unavailable("Reading took too long.") from None
        finally:
            idle.put_nowait(connection)

    async def close(self) -> None:
        """Close them; this has to happen before the writer closes."""
        await asyncio.gather(*(connection.close() for connection in self._connections))


async def _prepare(connection: aiosqlite.Connection) -> None:
    connection.row_factory = sqlite3.Row
    for pragma in _PRAGMAS:
        await connection.execute_fetchall(f"pragma {pragma}")
