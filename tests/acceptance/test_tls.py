"""A server with a certificate of its own, and everybody who goes to it."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from slowping.cli.tui import to_open
from slowping.tui.app import dial
from slowping.tui.settings import Settings
from tests.acceptance.program import Machine, Server
from tests.laboratory.tls import Authority

PUBLIC = "events.example.org"
"""The name that the certificate is made out to: it leads nowhere from here."""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "home")


def secured(folder: Path, name: str) -> tuple[Authority, dict[str, Any]]:
    authority = Authority(folder)
    certificate, key = authority.files(folder, name)
    return authority, {
        "SLOWPING_SERVER__TLS_CERTIFICATE": certificate,
        "SLOWPING_SERVER__TLS_KEY": key,
    }


async def test_on_the_servers_machine_nothing_has_to_be_typed(
    tmp_path: Path, machine: Machine
) -> None:
    _, options = secured(tmp_path, PUBLIC)
    async with machine.serving(tmp_path / "data", **options) as server:
        assert server.url.startswith("https://127.0.0.1:")
        left = json.loads((tmp_path / "data" / "server.json").read_text())
        assert left["url"] == server.url
        ran = await machine.slowping("send", "sale", "--data", tmp_path / "data")
        assert (ran.code, ran.stderr) == (0, "")
        ran = await machine.slowping("send", "sale", SLOWPING_DATA=tmp_path / "data")
        assert (ran.code, ran.stderr) == (0, "")
        listed = await machine.slowping("event", "list", "--json", SLOWPING_DATA=tmp_path / "data")
        assert len(listed.json) == 2
        checked = await machine.slowping("check", "--json", "--data", tmp_path / "data")
        [told] = [one["told"] for one in checked.json["findings"] if one["about"] == "server"]
        assert told.endswith(f" runs at {server.url}.")
        script = "import slowping; slowping.send('sale', sync=True)"
        ran = await machine.run(sys.executable, "-c", script, SLOWPING_DATA=tmp_path / "data")
        assert (ran.code, ran.stderr) == (0, "")


async def test_a_server_that_lets_others_in_without_tls_says_so_once(
    tmp_path: Path, machine: Machine
) -> None:
    async with machine.serving(tmp_path / "data", SLOWPING_SERVER__HOST="0.0.0.0") as server:
        server.terminate()
        assert await server.ended() == 0
    assert server.stderr.count("API keys travel in clear") == 1


async def test_the_live_view_knows_the_server_of_a_data_folder_the_next_time_too(
    tmp_path: Path, machine: Machine
) -> None:
    _, options = secured(tmp_path, PUBLIC)
    async with machine.serving(tmp_path / "data", **options):
        settings = Settings(tmp_path / "state")
        profile = to_open(settings, None, data=tmp_path / "data")
        assert profile is not None
        settings.change(lambda kept: kept.with_profile(profile))
        again = to_open(Settings(tmp_path / "state"), None)
        assert again == profile
        async with dial(again) as client:
            assert (await client.health()).status == "ok"


async def test_from_elsewhere_the_certificate_is_checked(tmp_path: Path, machine: Machine) -> None:
    authority, options = secured(tmp_path, "localhost")
    async with machine.serving(tmp_path / "data", **options) as server:
        far = {
            "SLOWPING_SERVER": server.url.replace("127.0.0.1", "localhost"),
            "SLOWPING_API_KEY": key(server, "admin.key"),
        }
        refused = await machine.slowping("health", **far)
        assert refused.code == 3
        assert "its certificate is not trusted" in refused.stderr
        assert "SSL_CERT_FILE" in refused.stderr
        for command in (("health",), ("send", "sale"), ("event", "list")):
            ran = await machine.slowping(*command, **far, SSL_CERT_FILE=authority.file)
            assert (ran.code, ran.stderr) == (0, "")
        script = "import slowping; slowping.send('sale', sync=True)"
        ran = await machine.run(sys.executable, "-c", script, **far, SSL_CERT_FILE=authority.file)
        assert (ran.code, ran.stderr) == (0, "")


async def test_who_speaks_no_tls_is_told_nothing(tmp_path: Path, machine: Machine) -> None:
    _, options = secured(tmp_path, PUBLIC)
    async with machine.serving(tmp_path / "data", **options) as server:
        plain = server.url.replace("https:", "http:")
        ran = await machine.slowping("health", "--server", plain)
        assert ran.code == 3


async def test_a_certificate_that_cannot_be_used_ends_the_start(
    tmp_path: Path, machine: Machine
) -> None:
    gone = tmp_path / "gone.pem"
    ran = await machine.slowping(
        "serve", "--data", tmp_path / "data", "--port", "0", SLOWPING_SERVER__TLS_CERTIFICATE=gone
    )
    assert ran.code == 1
    assert ran.stderr == (
        f"slowping: server.tls_certificate: cannot read {gone}: No such file or directory.\n"
    )


def key(server: Server, name: str) -> str:
    return (server.data / name).read_text().strip()
