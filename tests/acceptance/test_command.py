"""The command line as a person meets it, each time in a process of its own."""

import contextlib
import json
import re
import shutil
import socket
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

import slowping
from slowping.store.sqlite.migrate import APPLICATION_ID
from tests.acceptance.eventually import eventually
from tests.acceptance.program import Machine, Ran, Server

KEY_FILES = ("admin.key", "ingest.key")
LISTED = {
    "id", "event_id", "project", "category", "channel", "kind", "state", "attempts", "last_error",
    "due_at", "created_at", "ended_at",
}  # fmt: skip


@pytest.fixture
async def server(machine: Machine, tmp_path: Path) -> AsyncIterator[Server]:
    async with machine.serving(tmp_path / "data") as started:
        yield started


async def test_the_version_is_told_by_the_module_as_well(machine: Machine) -> None:
    ran = await machine.slowping("--version")
    assert ran.code == 0
    assert slowping.__version__ in ran.stdout


# A first start ---------------------------------------------------------------------------------


async def test_a_first_start_says_where_it_is_and_shows_its_keys(server: Server) -> None:
    await server.prints("curl ")
    assert f"is ready on {server.url} (data in {server.data})" in server.stdout
    assert server.admin_key in server.stdout
    assert server.ingest_key in server.stdout
    assert "Traceback" not in server.stderr


async def test_the_data_folder_and_its_files_are_for_their_owner_alone(server: Server) -> None:
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in server.data.iterdir()}
    assert modes.keys() >= {*KEY_FILES, "secret.key", "slowping.db"}
    assert set(modes.values()) == {0o600}, modes


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
async def test_the_curl_line_is_answered_and_shows_a_card_on_the_terminal(
    server: Server, machine: Machine
) -> None:
    await server.prints("curl ")
    [line] = [line for line in server.stdout.splitlines() if line.startswith("curl ")]
    (machine.home / ".curlrc").write_text('silent\nwrite-out = " %{http_code}"\n')
    pasted = await machine.run("bash", "-c", line)
    answer, _, status = pasted.stdout.rpartition(" ")
    assert status == "200"
    assert json.loads(answer)["message"] == "Event processed successfully"
    await server.prints("╯")
    card = server.stdout[server.stdout.index("╭") :]
    for part in ("💰 Sale", "The first of many", "amount", "49.99", "default / sale"):
        assert part in card


