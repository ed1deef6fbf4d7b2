"""Set the clock an hour and three days on and back, again and again, while a server is at work."""

import asyncio
import collections
import time
from collections.abc import Sequence
from typing import Final

import msgspec

from tests.acceptance.eventually import eventually
from tests.acceptance.program import Machine
from tests.laboratory import set_clock
from tests.laboratory.set_clock import SetClock
from tests.notifiers.far_side import Behaviour, FarSide, Request, reply
from tests.torture import found, stage
from tests.torture.bar import Bar, Figure, Run, enough, left_out, never
from tests.torture.clients import Crowd, Ledger
from tests.torture.found import Found

ROUNDS = 5
HOUR_S = 3_600.0
DAYS_S = 3 * 86_400.0
OFFSETS_S: Final = (HOUR_S, 0.0, DAYS_S, 0.0, -HOUR_S, 0.0, -DAYS_S, 0.0)
"""One round: each is so far from the true time, for a while."""

HELD_S = 3.0
"""At full length; a shorter run holds each for a shorter time too."""

SHORTEST_S = 0.7
PAUSE_S = 3.0
"""How long each client rests after an answer."""

DELAYS_S: Final = (2.0,) * 100
"""So long what has failed waits; some always do when the clock is set."""

FAILING: Final = 7
"""Of so many requests one fails."""

ASKING: Final = 300
"""Of so many requests one is told to wait for a second."""

LONGEST_S = 30.0
"""Between two attempts: the delay, its jitter, a wait that is asked for, and a busy machine."""

TOLERANCE_S = 300.0
"""How old a signature may be where it is checked."""


class Moody(list[Request]):
    """A far side that takes most of what it gets, and remembers what it took and when."""

    def __init__(self, clock: SetClock) -> None:
        super().__init__()
        self.taken: collections.Counter[str] = collections.Counter()
        self.oldest_s = 0.0
        """Of the signatures, by their age."""
        self.longest_s = 0.0
        """Between two attempts at one delivery."""
        self._clock = clock
        self._tried_at: dict[str, float] = {}
        self._number = 0
        self._answer: Behaviour = reply(204)

    def append(self, request: Request) -> None:
        """One has come; what becomes of it is decided now, and answered by `behave`."""
        delivery, now = request.headers["webhook-id"], time.monotonic()
        self.longest_s = max(self.longest_s, now - self._tried_at.pop(delivery, now))
        signed_at = int(request.headers["webhook-timestamp"])
        self.oldest_s = max(self.oldest_s, self._clock.age_s(signed_at))
        self._number += 1
        if self._number % FAILING == 0:
            self._answer, self._tried_at[delivery] = reply(503), now
        elif self._number % ASKING == 0:
            self._answer = reply(429, headers={"retry-after": "1"})
            self._tried_at[delivery] = now
        else:
            self._answer = reply(204)
            self.taken[delivery] += 1

    async def behave(self, writer: asyncio.StreamWriter) -> bool:
        """Answer the request that has come last."""
        return await self._answer(writer)


class _Toll(msgspec.Struct, frozen=True, kw_only=True):
    ledger: Ledger
    far_side: Moody
    found: Found
    steps: int
    slowest_s: float
    """Until an event was accepted after a step."""
    has_settled: bool


async def run(run: Run) -> Sequence[Figure]:
    """Set the clock again and again; then let everything arrive, and look."""
    if reason := set_clock.why_not():
        return (left_out("steps", reason),)
    machine, clock, ledger = Machine(run.folder / "home"), SetClock(run.folder / "clock"), Ledger()
    moody, slowest_s, steps = Moody(clock), 0.0, 0
    async with (
        FarSide(moody.behave).running() as far_side,
        stage.serving(machine, run.folder, **clock.environ) as server,
    ):
        key = await stage.set_up(server, far_side.url, delays=DELAYS_S)
        far_side.requests = moody
        async with Crowd(key, ledger, pause_s=PAUSE_S).sending(server.url):
            for _ in range(run.times(ROUNDS)):
                for offset_s in OFFSETS_S:
                    clock.set(offset_s)
                    slowest_s = max(slowest_s, await _accepted_again(ledger))
                    steps += 1
                    await asyncio.sleep(max(SHORTEST_S, HELD_S * run.scale))
                run.say(f"{steps} steps, {len(ledger.acknowledged):,} acknowledged")
            # What waits now has to wait no longer for this one.
            clock.set(-HOUR_S)
            await _accepted_again(ledger)
        has_settled = await stage.settles(server)
        await stage.stopped(server)
    return _figures(
        run,
        _Toll(
            ledger=ledger,
            far_side=moody,
            found=found.look(run.folder / "data", len(stage.CHANNELS)),
            steps=steps,
            slowest_s=slowest_s,
            has_settled=has_settled,
        ),
    )


async def _accepted_again(ledger: Ledger) -> float:
    """Seconds until an event is accepted."""
    before, since = len(ledger.acknowledged), time.monotonic()
    await eventually(lambda: len(ledger.acknowledged) > before)
    return time.monotonic() - since


def _figures(run: Run, toll: _Toll) -> Sequence[Figure]:
    ledger, seen, far_side = toll.ledger, toll.found, toll.far_side
    return (
        enough(
            "steps of an hour and of three days, on and back",
            toll.steps,
            run.times(ROUNDS) * len(OFFSETS_S),
        ),
        enough("events acknowledged", len(ledger.acknowledged), toll.steps),
        enough(
            "attempts that failed, so that another had to wait", seen.failed_attempts, toll.steps
        ),
        never("acknowledged events lost", seen.lost(ledger.acknowledged)),
        never("events without exactly their deliveries", seen.ill_delivered),
        never("events twice, though sent with an idempotency key", seen.doubled(ledger.repeatable)),
        never(
            "requests refused, or answered otherwise, or not at all",
            ledger.refused.total() + len(ledger.odd) + ledger.ended.total(),
        ),
        never("deliveries that ended without arriving", seen.unaccounted(far_side.taken.keys())),
        never("deliveries that arrived twice", far_side.taken.total() - len(far_side.taken)),
        never("deliveries that wait for nothing in the end", int(not toll.has_settled)),
        Figure(
            what="longest wait between two attempts",
            measured=round(far_side.longest_s, 1),
            bar=LONGEST_S,
            unit="s",
        ),
        Figure(
            what="oldest signature",
            measured=round(far_side.oldest_s, 1),
            bar=TOLERANCE_S,
            unit="s",
        ),
        Figure(
            what="accepting after a step, the slowest, with the clients' rest",
            measured=round(toll.slowest_s, 1),
            bar=PAUSE_S + 2,
            unit="s",
            is_timing=True,
        ),
        never("databases that are damaged", int(not seen.is_sound)),
    )


BAR = Bar(
    name="clock_steps",
    promise="A clock that is set, by hours or by days, loses nothing and delays nothing.",
    run=run,
)
