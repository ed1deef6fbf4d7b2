"""The audit against a real server."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from click.testing import CliRunner, Result

from slowping import cli
from tests.conftest import RunningHouse

Run = Callable[..., Awaitable[Result]]

TERMINAL = {"FORCE_COLOR": "1", "NO_COLOR": "1", "TERM": "xterm", "COLUMNS": "80"}


@pytest.fixture
async def run(house: RunningHouse) -> Run:
    async def run(*arguments: str, **environ: str) -> Result:
        variables = {"SLOWPING_SERVER": house.base_url, "SLOWPING_API_KEY": house.admin_key}
        variables |= environ
        # In a thread: a command runs a loop of its own.
        ran = await asyncio.to_thread(CliRunner().invoke, cli.cli, arguments, env=variables)
        assert ran.exit_code == 0, ran.stderr
        return ran

    return run


async def test_who_did_what_is_listed_with_what_differs(run: Run) -> None:
    await run("category", "change", "sale", "--emoji", "🛒")
    ran = await run("audit", "list", "--act", "category.changed")
    [title, line] = ran.stdout.splitlines()
    assert title.split() == ["AT", "(UTC)", "ACT", "ON", "BY", "FROM", "CHANGE"]
    for word in ("first admin key", "127.0.0.1", "category.changed", "default/sale"):
        assert word in line
    assert "emoji: 💰 → 🛒" in line


async def test_on_a_terminal_of_80_columns_nobody_is_cut_and_the_change_is_whole(run: Run) -> None:
    reason = "Holidays until the 24th of December, and Ada knows what to do meanwhile"
    await run("channel", "pause", "console", "--reason", reason)
    ran = await run("audit", "list", "--limit", "1", **TERMINAL)
    _, line, *change = ran.stdout.splitlines()
    for word in ("channel.paused", "default/con", "first admin key", "127.0.0.1"):
        assert word in line
    assert reason in " ".join(" ".join(change).split())
    assert max(map(len, ran.stdout.splitlines())) <= 80


async def test_what_was_made_tells_no_counts_of_its_own(run: Run) -> None:
    await run("category", "create", "deploy")
    ran = await run("audit", "list", "--act", "category.created", "--limit", "1")
    assert "channels" not in ran.stdout


async def test_all_of_an_act_is_in_the_json(run: Run) -> None:
    ran = await run("audit", "list", "--key", "first admin key", "--json")
    assert json.loads(ran.stdout) == []
    await run("channel", "pause", "console", "--reason", "holidays")
    [act] = json.loads(
        (await run("audit", "list", "--act", "channel", "--limit", "1", "--json")).stdout
    )
    assert act["after"]["paused_reason"] == "holidays"


async def test_what_an_act_on_many_did_is_counted(run: Run) -> None:
    await run("channel", "pause", "console")
    await run("send", "sale")
    await run("delivery", "discard", "--channel", "console", "--state", "pending")
    ran = await run("audit", "list", "--act", "deliveries")
    assert "moved: 1" in ran.stdout
