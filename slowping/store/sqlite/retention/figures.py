"""Forget figures by the hour once nobody can ask for them; those of days, and sums of all, stay."""

import functools
import sqlite3
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from slowping.store.sqlite.readers import Readers
from slowping.store.sqlite.rollups import HOUR_MS, QUARTER_MS
from slowping.store.sqlite.writer import Writer

STEP: Final = 500
"""Most rows that are removed in one transaction."""

# Whose figures they are comes first in each table, so that old ones are found without looking at
# the others.
OLD: Final[Mapping[str, str]] = {
    "event_rollup": """
select old.category_id, old.span, old.start
  from category as own
 cross join json_each(:spans) as fine
 cross join event_rollup as old
    on old.category_id = own.id and old.span = fine.value and old.start < :before
 limit :most
""",
    "field_rollup": """
select old.field_id, old.span, old.start
  from number_field as own
 cross join json_each(:spans) as fine
 cross join field_rollup as old
    on old.field_id = own.id and old.span = fine.value and old.start < :before
 limit :most
""",
    "channel_rollup": """
select old.channel_id, old.start
  from channel as own
 cross join channel_rollup as old on old.channel_id = own.id and old.start < :before
 limit :most
""",
    "latency_rollup": """
select old.channel_id, old.start, old.bucket
  from channel as own
 cross join latency_rollup as old on old.channel_id = own.id and old.start < :before
 limit :most
""",
}

_FORGET: Final[Mapping[str, str]] = {
    "event_rollup": "category_id = ? and span = ? and start = ?",
    "field_rollup": "field_id = ? and span = ? and start = ?",
    "channel_rollup": "channel_id = ? and start = ?",
    "latency_rollup": "channel_id = ? and start = ? and bucket = ?",
}

_FINE: Final = msgspec.json.encode((QUARTER_MS, HOUR_MS)).decode()


async def thin(writer: Writer[Any, Any], readers: Readers, before: int) -> bool:
    """Forget some of what is older than a moment in UTC milliseconds; whether there is more."""
    values = {"spans": _FINE, "before": before, "most": STEP}
    for table, old in OLD.items():
        found = [tuple(row) for row in await readers.fetch(old, values)]
        if found:
            await writer.run(functools.partial(_forget, table, found))
            return True
    return False


def _forget(table: str, found: list[tuple[int, ...]], connection: sqlite3.Connection) -> None:
    connection.executemany(f"delete from {table} where {_FORGET[table]}", found)  # noqa: S608 - ours
