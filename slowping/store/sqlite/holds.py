"""Keep which scopes have to wait, so that a restart does not forget it."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from slowping.core.delivery import Hold
from slowping.store.sqlite.readers import Readers
from slowping.store.sqlite.writer import Writer

_HOLD: Final = """
insert into hold (scope, until, why, failures, since)
values (:scope, :until, :why, :failures, :since)
    on conflict do update set until = excluded.until, why = excluded.why,
                              failures = excluded.failures, since = excluded.since
"""


class KeptHolds:
    """The holds of the outbox."""

    def __init__(self, writer: Writer[Any, Any], readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    async def holds(self) -> Sequence[Hold]:
        """Every hold that is kept."""
        kept = await self._readers.fetch("select scope, until, why, failures, since from hold")
        return [Hold(**dict(row)) for row in kept]

    async def hold(self, hold: Hold) -> None:
        """Keep a hold, in place of an earlier one of the scope."""
        values = msgspec.structs.asdict(hold)

        def deed(connection: sqlite3.Connection) -> None:
            connection.execute(_HOLD, values)

        await self._writer.run(deed)

    async def lift(self, scope: str) -> None:
        """Forget a scope's hold."""

        def deed(connection: sqlite3.Connection) -> None:
            connection.execute("delete from hold where scope = ?", (scope,))

        await self._writer.run(deed)
