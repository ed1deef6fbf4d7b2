import asyncio
import pathlib

import pytest

from slowping.core import errors
from slowping.server.process import backups
from slowping.server.process.backups import Backups
from slowping.server.process.disk import Usage
from slowping.store.sqlite.database import SqliteDatabase
from tests.conftest import RunningHouse, running_house

PATH = "/slowping/v1/backup"


def _bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def _names(folder: pathlib.Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def _copier(house: RunningHouse, folder: pathlib.Path, *, free: int) -> Backups:
    """Copies of a house's database, on a disk with so much room."""
    return Backups(
        SqliteDatabase(folder / "slowping.db"),
        folder,
        now_ms=house.world.clock.now_ms,
        closing=asyncio.Event(),
        min_free=500_000_000,
        usage=lambda _: Usage(total=2**40, free=free),
    )


async def test_a_copy_of_the_database_is_sent_as_a_file(
    house: RunningHouse, tmp_path: pathlib.Path
) -> None:
    sent = {"category": "sale", "description": "The first of many"}
    await house.client.post("/slowping/v1/events", json=sent, headers=_bearer(house.admin_key))
    answer = await house.client.post(PATH, headers=_bearer(house.admin_key))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/vnd.sqlite3"
    assert int(answer.headers["content-length"]) == len(answer.content)
    (tmp_path / "copy.db").write_bytes(answer.content)
    assert SqliteDatabase(tmp_path / "copy.db").verify().events == 1


@pytest.mark.parametrize("key", ["ingest_key", None])
async def test_nobody_but_an_administrator_gets_one(house: RunningHouse, key: str | None) -> None:
    headers = {} if key is None else _bearer(getattr(house, key))
    assert (await house.client.post(PATH, headers=headers)).status_code == (403 if key else 401)


async def test_nothing_of_a_copy_stays_on_the_server(
    house: RunningHouse, tmp_path: pathlib.Path
) -> None:
    before = _names(tmp_path)
    await house.client.post(PATH, headers=_bearer(house.admin_key))
    assert _names(tmp_path) - before == {backups.LAST_BACKUP_FILE}
    noted = backups.last(tmp_path)
    assert noted is not None
    assert noted.size > 0


async def test_a_disk_without_room_is_a_sentence(
    house: RunningHouse, tmp_path: pathlib.Path
) -> None:
    full = _copier(house, tmp_path, free=500_001_000)
    with pytest.raises(
        errors.Unavailable, match=r"no room for a copy: it takes .* MB, and 0\.0 MB"
    ):
        await full.take()


async def test_a_copy_is_handed_out_in_pieces_that_a_slow_line_takes_in_time(
    house: RunningHouse, tmp_path: pathlib.Path
) -> None:
    size, pieces = await _copier(house, tmp_path, free=2**39).take()
    lengths = [len(piece) async for piece in pieces]
    assert sum(lengths) == size
    assert max(lengths) <= 65_536


def test_what_a_server_that_was_killed_left_is_cleared_away(tmp_path: pathlib.Path) -> None:
    (tmp_path / "slowping.db.copy-12345678").touch()
    (tmp_path / "slowping.db").touch()
    backups.clear(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["slowping.db"]


async def test_a_copy_is_broken_off_when_the_server_stops(
    house: RunningHouse, tmp_path: pathlib.Path
) -> None:
    house.house.feed.closed.set()
    answer = await house.client.post(PATH, headers=_bearer(house.admin_key))
    assert answer.status_code == 503
    assert "stopping" in answer.json()["detail"]


async def test_a_start_clears_away_what_was_left(tmp_path: pathlib.Path) -> None:
    (tmp_path / "slowping.db.copy-12345678").touch()
    async with running_house(tmp_path):
        assert "slowping.db.copy-12345678" not in _names(tmp_path)