async def test_a_second_start_shows_no_keys_and_keeps_them(
    machine: Machine, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    async with machine.serving(folder) as first:
        keys = [(folder / name).read_text() for name in KEY_FILES]
        first.terminate()
        assert await first.ended() == 0
    async with machine.serving(folder) as second:
        assert "slp_" not in second.stdout
        assert [(folder / name).read_text() for name in KEY_FILES] == keys
        async with second.client() as client:
            assert [project.name for project in (await client.list_projects()).items] == ["default"]


async def test_a_start_without_a_live_admin_key_makes_one_and_nothing_else(
    machine: Machine, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    async with machine.serving(folder) as first:
        async with first.client() as client:
            [admin_key] = (await client.list_api_keys(name="first admin key")).items
            await client.revoke_api_key(admin_key.id)
        first.terminate()
        assert await first.ended() == 0
    async with machine.serving(folder) as second:
        await second.prints("No live admin key was left")
        assert "A first start" not in second.stdout
        assert second.admin_key in second.stdout
        async with second.client() as client:
            assert len((await client.list_categories()).items) == 3


# What it cannot start with ---------------------------------------------------------------------


def is_one_sentence(ran: Ran) -> bool:
    """Whether the program failed as a person wants it to."""
    return ran.code == 1 and ran.stdout == "" and len(ran.stderr.splitlines()) == 1


async def test_a_taken_port_is_told_in_one_sentence(machine: Machine, tmp_path: Path) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        ran = await machine.slowping("serve", "--data", tmp_path / "data", "--port", str(port))
    assert is_one_sentence(ran), ran
    assert f"Port {port} on 127.0.0.1 is taken" in ran.stderr
    assert "--port" in ran.stderr


async def test_an_unwritable_data_folder_is_told_in_one_sentence(
    machine: Machine, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    ran = await machine.slowping("serve", "--data", file / "data", "--port", "0")
    assert is_one_sentence(ran), ran
    assert str(file / "data") in ran.stderr


async def test_an_unknown_option_is_told_with_its_file_and_the_nearest_spelling(
    machine: Machine, tmp_path: Path
) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[server]\nprot = 7464\n")
    ran = await machine.slowping("serve", "--config", file, "--data", tmp_path / "data")
    assert is_one_sentence(ran), ran
    for part in (str(file), "server.prot", "server.port"):
        assert part in ran.stderr


async def test_a_second_server_on_the_same_folder_is_told_in_one_sentence(
    server: Server, machine: Machine
) -> None:
    ran = await machine.slowping("serve", "--data", server.data, "--port", "0")
    assert is_one_sentence(ran), ran
    assert str(server.data) in ran.stderr
    assert "already" in ran.stderr
    async with server.client() as client:
        assert (await client.health()) is not None


def garbage(file: Path) -> None:
    file.write_bytes(b"not a database at all" * 100)


def of_another_program(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.executescript("create table album (id integer primary key, title text)")


def of_a_newer_slowping(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.executescript(
            f"pragma application_id = {APPLICATION_ID}; pragma user_version = 99;"
            " create table event (id integer primary key)"
        )


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (garbage, "no SQLite database"),
        (of_another_program, "another program"),
        (of_a_newer_slowping, "newer slowping"),
    ],
)
async def test_a_database_that_is_not_ours_is_refused_and_left_alone(
    machine: Machine, tmp_path: Path, write: Callable[[Path], None], said: str
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    file = folder / "slowping.db"
    write(file)
    file.chmod(0o600)
    before = file.read_bytes()
    ran = await machine.slowping("serve", "--data", folder, "--port", "0")
    assert is_one_sentence(ran), ran
    assert said in ran.stderr
    assert str(file) in ran.stderr
    assert file.read_bytes() == before
    assert not list(folder.glob("slowping.db-*"))


# What scripts rely on --------------------------------------------------------------------------


class Shell:
    """A shell on the server's machine: only the data folder is told, by its variable."""

    def __init__(self, machine: Machine, server: Server) -> None:
        self._machine = machine
        self._server = server

    async def __call__(self, *arguments: str, given: str | None = None) -> Ran:
        """Run a slowping command."""
        return await self._machine.slowping(
            *arguments, given=given, SLOWPING_DATA=self._server.data
        )

    async def deliveries(self, *options: str) -> list[dict[str, Any]]:
        """What `delivery list --json` prints."""
        listed: list[dict[str, Any]] = (await self("delivery", "list", *options, "--json")).json
        return listed


@pytest.fixture
def shell(machine: Machine, server: Server) -> Shell:
    return Shell(machine, server)


async def test_an_issued_key_stands_alone_on_standard_output(shell: Shell, server: Server) -> None:
    issued = await shell(
        "key", "create", "--name", "shop", "--project", "default", "--scope", "ingest",
        "--rate-limit", "0", "--expires", "30d",
    )  # fmt: skip
    assert issued.code == 0, issued.stderr
    assert re.fullmatch(r"slp_[0-9A-Za-z]{49}\n", issued.stdout)
    key = issued.stdout.strip()
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as sender:
        answer = await sender.post(
            "/api/v1/events", json={"category": "bug"}, headers={"authorization": f"Bearer {key}"}
        )
    assert answer.status_code == 200
    assert "x-ratelimit-limit" not in answer.headers


async def test_a_key_can_be_imported_so_that_a_client_need_not_change(
    shell: Shell, server: Server
) -> None:
    value = "cm2yq7x8k0001theirs"
    issued = await shell(
        "key", "create", "--name", "moved", "--project", "default", "--import-value", "-",
        given=f"{value}\n",
    )  # fmt: skip
    assert value not in issued.stdout + issued.stderr
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as sender:
        answer = await sender.post(
            "/api/v1/events", json={"category": "bug"}, headers={"authorization": f"Bearer {value}"}
        )
    assert answer.status_code == 200


async def test_the_deliveries_are_listed_with_what_a_script_needs(shell: Shell) -> None:
    sent = await shell("send", "sale", "-d", "One", "-f", "amount=49.99")
    assert sent.code == 0, sent.stderr

    async def delivered() -> list[dict[str, Any]]:
        return await shell.deliveries("--project", "default", "--state", "delivered")

    [listed] = await eventually(delivered)
    assert listed.keys() >= LISTED
    assert (listed["project"], listed["category"], listed["channel"], listed["kind"]) == (
        "default", "sale", "console", "console",
    )  # fmt: skip
    assert (listed["state"], listed["attempts"], listed["last_error"]) == ("delivered", 1, None)


async def test_a_paused_channel_keeps_its_deliveries_until_it_is_resumed(
    shell: Shell, server: Server
) -> None:
    paused = await shell("channel", "pause", "console", "--project", "default")
    assert paused.code == 0, paused.stderr
    await shell("send", "bug", "-d", "Held back")
    [held] = await shell.deliveries("--channel", "console", "--state", "pending")
    assert (held["state"], held["attempts"]) == ("pending", 0)
    assert "Held back" not in server.stdout
    assert (await shell("channel", "resume", "console", "--project", "default")).code == 0
    await server.prints("Held back")


async def test_a_channel_setting_that_cannot_be_used_is_told_in_one_sentence(shell: Shell) -> None:
    ran = await shell(
        "channel", "create", "email", "--project", "default", "--name", "post",
        "--set", "host=127.0.0.1", "--set", "to=not an address",
    )  # fmt: skip
    assert ran.code == 2
    assert ran.stdout == ""
    assert "'to'" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
    assert [found["name"] for found in (await shell("channel", "list", "--json")).json] == [
        "console"
    ]


async def test_wrong_usage_ends_with_2(shell: Shell) -> None:
    assert (await shell("delivery", "list", "--stat", "pending")).code == 2
    assert (await shell("delivery", "list", "--state", "lost")).code == 2


async def test_a_server_that_is_not_there_ends_with_3(machine: Machine, tmp_path: Path) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}"
    ran = await machine.slowping(
        "delivery", "list", "--server", url, "--api-key", "slp_whatever", "--json"
    )
    assert (ran.code, ran.stdout) == (3, "")
    assert url in ran.stderr
    nowhere = await machine.slowping("delivery", "list", SLOWPING_DATA=tmp_path / "nowhere")
    assert nowhere.code == 3


@pytest.mark.parametrize("which", ["unknown", "without the scope"])
async def test_a_key_that_may_not_ends_with_4(machine: Machine, server: Server, which: str) -> None:
    key = "slp_unknown" if which == "unknown" else server.ingest_key
    ran = await machine.slowping(
        "key", "create", "--name", "more", "--server", server.url, "--api-key", key
    )
    assert (ran.code, ran.stdout) == (4, "")
    assert key not in ran.stderr
