"""The overview against a real server."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from click.testing import CliRunner, Result

from slowping import cli
from tests.conftest import RunningHouse

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
async def run(house: RunningHouse) -> Run:
    """Run a command on a server with two projects, of which one has sums and a channel."""

    async def run(*arguments: str, **environ: str) -> Result:
        variables = {"SLOWPING_SERVER": house.base_url, "SLOWPING_API_KEY": house.admin_key}
        # In a thread: a command runs a loop of its own.
        return await asyncio.to_thread(
            CliRunner().invoke, cli.cli, arguments, env=variables | environ
        )

    await house.project("shop", channels=["console"], categories=["sale"])
    for amount in ("1200", "40.5"):
        await run("send", "sale", "--project", "shop", "-f", f"amount:={amount}")
    while await house.store.journal.count_on():
        pass
    return run


async def test_what_came_in_is_shown_with_its_sums(run: Run) -> None:
    ran = await run("overview", "--project", "shop")
    assert ran.exit_code == 0
    lines = [line.split() for line in ran.stdout.splitlines()]
    assert ["today", "2", "events"] in lines
    assert ["waiting", "2", "deliveries"] in lines
    [sale] = [line for line in lines if "sale" in line]
    assert sale[3:6] == ["2", "2", "2"]
    assert sale[6] == "···········█"
    assert sale[7:] == ["amount", "1,240.50"]
    [channel] = [line for line in lines if "console-0" in line]
    assert channel[:5] == ["shop", "console-0", "(paused)", "2", "0"]


async def test_all_projects_are_shown_together(run: Run) -> None:
    assert (await run("send", "bug")).exit_code == 0
    ran = await run("overview")
    assert {"shop", "default"} <= {line.partition(" ")[0] for line in ran.stdout.splitlines()}


async def test_the_overview_fits_80_columns_for_people(run: Run) -> None:
    ran = await run("overview", FORCE_COLOR="1", TERM="xterm", NO_COLOR="1", COLUMNS="80")
    assert max(map(len, ran.stdout.splitlines())) <= 80
    assert "\x1b" not in ran.stdout


async def test_the_overview_is_json_for_programs(run: Run) -> None:
    ran = await run("overview", "--project", "shop", "--json")
    told = json.loads(ran.stdout)
    assert told["events"]["month"] == 2
    assert told["categories"][0]["sums"][0]["month"] == 1240.5


async def test_a_project_that_is_not_there_is_said_to_be(run: Run) -> None:
    ran = await run("overview", "--project", "none")
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert "There is no project 'none'" in ran.stderr
