"""Keep which scopes have to wait, so that a restart does not forget it."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from slowping.core.breaker import CHANNEL, KEPT_AS
from slowping.core.delivery import Hold
from slowping.store.sqlite.readers import Readers
from slowping.store.sqlite.writer import Writer

_HOLD: Final = """
insert into hold (scope, until, why, failures, since)
values (:scope, :until, :why, :failures, :since)
    on conflict do update set until = excluded.until, why = excluded.why,
                              failures = excluded.failures, since = excluded.since
"""

_CHANGED: Final = """
insert into journal (at, kind, project_id, subject_id)
select :now, 'channel.changed', project_id, id
  from channel
 where id = :id and removed_at is null
"""

_OF_A_CHANNEL: Final = KEPT_AS + CHANNEL


class KeptHolds:
    """The holds of the outbox."""

    def __init__(self, writer: Writer[Any, Any], readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    async def holds(self) -> Sequence[Hold]:
        """Every hold that is kept."""
        kept = await self._readers.fetch("select scope, until, why, failures, since from hold")
        return [Hold(**dict(row)) for row in kept]

    async def hold(self, hold: Hold, *, now: int) -> None:
        """Keep a hold, in place of an earlier one of the scope."""
        values = msgspec.structs.asdict(hold)

        def deed(connection: sqlite3.Connection) -> None:
            connection.execute(_HOLD, values)
            _tell(connection, hold.scope, now)

        await self._writer.run(deed)

    async def lift(self, scope: str, *, now: int) -> None:
        """Forget a scope's hold."""

        def deed(connection: sqlite3.Connection) -> None:
            connection.execute("delete from hold where scope = ?", (scope,))
            _tell(connection, scope, now)

        await self._writer.run(deed)


def _tell(connection: sqlite3.Connection, scope: str, now: int) -> None:
    """A channel shows that it waits."""
    _, is_a_channel, number = scope.partition(_OF_A_CHANNEL)
    if is_a_channel:
        connection.execute(_CHANGED, {"now": now, "id": int(number)})
