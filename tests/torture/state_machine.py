"""Do to the store and the dispatcher whatever can be done to them, in any order, beside a model."""

import asyncio
import collections
import logging
import shutil
import tempfile
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import hypothesis
import hypothesis.errors
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from slowping.core.delivery import DeliveryState
from tests.laboratory.scripted import SPOILT, Way, answer
from tests.torture.bar import Bar, Figure, Run, enough, never
from tests.torture.duty import DELIVERED, DISCARDED, FAILED, PENDING, Difference, Outlet
from tests.torture.small_world import World

RUNS: Final = 1_000
STEPS: Final = 50
MOST_CHANNELS: Final = 6

_SOME: Final = st.sets(st.integers(0, 99), min_size=1, max_size=4)
_ANY: Final = st.integers(0, 99)
_RETRIED: Final = st.sampled_from(
    [
        (PENDING, FAILED, DISCARDED),
        (FAILED,),
        (DISCARDED,),
        (PENDING,),
        (DELIVERED,),
        tuple(DeliveryState),
    ]
)
_ENDS: Final = st.sampled_from([way for way in Way if way is not Way.HANGS])


class Machine(RuleBasedStateMachine):
    """One world, and everything that can be done in it."""

    folder: ClassVar[Path]
    tally: ClassVar[collections.Counter[str]]

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._folder = Path(tempfile.mkdtemp(dir=self.folder))
        self._world = World(self._folder, self.tally)
        self._differs = False
        self.tally["runs"] += 1

    @initialize()
    def begin(self) -> None:
        """Open the store, and start the dispatcher."""
        self._do(self._world.open())

    # Senders ----------------------------------------------------------------------------------

    @rule(count=st.integers(1, 6), notify=st.sampled_from([True, True, True, False]))
    def accept(self, count: int, notify: bool) -> None:
        """One event, or a batch."""
        self._do(self._world.accept(["good"] * count, key=None, notify=notify))

    @rule(place=st.integers(0, 2))
    def accept_what_is_spoilt(self, place: int) -> None:
        """A batch with an event in it that a picky far side does not take."""
        bodies = ["good"] * 3
        bodies[place] = SPOILT
        self._do(self._world.accept(bodies, key=None, notify=True))

    @rule(key=st.sampled_from(["a", "b"]), count=st.integers(1, 2))
    def accept_once(self, key: str, count: int) -> None:
        """A request that may have been made before, or whose key may have been used before."""
        self._do(self._world.accept(["good"] * count, key=key, notify=True))

    # Far sides --------------------------------------------------------------------------------

    @rule(which=_ANY, way=st.sampled_from(Way), count=st.integers(0, 5))
    def stand(self, which: int, way: Way, count: int) -> None:
        """A far side answers in another way from now on, and mostly hears of something."""
        if outlet := self._outlet(which):
            self._world.stand(outlet, way)
        if count:
            self._do(self._world.accept(["good"] * count, key=None, notify=True))

    @rule(which=_ANY)
    def hang_up(self, which: int) -> None:
        """The process is killed while a far side makes it wait."""
        if outlet := self._outlet(which):
            self._world.stand(outlet, Way.HANGS)
            self._do(self._world.accept(["good"], key=None, notify=True))
            self._do(self._world.crash())

    @precondition(lambda self: self._world.far_side.on_their_way)
    @rule(which=_ANY, way=_ENDS)
    def arrive(self, which: int, way: Way) -> None:
        """A far side answers at last."""
        names = sorted(self._world.far_side.on_their_way)
        name = names[which % len(names)]
        self._world.answer(name, answer(way, name))
        self._do()

    # Time -------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1, 7, 30, 300, 900, 7_200, 100_000]))
    def pass_time(self, seconds: int) -> None:
        """Time passes."""
        self._world.pass_time(seconds)
        self._do()

    @rule(hours=st.sampled_from([-72, -1, 1, 72]))
    def step_clock(self, hours: int) -> None:
        """The clock is set."""
        self._world.step_clock(3_600 * hours)
        self._do()

    # The server and its operator --------------------------------------------------------------

    @rule()
    def crash(self) -> None:
        """The process is killed, and the next one takes over."""
        self._do(self._world.crash())

    @rule(expire_after_s=st.sampled_from([None, 600]))
    def add_channel(self, expire_after_s: int | None) -> None:
        """One more channel."""
        count = len(self._world.model.outlets)
        if count < MOST_CHANNELS:
            self._do(self._world.add_channel(f"channel-{count}", expire_after_s))

    @rule(which=_ANY)
    def pause(self, which: int) -> None:
        """A channel is paused by hand."""
        if outlet := self._outlet(which):
            self._do(self._world.pause(outlet))

    @rule(which=_ANY)
    def resume(self, which: int) -> None:
        """A channel is resumed."""
        if outlet := self._outlet(which):
            self._do(self._world.resume(outlet))

    @rule(which=_ANY)
    def remove(self, which: int) -> None:
        """A channel is removed."""
        if outlet := self._outlet(which):
            self._do(self._world.remove(outlet))

    @rule(which=_SOME, states=_RETRIED)
    def retry_some(self, which: set[int], states: Sequence[DeliveryState]) -> None:
        """Some deliveries are retried."""
        self._do(self._world.retry(self._numbers(which), states))

    @rule(states=_RETRIED)
    def retry_all(self, states: Sequence[DeliveryState]) -> None:
        """All deliveries in some state are retried."""
        self._do(self._world.retry(None, states))

    @rule(which=_SOME)
    def discard_some(self, which: set[int]) -> None:
        """Some deliveries are discarded."""
        self._do(self._world.discard(self._numbers(which)))

    @rule()
    def discard_all(self) -> None:
        """Whatever can be discarded is."""
        self._do(self._world.discard(None))

    @rule(again=st.booleans())
    def replay(self, again: bool) -> None:
        """Everything is replayed."""
        self._do(self._world.replay(again=again))

    @rule()
    def prune(self) -> None:
        """What is older than a day goes."""
        self._do(self._world.prune())

    @rule()
    def look_at_overview(self) -> None:
        """The figures are read."""
        self._do(self._world.compare_overview())

    def teardown(self) -> None:
        """In the end everything is mended, and every delivery ends."""
        try:
            self._runner.run(self._end())
        finally:
            self._runner.close()
            shutil.rmtree(self._folder)

    async def _end(self) -> None:
        try:
            if not self._differs:
                await self._world.recover()
                await self._world.compare_overview()
        finally:
            await self._world.close()

    def _do(self, deed: Coroutine[Any, Any, None] | None = None) -> None:
        """Do something, wait for what follows, and compare."""
        self.tally["steps"] += 1
        self._differs = True  # until it is known not to
        self._runner.run(self._done(deed))
        self._differs = False

    async def _done(self, deed: Coroutine[Any, Any, None] | None) -> None:
        if deed is not None:
            await deed
        await self._world.settled()

    def _outlet(self, which: int) -> Outlet | None:
        live = self._world.model.targets()
        return live[which % len(live)] if live else None

    def _numbers(self, which: set[int]) -> list[int]:
        known = list(self._world.model.duties)
        return sorted({known[number % len(known)] for number in which}) if known else []


