"""What becomes of channels that keep failing, as the dispatcher and the store see it."""

import logging

import pytest

from slowping.core import ids
from slowping.core.breaker import FIRST_WAIT_S, HOPELESS_FAILURES, LONGEST_WAIT_S, STREAK
from slowping.core.delivery import (
    Answer,
    DeliveryFilter,
    DeliveryState,
    Rejected,
    Retry,
    Throttled,
)
from slowping.server.dispatch.breakers import SPREAD_S
from tests.server.engine import Engine, bodies

DAY_S = 86_400.0
HOUR_S = 3_600.0

DOWN = Retry(reason="HTTP 503")
SILENT = Retry(reason="no answer came in time", unknown=True)

PATIENT = [HOUR_S] * 40
"""A schedule that never makes a second try due while a test looks at probes."""


async def open_breaker(engine: Engine, *, failure: Retry = DOWN) -> int:
    """A channel whose breaker has just been opened by as many events as it takes."""
    team = await engine.channel(kind="single", retry_delays=PATIENT)
    engine.notifier("single").script = [failure] * STREAK
    await engine.accept(*(f"e{no}" for no in range(STREAK)))
    await engine.run_until_quiet()
    assert len(engine.notifier("single").batches) == STREAK
    return team


# A channel -----------------------------------------------------------------------------------


async def test_a_channel_that_failed_five_times_in_a_row_is_not_asked_for_every_event(
    engine: Engine,
) -> None:
    await open_breaker(engine)
    await engine.accept("a", "b", "c")
    await engine.quiet()
    assert len(engine.notifier("single").batches) == STREAK
    waiting = (await engine.deliveries())[STREAK:]
    assert {(each.state, each.attempts) for each in waiting} == {(DeliveryState.PENDING, 0)}


async def test_one_message_tries_it_again_each_time_twice_as_late(engine: Engine) -> None:
    await open_breaker(engine)
    notifier = engine.notifier("single")
    notifier.script = [DOWN] * 10
    await engine.accept("a")
    sent = STREAK
    for wait_s in (FIRST_WAIT_S, 60, 120, 240, 480, LONGEST_WAIT_S, LONGEST_WAIT_S):
        await engine.passes(wait_s - 0.001)
        assert len(notifier.batches) == sent
        await engine.passes(0.001)
        sent += 1
        assert len(notifier.batches) == sent


async def test_a_probe_is_one_event_where_many_would_fit(engine: Engine) -> None:
    team = await engine.channel(retry_delays=PATIENT)
    notifier = engine.notifier()
    notifier.script = [DOWN] * (STREAK + 1)
    for no in range(STREAK):
        await engine.accept(f"e{no}")
        if no == 0:
            engine.start()
        await engine.quiet()
    await engine.accept("a", "b", "c", only=team)
    await engine.passes(FIRST_WAIT_S)
    assert [len(batch) for batch in notifier.batches[STREAK:]] == [1]


async def test_as_soon_as_a_probe_arrives_everything_goes_out_in_its_order(
    engine: Engine,
) -> None:
    await open_breaker(engine)
    engine.clock.advance(1)
    await engine.accept("x", "y")
    await engine.passes(FIRST_WAIT_S)
    sent = [body for [body] in bodies(engine.notifier("single"))][STREAK:]
    assert sent == ["x", "e0", "e1", "e2", "e3", "e4", "y"]  # what is due is the probe
    assert {each.state for each in await engine.deliveries()} == {DeliveryState.DELIVERED}


async def test_a_lone_delivery_is_back_within_the_interval_and_not_by_its_schedule(
    engine: Engine,
) -> None:
    await engine.channel(kind="single", retry_delays=[1, 1, 1, 1, *PATIENT])
    notifier = engine.notifier("single")
    notifier.script = [DOWN] * STREAK
    await engine.accept("alone")
    await engine.run_until_quiet()
    for _ in range(STREAK - 1):
        await engine.passes(1)
    assert len(notifier.batches) == STREAK
    await engine.passes(FIRST_WAIT_S)
    assert (await engine.delivery()).state is DeliveryState.DELIVERED


async def test_a_probe_ahead_of_its_time_uses_up_no_try(engine: Engine) -> None:
    await engine.channel(kind="single", retry_delays=[1, 1, 1, 1, HOUR_S])
    notifier = engine.notifier("single")
    notifier.script = [DOWN] * 100
    await engine.accept("alone")
    await engine.run_until_quiet()
    for _ in range(STREAK - 1):
        await engine.passes(1)
    due_in_s = engine.due_in_s(await engine.delivery())
    for wait_s in (FIRST_WAIT_S, 60, 120):
        await engine.passes(wait_s)
    probed = await engine.delivery()
    assert (probed.attempts, probed.tries) == (STREAK + 3, STREAK)
    assert engine.due_in_s(probed) == pytest.approx(due_in_s - 210)
    await engine.passes(HOUR_S)
    assert (await engine.delivery()).state is DeliveryState.FAILED


