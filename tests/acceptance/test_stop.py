"""A stop that was asked for is a clean end, whatever the server waits for."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from slowping.client.client import Client
from slowping.core.channel import NewChannel
from tests.acceptance.eventually import eventually
from tests.acceptance.program import Machine, signalled
from tests.notifiers.far_side import FarSide, silence

GRACE_S = 12.0
"""What sends in flight are given, and a little more."""

LOOPBACK = {
    "SLOWPING_NOTIFIERS__WEBHOOK__ALLOW_NETWORKS": "127.0.0.0/8",
    "SLOWPING_NOTIFIERS__WEBHOOK__ALLOW_HTTP": "true",
}

SERVE = (sys.executable, "-m", "slowping", "serve", "--port", "0", "--data")


@contextlib.asynccontextmanager
async def unread(machine: Machine, data: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A server whose standard output nobody reads."""
    reading, writing = os.pipe()
    try:
        process = await machine.start(*SERVE, data, stdout=writing)
    finally:
        os.close(writing)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            signalled(process, signal.SIGKILL)
        await process.wait()
        os.close(reading)


async def test_a_terminal_that_nobody_reads_does_not_hold_up_the_end(
    machine: Machine, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    async with unread(machine, data) as process:
        url = json.loads(await eventually(lambda: _text_of(data / "server.json")))["url"]
        await _send(url, _text_of(data / "ingest.key").strip(), 100)
        async with Client(url, _text_of(data / "admin.key").strip()) as client:
            await eventually(lambda: _is_stuck(client))
        signalled(process, signal.SIGTERM)
        async with asyncio.timeout(GRACE_S):
            assert await process.wait() == 0


async def test_who_asks_twice_does_not_wait_for_deliveries(
    machine: Machine, tmp_path: Path
) -> None:
    patient = {"SLOWPING_SERVER__SHUTDOWN_TIMEOUT_S": "100"}
    async with (
        FarSide(silence()).running() as far_side,
        machine.serving(tmp_path / "data", **LOOPBACK, **patient) as server,
    ):
        async with server.client() as client:
            await client.create_channel(
                NewChannel(kind="webhook", name="hook", settings={"url": far_side.url})
            )
        await _send(server.url, server.ingest_key, 1)
        await eventually(lambda: far_side.requests)
        server.terminate()
        await eventually(lambda: _is_closed(server.url))
        server.terminate()
        assert await server.ended() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_during_the_start_is_a_clean_end(
    machine: Machine, tmp_path: Path, number: signal.Signals
) -> None:
    data = tmp_path / "data"
    pipe = asyncio.subprocess.PIPE
    process = await machine.start(*SERVE, data, stdout=pipe, stderr=pipe)
    await eventually((data / "lock").exists)
    signalled(process, number)
    said, logged = await asyncio.wait_for(process.communicate(), GRACE_S)
    assert (process.returncode, said, b"Traceback" in logged) == (0, b"", False)
    assert not (data / "server.json").exists()
    async with machine.serving(data) as server, server.client() as client:
        assert [each.name for each in (await client.list_projects()).items] == ["default"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_during_the_start_ends_it_at_once(number: signal.Signals) -> None:
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _STARTS_FOR_EVER, str(int(number))
    )
    async with asyncio.timeout(GRACE_S):
        assert await program.wait() == -number


_STARTS_FOR_EVER = """
import asyncio, signal, sys
from slowping.server.process.stopping import Stop

async def start():
    with Stop().by_signals():
        signal.raise_signal(int(sys.argv[1]))
        asyncio.get_running_loop().call_soon(signal.raise_signal, int(sys.argv[1]))
        await asyncio.Event().wait()

asyncio.run(start())
"""


def _is_closed(url: str) -> bool:
    address = httpx.URL(url)
    with contextlib.closing(socket.socket()) as probe:
        return probe.connect_ex((address.host, address.port)) != 0


def _text_of(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""


async def _send(url: str, key: str, count: int) -> None:
    event = {"category": "sale", "fields": {f"k{number}": "x" * 100 for number in range(20)}}
    async with httpx.AsyncClient(trust_env=False) as client:
        for _ in range(count):
            answer = await client.post(
                f"{url}/api/v1/events", json=event, headers={"authorization": f"Bearer {key}"}
            )
            assert answer.status_code == 200


async def _is_stuck(client: Client) -> bool:
    page = await client.list_deliveries(limit=100)
    return any("the terminal has stopped" in (each.last_error or "") for each in page.items)
