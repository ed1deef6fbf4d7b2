"""Try every fault of every kind of far side, and see that each ends as it should."""

import asyncio
import itertools
import logging
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from slowping.core import times
from slowping.core.delivery import AttemptOutcome, DeliveryState
from slowping.testing import FrozenClock
from tests.laboratory.bench import (
    CHANNEL,
    IMPATIENT_S,
    PATIENT_S,
    SECRET,
    Bench,
    Network,
    Patience,
    bench,
    settings_for,
)
from tests.laboratory.case import Case, Verdict, well
from tests.laboratory.faults import cases
from tests.laboratory.site import Site
from tests.laboratory.tls import Authority
from tests.torture.bar import Bar, Figure, Run, enough, never

FAULTS: Final = 370
"""As many as there are, or a few less."""

AT_ONCE: Final = 8
"""Most of them wait for something."""

DAYS_PAUSED: Final = 10
DEADLINE_S: Final = 120.0
"""For one case, in real time."""

STEPS: Final = 20
"""In which a mended far side has to have everything."""

FIRST: Final[Mapping[Verdict, tuple[DeliveryState, list[AttemptOutcome]]]] = {
    Verdict.DELIVERED: (DeliveryState.DELIVERED, [AttemptOutcome.DELIVERED]),
    Verdict.RETRIED: (DeliveryState.PENDING, [AttemptOutcome.RETRY]),
    Verdict.UNKNOWN: (DeliveryState.PENDING, [AttemptOutcome.UNKNOWN]),
    Verdict.WAITS: (DeliveryState.PENDING, []),
    Verdict.REJECTED: (DeliveryState.FAILED, [AttemptOutcome.REJECTED]),
    Verdict.PAUSED: (DeliveryState.PENDING, [AttemptOutcome.UNUSABLE]),
}
"""State and attempts after the first one."""

SHORTEST: Final = 0.8
"""Of what the schedule says."""

MOST_ROUNDS: Final = 100
"""In which a schedule comes to its end."""

UNSETTLED: Final = {DeliveryState.PENDING, DeliveryState.LEASED}

_DAY_S: Final = 86_400.0


class Seen(msgspec.Struct):
    """What was seen of one case."""

    case: Case
    otherwise: list[str] = []
    """What was not as it should be."""
    early: int = 0
    """Requests that came before the far side wanted one."""
    after_pause: int = 0
    """Requests to a channel that was paused."""
    lost: int = 0
    """Deliveries that did not arrive though the far side was well again."""

    def expect(self, what: str, found: object, wanted: object) -> None:
        """Note it where it is not so."""
        if found != wanted:
            self.otherwise.append(f"{what}: {found}, and not {wanted}")


async def run(run: Run) -> Sequence[Figure]:
    """Try them all, or every so many of them."""
    logging.getLogger("slowping").addHandler(logging.NullHandler())  # all of it is expected
    authority = Authority(run.folder)
    chosen = cases(authority)[:: max(1, round(1 / run.scale))]
    slots = asyncio.Semaphore(AT_ONCE)

    async def tried(case: Case) -> Seen:
        async with slots:
            with tempfile.TemporaryDirectory(dir=run.folder) as folder:
                return await Trial(case, authority).seen(Path(folder))

    results = await asyncio.gather(*map(tried, chosen))
    for seen in results:
        for problem in seen.otherwise:
            run.say(f"{seen.case.name}: {problem}")
    return _figures(run, results)


def _figures(run: Run, results: Sequence[Seen]) -> Sequence[Figure]:
    return (
        enough("faults tried", len(results), run.times(FAULTS)),
        never(
            "faults that ended otherwise than they should",
            sum(bool(seen.otherwise) for seen in results),
        ),
        never("requests before the far side wanted one", sum(seen.early for seen in results)),
        never("requests to a channel that was paused", sum(seen.after_pause for seen in results)),
        never("deliveries not made once the far side was well", sum(seen.lost for seen in results)),
    )


BAR = Bar(
    name="fault_matrix",
    promise="Whatever a far side does wrong, no delivery is lost, and nobody is asked too early.",
    run=run,
)


