import contextlib
import json
import pathlib
import sqlite3

import pytest

from benchmarks import dialects, rewriting
from benchmarks.rewriting import Rewriter, Table
from slowping.core import ids
from tests.conftest import RunningHouse

COUNTS = {
    "idempotency": """
        select (select count(*) from idempotency) + (select count(*) from idempotency_recent)
    """,
    "event": "select count(*) from event",
    "journal": "select count(*) from journal",
    "delivery": "select count(*) from delivery",
    "usage": "select sum(events) from usage",
}
MS = ids.COUNTER + 1


def test_rows_of_a_later_array_differ_in_their_ids_and_their_key_alone() -> None:
    table = Table(
        name="idempotency", columns=("project_id", "key", "first_event_id"), rows=[(7, "a", 100)]
    )
    assert table.later(2) == [(7, f"{2:019d}", 100 + 2 * MS)]
    assert table.insert == (
        "insert into idempotency (project_id, key, first_event_id) values (?, ?, ?)"
    )


@pytest.fixture
async def database(house: RunningHouse, tmp_path: pathlib.Path) -> pathlib.Path:
    """A copy of a server's, which was sent one event, and then an array of three."""
    await house.project(
        dialects.PROJECT, channels=("console", "console"), categories=(dialects.CATEGORY,)
    )
    headers = {"x-api-key": await house.key(dialects.PROJECT)}
    event = {"source": "web", "event_type": dialects.CATEGORY, "data": {"amount": 49.99}}
    for key, sent in (("one", [event]), ("three", [event] * 3)):
        headers["idempotency-key"] = key
        answer = await house.client.post(
            "/api/v1/events", content=json.dumps(sent), headers=headers
        )
        assert answer.json() == {"ingested": len(sent)}
    copied = tmp_path / "copy.db"
    rewriting.copy(tmp_path / "slowping.db", copied)
    return copied


def counts(database: pathlib.Path) -> dict[str, int]:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return {name: connection.execute(query).fetchone()[0] for name, query in COUNTS.items()}


async def test_an_array_is_written_again_with_all_that_the_server_wrote_for_it(
    database: pathlib.Path,
) -> None:
    before = counts(database)
    with contextlib.closing(Rewriter(database)) as rewriter:
        for _ in range(2):
            rewriter.write()
    added = {table: count - before[table] for table, count in counts(database).items()}
    assert added == {"idempotency": 2, "event": 6, "journal": 6, "delivery": 12, "usage": 6}


async def test_what_is_written_again_is_synced_as_the_server_syncs(
    database: pathlib.Path,
) -> None:
    with contextlib.closing(Rewriter(database)) as rewriter:
        [(synchronous,)] = rewriter._connection.execute("pragma synchronous")
        [(mode,)] = rewriter._connection.execute("pragma journal_mode")
    assert (synchronous, mode) == (2, "wal")