async def test_what_may_have_arrived_is_not_sent_ahead_of_its_time(engine: Engine) -> None:
    await open_breaker(engine, failure=SILENT)
    for wait_s in (FIRST_WAIT_S, 60, 120, 240, 480):
        await engine.passes(wait_s)
    assert len(engine.notifier("single").batches) == STREAK


async def test_a_far_side_that_names_a_time_is_not_probed_before_it(engine: Engine) -> None:
    await open_breaker(engine, failure=Retry(reason="HTTP 503", after=1_800))
    await engine.accept("a")
    await engine.passes(1_799)
    assert len(engine.notifier("single").batches) == STREAK
    await engine.passes(1)
    assert len(engine.notifier("single").batches) > STREAK


async def test_who_refuses_messages_one_by_one_is_asked_for_every_event(engine: Engine) -> None:
    await engine.channel(kind="single")
    engine.notifier("single").script = [Rejected(reason="HTTP 400")] * 30
    await engine.accept(*map(str, range(30)))
    await engine.run_until_quiet()
    assert len(engine.notifier("single").batches) == 30


async def test_waits_that_the_far_side_asks_for_open_nothing(engine: Engine) -> None:
    await engine.channel(kind="single")
    engine.notifier("single").script = [Throttled(after=1, scope="recording:team")] * 10
    await engine.accept("a")
    await engine.run_until_quiet()
    for _ in range(10):
        await engine.passes(1)
    assert (await engine.delivery()).state is DeliveryState.DELIVERED


