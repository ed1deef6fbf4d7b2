"""A backup of a server that runs, and of a data folder on which none does."""

import stat
import sys
from pathlib import Path

import pytest

from slowping.server.process import backups, data_folder
from slowping.store.sqlite.database import SqliteDatabase
from tests.acceptance.program import Machine
from tests.cli.keep.folder import files, left_by_a_server, run, send
from tests.conftest import RunningHouse


async def test_a_server_that_runs_is_copied_through_its_api(
    house: RunningHouse, tmp_path: Path
) -> None:
    await send(house)
    file = tmp_path / "copy.db"
    ran = await run("backup", file, "--server", house.base_url, "--api-key", house.admin_key)
    assert ran.exit_code == 0, ran.stderr
    assert ran.stdout == f"{file}\n"
    assert "Copied 1 event, the newest of " in ran.stderr
    assert SqliteDatabase(file).verify().events == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not file.with_name("copy.db.part").exists()


@pytest.fixture
async def left(tmp_path: Path) -> Path:
    return await left_by_a_server(tmp_path / "data")


async def test_a_folder_without_a_server_is_copied_as_it_lies(left: Path, tmp_path: Path) -> None:
    ran = await run("backup", tmp_path / "copy.db", "--data", left)
    assert ran.exit_code == 0, ran.stderr
    assert SqliteDatabase(tmp_path / "copy.db").verify().events == 1
    assert backups.last(left) is not None


async def test_in_a_folder_a_copy_is_named_by_its_time(left: Path, tmp_path: Path) -> None:
    (tmp_path / "copies").mkdir()
    ran = await run("backup", tmp_path / "copies", "--data", left)
    [file] = (tmp_path / "copies").iterdir()
    assert file.match("slowping-????????T??????Z.db")
    assert ran.stdout == f"{file}\n"


async def test_the_folder_may_be_the_one_that_a_configuration_names(
    left: Path, tmp_path: Path
) -> None:
    (tmp_path / "config.toml").write_text(f'data = "{left}"', encoding="utf-8")
    ran = await run("backup", tmp_path / "copy.db", "--config", tmp_path / "config.toml")
    assert ran.exit_code == 0, ran.stderr
    assert SqliteDatabase(tmp_path / "copy.db").verify().events == 1


async def test_when_it_is_to_be_quiet_it_prints_what_goes_wrong_alone(
    left: Path, tmp_path: Path
) -> None:
    ran = await run("backup", tmp_path / "copy.db", "--quiet", "--data", left)
    assert (ran.exit_code, ran.output) == (0, "")
    again = await run("backup", tmp_path / "copy.db", "--quiet", "--data", left)
    assert again.exit_code == 1
    assert "is there already" in again.stderr


async def test_a_folder_that_is_named_with_a_slash_is_made(left: Path, tmp_path: Path) -> None:
    ran = await run("backup", f"{tmp_path}/far/copies/", "--data", left)
    assert ran.exit_code == 0, ran.stderr
    [file] = (tmp_path / "far" / "copies").iterdir()
    assert ran.stdout == f"{file}\n"
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


