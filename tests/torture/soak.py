"""Keep a server at ordinary work for long, and see whether anything grows.

Memory is the proportional set size, and for its slope what the process has of no file (`Pss` and
`Anonymous` of `/proc/<pid>/smaps_rollup`): its share of a library grows when another process ends.
The slope is that of the readings at rest, when all that was sent has arrived: the median of the
slopes between all pairs of them after the warm-up (Theil and Sen), so that a single step, such as a
cache that fills, counts for little.
"""

import asyncio
import itertools
import random
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.memory import own_mib, pss_mib
from tests.acceptance.program import Machine, Server
from tests.notifiers.far_side import Behaviour, FarSide, cut, hang_up, reply, reset
from tests.torture import found, stage
from tests.torture.bar import Bar, Figure, Run, enough, never
from tests.torture.clients import DIALECTS, Ledger, Sending
from tests.torture.flood import Flood, meanwhile
from tests.torture.found import Found

SECONDS = 1_200.0
"""At scale 1; a night is scale 24."""

WARM_UP: Final = 0.4
"""The share of the time after which caches are full, and nothing is to grow any more."""

READINGS: Final = 15
"""So many at least make a slope."""

LEAST_A_SECOND = 100.0
EVENTS_A_SECOND = 200.0
"""While it is sent: now and then all is waited for, and nothing is sent."""

CONNECTIONS = 50
FAULTS = 0.05
"""The share of deliveries that go wrong."""

SLICE_S = 30.0
"""How long is sent before all deliveries are waited for."""

LOOK_S = 5.0
SLOPE_MIB = 1.0
WAL_MIB = 64.0
MINUTE_S = 60.0


class _Look(msgspec.Struct, frozen=True, kw_only=True):
    """How a server is at a moment."""

    at: float
    memory_mib: float
    own_mib: float
    log_mib: float


