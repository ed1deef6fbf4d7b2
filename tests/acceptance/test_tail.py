"""`slowping tail` in a process of its own, as a person or a pipe runs it."""

import asyncio
import contextlib
import json
import shlex
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from pathlib import Path

from slowping.core.event import NewEvent
from tests.acceptance.eventually import eventually
from tests.acceptance.program import DEADLINE_S, Machine, Server, signalled


async def line_of(stream: asyncio.StreamReader | None) -> str:
    """The next line."""
    assert stream is not None
    async with asyncio.timeout(DEADLINE_S):
        return (await stream.readline()).decode()


async def ended(process: Process) -> int:
    """Wait for its end; its exit code."""
    async with asyncio.timeout(DEADLINE_S):
        return await process.wait()


@contextlib.asynccontextmanager
async def tailing(machine: Machine, data: Path, *options: str) -> AsyncIterator[Process]:
    """Run it from when it is connected until the block ends."""
    command: list[str | Path] = [sys.executable, "-m", "slowping", "tail", "--data", data]
    async with running(machine, *command, *options) as process:
        assert await line_of(process.stderr) == "slowping: Connected.\n"
        yield process


@contextlib.asynccontextmanager
async def running(machine: Machine, *command: str | Path) -> AsyncIterator[Process]:
    """Run a program until the block ends, at the latest."""
    process = await machine._start(command, {}, given=False)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            signalled(process, signal.SIGKILL)
        await process.communicate()


async def send(server: Server, category: str, description: str = "It happened.") -> str:
    async with server.client() as client:
        new = NewEvent(category=category, description=description)
        return (await client.send_event(new)).id


async def test_each_event_is_a_line_as_it_comes(machine: Machine, tmp_path: Path) -> None:
    async with machine.serving(tmp_path) as server, tailing(machine, tmp_path) as tail:
        for number in range(3):
            await send(server, "sale", f"number {number}\nof three")
            line = await line_of(tail.stdout)
            assert line.endswith(f"Z 💰 default/sale · number {number} of three\n")


async def test_json_and_filters_are_for_pipes(machine: Machine, tmp_path: Path) -> None:
    async with (
        machine.serving(tmp_path) as server,
        tailing(machine, tmp_path, "--json", "--category", "bug", "--project", "default") as tail,
    ):
        await send(server, "sale")
        event_id = await send(server, "bug")
        assert json.loads(await line_of(tail.stdout))["id"] == event_id


async def test_ctrl_c_is_how_it_ends(machine: Machine, tmp_path: Path) -> None:
    async with machine.serving(tmp_path), tailing(machine, tmp_path) as tail:
        signalled(tail, signal.SIGINT)
        assert await ended(tail) == 0
        assert tail.stderr is not None
        assert await tail.stderr.read() == b""


async def test_a_reader_that_has_enough_ends_it_quietly(machine: Machine, tmp_path: Path) -> None:
    async with machine.serving(tmp_path) as server, tailing(machine, tmp_path) as tail:
        await send(server, "sale")
        await line_of(tail.stdout)
        tail._transport.get_pipe_transport(1).close()  # type: ignore[attr-defined]  # it is there
        await send(server, "sale")
        assert await ended(tail) == 0
        assert tail.stderr is not None
        assert await tail.stderr.read() == b""


async def test_it_ends_with_its_reader_though_nothing_happens(
    machine: Machine, tmp_path: Path
) -> None:
    async with machine.serving(tmp_path), tailing(machine, tmp_path) as tail:
        tail._transport.get_pipe_transport(1).close()  # type: ignore[attr-defined]  # it is there
        assert await ended(tail) == 0
        assert tail.stderr is not None
        assert await tail.stderr.read() == b""


async def test_in_a_pipe_the_first_line_is_there_at_once_and_ends_it(
    machine: Machine, tmp_path: Path
) -> None:
    async with machine.serving(tmp_path) as server:
        tail = shlex.join([sys.executable, "-m", "slowping", "tail", "--data", str(tmp_path)])
        script = f"set -o pipefail; {tail} --json | head -1"
        async with running(machine, "bash", "-c", script) as shell:
            assert await line_of(shell.stderr) == "slowping: Connected.\n"
            event_id = await send(server, "sale")
            assert json.loads(await line_of(shell.stdout))["id"] == event_id
            assert await ended(shell) == 0


async def test_a_file_gets_each_line_as_it_comes(machine: Machine, tmp_path: Path) -> None:
    file = tmp_path / "lines"
    async with machine.serving(tmp_path) as server:
        tail = shlex.join([sys.executable, "-m", "slowping", "tail", "--data", str(tmp_path)])
        async with running(machine, "bash", "-c", f"exec {tail} > {file}") as process:
            assert await line_of(process.stderr) == "slowping: Connected.\n"
            await send(server, "sale", "One")
            await eventually(lambda: file.read_text(encoding="utf-8").endswith(" · One\n"))


async def test_without_a_standard_output_it_says_so(machine: Machine, tmp_path: Path) -> None:
    async with machine.serving(tmp_path):
        tail = shlex.join([sys.executable, "-m", "slowping", "tail", "--data", str(tmp_path)])
        ran = await machine.run("bash", "-c", f"{tail} >&-")
        assert ran.code == 2
        assert "no standard output" in ran.stderr


async def test_a_restart_of_the_server_leaves_nothing_out(machine: Machine, tmp_path: Path) -> None:
    sent = []
    async with machine.serving(tmp_path) as server:
        port = server.url.rpartition(":")[2]
        async with tailing(machine, tmp_path, "--json") as tail:
            sent.append(await send(server, "sale"))
            seen = [json.loads(await line_of(tail.stdout))["id"]]
            server.terminate()
            assert await server.ended() == 0
            assert "Trying again in" in await line_of(tail.stderr)
            async with machine.serving(tmp_path, "--port", port) as again:
                sent += [await send(again, "sale") for _ in range(2)]
                seen += [json.loads(await line_of(tail.stdout))["id"] for _ in range(2)]
    assert seen == sent


async def test_without_a_server_it_ends_as_every_command(machine: Machine, tmp_path: Path) -> None:
    ran = await machine.slowping("tail", "--server", "http://127.0.0.1:9", "--api-key", "k")
    assert (ran.code, ran.stdout) == (3, "")
    async with machine.serving(tmp_path) as server:
        ran = await machine.slowping("tail", "--server", server.url, "--api-key", "unknown-key")
        assert ran.code == 4
        ran = await machine.slowping("tail", "--data", tmp_path, "--project", "none")
        assert ran.code == 1
        assert "none" in ran.stderr