class Trial:
    """One fault, from the first attempt until the far side is well and has everything."""

    def __init__(self, case: Case, authority: Authority) -> None:
        self._case = case
        self._kind = case.kind.split()[0]
        self._tls = authority.believers() if case.is_encrypted else None
        self._seen = Seen(case)
        self._clock = FrozenClock()
        well_behaved = well(case.kind, authority.well() if case.is_encrypted else None)
        self._site = Site(case.broken, well_behaved, self._clock.now_ms)

    async def seen(self, folder: Path) -> Seen:
        """Go through with it; where it cannot be gone through, that is what was seen."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                await self._go(folder)
        except (TimeoutError, AssertionError, LookupError) as error:
            self._seen.otherwise.append(f"broke off: {error!r}")
        return self._seen

    async def _go(self, folder: Path) -> None:
        case, patience = self._case, Patience()
        patience.seconds = IMPATIENT_S if case.hangs else PATIENT_S
        async with self._site.standing():
            port = self._site.port
            network = Network(port=port, resolve=case.resolve, tls=self._tls)
            async with bench(folder, self._clock, patience, network) as here:
                settings = settings_for(case.kind, port, encrypted=case.is_encrypted)
                channel_id = await here.channel_to(self._kind, {**settings, **case.settings})
                await here.accept("first")
                await here.run_until_quiet()
                await self._judge(here, channel_id)
                patience.seconds = PATIENT_S
                await self._follow(here, channel_id)

    # At first --------------------------------------------------------------------------------

    async def _judge(self, here: Bench, channel_id: int) -> None:
        """Look at what has come of the first attempt."""
        case, seen = self._case, self._seen
        detail = await here.detail(CHANNEL)
        delivery, outcomes = detail.delivery, [each.outcome for each in detail.attempts]
        state, recorded = FIRST[case.verdict]
        seen.expect("state", delivery.state, state)
        seen.expect("attempts", outcomes, recorded)
        stored = await here.stored(channel_id)
        seen.expect("paused", stored.paused_at is not None, case.verdict is Verdict.PAUSED)
        seen.expect("owner told", len(here.told), int(case.verdict is Verdict.PAUSED))
        if case.verdict is not Verdict.DELIVERED:
            seen.expect("a reason", bool(delivery.last_error), True)
        told = f"{delivery.last_error}{[each.excerpt for each in detail.attempts]}"
        seen.expect("secrets told", SECRET in told, False)

    # Afterwards ------------------------------------------------------------------------------

    async def _follow(self, here: Bench, channel_id: int) -> None:
        """Mend the far side, and see that everything arrives, and nothing too early."""
        verdict = self._case.verdict
        if self._seen.otherwise or not self._case.is_mendable:
            return
        if self._case.lasts:
            await self._is_given_up(here)
            return
        await self._site.mend()
        if verdict is Verdict.PAUSED:
            await self._stays_paused(here)
            await here.resume(channel_id)
            await here.quiet()
        elif verdict is Verdict.REJECTED:
            await here.accept("second")
            await here.quiet()
        elif verdict is not Verdict.DELIVERED:
            await self._waits(here)
        await self._arrives(here)

    async def _is_given_up(self, here: Bench) -> None:
        """Let days pass until the schedule ends, and look back at it."""
        for _ in range(MOST_ROUNDS):
            delivery = await here.delivery(CHANNEL)
            if delivery.state is not DeliveryState.PENDING:
                break
            await here.passes(max(60.0, here.due_in_s(delivery)))
        detail = await here.detail(CHANNEL)
        delays = here.registry.notifier(self._kind).delays
        began = [times.to_ms(attempt.started_at) / 1000 for attempt in detail.attempts]
        self._seen.expect("state", detail.delivery.state, DeliveryState.FAILED)
        self._seen.expect("attempts", len(began), len(delays) + 1)
        gaps = (later - earlier for earlier, later in itertools.pairwise(began))
        self._seen.early += sum(
            gap < SHORTEST * delay for gap, delay in zip(gaps, delays, strict=False)
        )

    async def _stays_paused(self, here: Bench) -> None:
        before = len(self._site.asked_at)
        await here.accept("second")
        for _ in range(DAYS_PAUSED):
            await here.passes(_DAY_S)
        self._seen.after_pause += len(self._site.asked_at) - before

    async def _waits(self, here: Bench) -> None:
        """Let time pass until shortly before it is due."""
        delivery, before = await here.delivery(CHANNEL), len(self._site.asked_at)
        due_in_s = self._case.wait_s
        if self._case.verdict is not Verdict.WAITS:
            due_in_s = here.due_in_s(delivery)
            self._seen.expect("due in time", due_in_s >= self._case.wait_s, True)
        await here.passes(max(0.0, due_in_s - 0.5))
        self._seen.early += len(self._site.asked_at) - before

    async def _arrives(self, here: Bench) -> None:
        """See that it arrives within a fifth more than it had to wait."""
        for _ in range(STEPS):
            unsettled = [each for each in await here.deliveries(CHANNEL) if each.state in UNSETTLED]
            if not unsettled:
                return
            await here.passes(max(1.0, self._case.wait_s / 5 / STEPS))
        self._seen.lost += len(unsettled)
