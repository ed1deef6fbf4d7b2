"""Kill the server again and again while clients send and far sides take."""

import asyncio
import random
import signal
import statistics
from collections.abc import Sequence

import msgspec

from tests.acceptance.program import Machine
from tests.notifiers.far_side import FarSide, reply
from tests.torture import found, stage
from tests.torture.bar import Bar, Figure, Run, enough, never
from tests.torture.clients import Crowd, Ledger
from tests.torture.found import Found
from tests.torture.stage import Arrivals

KILLS = 200
ACKNOWLEDGED = 50_000
AFTER_S = (0.01, 0.5)
"""How long a server lives once it is ready: anything between these."""

SETTLE_S = 60.0
"""How long deliveries may arrive in the end: what still waits then has to be pending."""

READY_S = 2.0
MOST_KILLS = 2
"""So many times the kills at most, where the machine is too slow to acknowledge enough."""

PAUSE_S = 0.01
"""How long each client rests after an answer: so that deliveries keep up with events."""


class _Life(msgspec.Struct, frozen=True, kw_only=True):
    """Of a server."""

    ready_s: float
    was_killed: bool
    """And had not ended by itself."""


class _Toll(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to be judged in the end."""

    ledger: Ledger
    arrivals: Arrivals
    found: Found
    lives: Sequence[_Life]
    has_settled: bool


async def run(run: Run) -> Sequence[Figure]:
    """Kill, start, kill; then let everything arrive, and look."""
    machine = Machine(run.folder / "home")
    lives: list[_Life] = []
    ledger = Ledger()
    async with FarSide(reply(204)).running() as far_side:
        async with stage.serving(machine, run.folder) as server:
            crowd = Crowd(await stage.set_up(server, far_side.url), ledger, pause_s=PAUSE_S)
        arrivals = stage.counting(far_side)
        while _goes_on(run, len(lives), len(ledger.acknowledged)):
            lives.append(await _live_and_die(machine, run, crowd))
            if len(lives) % 20 == 0:
                run.say(f"{len(lives)} kills, {len(ledger.acknowledged):,} acknowledged")
        async with stage.serving(machine, run.folder) as server:
            await crowd.send_again(server.url)
            has_settled = await stage.settles(server, within_s=SETTLE_S)
            await stage.stopped(server)
    seen = found.look(run.folder / "data", len(stage.CHANNELS))
    return _figures(
        run,
        _Toll(
            ledger=ledger, arrivals=arrivals, found=seen, lives=lives, has_settled=has_settled
        ),
    )  # fmt: skip


def _goes_on(run: Run, kills: int, acknowledged: int) -> bool:
    meant = run.times(KILLS)
    return kills < meant or (acknowledged < ACKNOWLEDGED * run.scale and kills < MOST_KILLS * meant)


async def _live_and_die(machine: Machine, run: Run, crowd: Crowd) -> _Life:
    """Start a server, send to it, kill it."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    async with stage.serving(machine, run.folder) as server:
        ready_s = loop.time() - started
        async with crowd.sending(server.url):
            await asyncio.sleep(random.uniform(*AFTER_S))
            await server.killed()
            code = await server.ended()
    return _Life(ready_s=ready_s, was_killed=code == -signal.SIGKILL)


def _figures(run: Run, toll: _Toll) -> Sequence[Figure]:
    ledger, seen, arrived = toll.ledger, toll.found, toll.arrivals.counted
    kills, ready_s = run.times(KILLS), [life.ready_s for life in toll.lives]
    return (
        enough("kills", sum(life.was_killed for life in toll.lives), kills),
        Figure(
            what="events acknowledged",
            measured=len(ledger.acknowledged),
            bar=ACKNOWLEDGED * run.scale,
            at_least=True,
            is_timing=True,
        ),
        enough("deliveries that arrived", len(arrived), kills),
        never("acknowledged events lost", seen.lost(ledger.acknowledged)),
        never("events without exactly their deliveries", seen.ill_delivered),
        never("events twice, though sent with an idempotency key", seen.doubled(ledger.repeatable)),
        never("repeatable events not stored", seen.lost(ledger.repeatable)),
        never("deliveries that have ended without arriving", seen.unaccounted(arrived.keys())),
        never("deliveries that come to a standstill", int(not toll.has_settled)),
        Figure(
            what="arrivals twice; at most what was in flight at the kills",
            measured=arrived.total() - len(arrived),
            bar=sum(seen.cut_off.values()),
        ),
        never("arrivals twice that no kill explains", seen.needlessly_repeated(arrived)),
        never("answers of another kind", len(ledger.odd)),
        never("databases that are damaged", int(not seen.is_sound)),
        Figure(
            what="ready again, half of the starts",
            measured=round(statistics.median(ready_s), 2),
            bar=READY_S,
            unit="s",
            is_timing=True,
        ),
        Figure(
            what="ready again, the slowest",
            measured=round(max(ready_s), 2),
            bar=READY_S,
            unit="s",
            is_timing=True,
        ),
    )


BAR = Bar(
    name="kill_loop",
    promise="No acknowledged event is lost, and no delivery, however often the server is killed.",
    run=run,
)
