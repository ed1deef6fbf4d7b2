"""Read-only connections, so that reading never waits for writing."""

import asyncio
import contextlib
import itertools
import pathlib
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final

import aiosqlite

from slowping.core import errors

CONNECTIONS: Final = 2

DEADLINE_S: Final = 10.0
"""A read that stays open would stop the write-ahead log from being folded back."""

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
        self._turn = itertools.cycle(connections)
        self._deadline_s = deadline_s

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
            Unavailable: it took too long, and was broken off.
        """
        connection = next(self._turn)
        try:
            async with asyncio.timeout(self._deadline_s):
                return list(await connection.execute_fetchall(sql, parameters))
        except TimeoutError:
            # Whoever stops waiting does not stop the statement.
            await connection.interrupt()
            raise errors.Unavailable("Reading took too long.") from None

    async def close(self) -> None:
        """Close them; this has to happen before the writer closes."""
        await asyncio.gather(*(connection.close() for connection in self._connections))


async def _prepare(connection: aiosqlite.Connection) -> None:
    connection.row_factory = sqlite3.Row
    for pragma in _PRAGMAS:
        await connection.execute_fetchall(f"pragma {pragma}")
