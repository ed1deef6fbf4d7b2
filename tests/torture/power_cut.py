"""Cut the power again and again, on a disk that loses what was not synced."""

import asyncio
import random
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from slowping.core import errors
from tests.acceptance.program import SLOWPING, Machine
from tests.laboratory import lossy_disk
from tests.torture import found, stage
from tests.torture.bar import Bar, Figure, Run, enough, left_out, never
from tests.torture.clients import Crowd, Ledger
from tests.torture.found import Found

CUTS = 50
CONTROL_CUTS = 10
"""At most: one in which something is lost is enough."""

FIRST_STARTS = 10
AFTER_S = (0.05, 1.0)
"""How long a server lives once it is ready: anything between these."""

KEPT = 0.5
"""In every other run a cut leaves this share of what was not synced, anywhere."""

CARELESS: Final = (sys.executable, Path(__file__).with_name("careless.py"))
"""The program without the promise."""

NOBODY = "http://127.0.0.1:9"


class _Toll(msgspec.Struct, frozen=True, kw_only=True):
    """What came of some cuts."""

    cuts: int
    acknowledged: int
    lost: int
    ill_delivered: int
    damaged: int


async def run(run: Run) -> Sequence[Figure]:
    """Cut with the settings that are shipped, then without, then during first starts."""
    if reason := lossy_disk.why_not():
        run.say("see the trace of system calls instead: sync_trace")
        return (left_out("cuts", reason),)
    machine, cuts = Machine(run.folder / "home"), run.times(CUTS)
    careful = [
        await _cut_often(run, machine, SLOWPING, (cuts + 1) // 2, kept=0.0),
        await _cut_often(run, machine, SLOWPING, cuts // 2, kept=KEPT),
    ]
    careless = await _cut_often(run, machine, CARELESS, CONTROL_CUTS, kept=0.0, until_lost=True)
    spoiled = await _cut_first_starts(run, machine)
    return (
        enough("cuts", sum(toll.cuts for toll in careful), cuts),
        enough("events acknowledged", sum(toll.acknowledged for toll in careful), cuts),
        never("acknowledged events lost", sum(toll.lost for toll in careful)),
        never(
            "events without exactly their deliveries", sum(toll.ill_delivered for toll in careful)
        ),
        never("databases that are damaged", sum(toll.damaged for toll in careful)),
        never("first starts that cannot be repeated", spoiled),
        enough("lost where commits are not synced, or this is void", careless.lost, 1),
    )


async def _cut_often(
    run: Run,
    machine: Machine,
    program: Sequence[str | Path],
    cuts: int,
    *,
    kept: float,
    until_lost: bool = False,
) -> _Toll:
    """Start on one disk, be cut, start again; what is missing in the end."""
    ledger, seen, damaged, done = Ledger(), found.NOTHING, 0, 0
    async with lossy_disk.mounted(run.folder / "disk", kept=kept) as mount:
        data, copy = mount.folder / "data", run.folder / "copy"
        async with machine.serving(data, program=program, **stage.ENVIRON) as server:
            crowd = Crowd(await stage.set_up(server, NOBODY, ("nobody",)), ledger)
            await stage.stopped(server)
        while done < cuts and not (until_lost and seen.lost(ledger.acknowledged)):
            async with (
                machine.serving(data, program=program, **stage.ENVIRON) as server,
                crowd.sending(server.url),
            ):
                await asyncio.sleep(random.uniform(*AFTER_S))
                await mount.cut()
                await server.killed()
            await mount.come_back()
            seen = await asyncio.to_thread(_look, data, copy)
            damaged += not seen.is_sound
            done += 1
            if done % 10 == 0:
                run.say(f"{done} cuts, {len(ledger.acknowledged):,} acknowledged")
    (run.folder / "disk").rmdir()
    return _Toll(
        cuts=done, acknowledged=len(ledger.acknowledged), lost=seen.lost(ledger.acknowledged),
        ill_delivered=seen.ill_delivered, damaged=damaged,
    )  # fmt: skip


def _look(data: Path, copy: Path) -> Found:
    """Look at a copy, so that the log is for the server to fold back."""
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    for file in data.glob("slowping.db*"):
        if not file.name.endswith("-shm"):
            shutil.copy(file, copy)
    return found.look(copy, 1)


async def _cut_first_starts(run: Run, machine: Machine) -> int:
    """How many servers do not start, or have no admin key, after a cut in their first start."""
    spoiled = 0
    for number in range(run.times(FIRST_STARTS)):
        async with lossy_disk.mounted(run.folder / "disk", kept=KEPT * (number % 2)) as mount:
            data = mount.folder / "data"
            begun = await machine.start(
                *SLOWPING, "serve", "--data", data, "--port", "0",
                stdout=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
            await _writes(data)
            await asyncio.sleep(random.uniform(0, 0.2))
            await mount.cut()
            begun.kill()
            await begun.wait()
            await mount.come_back()
            spoiled += not await _starts(machine, data)
        (run.folder / "disk").rmdir()
    return spoiled


async def _writes(data: Path) -> None:
    """Wait until a server has begun to make what it needs."""
    while not data.exists():  # noqa: ASYNC110, ASYNC240 - a disk rings no bell
        await asyncio.sleep(0.01)


async def _starts(machine: Machine, data: Path) -> bool:
    try:
        async with machine.serving(data) as server, server.client() as client:
            await client.list_projects()
    except (AssertionError, OSError, errors.SlowpingError):
        return False
    return True


BAR = Bar(
    name="power_cut",
    promise="No acknowledged event is lost when the power goes.",
    run=run,
)
