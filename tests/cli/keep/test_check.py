import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from slowping.server.process import data_folder
from slowping.server.process.disk import LOOK_EVERY_S, Usage
from slowping.testing import FrozenClock
from tests.acceptance.eventually import eventually
from tests.acceptance.program import Machine
from tests.cli.keep.folder import files, left_by_a_server, run
from tests.cli.test_secret import set_up
from tests.conftest import running_house
from tests.laboratory import small_disk
from tests.laboratory.tls import Authority
from tests.notifiers.far_side import FarSide, reply


@pytest.fixture
async def left(tmp_path: Path) -> Path:
    folder = await left_by_a_server(tmp_path / "data")
    for file in (folder, *files(folder)):
        file.chmod(0o700 if file == folder else 0o600)
    return folder


async def findings(folder: Path, *options: str, code: int = 0, **environ: str) -> dict[str, str]:
    """What a check prints, by what it is about; of several the last."""
    ran = await run("check", "--data", folder, "--json", *options, **environ)
    assert ran.exit_code == code, ran.stdout + ran.stderr
    told = json.loads(ran.stdout)
    assert told["ok"] is (code == 0)
    return {one["about"]: f"{one['state']}: {one['told']}" for one in told["findings"]}


async def test_everything_is_looked_over(left: Path) -> None:
    told = await findings(left)
    assert told.keys() == {
        "configuration", "files", "server", "disk", "backup", "database", "SQLite", "log",
        "channels", "keys", "clock",
    }  # fmt: skip
    assert told["database"].startswith("ok: It is sound (a quick look; --full sees more)")
    assert told["server"] == "ok: None runs on this data folder."
    assert told["backup"].startswith("note: No copy is known of.")


async def test_a_person_gets_a_table_with_signs(left: Path) -> None:
    ran = await run("check", "--data", left)
    assert ran.exit_code == 0, ran.stderr
    assert "✓  database" in ran.stdout
    assert "!  backup" in ran.stdout


async def test_a_copy_that_was_made_is_known(left: Path, tmp_path: Path) -> None:
    await run("backup", tmp_path / "copy.db", "--data", left)
    assert (await findings(left))["backup"].startswith("ok: The newest copy is of ")


async def test_what_a_restore_has_kept_is_told(left: Path, tmp_path: Path) -> None:
    await run("backup", tmp_path / "copy.db", "--data", left)
    await run("restore", tmp_path / "copy.db", "--data", left)
    [kept] = files(left, "slowping.db.before-*")
    assert f"note: {kept} is kept from before." in (await findings(left))["disk"]


async def test_the_whole_of_it_is_looked_at_when_asked(left: Path) -> None:
    told = await findings(left, "--full")
    assert told["database"].startswith("ok: It is sound (every page and reference)")


def _spoil(database: Path) -> None:
    opened = sqlite3.connect(database, isolation_level=None)
    opened.execute("pragma writable_schema = on")
    opened.execute("delete from sqlite_schema where name = 'event_project'")
    opened.close()


async def test_damage_is_wrong(left: Path) -> None:
    _spoil(left / data_folder.DATABASE)
    assert (await findings(left, "--full", code=1))["database"].startswith("wrong: ")


async def test_a_configuration_that_cannot_be_used_is_wrong_and_the_rest_goes_on(
    left: Path,
) -> None:
    told = await findings(left, code=1, SLOWPING_SERVER__PROT="1")
    assert told["configuration"].startswith("wrong: SLOWPING_SERVER__PROT: there is no option")
    assert told["database"].startswith("ok: ")


async def test_the_file_that_was_read_is_named_or_that_none_was(left: Path, tmp_path: Path) -> None:
    ran = await run("check", "--data", left)
    assert "No file was given, and none is in its usual place." in ran.stdout
    file = tmp_path / "own.toml"
    file.write_text('[log]\nformat = "json"\n')
    file.chmod(0o600)
    for options, environ in ((("--config", file), {}), ((), {"SLOWPING_CONFIG": str(file)})):
        ran = await run("check", "--data", left, "--json", *options, **environ)
        told = [one["told"] for one in json.loads(ran.stdout)["findings"]]
        assert told[0] == f"It is read from {file}."


def _open_to_all(folder: Path) -> None:
    (folder / data_folder.DATABASE).chmod(0o644)
    folder.chmod(0o755)


async def test_the_folder_that_was_looked_into_is_named(left: Path, tmp_path: Path) -> None:
    told = await findings(left, SLOWPING_DATA=str(tmp_path / "elsewhere"))
    assert told["configuration"] == f"ok: data is {left} (by default not set)."


async def test_a_public_address_without_tls_is_told(left: Path) -> None:
    told = await findings(left, SLOWPING_SERVER__HOST="0.0.0.0")
    assert told["TLS"].startswith("note: It listens on 0.0.0.0 without TLS")
    told = await findings(
        left,
        SLOWPING_SERVER__HOST="0.0.0.0",
        SLOWPING_SERVER__TRUSTED_PROXIES="10.0.0.0/8",
    )
    assert "TLS" not in told


async def test_a_certificate_is_looked_at(left: Path, tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path).files(tmp_path)
    pair = {
        "SLOWPING_SERVER__TLS_CERTIFICATE": str(certificate),
        "SLOWPING_SERVER__TLS_KEY": str(key),
    }
    assert (await findings(left, code=0, **pair))["TLS"].startswith(
        f"note: The certificate in {certificate} ends in 23h"
    )
    _, other = await asyncio.to_thread(_another_pair, tmp_path / "other")
    told = await findings(left, code=1, **pair | {"SLOWPING_SERVER__TLS_KEY": str(other)})
    assert f"{other} is not the key of the certificate" in told["TLS"]


