import asyncio
import contextlib
import os
import pathlib
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from benchmarks import fill, past, plain_search, scale, subjects
from benchmarks.subjects import Server
from slowping.server.process import data_folder
from slowping.store.sqlite.store import SqliteStore
from slowping.store.vault import Vault
from tests.conftest import VAULT_KEY, running_house

EVENTS = 3_000


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("filled") / "data"
    fill.fill(folder, EVENTS)
    return folder


@pytest.fixture(scope="module")
def rows(filled: pathlib.Path) -> Iterator[sqlite3.Connection]:
    path = filled / data_folder.DATABASE
    with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        yield connection


def test_the_schema_is_that_of_a_server(rows: sqlite3.Connection, store: SqliteStore) -> None:
    schema = "select name, sql from sqlite_schema"
    with contextlib.closing(sqlite3.connect(store.path)) as new:
        assert set(rows.execute(schema)) == set(new.execute(schema))
    assert rows.execute("pragma journal_mode").fetchall() == [("wal",)]


def test_nothing_is_damaged_and_nothing_leads_nowhere(rows: sqlite3.Connection) -> None:
    assert rows.execute("pragma integrity_check").fetchall() == [("ok",)]
    assert rows.execute("pragma foreign_key_check").fetchall() == []


def test_so_many_events_were_made_with_their_deliveries_and_keys(rows: sqlite3.Connection) -> None:
    counts = {
        table: rows.execute(f"select count(*) from {table}").fetchone()[0]  # noqa: S608 - it is ours
        for table in ("event", "idempotency", "delivery", "attempt")
    }
    assert counts["event"] == counts["idempotency"] == EVENTS
    assert EVENTS < counts["delivery"] < counts["attempt"]
    states = {state for (state,) in rows.execute("select distinct state from delivery")}
    assert states == {"pending", "delivered", "failed", "discarded"}


def test_every_event_is_found_by_its_words(rows: sqlite3.Connection) -> None:
    assert rows.execute("select count(*) from event_text_docsize").fetchone() == (EVENTS,)
    place = "select value = (select max(seq) from journal) from meta where key = 'searchable'"
    assert rows.execute(place).fetchall() == [(1,)]


def test_every_attempt_and_every_event_is_told_once(rows: sqlite3.Connection) -> None:
    told = "select kind, count(*) from journal where subject_id in ({}) group by kind"
    of_events = rows.execute(told.format("select id from event")).fetchall()
    of_deliveries = rows.execute(told.format("select id from delivery")).fetchall()
    [(attempts,)] = rows.execute("select count(*) from attempt").fetchall()
    assert of_events == [("event.accepted", EVENTS)]
    assert of_deliveries == [("delivery.changed", attempts)]


def test_the_journal_is_in_the_order_of_time(rows: sqlite3.Connection) -> None:
    back = "select max(back) from (select lag(at) over (order by seq) - at as back from journal)"
    [(most,)] = rows.execute(back).fetchall()
    assert most <= 0


def test_a_common_word_is_in_many_events_and_a_rare_one_in_few(rows: sqlite3.Connection) -> None:
    count = "select count(*) from event where description like '%' || ? || '%'"
    [(common,)] = rows.execute(count, (past.COMMON,)).fetchall()
    [(rare,)] = rows.execute(count, (past.RARE,)).fetchall()
    assert EVENTS / 5 < common < EVENTS / 2
    assert rare == past.RARE_EVENTS


def test_the_plain_index_finds_the_newest_events_with_a_word(
    filled: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    with plain_search.indexed(filled / data_folder.DATABASE, tmp_path / "plain.db") as plain:
        common, rare = plain.newest(past.COMMON), plain.newest(past.RARE)
    assert len(common) == 50
    assert len(rare) == past.RARE_EVENTS
    assert all(past.RARE in description for _, description, _ in rare)
    assert sorted(rare, reverse=True) == rare


# Counted anew -------------------------------------------------------------------------------

_FIGURES = {
    "events": "select category_id, span, start, events from event_rollup",
    "numbers": """
select category_id, name, span, start, numbers, total
  from field_rollup
  join number_field on number_field.id = field_id
""",
    "place": "select value from meta where key = 'rolled_up'",
}


async def test_events_are_counted_as_the_server_counts_them(
    filled: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "counted.db"
    shutil.copy(filled / data_folder.DATABASE, path)
    made = _figures(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for table in ("event_rollup", "field_rollup", "number_field"):
            connection.execute(f"delete from {table}")  # noqa: S608 - it is ours
        connection.execute("update meta set value = '0' where key = 'rolled_up'")
        connection.commit()
    store = await SqliteStore.open(path, Vault([VAULT_KEY]))
    while await store.journal.count_on():
        pass
    await store.close()
    assert _figures(path) == made
    assert all(made.values())


def _figures(path: pathlib.Path) -> Mapping[str, set[Any]]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return {what: set(connection.execute(text)) for what, text in _FIGURES.items()}


def test_attempts_are_counted_each_once(rows: sqlite3.Connection) -> None:
    [counted] = rows.execute("select sum(delivered), sum(troubled) from channel_rollup")
    [tried] = rows.execute(
        "select sum(outcome = 'delivered'), sum(outcome <> 'delivered') from attempt"
    )
    [(timed,)] = rows.execute("select sum(delivered) from latency_rollup")
    assert counted == tried
    assert timed == tried[0]


def test_the_last_error_of_each_channel_is_known_and_mended(rows: sqlite3.Connection) -> None:
    failed = "select channel_id, max(ended_at) from delivery where state = 'failed' group by 1"
    told = "select channel_id, at from channel_error where mended_at > at"
    assert set(rows.execute(failed)) == set(rows.execute(told))


# Asked about --------------------------------------------------------------------------------


async def test_a_server_answers_every_question_about_it(
    filled: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(filled, folder)

    def ask_all(port: int) -> str:
        key = (folder / "admin.key").read_text().strip()
        server = Server(port=port, pid=os.getpid(), key=key, api=subjects.Api(port, key))
        with scale.side_of(folder, server) as side:
            for question in {**scale.PROMISED, **scale.LOOKED_AT}.values():
                question(side.asker, 0)
            return side.name

    async with running_house(folder) as house:
        port = int(house.base_url.rpartition(":")[2])
        assert await asyncio.to_thread(ask_all, port) == f"{EVENTS:,}"
