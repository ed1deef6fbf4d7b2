"""The demo as a whole, and what is left of it: nothing."""

import asyncio
import contextlib
import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from slowping.client.client import Client, all_items
from slowping.core.feed import DeliveryChanged, EventAccepted
from slowping.demo import stage, traffic


async def test_the_stage_has_a_past_and_goes_on() -> None:
    with stage.set_up(rate=50, seed=1) as found:
        async with Client(found.server, found.api_key) as client:
            assert {each.name for each in (await client.list_projects()).items} == set(
                traffic.PROJECTS
            )
            past = [each async for each in all_items(client.list_events)]
            days = (past[0].received_at - past[-1].received_at).days
            assert days >= stage.DAYS - 1
            stream = client.stream()
            async with contextlib.aclosing(stream):
                async for item in stream:
                    if isinstance(item, EventAccepted):
                        break


async def test_some_of_it_fails_and_nothing_of_it_leaves_the_machine() -> None:
    with stage.set_up(rate=50, seed=1) as found:
        async with Client(found.server, found.api_key) as client:
            channels = (await client.list_channels()).items
            assert {each.name for each in channels} == {"crm", "team", "pager"}
            async with contextlib.aclosing(client.stream()) as stream:
                async for item in stream:
                    if isinstance(item, DeliveryChanged) and item.delivery.last_error:
                        # What is told to wait is not a failure of `team`: it goes out later.
                        assert item.delivery.channel in {"pager", "team"}
                        if item.delivery.channel == "pager":
                            break


async def test_nothing_is_left_behind() -> None:
    with stage.set_up(rate=50, seed=1) as found:
        assert found.folder.exists()
    assert not found.folder.exists()
    # Threads that look up names go by themselves when nobody has asked them for a while.
    assert not {"demo", "slowping-writer"} & {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_a_demo_that_is_asked_to_end_clears_up(tmp_path: Path, number: int) -> None:
    environ = {**os.environ, "TMPDIR": str(tmp_path), "HOME": str(tmp_path)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "slowping", "demo", "--no-tui", "--rate", "20",
        env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    told = await process.stdout.readline()
    assert told.startswith(b"slowping tui --server http://127.0.0.1:")
    assert left(tmp_path)
    process.send_signal(number)
    _, said = await process.communicate()
    assert process.returncode == 0, said
    assert left(tmp_path) == []


def left(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]
