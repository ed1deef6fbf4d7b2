"""Trace a server: a sync of the log lies between each request and its answer."""

import asyncio
import contextlib
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from tests.acceptance.eventually import eventually
from tests.acceptance.program import SLOWPING, Machine, signalled
from tests.torture import stage
from tests.torture.bar import Bar, Figure, Run, enough, left_out, never
from tests.torture.clients import MARK, Crowd, Ledger
from tests.torture.power_cut import CARELESS, NOBODY

REQUESTS = 2_000
CONTROL_REQUESTS = 50
TRACED_S = 600.0
"""At most, for one trace."""

SYNCS: Final = ("fsync", "fdatasync")

_CALL: Final = re.compile(r"(?P<thread>\d+) +(?P<name>\w+)\((?P<given>.*)")
_REST: Final = re.compile(r"(?P<thread>\d+) +<\.\.\. (?P<name>\w+) resumed>(?P<given>.*)")
_DESCRIPTOR: Final = re.compile(r"(?P<number>\d+)(?:<(?P<what>[^>]*)>)?")
_MARK: Final = re.compile(MARK + r'\\":\\"(m\d+)')
_YES: Final = re.compile(r'"HTTP/1\.1 20[01] ')


class Call(msgspec.Struct, kw_only=True):
    """A system call: its place in the trace when it began, and when it was over."""

    name: str
    given: str
    began: int
    ended: int

    @property
    def descriptor(self) -> str:
        """What it was called with."""
        found = _DESCRIPTOR.match(self.given)
        return found["number"] if found else ""


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What a trace shows."""

    answered: int
    """Requests that were answered with a yes."""
    unsynced: int
    """Those of them that no sync of the log precedes."""
    syncs: int


def why_not() -> str | None:
    """Why nothing can be traced here, or None where it can."""
    if sys.platform != "linux":
        return "this is not Linux"
    return None if shutil.which("strace") else "strace is not installed"


async def run(run: Run) -> Sequence[Figure]:
    """Trace the program as it is shipped, then without its promise."""
    if reason := why_not():
        return (left_out("answers under trace", reason),)
    asked = run.times(REQUESTS)
    careful = await _traced(run, "careful", SLOWPING, asked)
    careless = await _traced(run, "careless", CARELESS, CONTROL_REQUESTS)
    return (
        enough("requests answered", careful.answered, asked),
        never("answers without a sync of the log before them", careful.unsynced),
        enough("syncs of the log", careful.syncs, 1),
        enough("such answers where commits are not synced, or this is void", careless.unsynced, 1),
    )


async def _traced(run: Run, name: str, program: Sequence[str | Path], requests: int) -> Judged:
    """Send so many requests to a server under trace."""
    machine, trace, ledger = Machine(run.folder / "home"), run.folder / f"{name}.trace", Ledger()
    async with machine.serving(run.folder / name, program=program, **stage.ENVIRON) as server:
        crowd = Crowd(await stage.set_up(server, NOBODY, ("nobody",)), ledger)
        async with _tracing(server.pid, trace), crowd.sending(server.url):
            await _answered(ledger, requests)
    lines = await asyncio.to_thread(trace.read_text, errors="replace")
    return judged(calls(lines.splitlines()))


async def _answered(ledger: Ledger, requests: int) -> None:
    async with asyncio.timeout(TRACED_S):
        while ledger.answers < requests:  # noqa: ASYNC110 - a ledger rings no bell
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def _tracing(pid: int, trace: Path) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        "strace", "-f", "-y", "-s", "600", "-p", str(pid), "-o", str(trace),
        "-e", "trace=read,write,recvfrom,sendto,fsync,fdatasync",
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await eventually(lambda: process.returncode is not None or _is_traced(pid))
        assert process.returncode is None, "strace may not trace here"
        yield
    finally:
        signalled(process, signal.SIGINT)
        await process.wait()


def _is_traced(pid: int) -> bool:
    """Whether all threads of a process are traced."""
    statuses = [file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/status")]
    return all("TracerPid:\t0\n" not in status for status in statuses)


# What a trace shows ------------------------------------------------------------------------------


def calls(lines: Iterable[str]) -> list[Call]:
    """The system calls of a trace, by their beginnings."""
    found: list[Call] = []
    unfinished: dict[str, Call] = {}
    for place, line in enumerate(lines):
        if rest := _REST.match(line):
            begun = unfinished.pop(rest["thread"], None)
            if begun is not None:
                begun.given += rest["given"]
                begun.ended = place
        elif whole := _CALL.match(line):
            call = Call(name=whole["name"], given=whole["given"], began=place, ended=place)
            found.append(call)
            if call.given.endswith("<unfinished ...>"):
                unfinished[whole["thread"]] = call
    return found


def judged(traced: Sequence[Call]) -> Judged:
    """Look for a sync between each request that arrived and its answer."""
    syncs = [call for call in traced if call.name in SYNCS and ".db-wal>" in call.given]
    arrived: dict[str, int] = {}
    answered = unsynced = 0
    for call in sorted(traced, key=lambda each: each.ended):
        if call.name in {"recvfrom", "read"} and _MARK.search(call.given):
            arrived[call.descriptor] = call.ended
        elif call.name in {"sendto", "write"} and _YES.search(call.given):
            since = arrived.pop(call.descriptor, None)
            if since is not None:
                answered += 1
                unsynced += not any(
                    since < sync.began and sync.ended < call.began for sync in syncs
                )
    return Judged(answered=answered, unsynced=unsynced, syncs=len(syncs))


BAR = Bar(
    name="sync_trace",
    promise="What is answered is on the disk: a sync of the log lies before each answer.",
    run=run,
)
