"""How long events are kept, and what goes, on the command line."""

import asyncio
import json
import pathlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from click.testing import CliRunner, Result

from slowping import cli
from slowping.core.delivery import DeliveryState
from slowping.testing import FrozenClock
from tests.acceptance.eventually import eventually
from tests.conftest import RunningHouse, running_house

Run = Callable[..., Awaitable[Result]]
DAY_S = 86_400


@pytest.fixture
async def old(tmp_path: pathlib.Path, clock: FrozenClock) -> AsyncIterator[RunningHouse]:
    """A server on a clock that a test sets."""
    async with running_house(tmp_path, clock=clock) as house:
        yield house


@pytest.fixture
def run(old: RunningHouse) -> Run:
    async def run(*arguments: str) -> Result:
        variables = {"SLOWPING_SERVER": old.base_url, "SLOWPING_API_KEY": old.admin_key}
        return await asyncio.to_thread(CliRunner().invoke, cli.cli, arguments, env=variables)

    return run


async def sent(run: Run, house: RunningHouse, number: int) -> None:
    """Send events, and wait until they have arrived."""
    for _ in range(number):
        assert (await run("send", "bug", "-d", "It broke")).exit_code == 0

    async def arrived() -> bool:
        by_state = await house.store.outbox.count_by_state()
        return by_state.get(DeliveryState.DELIVERED) == number

    await eventually(arrived)


async def test_what_is_old_is_told_and_removed(
    run: Run, old: RunningHouse, clock: FrozenClock
) -> None:
    await sent(run, old, 2)
    assert "Nothing is old enough to be removed." in (await run("prune")).stderr
    await run("project", "change", "default", "--keep-days", "7")
    clock.step(7 * DAY_S + 1)
    told = await run("prune", "--dry-run")
    assert "Would remove 2 events" in told.stderr
    assert "default" in told.stdout
    as_json = json.loads((await run("prune", "--dry-run", "--json")).stdout)
    assert [(part["what"], part["number"]) for part in as_json["parts"]] == [("events", 2)]
    assert len(json.loads((await run("event", "list", "--json")).stdout)) == 2
    gone = await run("prune")
    assert "Removed 2 events, about 0." in gone.stderr
    assert json.loads((await run("event", "list", "--json")).stdout) == []


async def test_a_project_says_how_long_and_takes_it_back(run: Run) -> None:
    assert (await run("project", "create", "shop", "--keep-days", "0")).exit_code == 0
    assert "for ever" in (await run("project", "show", "shop")).stdout
    await run("project", "change", "shop", "--keep-days", "30", "--keep-mb", "200")
    shown = (await run("project", "show", "shop")).stdout
    assert "30 days" in shown
    assert "200 MB" in shown
    await run("project", "change", "shop", "--keep-days", "default", "--keep-mb", "0")
    shown = (await run("project", "show", "shop")).stdout
    assert "as the server is configured" in shown
    assert "no limit" in shown


async def test_a_category_says_how_long_and_takes_it_back(run: Run) -> None:
    created = await run("category", "create", "sale2", "--keep-days", "3", "--keep-mb", "5")
    assert created.exit_code == 0, created.stderr
    assert "3 days" in (await run("category", "show", "sale2")).stdout
    await run("category", "change", "sale2", "--keep-days", "default")
    assert "as the project's" in (await run("category", "show", "sale2")).stdout


async def test_lists_say_how_long_events_are_kept_where_somebody_said_so(run: Run) -> None:
    await run("project", "create", "shop", "--keep-days", "90", "--keep-mb", "1000")
    [shop, other] = (await run("project", "list")).stdout.splitlines()[1:]
    assert "  90 days, 1 GB  " in shop
    assert "default  -      -     " in other
    await run("category", "create", "debug", "--project", "shop", "--keep-mb", "200")
    [row] = (await run("category", "list", "--project", "shop")).stdout.splitlines()[1:]
    assert row.rstrip().endswith("all       200 MB")


@pytest.mark.parametrize("typed", ["-1", "ten", "1.5", "99999999999"])
async def test_what_is_no_number_of_days_is_refused(run: Run, typed: str) -> None:
    refused = await run("project", "change", "default", "--keep-days", typed)
    assert refused.exit_code == 2
