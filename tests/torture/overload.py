"""Send ten times what the server can take."""

import asyncio
from collections.abc import Mapping, Sequence

import msgspec

from tests.acceptance.program import Machine
from tests.torture import found, stage
from tests.torture.bar import Bar, Figure, Run, enough, never
from tests.torture.clients import Ledger
from tests.torture.flood import EVENTS, Batches, Flood, Memory, Probe, meanwhile, p99_s
from tests.torture.found import Found
from tests.torture.power_cut import NOBODY

SECONDS = 10.0
"""Of each part: what it can take, and ten times that."""

TIMES = 10
USUAL_CONNECTIONS = 8
MOST_CONNECTIONS = 1_000
WAITING = "waiting"
"""The one channel, whose deliveries wait: this is about taking events in."""

NORMAL_S = 10.0
MEMORY_MIB = 400.0
SLOWEST_S = 15.0


class _Toll(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to be judged in the end."""

    takes: float
    """Batches a second that it can take."""
    offered: float
    """Batches a second that were sent then."""
    batches: Ledger
    singles: Ledger
    slowest_s: float
    normal_again_s: float
    growth_mib: float
    found: Found


async def run(run: Run) -> Sequence[Figure]:
    """Find out what it can take; send ten times that; then see that it is well again."""
    machine, batches, singles = Machine(run.folder / "home"), Ledger(), Ledger("p")
    seconds = max(2.0, SECONDS * run.scale)
    async with stage.serving(machine, run.folder) as server:
        key = await stage.set_up(server, NOBODY, (WAITING,))
        async with server.client() as client:
            [channel] = (await client.list_channels()).items
            await client.pause_channel(channel.id)
        memory, probe = Memory(server.pid), Probe(server.url, key, singles)
        flood = Flood(server.url, batches, Batches(key), MOST_CONNECTIONS)
        async with meanwhile(memory.watch()):
            async with meanwhile(probe.run()):
                await asyncio.sleep(2)
                usual_s = max(0.1, 3 * p99_s(probe.seen))
                takes = await flood.keep_busy(USUAL_CONNECTIONS, seconds)
                run.say(f"it takes {takes:.1f} batches a second of {EVENTS} large events")
                offered = await flood.pour(TIMES * takes, seconds)
                run.say(f"it was sent {offered:.1f} a second, and refused {batches.refused}")
            normal_again_s = await probe.normal_again_s(flood.poured_at, usual_s, 3 * NORMAL_S)
            flood.close()
        await stage.stopped(server)
    toll = _Toll(
        takes=takes, offered=offered, batches=batches, singles=singles,
        slowest_s=flood.slowest_s, normal_again_s=normal_again_s, growth_mib=memory.growth_mib,
        found=await asyncio.to_thread(found.look, run.folder / "data", 1),
    )  # fmt: skip
    return (*_answers(toll), *_timings(toll))


def _answers(toll: _Toll) -> Sequence[Figure]:
    ledgers, events = (toll.batches, toll.singles), toll.found.events
    torn = sum(events.get(mark, 0) not in {0, EVENTS} for mark in _sent(toll.batches, events))
    return (
        enough("requests answered", sum(one.answers for one in ledgers), 100),
        enough(
            "refused with 429 or 503 and Retry-After, or this is void",
            sum(one.refused.total() for one in ledgers),
            1,
        ),
        never("requests without an answer", sum(one.ended.total() for one in ledgers)),
        never("answers of another kind", sum(len(one.odd) for one in ledgers)),
        never(
            "acknowledged requests lost", sum(toll.found.lost(one.acknowledged) for one in ledgers)
        ),
        never("batches stored in part", torn),
        Figure(what="memory grown by", measured=round(toll.growth_mib), bar=MEMORY_MIB, unit="MiB"),
    )


def _sent(batches: Ledger, events: Mapping[str, int]) -> set[str]:
    return {mark for mark in events if mark.startswith("m")} | batches.acknowledged


def _timings(toll: _Toll) -> Sequence[Figure]:
    return (
        Figure(
            what="sent, as a multiple of what it takes",
            measured=round(toll.offered / toll.takes, 1),
            bar=TIMES * 0.9,
            at_least=True,
            is_timing=True,
        ),
        Figure(
            what="the slowest answer",
            measured=round(toll.slowest_s, 2),
            bar=SLOWEST_S,
            unit="s",
            is_timing=True,
        ),
        Figure(
            what="normal again after",
            measured=round(toll.normal_again_s, 2),
            bar=NORMAL_S,
            unit="s",
            is_timing=True,
        ),
    )


BAR = Bar(
    name="overload",
    promise="Sent ten times what it can take, the server answers everything, and loses nothing.",
    run=run,
)
