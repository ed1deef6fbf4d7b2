import asyncio
import pathlib
import sqlite3
import threading
from collections.abc import AsyncIterator

import pytest

from slowping.core import errors
from slowping.store.sqlite.readers import Readers

ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n"


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    writer = sqlite3.connect(tmp_path / "a#b.db", isolation_level=None)
    writer.execute("create table number (value integer)")
    writer.execute("insert into number values (7)")
    writer.close()
    return tmp_path / "a#b.db"


@pytest.fixture
async def readers(path: pathlib.Path) -> AsyncIterator[Readers]:
    opened = await Readers.open(path, deadline_s=1.0)
    yield opened
    await opened.close()


@pytest.mark.parametrize("parameters", [(7,), {"wanted": 7}])
async def test_rows_are_read_whole_and_by_name(
    readers: Readers, parameters: tuple[int] | dict[str, int]
) -> None:
    place = "?" if isinstance(parameters, tuple) else ":wanted"
    sql = f"select value from number where value = {place}"  # noqa: S608 - a placeholder
    [row] = await readers.fetch(sql, parameters)
    assert row["value"] == 7


@pytest.mark.parametrize("statement", ["insert into number values (8)", "drop table number"])
async def test_a_reader_writes_nothing(readers: Readers, statement: str) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await readers.fetch(statement)


async def test_a_read_that_takes_too_long_is_broken_off(readers: Readers) -> None:
    with pytest.raises(errors.Unavailable, match="took too long"):
        await readers.fetch(ENDLESS)


async def test_reading_goes_on_after_one_that_took_too_long(readers: Readers) -> None:
    endless = [asyncio.ensure_future(readers.fetch(ENDLESS)) for _ in range(4)]
    refused = await asyncio.gather(*endless, return_exceptions=True)
    assert [type(error) for error in refused] == [errors.Unavailable] * 4
    assert len(await readers.fetch("select value from number")) == 1
    assert len(await readers.fetch("select value from number")) == 1


async def test_a_list_stands_behind_no_search_that_takes_long(readers: Readers) -> None:
    searches = [asyncio.ensure_future(readers.fetch_alone(ENDLESS)) for _ in range(3)]
    await asyncio.sleep(0)
    searches[1].cancel()
    assert len(await readers.fetch("select value from number")) == 1
    assert not searches[0].done()
    ended = await asyncio.gather(*searches, return_exceptions=True)
    kinds = [errors.Unavailable, asyncio.CancelledError, errors.Unavailable]
    assert [type(error) for error in ended] == kinds
    assert len(await readers.fetch_alone("select value from number")) == 1


async def test_what_senders_wait_for_stands_behind_no_list(readers: Readers) -> None:
    endless = [asyncio.ensure_future(readers.fetch(ENDLESS)) for _ in range(20)]
    await asyncio.sleep(0)
    assert len(await readers.fetch_at_once("select value from number")) == 1
    assert not any(reading.done() for reading in endless)
    for reading in endless:
        reading.cancel()


async def test_who_waits_too_long_for_a_turn_is_turned_away(path: pathlib.Path) -> None:
    readers = await Readers.open(path, deadline_s=0.1)
    endless = [asyncio.ensure_future(readers.fetch(ENDLESS)) for _ in range(20)]
    refused = {str(error) for error in await asyncio.gather(*endless, return_exceptions=True)}
    assert refused == {"Reading took too long.", "Too many are reading at once."}
    assert len(await readers.fetch("select value from number")) == 1
    await readers.close()


async def test_who_stops_waiting_does_not_keep_a_connection(readers: Readers) -> None:
    endless = [asyncio.ensure_future(readers.fetch(ENDLESS)) for _ in range(4)]
    await asyncio.sleep(0)
    for reading in endless:
        reading.cancel()
    assert len(await readers.fetch("select value from number")) == 1


async def test_what_cannot_be_read_leaves_no_thread_behind(tmp_path: pathlib.Path) -> None:
    (tmp_path / "text.db").write_text("Dear diary, " * 100)
    before = threading.enumerate()
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        await Readers.open(tmp_path / "text.db")
    for thread in set(threading.enumerate()).difference(before):
        thread.join(10)
        assert not thread.is_alive()
