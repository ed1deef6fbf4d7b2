"""Ask the server to stop while clients send and far sides take."""

import asyncio
import random
from collections.abc import Sequence

import msgspec

from tests.acceptance.program import Machine
from tests.notifiers.far_side import FarSide, reply
from tests.torture import found, stage
from tests.torture.bar import Bar, Figure, Run, enough, never
from tests.torture.clients import Crowd, Ledger
from tests.torture.found import Found
from tests.torture.stage import Arrivals

STOPS = 30
AFTER_S = (0.1, 0.6)
"""How long a server is sent to before it is asked to stop: anything between these, and until
something of it has arrived. One that has not begun to deliver has no delivery to cut off."""

BEGUN_S = 30.0
"""By then it has begun to deliver, also on a machine with much else to do."""

END_S = 15.0
PAUSE_S = 0.002


class _Toll(msgspec.Struct, kw_only=True):
    """What there is to be judged in the end."""

    staying: Ledger
    coming: Ledger
    """Of clients that take a new connection for each request."""
    ended_s: list[float]
    failures: int = 0
    """Ends that were none."""


async def run(run: Run) -> Sequence[Figure]:
    """Start, send, stop; then look what is there."""
    machine = Machine(run.folder / "home")
    toll = _Toll(staying=Ledger(), coming=Ledger("n"), ended_s=[])
    async with FarSide(reply(204)).running() as far_side:
        async with stage.serving(machine, run.folder) as server:
            key = await stage.set_up(server, far_side.url)
        arrivals = stage.counting(far_side)
        crowds = (
            Crowd(key, toll.staying, pause_s=PAUSE_S),
            Crowd(key, toll.coming, pause_s=PAUSE_S, stays=False),
        )
        for _ in range(run.times(STOPS)):
            await _live_and_stop(machine, run, crowds, arrivals, toll)
    return _figures(run, toll, found.look(run.folder / "data", len(stage.CHANNELS)), arrivals)


async def _live_and_stop(
    machine: Machine, run: Run, crowds: tuple[Crowd, Crowd], arrivals: Arrivals, toll: _Toll
) -> None:
    loop = asyncio.get_running_loop()
    staying, coming = crowds
    async with (
        stage.serving(machine, run.folder) as server,
        staying.sending(server.url),
        coming.sending(server.url),
    ):
        arrivals.one_more.clear()
        await asyncio.sleep(random.uniform(*AFTER_S))
        await asyncio.wait_for(arrivals.one_more.wait(), BEGUN_S)
        asked = loop.time()
        toll.failures += await stage.stopped(server) != 0
        toll.ended_s.append(loop.time() - asked)


def _figures(run: Run, toll: _Toll, seen: Found, arrivals: Arrivals) -> Sequence[Figure]:
    ledgers, arrived = (toll.staying, toll.coming), arrivals.counted
    acknowledged = toll.staying.acknowledged | toll.coming.acknowledged
    ended = toll.staying.ended + toll.coming.ended
    return (
        enough("stops", len(toll.ended_s), run.times(STOPS)),
        enough("events acknowledged", len(acknowledged), run.times(STOPS)),
        never("connections reset", ended["ConnectionResetError"] + ended["BrokenPipeError"]),
        never("requests without an answer", ended.total()),
        never("answers of another kind", sum(len(one.odd) for one in ledgers)),
        never("acknowledged events lost", seen.lost(acknowledged)),
        never("events stored, but not acknowledged", len(seen.events.keys() - acknowledged)),
        enough("deliveries that arrived", len(arrived), run.times(STOPS)),
        never("arrivals twice", arrived.total() - len(arrived)),
        never("deliveries that have ended without arriving", seen.unaccounted(arrived.keys())),
        never("ends that were no success", toll.failures),
        Figure(
            what="the longest end",
            measured=round(max(toll.ended_s), 2),
            bar=END_S,
            unit="s",
            is_timing=True,
        ),
    )


BAR = Bar(
    name="shutdown",
    promise="A stop under load resets nobody, leaves nobody without an answer, repeats nothing.",
    run=run,
)
