from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from slowping.core import ids
from slowping.core.category import CategoryChange
from slowping.core.delivery import Delivery, DeliveryFilter, DeliveryState, Rejected, Replayed
from slowping.core.event import AdHocTarget, EventDraft
from slowping.server.dispatch.consequences import NOTICE
from slowping.server.dispatch.replay import Order, Replayer
from slowping.server.ingest import Submission
from slowping.testing import START_MS
from tests.server.engine import Engine, bodies

DAY_MS = 86_400_000
NO = Rejected(reason="HTTP 400: no")


class Again:
    """An engine, and a replay of what it has sent since its start."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.woken: set[int] = set()
        self.replayer = Replayer(
            engine.store, engine.roster, now_ms=engine.clock.now_ms, wake=self._wake
        )

    async def replay(self, **wanted: Any) -> Replayed:
        """Replay a day, and see that what was counted before is what was done."""
        day = Order(project_ids=None, since=START_MS, until=START_MS + DAY_MS)
        order = msgspec.structs.replace(day, **wanted)
        counted = await self.replayer.replay(msgspec.structs.replace(order, dry_run=True))
        assert not self.woken
        done = await self.replayer.replay(order)
        assert counted == done
        return done

    async def states(self, channel: str | None = None) -> list[DeliveryState]:
        """The states that deliveries are in, oldest first."""
        return [found.state for found in await self.engine.deliveries(channel)]

    async def named(self) -> None:
        """Accept an event that names a channel itself, and goes to that alone."""
        target = AdHocTarget(kind="named", target="1", settings={"url": "https://far.example/1"})
        await self.accept(EventDraft(category="sale", description="named", ad_hoc=target))

    async def accept(self, draft: EventDraft) -> None:
        """Accept an event."""
        await self.engine.ingest.accept(
            Submission(
                drafts=[draft],
                principal=None,
                project_id=self.engine.project_id,
                dialect="slowping",
                create_categories=True,
            )
        )

    async def discard(self, found: Delivery) -> None:
        """Give a delivery up."""
        steps = self.engine.store.outbox.discard(
            DeliveryFilter(), [ids.decode(ids.DELIVERY, found.id)], now=START_MS
        )
        assert [moved async for moved in steps] == [1]

    async def routes(self, *channels: str) -> None:
        """Have the category `sale` go to these channels alone."""
        await self.engine.store.directory.change_category(
            await self._category(), CategoryChange(channels=channels), now=START_MS
        )
        await self.engine.roster.renew()

    async def remove_category(self) -> None:
        """Remove the category `sale`."""
        await self.engine.store.directory.remove_category(await self._category(), now=START_MS)
        await self.engine.roster.renew()

    async def _category(self) -> int:
        [found] = await self.engine.store.directory.list_categories(
            None, "sale", before=None, limit=1
        )
        return ids.decode(ids.CATEGORY, found.id)

    def _wake(self, channel_ids: Iterable[int]) -> None:
        self.woken.update(channel_ids)
        self.engine.wake(channel_ids)


@pytest.fixture
def again(engine: Engine) -> Again:
    return Again(engine)


def replayed(events: int, queued: int = 0, made: int = 0) -> Replayed:
    return Replayed(events=events, queued=queued, made=made)


# What goes out -------------------------------------------------------------------------------


async def test_a_new_channel_gets_what_it_has_missed_and_the_others_nothing_twice(
    engine: Engine, again: Again
) -> None:
    await engine.channel("team")
    await engine.accept("one", "two")
    await engine.run_until_quiet()
    late = await engine.channel("late", kind="single")
    assert await again.replay() == replayed(2, made=2)
    assert again.woken == {late}
    await engine.quiet()
    assert bodies(engine.notifier("single")) == [["one"], ["two"]]
    assert bodies(engine.notifier()) == [["one", "two"]]


async def test_what_failed_or_was_given_up_is_sent_again_with_its_history(
    engine: Engine, again: Again
) -> None:
    team = await engine.channel("team", kind="single")
    notifier = engine.notifier("single")
    notifier.script = [NO]
    await engine.accept("one")
    await engine.run_until_quiet()
    await engine.pause(team)
    await engine.accept("two")
    [_, two] = await engine.deliveries()
    await again.discard(two)
    await engine.resume(team)
    assert await again.replay() == replayed(2, queued=2)
    await engine.quiet()
    assert await again.states() == [DeliveryState.DELIVERED, DeliveryState.DELIVERED]
    assert [found.attempts for found in await engine.deliveries()] == [2, 1]


async def test_what_was_delivered_goes_out_once_more_only_when_that_is_said(
    engine: Engine, again: Again
) -> None:
    await engine.channel("team")
    await engine.accept("one")
    await engine.run_until_quiet()
    assert await again.replay() == replayed(1)
    assert await again.replay(again=True) == replayed(1, queued=1)
    await engine.quiet()
    assert bodies(engine.notifier()) == [["one"], ["one"]]
    assert (await engine.delivery()).attempts == 2


async def test_what_is_on_its_way_is_left_alone(engine: Engine, again: Again) -> None:
    await engine.pause(await engine.channel("team"))
    await engine.accept("one")
    assert await again.replay(again=True) == replayed(1)
    assert (await engine.delivery()).attempts == 0


async def test_a_replay_that_broke_off_can_be_begun_anew(engine: Engine, again: Again) -> None:
    notifier = engine.notifier("single")
    notifier.script = [NO]
    await engine.channel("team", kind="single")
    await engine.accept("one")
    await engine.run_until_quiet()
    await engine.pause(await engine.channel("late"))
    assert await again.replay() == replayed(1, queued=1, made=1)
    again.woken.clear()
    assert await again.replay() == replayed(1)
    assert not again.woken


async def test_nothing_that_is_replayed_expires(engine: Engine, again: Again) -> None:
    team = await engine.channel("team", expire_after_s=60)
    await engine.pause(team)
    await engine.accept("one")
    await engine.run_until_quiet()
    await engine.passes(60)
    assert await again.states() == [DeliveryState.FAILED]
    late = await engine.channel("late", expire_after_s=60)
    await engine.pause(late)
    assert await again.replay() == replayed(1, queued=1, made=1)
    await engine.passes(DAY_MS)
    assert await again.states() == [DeliveryState.PENDING, DeliveryState.PENDING]


# To whom -------------------------------------------------------------------------------------


async def test_a_category_decides_who_missed_its_events(engine: Engine, again: Again) -> None:
    for name in ("team", "boss", "late"):
        await engine.pause(await engine.channel(name))
    await again.routes("team")
    await engine.accept("one")
    await again.routes("late")
    assert await again.replay() == replayed(1, made=1)
    assert len(await engine.deliveries("late")) == 1
    assert len(await engine.deliveries("boss")) == 0


async def test_a_removed_category_makes_nothing_anew(engine: Engine, again: Again) -> None:
    notifier = engine.notifier()
    notifier.script = [NO]
    await engine.channel("team")
    await engine.accept("one")
    await engine.run_until_quiet()
    await again.remove_category()
    await engine.channel("late", kind="single")
    assert await again.replay() == replayed(1, queued=1)


async def test_a_channel_narrows_to_itself_and_to_its_project(engine: Engine, again: Again) -> None:
    for name in ("team", "boss"):
        await engine.pause(await engine.channel(name))
    await engine.accept("one")
    await engine.channel("late", kind="single")
    await engine.channel("later", kind="single")
    await engine.project("other")
    await engine.accept("two")
    assert await again.replay(channel="late") == replayed(1, made=1)
    again.woken.clear()
    assert await again.replay(channel="nobody") == replayed(0)
    assert await again.replay(channel="boss", again=True) == replayed(1)


async def test_an_ad_hoc_channel_gets_again_what_named_it_and_misses_nothing(
    engine: Engine, again: Again
) -> None:
    engine.notifier("named").script = [NO]
    await again.named()
    await engine.accept("one")
    await engine.run_until_quiet()
    assert await again.replay() == replayed(2, queued=1)
    await engine.quiet()
    assert bodies(engine.notifier("named")) == [["named"], ["named"]]


async def test_nothing_goes_to_a_removed_channel(engine: Engine, again: Again) -> None:
    team = await engine.channel("team")
    await engine.pause(team)
    await engine.accept("one")
    await engine.remove(team)
    assert await again.replay(again=True) == replayed(1)


# Of what -------------------------------------------------------------------------------------


async def test_a_window_has_its_beginning_and_not_its_end(engine: Engine, again: Again) -> None:
    await engine.accept("one")
    engine.clock.advance(1)
    await engine.accept("two")
    await engine.pause(await engine.channel("late"))
    for since, until in ((0, 1_000), (1, 1_001), (1_000, 1_001)):
        window = {"since": START_MS + since, "until": START_MS + until}
        assert await again.replay(**window, dry_run=True) == replayed(1, made=1)
    assert await again.replay(since=START_MS + 1, until=START_MS + 1_000) == replayed(0)


async def test_the_projects_and_the_category_are_those_that_are_named(
    engine: Engine, again: Again
) -> None:
    shop = engine.project_id
    await engine.accept("one")
    other = await engine.project("other")
    await engine.accept("two", "three")
    assert await again.replay() == replayed(3)
    assert await again.replay(project_ids=(shop,)) == replayed(1)
    assert await again.replay(project_ids=(other,), category="sale") == replayed(2)
    assert await again.replay(category="bug") == replayed(0)
    assert await again.replay(project_ids=()) == replayed(0)


async def test_what_was_to_notify_nobody_is_not_replayed(engine: Engine, again: Again) -> None:
    draft = EventDraft(category="sale", description="quiet", notify=False)
    await again.accept(draft)
    await engine.channel("late")
    assert await again.replay() == replayed(0)


async def test_what_slowping_had_to_say_is_not_replayed(engine: Engine, again: Again) -> None:
    engine.notifier().script = [NO]
    await engine.channel("team")
    await engine.accept("The channel boss was paused", dialect=NOTICE)
    await engine.run_until_quiet()
    await engine.channel("late")
    assert await again.replay(again=True) == replayed(0)
    assert await again.states() == [DeliveryState.FAILED]