class _Toll(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to be judged in the end."""

    seconds: float
    ledger: Ledger
    looks: Sequence[_Look]
    at_rest: Sequence[_Look]
    descriptors: tuple[int, int]
    """At rest, before and after."""
    has_settled: bool
    found: Found
    arrived: set[str]


async def run(run: Run) -> Sequence[Figure]:
    """Send at an ordinary pace, to far sides that fail now and then."""
    machine, ledger = Machine(run.folder / "home"), Ledger()
    seconds, looks, at_rest = SECONDS * run.scale, list[_Look](), list[_Look]()
    far_side = FarSide(_mostly_well())
    async with far_side.running(), stage.serving(machine, run.folder) as server:
        make = _one_of_each(await stage.set_up(server, far_side.url), ledger)
        arrivals = stage.counting(far_side)
        before = await _worked(server, Flood(server.url, ledger, make, CONNECTIONS), 2.0, [])
        async with meanwhile(_keep_looking(server, looks, run)):
            flood = Flood(server.url, ledger, make, CONNECTIONS)
            after = await _worked(server, flood, seconds, at_rest)
        has_settled = await stage.settles(server)
        await stage.stopped(server)
    return _figures(
        run,
        _Toll(
            seconds=seconds, ledger=ledger, looks=looks, at_rest=at_rest,
            descriptors=(before, after), has_settled=has_settled, arrived=set(arrivals.counted),
            found=await asyncio.to_thread(found.look, run.folder / "data", len(stage.CHANNELS)),
        )
    )  # fmt: skip


async def _worked(server: Server, flood: Flood, seconds: float, at_rest: list[_Look]) -> int:
    """Work, and come to rest now and then; how many descriptors are open in the end."""
    until = time.monotonic() + seconds
    while (left_s := until - time.monotonic()) > 0:
        await flood.pour(EVENTS_A_SECOND, min(left_s, SLICE_S))
        # A machine that is too slow for so many is sent fewer, and not a queue without end.
        await stage.settles(server)
        flood.close()
        at_rest.append(_look(server))
    return await _descriptors(server.pid)


async def _descriptors(pid: int) -> int:
    """The fewest that are open within a moment: connections that were left are gone then."""
    counts = []
    for _ in range(10):
        counts.append(_descriptors_now(pid))
        await asyncio.sleep(0.2)
    return min(counts)


def _descriptors_now(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


async def _keep_looking(server: Server, looks: list[_Look], run: Run) -> None:
    for number in itertools.count():
        looks.append(_look(server))
        if number * LOOK_S % MINUTE_S == 0:
            look, minute = looks[-1], number * LOOK_S / MINUTE_S
            run.say(f"minute {minute:.0f}: {look.memory_mib:.1f} MiB, {look.own_mib:.1f} its own")
        await asyncio.sleep(LOOK_S)


def _look(server: Server) -> _Look:
    log = server.data / f"{found.DATABASE}-wal"
    size = log.stat().st_size if log.exists() else 0
    return _Look(
        at=time.monotonic(),
        memory_mib=pss_mib(server.pid),
        own_mib=own_mib(server.pid),
        log_mib=size / 1_048_576,
    )


def _mostly_well() -> Behaviour:
    """A far side that fails in one way or another, now and then."""
    well = reply(204)
    ill = (reply(500), reply(503), reset(), cut(), hang_up())
    # Whoever says wait is not sent anything for a second, so that a few of these are many.
    ways = itertools.cycle((*ill * 40, reply(429, headers={"retry-after": "1"})))

    async def behave(writer: asyncio.StreamWriter) -> bool:
        how = next(ways) if random.random() < FAULTS else well
        return await how(writer)

    return behave


def _one_of_each(key: str, ledger: Ledger) -> Callable[[], Sending]:
    """Each dialect in its turn."""
    makes = itertools.cycle(make for make in DIALECTS if make.events == 1)

    def make() -> Sending:
        mark = ledger.mark()
        content = next(makes).write(key, (mark,), mark)
        return Sending(marks=(mark,), content=content, is_repeatable=True)

    return make


def slope_mib(looks: Sequence[_Look]) -> float:
    """How much memory grows in an hour, in the middle of all pairs of looks."""
    slopes = [
        (later.own_mib - earlier.own_mib) / (later.at - earlier.at) * 3_600
        for earlier, later in itertools.combinations(looks, 2)
    ]
    return statistics.median(slopes) if slopes else 0.0


def _figures(run: Run, toll: _Toll) -> Sequence[Figure]:
    ledger, seen = toll.ledger, toll.found
    warm_at = toll.looks[0].at + toll.seconds * WARM_UP
    warm = [look for look in toll.at_rest if look.at > warm_at]
    before, after = toll.descriptors
    lasted_s = toll.at_rest[-1].at - toll.looks[0].at
    return (
        enough("minutes", round(lasted_s / MINUTE_S, 1), round(toll.seconds / MINUTE_S, 1)),
        Figure(
            what="events a second acknowledged",
            measured=round(len(ledger.acknowledged) / toll.seconds, 1),
            bar=LEAST_A_SECOND,
            at_least=True,
            is_timing=True,
        ),
        Figure(
            what="memory grows in an hour, after the warm-up",
            measured=round(slope_mib(warm), 2),
            bar=SLOPE_MIB,
            unit="MiB",
            is_timing=True,
        ),
        enough("readings at rest that it is the slope of", len(warm), run.times(READINGS)),
        Figure(
            what="memory at most",
            measured=round(max(look.memory_mib for look in toll.looks)),
            bar=150,
            unit="MiB",
        ),
        Figure(
            what="descriptors more than at the start, but for one kept for each channel",
            measured=after - before,
            bar=len(stage.CHANNELS),
        ),
        Figure(
            what="write-ahead log at most",
            measured=round(max(look.log_mib for look in toll.looks), 1),
            bar=WAL_MIB,
            unit="MiB",
        ),
        never("queues not empty in the end", int(not toll.has_settled)),
        enough("attempts that went wrong, or this is void", seen.failed_attempts, 1),
        never("acknowledged events lost", seen.lost(ledger.acknowledged)),
        never("events twice", seen.doubled(ledger.repeatable | ledger.acknowledged)),
        never("requests without an answer", ledger.ended.total()),
        never("answers of another kind", len(ledger.odd)),
        never("deliveries that have ended without arriving", seen.unaccounted(toll.arrived)),
    )


BAR = Bar(
    name="soak",
    promise="At ordinary work nothing grows: no memory, no descriptors, no log, no queue.",
    run=run,
)
