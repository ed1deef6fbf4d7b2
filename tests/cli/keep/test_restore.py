"""A copy is put back, and a person is told what that means."""

from pathlib import Path

import pytest

from slowping.server.process import data_folder
from slowping.store.sqlite.database import SqliteDatabase
from tests.cli.keep.folder import files, left_by_a_server, run, send, spoil
from tests.conftest import RunningHouse, running_house


@pytest.fixture
async def left(tmp_path: Path) -> Path:
    return await left_by_a_server(tmp_path / "data")


@pytest.fixture
async def copy(left: Path, tmp_path: Path) -> Path:
    ran = await run("backup", tmp_path / "copy.db", "--data", left)
    assert ran.exit_code == 0, ran.stderr
    return tmp_path / "copy.db"


def _events(folder: Path) -> int:
    return SqliteDatabase(folder / data_folder.DATABASE).verify().events


async def test_a_copy_is_put_back_and_served(left: Path, copy: Path) -> None:
    async with running_house(left) as house:
        house.admin_key = (left / "admin.key").read_text().strip()
        await send(house, 2)
    assert _events(left) == 3
    ran = await run("restore", copy, "--data", left)
    assert ran.exit_code == 0, ran.stderr
    assert ran.stdout.startswith("Put back 1 event, the newest of ")
    assert f"The database in {left} holds 3 events, the newest of " in ran.stderr
    [kept] = files(left, "slowping.db.before-*")
    assert f"The old one is kept: {kept}." in ran.stderr
    assert SqliteDatabase(kept).verify().events == 3
    async with running_house(left) as house:
        assert len(await house.events("default")) == 1


async def test_on_a_new_machine_it_says_what_is_missing(
    house: RunningHouse, copy: Path, left: Path, tmp_path: Path
) -> None:
    async with running_house(left) as other:
        answer = await other.client.post(
            "/slowping/v1/channels",
            json={
                "kind": "discord",
                "name": "team",
                "settings": {"url": "https://discord.com/api/webhooks/1/abcdefghijklmnop"},
            },
            headers={"authorization": f"Bearer {(left / 'admin.key').read_text().strip()}"},
        )
        assert answer.status_code == 201, answer.text
    await run("backup", copy, "--data", left, "--replace")
    ran = await run("restore", copy, "--data", tmp_path / "new")
    assert ran.exit_code == 0, ran.stderr
    assert "The key here does not open the secrets of default/team" in ran.stderr
    assert "No live admin key of the copy lies in" in ran.stderr
    assert _events(tmp_path / "new") == 1


async def test_with_its_keys_beside_it_nothing_is_missing(left: Path, copy: Path) -> None:
    ran = await run("restore", copy, "--data", left)
    assert "The key here" not in ran.stderr
    assert "admin key" not in ran.stderr


async def test_what_was_waiting_is_told(left: Path, copy: Path) -> None:
    async with running_house(left) as house:
        headers = {"authorization": f"Bearer {(left / 'admin.key').read_text().strip()}"}
        listed = await house.client.get("/slowping/v1/channels", headers=headers)
        channel = listed.json()["items"][0]["id"]
        await house.client.post(f"/slowping/v1/channels/{channel}/pause", headers=headers)
        house.admin_key = headers["authorization"].removeprefix("Bearer ")
        await send(house, 2)
    await run("backup", copy, "--data", left, "--replace")
    ran = await run("restore", copy, "--data", left)
    assert "2 deliveries had not arrived when the copy was made" in ran.stderr


async def test_while_a_server_runs_nothing_is_put_back(left: Path, copy: Path) -> None:
    before = (left / data_folder.DATABASE).read_bytes()
    with data_folder.owned(left):
        ran = await run("restore", copy, "--data", left)
    assert ran.exit_code == 1
    assert "Another slowping serves the data folder" in ran.stderr
    assert (left / data_folder.DATABASE).read_bytes() == before


async def test_a_copy_that_is_damaged_is_not_put_back(left: Path, copy: Path) -> None:
    spoil(copy)
    before = (left / data_folder.DATABASE).read_bytes()
    ran = await run("restore", copy, "--data", left)
    assert ran.exit_code == 1
    assert "malformed" in ran.stderr or "damaged" in ran.stderr
    assert (left / data_folder.DATABASE).read_bytes() == before


async def test_a_database_beyond_repair_is_kept_and_replaced(left: Path, copy: Path) -> None:
    (left / data_folder.DATABASE).write_text("nothing")
    ran = await run("restore", copy, "--data", left)
    assert ran.exit_code == 0, ran.stderr
    assert f"The database in {left} cannot be read." in ran.stderr
    [kept] = files(left, "slowping.db.before-*")
    assert kept.read_text() == "nothing"
    assert _events(left) == 1
