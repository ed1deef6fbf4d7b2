"""Kill whoever brings a database to the newest schema, from every schema there ever was."""

import asyncio
import contextlib
import random
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from slowping.core import errors
from slowping.store.sqlite.database import SqliteDatabase
from tests.acceptance.program import Machine, signalled
from tests.store.database import history
from tests.torture.bar import Bar, Figure, Run, enough, never

KILLS = 20
"""For each schema."""

EVENTS = 1_000_000
EVENTS_OF_OTHERS = 200_000
"""From the first schema every step is taken; the later ones need not be as large again."""

ALL_FROM = 0.1
"""The scale from which on every schema has its turn."""

DATABASE = "slowping.db"


class _Toll(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a database of one schema."""

    events: int
    """That were in it."""
    kills: int
    in_the_middle: int
    """Kills after which it was not at the newest schema."""
    is_whole: bool
    """Whether everything is there in the end, and sound."""
    serves: bool
    took_s: float
    """Undisturbed."""


async def run(run: Run) -> Sequence[Figure]:
    """One schema after the other; a short run has the first one alone, from which all follow."""
    machine = Machine(run.folder / "home")
    schemas = history.SCHEMAS[:-1] if run.scale >= ALL_FROM else history.SCHEMAS[:1]
    tolls = [await _try(machine, run, schema) for schema in schemas]
    kills = run.times(KILLS) * len(tolls)
    return (
        enough("schemas", len(tolls), len(schemas)),
        enough("events in a database of the first schema", tolls[0].events, run.times(EVENTS)),
        enough("kills while it is migrated", sum(toll.kills for toll in tolls), kills),
        Figure(
            what="of these before it was done",
            measured=sum(toll.in_the_middle for toll in tolls),
            bar=kills // 4,
            at_least=True,
            is_timing=True,
        ),
        never(
            "databases in which something is lost, changed or damaged",
            sum(not toll.is_whole for toll in tolls),
        ),
        never("databases that cannot be served", sum(not toll.serves for toll in tolls)),
        Figure(
            what="undisturbed, from the first schema",
            measured=round(tolls[0].took_s, 1),
            bar=60,
            unit="s",
            is_timing=True,
        ),
    )


async def _try(machine: Machine, run: Run, schema: int) -> _Toll:
    events = run.times(EVENTS if schema == 1 else EVENTS_OF_OTHERS)
    pristine, data = run.folder / f"schema-{schema}.db", run.folder / "data"
    await asyncio.to_thread(history.build, pristine, schema, events)
    before = await asyncio.to_thread(history.fingerprint, pristine)
    [stored, *_] = before["event"]
    assert isinstance(stored, int)
    took_s = await _undisturbed(machine, pristine, data)
    kills = in_the_middle = 0
    while kills < run.times(KILLS):
        if history.schema_of(data / DATABASE) == history.SCHEMAS[-1]:
            _begin(pristine, data)
        # By turns, the command last: a server that is done goes on to send what waits.
        by_itself = (run.times(KILLS) - kills) % 2 == 1
        if not await _killed(machine, data, by_itself, random.uniform(0.1, took_s)):
            continue
        kills += 1
        in_the_middle += history.schema_of(data / DATABASE) < history.SCHEMAS[-1]
    is_whole = await _finishes(machine, data) and before == await asyncio.to_thread(
        history.fingerprint, data / DATABASE
    )
    run.say(f"schema {schema}: {events:,} events, {kills} kills, {in_the_middle} in the middle")
    toll = _Toll(
        events=stored, kills=kills, in_the_middle=in_the_middle, is_whole=is_whole,
        serves=await _serves(machine, data), took_s=took_s,
    )  # fmt: skip
    shutil.rmtree(data)
    pristine.unlink()
    return toll


def _begin(pristine: Path, data: Path) -> None:
    """Put the old database into a data folder of its own."""
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    shutil.copyfile(pristine, data / DATABASE)


async def _undisturbed(machine: Machine, pristine: Path, data: Path) -> float:
    """How many seconds it takes."""
    await asyncio.to_thread(_begin, pristine, data)
    loop = asyncio.get_running_loop()
    started = loop.time()
    ran = await machine.slowping("migrate", "--data", data)
    assert ran.code == 0, ran.stderr
    return loop.time() - started


async def _killed(machine: Machine, data: Path, by_itself: bool, after_s: float) -> bool:
    """Kill the command, or a server that starts; whether it was still at it."""
    command = ("migrate",) if by_itself else ("serve", "--port", "0")
    process = await machine.start(
        sys.executable, "-m", "slowping", *command, "--data", str(data),
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    await asyncio.sleep(after_s)
    signalled(process, signal.SIGKILL)
    code = await process.wait()
    _remove_copies(data)
    return code == -signal.SIGKILL


def _remove_copies(data: Path) -> None:
    for copy in data.glob(f"{DATABASE}.schema-*"):
        copy.unlink()


async def _finishes(machine: Machine, data: Path) -> bool:
    ran = await machine.slowping("migrate", "--data", data)
    if ran.code:
        return False
    try:
        contents = await asyncio.to_thread(SqliteDatabase(data / DATABASE).verify)
    except errors.StoreUnusable:
        return False
    return contents.schema == history.SCHEMAS[-1]


async def _serves(machine: Machine, data: Path) -> bool:
    with contextlib.suppress(AssertionError, TimeoutError):
        async with machine.serving(data) as server, server.client() as client:
            return (await client.health()).status == "ok"
    return False


BAR = Bar(
    name="migrations",
    promise="An update keeps everything, however often it is broken off.",
    run=run,
)