def _another_pair(folder: Path) -> tuple[Path, Path]:
    folder.mkdir()
    return Authority(folder).files(folder)


def _break_the_circuit(database: Path) -> None:
    opened = sqlite3.connect(database, isolation_level=None)
    opened.execute(
        "insert into hold (scope, until, why) "
        "select 'breaker:channel:' || id, 1795000000000, 'HTTP 503' from channel"
    )
    opened.execute("insert into hold (scope, until, why) values ('breaker:discord', 1, 'HTTP 502')")
    opened.close()


async def test_what_is_behind_an_open_breaker_is_told(left: Path) -> None:
    _break_the_circuit(left / data_folder.DATABASE)
    ran = await run("check", "--data", left, "--json")
    noted = [one["told"] for one in json.loads(ran.stdout)["findings"] if one["state"] == "note"]
    assert any("default/console is troubled, and 0 wait: HTTP 503." in each for each in noted)
    assert any("discord is troubled" in each for each in noted)


async def test_a_secret_key_that_is_missing_is_named(tmp_path: Path) -> None:
    await set_up(tmp_path)
    (tmp_path / "secret.key").unlink()
    ran = await run("check", "--data", tmp_path, "--json")
    told = [one["told"] for one in json.loads(ran.stdout)["findings"] if one["about"] == "keys"]
    assert f"{tmp_path / 'secret.key'} is missing." in told[0]


async def test_keys_that_are_missing_are_named(left: Path) -> None:
    (left / "admin.key").unlink()
    assert (await findings(left))["keys"].startswith(f"note: There is no {left / 'admin.key'}:")


async def test_files_that_others_can_read_are_told(left: Path) -> None:
    _open_to_all(left)
    assert "chmod 700" in (await findings(left, code=1))["files"]


async def test_a_folder_without_a_database_is_wrong(tmp_path: Path) -> None:
    told = await findings(tmp_path, code=1)
    assert told["database"] == f"wrong: There is none in {tmp_path}. Say where it is with --data."


async def test_nothing_in_the_database_is_changed(left: Path) -> None:
    before = (left / data_folder.DATABASE).read_bytes()
    await findings(left, "--full")
    assert (left / data_folder.DATABASE).read_bytes() == before


async def test_a_server_that_has_crashed_is_wrong(left: Path) -> None:
    _leave_word(left, "http://127.0.0.1:9")
    told: Any = await findings(left, code=1)
    assert told["server"].startswith(
        "wrong: A server left word that it runs at http://127.0.0.1:9, and does not answer: it has "
        "crashed or hangs."
    )


async def test_another_program_at_the_address_of_a_server_is_wrong(left: Path) -> None:
    async with FarSide(reply(200, "Welcome to nginx!")).running() as other:
        _leave_word(left, other.url)
        told: Any = await findings(left, code=1)
    assert told["server"].startswith(f"wrong: A server left word that it runs at {other.url}, but:")


async def test_a_server_that_can_store_nothing_is_wrong(tmp_path: Path) -> None:
    full = Usage(total=10**12, free=0)
    async with running_house(tmp_path, disk_usage=lambda _: full) as house:
        _leave_word(tmp_path, house.base_url)
        told = await findings(tmp_path, code=1)
    assert told["server"].startswith(f"wrong: It runs at {house.base_url}, but: ")
    assert "no events are accepted" in told["server"]


async def test_a_server_whose_disk_is_full_to_its_end_is_wrong(tmp_path: Path) -> None:
    machine, data = Machine(tmp_path / "home"), tmp_path / "data"
    async with machine.serving(data) as server:
        with small_disk.no_larger_files(server.pid, 4_096):
            sent = await machine.slowping("send", "sale", "--data", data)
            told = await findings(data, code=1)
    assert sent.code == 1
    assert "but: The database cannot be written: disk I/O error" in told["server"]


async def test_a_server_whose_database_was_replaced_takes_nothing_and_that_is_wrong(
    tmp_path: Path,
) -> None:
    clock = FrozenClock()
    data = await left_by_a_server(tmp_path / "data")
    await run("backup", tmp_path / "copy.db", "--data", data)
    async with running_house(data, clock=clock) as house:

        async def refuses() -> bool:
            clock.advance(LOOK_EVERY_S)
            ready = await house.client.get("/slowping/v1/health/ready")
            return ready.status_code == 503

        _leave_word(data, house.base_url)
        (tmp_path / "copy.db").replace(data / data_folder.DATABASE)
        await eventually(refuses)
        sent = await run("send", "sale", "--data", data)
        told = await findings(data, code=1)
    assert sent.exit_code == 1
    assert "no events are accepted" in sent.stderr
    assert "was replaced, moved or removed" in told["server"]


def _leave_word(folder: Path, url: str) -> None:
    """Leave word of a server in its data folder, as one does."""
    word = folder / "server.json"
    word.write_text(json.dumps({"url": url, "version": "0"}))
    word.chmod(0o600)


async def test_options_of_a_notifier_that_is_not_installed_are_wrong(left: Path) -> None:
    told = await findings(left, code=1, SLOWPING_NOTIFIERS__PLUGINS__CONSOL__SERVER="x")
    assert "wrong: notifiers.plugins.consol: there is no notifier" in told["configuration"]
