"""A data folder that a server has left, and commands that work on it."""

import asyncio
from pathlib import Path

from click.testing import CliRunner, Result

from slowping import cli
from tests.conftest import RunningHouse, running_house


async def run(*arguments: str | Path, given: str | None = None, **environ: str) -> Result:
    """Run a command in a thread: it may run a loop of its own."""
    written = tuple(map(str, arguments))
    return await asyncio.to_thread(CliRunner().invoke, cli.cli, written, input=given, env=environ)


async def send(house: RunningHouse, count: int = 1) -> None:
    """Send events of the category sale."""
    answer = await house.client.post(
        "/slowping/v1/events",
        json=[{"category": "sale", "description": f"No. {no}"} for no in range(count)],
        headers={"authorization": f"Bearer {house.admin_key}"},
    )
    assert answer.status_code == 201


def files(folder: Path, pattern: str = "*") -> list[Path]:
    """The files of a folder that are named so."""
    return sorted(folder.glob(pattern))


def spoil(database: Path) -> None:
    """Take the end of a database away."""
    database.write_bytes(database.read_bytes()[:-8_192])


async def left_by_a_server(folder: Path, events: int = 1) -> Path:
    """Make a data folder with some events in it."""
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    async with running_house(folder) as house:
        await send(house, events)
    return folder
