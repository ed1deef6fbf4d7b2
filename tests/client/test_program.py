"""A sender in programs of their own: how they end, how they fork, and what they print."""

import sys
import textwrap
import time
from pathlib import Path

import pytest

from slowping.client.batch import Pace
from tests.acceptance.program import Machine, Ran
from tests.conftest import RunningHouse
from tests.notifiers.far_side import Behaviour, FarSide, reply, silence

KEY = "slp_a_key_that_nobody_may_see"
TAKEN = reply(201, {"events": []})


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "home")


async def ran(machine: Machine, code: str, server: str, key: str = KEY) -> Ran:
    """Run a program to its end; a warning is as good as a failure."""
    # Later Pythons warn of any fork of a program that has threads.
    forks = "ignore:This process:DeprecationWarning"
    command = (sys.executable, "-W", "error", "-W", forks, "-c", textwrap.dedent(code))
    return await machine.run(*command, SLOWPING_SERVER=server, SLOWPING_API_KEY=key)


def is_quiet(program: Ran) -> bool:
    return program == Ran(0, "", "")


async def test_a_program_that_ends_takes_its_events_along(
    machine: Machine, house: RunningHouse
) -> None:
    code = """
        from slowping import send
        send("sale", "New sale!", fields={"amount": 49.99})
        send("sale", "Another!")
    """
    assert is_quiet(await ran(machine, code, house.base_url, house.ingest_key))
    told = [event.description for event in await house.events("default")]
    assert told == ["New sale!", "Another!"]


async def test_a_program_that_fails_takes_its_events_along(
    machine: Machine, house: RunningHouse
) -> None:
    code = """
        import sys
        from slowping import send
        send("bug", "It broke")
        sys.exit(3)
    """
    program = await ran(machine, code, house.base_url, house.ingest_key)
    assert program == Ran(3, "", "")
    assert len(await house.events("default")) == 1


async def test_on_the_servers_machine_nothing_is_named(machine: Machine, tmp_path: Path) -> None:
    async with machine.serving(tmp_path / "data") as server:
        code = "from slowping import send; send('sale', 'Nobody said where', sync=True)"
        command = (sys.executable, "-c", code)
        assert is_quiet(await machine.run(*command, SLOWPING_DATA=server.data))
        async with server.client() as client:
            assert len((await client.list_events()).items) == 1


async def test_where_no_server_has_run_the_program_is_told_how_to_start_one(
    machine: Machine,
) -> None:
    program = await ran(machine, "from slowping import send; send('sale')", "", "")
    assert (program.code, program.stdout) == (0, "")
    assert program.stderr.startswith("1 event was not sent to slowping: No server ")
    assert "'slowping serve" in program.stderr
    assert program.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "trouble",
    [silence(), reply(503, headers={"retry-after": "60"})],
    ids=["silence", "busy for a minute"],
)
async def test_a_server_that_does_not_answer_holds_up_the_end_for_two_seconds(
    machine: Machine, trouble: Behaviour
) -> None:
    async with FarSide(trouble).running() as server:
        began = time.monotonic()
        program = await ran(machine, "from slowping import send; send('sale')", server.url)
        took_s = time.monotonic() - began
    assert program.code == 0
    assert program.stderr.startswith("1 event was not sent to slowping: ")
    assert KEY not in program.stderr
    assert Pace().exit_s <= took_s < Pace().timeout_s


async def test_the_child_of_a_fork_sends_its_own_and_nothing_of_its_parent(
    machine: Machine,
) -> None:
    code = """
        import os, sys
        from slowping import flush, send
        send("count", "parent, waiting")
        child = os.fork()
        send("count", "child" if child == 0 else "parent")
        if child == 0:
            sys.exit(0)
        sys.exit(os.waitpid(child, 0)[1])
    """
    async with FarSide(TAKEN).running() as server:
        assert is_quiet(await ran(machine, code, server.url))
    told = [[event["description"] for event in request.json] for request in server.requests]
    assert sorted(told) == [["child"], ["parent, waiting", "parent"]]


async def test_a_fork_leaves_an_open_connection_to_the_parent(machine: Machine) -> None:
    code = """
        import os, sys
        from slowping import flush, send
        send("count", "before")
        assert flush()
        child = os.fork()
        for number in range(3):
            send("count", f"{'child' if child == 0 else 'parent'} {number}")
            assert flush()
        if child == 0:
            sys.exit(0)
        sys.exit(os.waitpid(child, 0)[1])
    """
    async with FarSide(TAKEN).running() as server:
        assert is_quiet(await ran(machine, code, server.url))
    told = [event["description"] for request in server.requests for event in request.json]
    assert sorted(told) == sorted(
        ["before", *(f"{who} {number}" for who in ("parent", "child") for number in range(3))]
    )
    assert server.connections == 2


async def test_workers_of_a_pool_send(machine: Machine) -> None:
    code = """
        import multiprocessing
        from slowping import flush, send

        def work(number):
            send("count", str(number))
            return flush()

        send("count", "parent")
        with multiprocessing.get_context("fork").Pool(2) as pool:
            assert all(pool.map(work, range(6), chunksize=1))
    """
    async with FarSide(TAKEN).running() as server:
        assert is_quiet(await ran(machine, code, server.url))
    told = [event["description"] for request in server.requests for event in request.json]
    assert sorted(told) == ["0", "1", "2", "3", "4", "5", "parent"]


async def test_the_last_word_of_a_program_arrives_when_it_waits_for_it(machine: Machine) -> None:
    code = """
        import atexit
        from slowping import send
        atexit.register(lambda: send("job", "done", sync=True))
        send("job", "begun")
    """
    async with FarSide(TAKEN).running() as server:
        assert is_quiet(await ran(machine, code, server.url))
    told = [event["description"] for request in server.requests for event in request.json]
    assert told == ["begun", "done"]


async def test_an_async_program_may_send(machine: Machine, house: RunningHouse) -> None:
    code = """
        import asyncio
        from slowping import send

        async def main():
            send("sale", "from a loop")

        asyncio.run(main())
    """
    assert is_quiet(await ran(machine, code, house.base_url, house.ingest_key))
    assert len(await house.events("default")) == 1
