"""The examples of docs/client.md, each run as a program against a real server."""

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from tests.acceptance.program import DEADLINE_S, Machine, Ran
from tests.conftest import RunningHouse

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "client.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def example(page: str, holding: str) -> str:
    """The one example that has these words in it."""
    [found] = [
        code
        for code in re.findall(r"^```python\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
        if holding in code
    ]
    return str(found)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "home")


async def ran(machine: Machine, house: RunningHouse, code: str) -> Ran:
    key = await house.key("default")
    command = (sys.executable, "-W", "error", "-c", code)
    program = await machine.run(*command, SLOWPING_SERVER=house.base_url, SLOWPING_API_KEY=key)
    assert (program.code, program.stderr) == (0, "")
    return program


@pytest.mark.parametrize("page", [PAGE, README], ids=["docs/client.md", "README.md"])
async def test_a_sale_is_sent_in_one_line(machine: Machine, house: RunningHouse, page: str) -> None:
    program = await ran(machine, house, example(page, 'send("sale", "New sale!"'))
    [event] = await house.events("default")
    assert (event.category, event.description) == ("sale", "New sale!")
    assert event.fields == {"amount": 49.99, "plan": "pro"}
    assert program.stdout == ""


async def test_a_sender_of_ones_own_keeps_secrets_back(
    machine: Machine, house: RunningHouse
) -> None:
    program = await ran(machine, house, example(PAGE, "without_secrets"))
    [event] = await house.events("default")
    assert (event.category, event.fields, event.source) == ("login", {"user": "ada"}, "shop")
    assert program.stdout == "0 lost\n"


async def test_a_backup_that_is_told_twice_is_one_event(
    machine: Machine, house: RunningHouse
) -> None:
    code = example(PAGE, "idempotency_key=")
    for _ in range(2):
        await ran(machine, house, code)
    [event] = await house.events("default")
    assert (event.category, event.fields) == ("backup", {"size_mb": 512})


async def test_a_log_record_arrives(machine: Machine, house: RunningHouse) -> None:
    await ran(machine, house, example(PAGE, "SlowpingHandler"))
    [event] = await house.events("default")
    assert (event.category, event.description) == ("error", "Order 17 failed")
    assert event.fields["customer"] == "Ada"
    assert event.fields["exception"].endswith("KeyError: 'order'")


async def test_the_async_client_sends_shows_and_lists(
    machine: Machine, house: RunningHouse
) -> None:
    program = await ran(machine, house, example(PAGE, "all_items"))
    first, second = program.stdout.splitlines()
    assert first == "sale 1"
    [event] = await house.events("default")
    assert second == f"{event.id} {{'amount': 49.99}}"


async def test_what_happens_is_followed(house: RunningHouse) -> None:
    key = await house.key("default")
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-u", "-c", example(PAGE, "client.stream(")),
        env=os.environ | {"SLOWPING_SERVER": house.base_url, "SLOWPING_API_KEY": key},
        stdout=asyncio.subprocess.PIPE,
    )
    assert program.stdout is not None
    try:
        async with asyncio.timeout(DEADLINE_S):
            assert await program.stdout.readline() == b"connected\n"
            for category in ("bug", "sale"):
                event = {"category": category, "fields": {"amount": 1}}
                headers = {"authorization": f"Bearer {key}"}
                await house.client.post("/slowping/v1/events", json=event, headers=headers)
            assert await program.stdout.readline() == b"sale {'amount': 1}\n"
    finally:
        program.kill()
        await program.wait()