async def test_a_breaker_is_told_of_when_it_opens_and_when_it_closes(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    team = await open_breaker(engine)
    named = f"channel={ids.encode(ids.CHANNEL, team)} name=team"
    assert f"breaker opened {named}" in caplog.text
    await engine.passes(FIRST_WAIT_S)
    assert "breaker closed" in caplog.text


# Restarts ------------------------------------------------------------------------------------


async def test_a_breaker_survives_a_restart(engine: Engine) -> None:
    await open_breaker(engine)
    await engine.kill()
    engine.new_dispatcher()
    await engine.accept("a")
    await engine.run_until_quiet()
    assert len(engine.notifier("single").batches) == STREAK
    engine.notifier("single").script = [DOWN]
    await engine.passes(FIRST_WAIT_S)
    assert len(engine.notifier("single").batches) == STREAK + 1
    await engine.passes(59)
    assert len(engine.notifier("single").batches) == STREAK + 1


async def test_nothing_is_left_of_a_breaker_that_is_closed(engine: Engine) -> None:
    await open_breaker(engine)
    [kept] = await engine.store.outbox.holds()
    assert (kept.failures, kept.why) == (STREAK, "HTTP 503")
    await engine.passes(FIRST_WAIT_S)
    assert await engine.store.outbox.holds() == []


# People --------------------------------------------------------------------------------------


async def test_what_was_forgotten_of_a_channel_does_not_come_back_with_a_restart(
    engine: Engine,
) -> None:
    team = await open_breaker(engine)
    async for _ in engine.store.outbox.discard(DeliveryFilter(), None, now=engine.clock.now_ms()):
        pass
    await engine.pause(team)
    await engine.resume(team)
    await engine.quiet()
    assert await engine.store.outbox.holds() == []


async def test_a_retry_that_a_person_asks_for_goes_out_at_once(engine: Engine) -> None:
    await open_breaker(engine)
    chosen = (await engine.deliveries())[3]
    async for step in engine.store.outbox.retry(
        DeliveryFilter(), [ids.decode(ids.DELIVERY, chosen.id)], now=engine.clock.now_ms()
    ):
        engine.dispatcher.urge(step.channel_ids)
    engine.notifier("single").script = [DOWN]
    await engine.quiet()
    assert bodies(engine.notifier("single"))[STREAK:] == [["e3"]]


async def test_what_a_person_tries_in_vain_makes_nobody_wait_longer(engine: Engine) -> None:
    team = await open_breaker(engine)
    await engine.accept("a")
    engine.notifier("single").script = [DOWN] * 3
    for _ in range(3):
        engine.dispatcher.urge([team])
        await engine.quiet()
    assert len(engine.notifier("single").batches) == STREAK + 3
    await engine.passes(FIRST_WAIT_S)
    assert {each.state for each in await engine.deliveries()} == {DeliveryState.DELIVERED}


async def test_a_test_that_arrives_sends_everything_else(engine: Engine) -> None:
    team = await open_breaker(engine)
    told = await engine.dispatcher.try_out(await engine.stored(team), "shop")
    await engine.quiet()
    assert told.outcome == "delivered"
    assert {each.state for each in await engine.deliveries()} == {DeliveryState.DELIVERED}


async def test_a_channel_that_is_changed_begins_anew(engine: Engine) -> None:
    team = await open_breaker(engine)
    await engine.accept("a")
    engine.dispatcher.forget(team)
    await engine.quiet()
    assert bodies(engine.notifier("single"))[STREAK:] == [["a"]]


# A provider ----------------------------------------------------------------------------------


async def fail_together(engine: Engine, count: int) -> list[int]:
    """Channels of one provider, each with one event that has failed once."""
    made = [
        await engine.channel(f"c{no}", kind="single", retry_delays=PATIENT) for no in range(count)
    ]
    engine.notifier("single").script = [DOWN] * count
    await engine.accept("first")
    await engine.run_until_quiet()
    return made


async def test_five_channels_that_begin_to_fail_stop_their_provider(engine: Engine) -> None:
    await fail_together(engine, STREAK)
    fresh = await engine.channel("fresh", kind="single")
    await engine.accept("a", only=fresh)
    await engine.quiet()
    assert len(engine.notifier("single").batches) == STREAK
    await engine.passes(FIRST_WAIT_S + SPREAD_S)
    await engine.passes(SPREAD_S)
    assert ["a"] in bodies(engine.notifier("single"))


async def test_one_channel_that_is_broken_stops_no_other(engine: Engine) -> None:
    await open_breaker(engine)
    other = await engine.channel("other", kind="single")
    await engine.accept("b", only=other)
    await engine.quiet()
    assert bodies(engine.notifier("single"))[STREAK:] == [["b"]]


async def test_four_channels_that_are_broken_stop_no_other(engine: Engine) -> None:
    await fail_together(engine, STREAK - 1)
    other = await engine.channel("other", kind="single")
    await engine.accept("b", only=other)
    await engine.quiet()
    assert bodies(engine.notifier("single"))[STREAK - 1 :] == [["b"]]


async def test_recipients_that_are_put_off_stop_no_other(engine: Engine) -> None:
    for no in range(2 * STREAK):
        await engine.channel(f"c{no}", kind="single", retry_delays=PATIENT)
    greylisted = Retry(reason="450 4.2.0 greylisted", answer=Answer(450))
    engine.notifier("single").script = [greylisted for _ in range(2 * STREAK)]
    await engine.accept("a")
    await engine.run_until_quiet()
    other = await engine.channel("other", kind="single")
    await engine.accept("b", only=other)
    await engine.quiet()
    assert bodies(engine.notifier("single"))[2 * STREAK :] == [["b"]]


async def test_a_provider_is_tried_by_one_channel_and_the_others_follow(engine: Engine) -> None:
    channels = await fail_together(engine, STREAK + 3)
    await engine.accept("second")
    sent = len(engine.notifier("single").batches)
    await engine.passes(FIRST_WAIT_S)
    assert len(engine.notifier("single").batches) - sent <= 2  # all that one channel has due
    for _ in range(3):
        await engine.passes(SPREAD_S)
    seconds = [body for [body] in bodies(engine.notifier("single")) if body == "second"]
    assert len(seconds) == len(channels)


# Giving up -----------------------------------------------------------------------------------


async def test_after_five_days_without_a_success_the_owner_is_told_and_nothing_is_lost(
    engine: Engine,
) -> None:
    team = await open_breaker(engine)
    notifier = engine.notifier("single")
    notifier.script = [DOWN] * 1_000
    await engine.accept("a")
    for _ in range(24 * 5):
        await engine.passes(HOUR_S)
        if (await engine.stored(team)).paused_at is not None:
            break
    stored = await engine.stored(team)
    assert stored.paused_reason == (
        f"nothing could be delivered for 5 days, in {len(notifier.batches)} attempts;"
        " the last one failed: HTTP 503"
    )
    assert engine.told == [("team", stored.paused_reason)]
    sent = len(notifier.batches)
    await engine.passes(DAY_S)
    assert len(notifier.batches) == sent
    notifier.script = []
    await engine.resume(team)
    await engine.quiet()
    assert {each.state for each in await engine.deliveries()} == {DeliveryState.DELIVERED}


async def test_a_channel_that_is_resumed_in_vain_is_not_paused_at_once(engine: Engine) -> None:
    team = await open_breaker(engine)
    engine.notifier("single").script = [DOWN] * 1_000
    for _ in range(24 * 5 + 1):
        await engine.passes(HOUR_S)
    assert (await engine.stored(team)).paused_at is not None
    await engine.resume(team)
    await engine.quiet()
    for _ in range(24):
        await engine.passes(HOUR_S)
    assert (await engine.stored(team)).paused_at is None


async def test_few_failures_in_many_days_are_no_reason_to_give_up(engine: Engine) -> None:
    team = await engine.channel(kind="single", retry_delays=[DAY_S])
    engine.notifier("single").script = [SILENT] * (HOPELESS_FAILURES - 1)
    await engine.run_until_quiet()
    for _ in range((HOPELESS_FAILURES - 1) // 2):
        await engine.accept("a")
        await engine.passes(DAY_S)
        await engine.passes(DAY_S)
    assert (await engine.stored(team)).paused_at is None
