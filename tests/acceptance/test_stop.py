"""A stop that was asked for is a clean end, whatever the server waits for."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from slowping.client.client import Client
from tests.acceptance.eventually import eventually
from tests.acceptance.program import Machine

GRACE_S = 12.0
"""What sends in flight are given, and a little more."""

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
            process.kill()
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
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(GRACE_S):
            assert await process.wait() == 0


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