async def test_a_folder_that_cannot_be_made_is_told(left: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in ("file", "file/below"):
        ran = await run("backup", f"{tmp_path}/{folder}/", "--data", left)
        assert ran.exit_code == 1
        assert f"{tmp_path}/{folder}" in ran.stderr
        assert "Not a directory" in ran.stderr


async def test_a_file_that_is_there_is_replaced_only_when_asked(left: Path, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"
    file.write_text("the only letter of a grandmother")
    ran = await run("backup", file, "--data", left)
    assert ran.exit_code == 1
    assert "--replace" in ran.stderr
    assert file.read_text() == "the only letter of a grandmother"
    ran = await run("backup", file, "--data", left, "--replace")
    assert ran.exit_code == 0, ran.stderr
    assert SqliteDatabase(file).verify().events == 1


@pytest.mark.parametrize(
    "name",
    [
        data_folder.DATABASE, "slowping.db-wal", "slowping.db-shm", "lock", "secret.key",
        "admin.key", "another.key", "server.json", "link", "hard", "../linked/slowping.db",
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_told", [True, False])
async def test_what_a_server_keeps_is_never_replaced(
    left: Path, tmp_path: Path, name: str, is_told: bool
) -> None:
    (left / "link").symlink_to(left / data_folder.DATABASE)
    (left / "hard").hardlink_to(left / data_folder.DATABASE)
    (tmp_path / "linked").symlink_to(left)
    whole = (left / data_folder.DATABASE).read_bytes()
    (left / "lock").touch()  # as it is once a server has run here
    before = files(left)
    source = left if is_told else await left_by_a_server(tmp_path / "other")
    if name == "hard" and not is_told:
        return  # its other names are known to nobody, and keep what they hold
    ran = await run("backup", left / name, "--replace", "--data", source)
    assert ran.exit_code == 1
    assert "is what a server keeps in its data folder" in ran.stderr
    assert files(left) == before
    assert (left / data_folder.DATABASE).read_bytes() == whole


async def test_a_copy_may_have_the_name_of_the_database_elsewhere(
    left: Path, tmp_path: Path
) -> None:
    for _ in range(2):
        ran = await run("backup", tmp_path / data_folder.DATABASE, "--replace", "--data", left)
        assert ran.exit_code == 0, ran.stderr


async def test_a_folder_that_somebody_mends_is_not_copied(left: Path, tmp_path: Path) -> None:
    with data_folder.owned(left):
        ran = await run("backup", tmp_path / "copy.db", "--data", left)
    assert ran.exit_code == 3
    assert not (tmp_path / "copy.db").exists()


async def test_a_copy_that_is_not_whole_does_not_appear(left: Path, tmp_path: Path) -> None:
    whole = bytearray((left / data_folder.DATABASE).read_bytes())
    whole[-4_096:] = b"\xff" * 4_096
    (left / data_folder.DATABASE).write_bytes(whole)
    ran = await run("backup", tmp_path / "copy.db", "--data", left)
    assert ran.exit_code == 1
    assert not (tmp_path / "copy.db").exists()
    assert not (tmp_path / "copy.db.part").exists()


async def test_where_there_is_no_room_for_a_file_is_told(left: Path, tmp_path: Path) -> None:
    ran = await run("backup", tmp_path / "gone" / "copy.db", "--data", left)
    assert ran.exit_code == 1
    assert "No such file or directory" in ran.stderr


async def test_a_key_that_may_not_have_everything_gets_nothing(
    house: RunningHouse, tmp_path: Path
) -> None:
    file = tmp_path / "copy.db"
    ran = await run("backup", file, "--server", house.base_url, "--api-key", house.ingest_key)
    assert ran.exit_code == 4
    assert not file.exists()
    assert not file.with_name("copy.db.part").exists()


async def test_a_disk_that_is_full_is_a_sentence_and_leaves_nothing(
    left: Path, tmp_path: Path
) -> None:
    # No file may grow beyond 64 KiB, as if the disk were full then.
    command = f"ulimit -f 64; exec {sys.executable} -m slowping backup {tmp_path}/copy.db"
    ran = await Machine(tmp_path / "home").run("bash", "-c", f"{command} --data {left}")
    assert ran.code == 1
    assert ran.stderr == f"slowping: There is no room for a copy in {tmp_path}.\n"
    assert not (tmp_path / "copy.db").exists()
    assert not (tmp_path / "copy.db.part").exists()


async def test_a_disk_that_is_full_where_the_copy_arrives_is_a_sentence_too(
    house: RunningHouse, tmp_path: Path
) -> None:
    target = tmp_path / "copy.db"
    command = f"ulimit -f 64; exec {sys.executable} -m slowping backup {target}"
    ran = await Machine(tmp_path / "home").run(
        "bash", "-c", f"{command} --server {house.base_url}", SLOWPING_API_KEY=house.admin_key
    )
    assert ran.code == 1
    assert ran.stderr == f"slowping: Cannot write {target}: File too large.\n"
    assert not target.exists()
    assert not (tmp_path / "copy.db.part").exists()


async def test_an_address_without_a_scheme_is_told(tmp_path: Path) -> None:
    ran = await run("backup", tmp_path / "copy.db", "--server", "localhost:7464")
    assert ran.exit_code == 2
    assert "write the address as http://localhost:7464" in ran.stderr