async def run(asked: Run) -> Sequence[Figure]:
    """Run the machine; the first difference ends it, in the fewest steps that show it."""
    tally: collections.Counter[str] = collections.Counter()
    machine = type("Machine", (Machine,), {"folder": asked.folder, "tally": tally})
    # In a thread: each machine has a loop of its own.
    logging.disable(logging.ERROR)  # what goes wrong here is meant to
    try:
        differences = await asyncio.to_thread(_differences, machine, asked)
    finally:
        logging.disable(logging.NOTSET)
    counted = (
        "events", "events pruned", "deliveries", "messages", "crashes", "repeats", "keys refused",
    )  # fmt: skip
    asked.say(", ".join(f"{tally[name]:,} {name}" for name in counted))
    return [
        never("differences from the model", differences),
        enough("runs", tally["runs"], asked.times(RUNS)),
        enough("steps", tally["steps"], asked.times(RUNS) * STEPS // 2),
        enough("messages that far sides heard", tally["messages"], asked.times(RUNS)),
        enough("crashes", tally["crashes"], asked.times(RUNS)),
    ]


def _differences(machine: type[Machine], asked: Run) -> int:
    settings = hypothesis.settings(
        max_examples=asked.times(RUNS),
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        derandomize=asked.scale < 1,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
        print_blob=False,
        report_multiple_bugs=False,
    )
    try:
        run_state_machine_as_test(machine, settings=settings)
    except (Difference, hypothesis.errors.Flaky) as difference:
        asked.say("\n".join([repr(difference), *getattr(difference, "__notes__", ())]))
        return 1
    return 0


BAR = Bar(
    name="state_machine",
    promise="Whatever is done in whatever order: no event is lost, and every delivery stands as "
    "it has to.",
    run=run,
)
