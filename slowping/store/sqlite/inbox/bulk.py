"""Insert many rows with few statements.

Each step of a statement gives Python's lock away and has to win it back, so that a statement a row
would wait far longer than it works. One JSON text for all rows would be a single statement, but
taking it apart costs SQLite more than all that it inserts.
"""

import itertools
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Final

SIZES: Final = (64, 32, *range(16, 0, -1))
"""So many rows have statements of their own; any number is made up of these."""

Row = Sequence[Any]


class Insert:
    """An insert statement, for any number of rows."""

    def __init__(self, statement: str, row: str) -> None:
        """`statement` has `{rows}` for all rows, `row` is what one of them looks like there."""
        self._statements = {
            size: statement.format(rows=", ".join(itertools.repeat(row, size))) for size in SIZES
        }

    def run(self, connection: sqlite3.Connection, rows: Sequence[Row]) -> int:
        """Insert the rows; how many were."""
        inserted = 0
        for part in _parts(rows):
            values = list(itertools.chain.from_iterable(part))
            inserted += connection.execute(self._statements[len(part)], values).rowcount
        return inserted


def _parts(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    start = 0
    for size in SIZES:
        while len(rows) - start >= size:
            yield rows[start : start + size]
            start += size
