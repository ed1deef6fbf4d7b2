"""Read-only connections, so that reading never waits for writing."""

import asyncio
import itertools
import pathlib
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final

import aiosqlite

CONNECTIONS: Final = 2


class Readers:
    """A few connections that can only read. Answers are fetched whole, so reads stay short.

    A read that stays open would stop the write-ahead log from being folded back.
    """

    def __init__(self, connections: Sequence[aiosqlite.Connection]) -> None:
        self._connections = connections
        self._turn = itertools.cycle(connections)

    @classmethod
    async def open(cls, path: pathlib.Path) -> "Readers":
        """Open them on a database that exists."""
        return cls([await _open(path) for _ in range(CONNECTIONS)])

    async def fetch(
        self, sql: str, parameters: Mapping[str, object] | Sequence[object] = ()
    ) -> list[sqlite3.Row]:
        """All rows of a query."""
        rows = await next(self._turn).execute_fetchall(sql, parameters)  # type: ignore[arg-type] # it takes mappings too
        return list(rows)

    async def close(self) -> None:
        """Close them; this has to happen before the writer closes."""
        await asyncio.gather(*(connection.close() for connection in self._connections))


async def _open(path: pathlib.Path) -> aiosqlite.Connection:
    connection = await aiosqlite.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None
    )
    connection.row_factory = sqlite3.Row
    for pragma in ("query_only = on", "busy_timeout = 5000", "cache_size = -2000"):
        await connection.execute(f"pragma {pragma}")
    await connection.execute("pragma trusted_schema = off")
    return connection
