import asyncio
import logging

import pytest

from slowping.core import ids
from slowping.core.delivery import (
    Answer,
    AttemptOutcome,
    Delivered,
    DeliveryState,
    Outcome,
    Pace,
    Rejected,
    Retry,
    Throttled,
    Unusable,
)
from slowping.server.dispatch import set_back
from slowping.server.dispatch.breakers import SPREAD_S
from slowping.server.dispatch.consequences import NOTICE
from slowping.server.dispatch.dispatcher import RECOVERY_S, SAFETY_WAKE_S
from slowping.server.dispatch.sending import TIMEOUT_S
from tests.server.engine import Engine, bodies
from tests.server.strangers import Counting

MINUTE = 60.0
HOUR = 3_600.0
DAY = 24 * HOUR


def far_side() -> asyncio.Future[Outcome]:
    """A far side that takes its time: it answers when the test says so."""
    return asyncio.get_running_loop().create_future()


# Straight through ----------------------------------------------------------------------------


async def test_an_event_is_delivered(engine: Engine) -> None:
    await engine.channel()
    await engine.accept("49 €")
    await engine.run_until_quiet()
    detail = await engine.detail()
    assert detail.delivery.state is DeliveryState.DELIVERED
    assert detail.delivery.reference == "m1"
    assert detail.delivery.due_at is None
    assert [(each.no, each.outcome) for each in detail.attempts] == [(1, AttemptOutcome.DELIVERED)]
    assert engine.notifier().notifications[0].title == "💰 Sale"


async def test_a_running_dispatcher_sends_what_it_is_woken_for(engine: Engine) -> None:
    await engine.channel()
    await engine.run_until_quiet()
    await engine.accept("later")
    await engine.quiet()
    assert bodies(engine.notifier()) == [["later"]]


async def test_a_lost_wake_is_made_up_for_within_a_minute(engine: Engine) -> None:
    await engine.channel()
    await engine.run_until_quiet()
    running = engine.dispatcher
    engine.new_dispatcher()  # the one that is woken is not the one that runs
    await engine.accept("unheard")
    engine.dispatcher = running
    await engine.passes(SAFETY_WAKE_S)
    assert bodies(engine.notifier()) == [["unheard"]]


async def test_an_attempt_counts_from_the_claim_on(engine: Engine) -> None:
    await engine.channel()
    answer = far_side()
    engine.notifier().script = [answer]
    await engine.accept("one")
    engine.start()
    await engine.notifier().has_sent(1)
    during = await engine.delivery()
    assert (during.state, during.attempts) == (DeliveryState.LEASED, 1)
    answer.set_result(Delivered())
    await engine.quiet()
    after = await engine.delivery()
    assert (after.state, after.attempts) == (DeliveryState.DELIVERED, 1)


async def test_what_waits_is_sent_first_in_first_out(engine: Engine) -> None:
    await engine.channel(kind="single")
    for text in ("a", "b", "c", "d"):
        await engine.accept(text)
        engine.clock.advance(1)
    await engine.run_until_quiet()
    assert bodies(engine.notifier("single")) == [["a"], ["b"], ["c"], ["d"]]


async def test_a_delivery_that_waits_for_its_retry_does_not_block_later_ones(
    engine: Engine,
) -> None:
    await engine.channel(kind="single")
    engine.notifier("single").script = [Retry(reason="HTTP 503")]
    await engine.accept("a", "b")
    await engine.run_until_quiet()
    assert bodies(engine.notifier("single")) == [["a"], ["b"]]
    await engine.passes(5)
    assert bodies(engine.notifier("single")) == [["a"], ["b"], ["a"]]


async def test_one_channel_has_one_message_on_its_way(engine: Engine) -> None:
    team = await engine.channel(kind="single")
    answer = far_side()
    engine.notifier("single").script = [answer]
    await engine.accept("a", "b")
    engine.start()
    await engine.notifier("single").has_sent(1)
    engine.dispatcher.wake([team])
    await engine.clock.is_waited_on()
    assert bodies(engine.notifier("single")) == [["a"]]
    answer.set_result(Delivered())
    await engine.quiet()
    assert bodies(engine.notifier("single")) == [["a"], ["b"]]


async def test_a_stuck_channel_does_not_delay_another(engine: Engine) -> None:
    stuck, healthy = await engine.channel("stuck"), await engine.channel("healthy")
    notifier = engine.notifier()
    answer = far_side()
    notifier.script = [answer]
    await engine.accept("a", only=stuck)
    engine.start()
    await notifier.has_sent(1)
    for sent in range(3):
        await engine.accept(f"h{sent}", only=healthy)
        await notifier.has_sent(sent + 2)
    assert bodies(notifier) == [["a"], ["h0"], ["h1"], ["h2"]]
    answer.set_result(Delivered())
    await engine.quiet()


# Batches -------------------------------------------------------------------------------------


async def test_a_batch_is_filled_from_what_waits(engine: Engine) -> None:
    await engine.channel()
    await engine.accept(*"abcdefghijkl")
    await engine.run_until_quiet()
    assert bodies(engine.notifier()) == [list("abcdefghij"), ["k", "l"]]


async def test_a_lone_event_is_not_delayed(engine: Engine) -> None:
    await engine.channel()
    await engine.run_until_quiet()
    await engine.accept("alone")
    await engine.quiet()  # no time has passed
    assert bodies(engine.notifier()) == [["alone"]]


async def test_what_does_not_fit_goes_with_the_next_message(engine: Engine) -> None:
    await engine.channel(kind="picky")
    await engine.accept(*"abcde")
    await engine.run_until_quiet()
    assert bodies(engine.notifier("picky")) == [["a", "b", "c"], ["d", "e"]]
    assert {each.attempts for each in await engine.deliveries()} == {1}


async def test_a_rejected_batch_goes_one_by_one_and_only_the_bad_one_fails(
    engine: Engine,
) -> None:
    await engine.channel(kind="picky")
    await engine.accept("a", "bad", "c")
    await engine.run_until_quiet()
    assert bodies(engine.notifier("picky")) == [["a", "bad", "c"], ["a"], ["bad"], ["c"]]
    assert [(each.state, each.attempts, each.last_error) for each in await engine.deliveries()] == [
        (DeliveryState.DELIVERED, 1, None),
        (DeliveryState.FAILED, 1, "HTTP 400: bad"),
        (DeliveryState.DELIVERED, 1, None),
    ]


async def test_a_split_stops_where_the_far_side_asks_to_wait(engine: Engine) -> None:
    await engine.channel()
    paces = (Pace("recording", 2.0),)
    engine.notifier().script = [Rejected(reason="HTTP 400"), Delivered(paces=paces)]
    await engine.accept("a", "b", "c")
    await engine.run_until_quiet()
    assert bodies(engine.notifier()) == [["a", "b", "c"], ["a"]]
    await engine.passes(2)
    assert bodies(engine.notifier())[2:] == [["b", "c"]]
    assert {each.attempts for each in await engine.deliveries()} == {1}


# Retries -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("jitter", "delay_s"), [(0.0, 4.0), (0.5, 5.0), (1.0, 6.0)])
async def test_a_retry_follows_the_schedule_within_a_fifth(
    engine: Engine, jitter: float, delay_s: float
) -> None:
    await engine.channel()
    engine.jitter = jitter
    engine.notifier().script = [Retry(reason="HTTP 503", answer=Answer(503, "try later"))]
    await engine.accept("a")
    await engine.run_until_quiet()
    detail = await engine.detail()
    assert detail.delivery.state is DeliveryState.PENDING
    assert detail.delivery.last_error == "HTTP 503"
    assert engine.due_in_s(detail.delivery) == pytest.approx(delay_s)
    [attempt] = detail.attempts
    assert (attempt.outcome, attempt.status) == (AttemptOutcome.RETRY, 503)
    assert attempt.excerpt == "try later"


async def test_nothing_is_sent_before_its_time(engine: Engine) -> None:
    await engine.channel()
    engine.notifier().script = [Retry(reason="HTTP 503")]
    await engine.accept("a")
    await engine.run_until_quiet()
    await engine.passes(4.9)
    assert len(engine.notifier().batches) == 1
    await engine.passes(0.1)
    assert len(engine.notifier().batches) == 2
    assert (await engine.delivery()).state is DeliveryState.DELIVERED


@pytest.mark.parametrize(("after", "delay_s"), [(900.0, 900.0), (1.0, 5.0)])
async def test_the_later_of_schedule_and_retry_after_wins(
    engine: Engine, after: float, delay_s: float
) -> None:
    await engine.channel()
    engine.notifier().script = [Retry(reason="HTTP 503", after=after)]
    await engine.accept("a")
    await engine.run_until_quiet()
    assert engine.due_in_s(await engine.delivery()) == pytest.approx(delay_s)


async def test_at_the_end_of_its_schedule_a_delivery_fails_and_says_why(engine: Engine) -> None:
    await engine.channel()
    engine.notifier().script = [Retry(reason="HTTP 503")] * 3
    await engine.accept("a")
    await engine.run_until_quiet()
    await engine.passes(5)
    await engine.passes(300)
    delivery = await engine.delivery()
    assert (delivery.state, delivery.attempts) == (DeliveryState.FAILED, 3)
    assert delivery.last_error == "HTTP 503"
    await engine.passes(10 * DAY)
    assert len(engine.notifier().batches) == 3


async def test_a_channel_may_have_a_schedule_of_its_own(engine: Engine) -> None:
    delays = [3_600.0 * hours for hours in range(1, 19)]
    await engine.channel(retry_delays=delays)
    engine.notifier().script = [Retry(reason="HTTP 503")] * 19
    await engine.accept("a")
    await engine.run_until_quiet()
    for delay in delays:  # seven days, in milliseconds
        await engine.passes(delay)
    delivery = await engine.delivery()
    assert (delivery.state, delivery.attempts) == (DeliveryState.FAILED, 19)


async def test_a_retry_that_may_have_arrived_says_so(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await engine.channel()
    engine.notifier().script = [Retry(reason="no answer", unknown=True)]
    await engine.accept("a")
    await engine.run_until_quiet()
    await engine.passes(5)
    lines = [record.getMessage() for record in caplog.records if "sent " in record.getMessage()]
    assert ["may_be_repeat=True" in line for line in lines] == [False, True]
    assert [each.outcome for each in (await engine.detail()).attempts] == [
        AttemptOutcome.UNKNOWN,
        AttemptOutcome.DELIVERED,
    ]


async def test_what_did_not_fit_keeps_its_last_error(engine: Engine) -> None:
    await engine.channel(kind="picky")
    failure = Retry(reason="HTTP 503")
    engine.notifier("picky").script = [failure, failure, Throttled(after=40, scope="recording")]
    await engine.accept(*"abcd")
    await engine.run_until_quiet()
    await engine.passes(5)
    assert [each.last_error for each in await engine.deliveries()] == [
        *["the far side asked to wait"] * 3,
        "HTTP 503",
    ]


# Waits ---------------------------------------------------------------------------------------


async def test_throttling_is_no_attempt_and_holds_the_scope(engine: Engine) -> None:
    await engine.channel()
    engine.notifier().script = [Throttled(after=40, scope="recording:team")]
    await engine.accept("a")
    await engine.run_until_quiet()
    detail = await engine.detail()
    assert (detail.delivery.state, detail.delivery.attempts) == (DeliveryState.PENDING, 0)
    assert detail.delivery.last_error == "the far side asked to wait"
    assert detail.attempts == ()
    await engine.passes(39.9)
    assert len(engine.notifier().batches) == 1
    await engine.passes(0.1)
    assert (await engine.delivery()).attempts == 1


async def test_throttling_never_uses_up_the_schedule(engine: Engine) -> None:
    await engine.channel()
    engine.notifier().script = [Throttled(after=40, scope="recording:team")] * 20
    await engine.accept("a")
    await engine.run_until_quiet()
    for _ in range(20):
        await engine.passes(40)
    assert (await engine.delivery()).state is DeliveryState.DELIVERED


async def test_a_hold_survives_a_restart(engine: Engine) -> None:
    await engine.channel()
    engine.notifier().script = [Throttled(after=40, scope="recording:team")]
    await engine.accept("a")
    await engine.run_until_quiet()
    await engine.kill()
    engine.new_dispatcher()
    await engine.run_until_quiet()
    assert len(engine.notifier().batches) == 1
    await engine.passes(40)
    assert len(engine.notifier().batches) == 2


async def test_other_scopes_go_on_while_one_is_held(engine: Engine) -> None:
    held, free = await engine.channel("held"), await engine.channel("free")
    engine.notifier().script = [Throttled(after=40, scope="recording:held")]
    await engine.accept("a", only=held)
    await engine.run_until_quiet()
    await engine.accept("b", only=free)
    await engine.accept("c", only=held)
    await engine.quiet()
    assert bodies(engine.notifier()) == [["a"], ["b"]]
    await engine.passes(40)
    assert bodies(engine.notifier())[2:] == [["a", "c"]]


async def test_a_wide_scope_holds_every_channel_in_it(engine: Engine) -> None:
    one, other = await engine.channel("one"), await engine.channel("other")
    engine.notifier().script = [Throttled(after=40, scope="recording")]
    await engine.accept("a", only=one)
    await engine.run_until_quiet()
    await engine.accept("b", only=other)
    await engine.quiet()
    assert bodies(engine.notifier()) == [["a"]]
    await engine.passes(40)
    assert bodies(engine.notifier()) == [["a"], ["a"]]
    await engine.passes(SPREAD_S)  # one has found out, and the others follow
    assert bodies(engine.notifier())[2:] == [["b"]]


@pytest.mark.parametrize("after", [0.0, -3.0, float("nan")])
async def test_a_far_side_that_says_no_time_at_all_is_not_asked_again_at_once(
    engine: Engine, after: float
) -> None:
    await engine.channel()
    engine.notifier().script = [Throttled(after=after, scope="recording")]
    await engine.accept("a")
    await engine.run_until_quiet()
    assert len(engine.notifier().batches) == 1
    await engine.passes(1)
    assert len(engine.notifier().batches) == 2


async def test_throttling_by_a_scope_that_nobody_knows_holds_the_channel_all_the_same(
    engine: Engine,
) -> None:
    await engine.channel()
    engine.notifier().script = [Throttled(after=40, scope="misspelt")]
    await engine.accept("a")
    await engine.run_until_quiet()
    assert len(engine.notifier().batches) == 1
    await engine.passes(40)
    assert len(engine.notifier().batches) == 2


async def test_who_never_says_how_long_is_asked_at_growing_intervals(engine: Engine) -> None:
    await engine.channel()
    untold = Throttled(after=None, scope="recording")
    engine.notifier().script = [untold, untold, untold, Delivered(), untold]
    await engine.accept("a")
    await engine.run_until_quiet()
    for wait_s, asked in ((59.9, 1), (0.1, 2), (119.9, 2), (0.1, 3), (239.9, 3), (0.1, 4)):
        await engine.passes(wait_s)
        assert len(engine.notifier().batches) == asked
    await engine.accept("b")  # the success before it has ended the row
    await engine.quiet()
    await engine.passes(60)
    assert bodies(engine.notifier())[4:] == [["b"], ["b"]]


async def test_a_success_may_set_the_pace(engine: Engine) -> None:
    await engine.channel(kind="single")
    engine.notifier("single").script = [Delivered(paces=(Pace("recording:team", 2.0),))]
    await engine.accept("a", "b", "c")
    await engine.run_until_quiet()
    assert bodies(engine.notifier("single")) == [["a"]]
    await engine.passes(2)
    assert bodies(engine.notifier("single")) == [["a"], ["b"], ["c"]]


# Channels that take nothing ------------------------------------------------------------------


async def test_an_unusable_channel_is_paused_and_its_owner_told_once(engine: Engine) -> None:
    team = await engine.channel()
    engine.notifier().script = [Unusable(reason="the webhook was deleted")]
    await engine.accept("a")
    await engine.run_until_quiet()
    await engine.accept("b")
    await engine.passes(2 * SAFETY_WAKE_S)
    stored = await engine.stored(team)
    assert stored.paused_reason == "the webhook was deleted"
    assert engine.told == [("team", "the webhook was deleted")]
    first, second = await engine.deliveries()
    assert (first.state, first.last_error) == (DeliveryState.PENDING, "the webhook was deleted")
    assert (second.state, second.last_error) == (DeliveryState.PENDING, None)
    assert len(engine.notifier().batches) == 1


async def test_a_resumed_channel_sends_what_has_waited_in_order(engine: Engine) -> None:
    team = await engine.channel(kind="single")
    notifier = engine.notifier("single")
    notifier.script = [Unusable(reason="the webhook was deleted")]
    await engine.accept("a")
    await engine.run_until_quiet()
    await engine.accept("b")
    await engine.accept("c")
    await engine.passes(DAY)
    await engine.resume(team)
    await engine.quiet()
    assert bodies(notifier)[1:] == [["a"], ["b"], ["c"]]
    assert {each.state for each in await engine.deliveries()} == {DeliveryState.DELIVERED}


async def test_an_unusable_scope_pauses_all_its_channels_and_each_owner_hears_once(
    engine: Engine,
) -> None:
    one = await engine.channel("one", label="bot")
    two = await engine.channel("two", label="bot")
    apart = await engine.channel("apart")
    shop = engine.project_id
    await engine.project("club")
    three = await engine.channel("three", label="bot")
    engine.notifier().script = [Unusable(reason="the token was revoked", scope="recording:bot")]
    await engine.accept("a", only=one, project_id=shop)
    await engine.run_until_quiet()
    paused = {each: (await engine.stored(each)).paused_reason for each in (one, two, three, apart)}
    reason = "the token was revoked"
    assert paused == {one: reason, two: reason, three: reason, apart: None}
    assert engine.told == [("one", f"{reason} (with it were paused: two)"), ("three", reason)]


async def test_many_lanes_that_find_a_scope_shut_tell_its_owner_once(engine: Engine) -> None:
    channels = [await engine.channel(name, label="bot") for name in ("one", "two", "three")]
    await engine.accept("the first answer of a scope is waited for", only=channels[0])
    await engine.run_until_quiet()
    answers = [far_side() for _ in channels]
    engine.notifier().script = [*answers]
    await engine.accept("a")
    await engine.notifier().has_sent(4)
    for answer in answers:
        answer.set_result(Unusable(reason="the token was revoked", scope="recording:bot"))
    await engine.quiet()
    assert len(engine.told) == 1
    assert all([(await engine.stored(each)).paused_at for each in channels])


async def test_the_failure_of_a_notice_notifies_nobody(engine: Engine) -> None:
    team = await engine.channel()
    engine.notifier().script = [Unusable(reason="the webhook was deleted")]
    await engine.accept("your other channel was paused", dialect=NOTICE)
    await engine.run_until_quiet()
    assert (await engine.stored(team)).paused_at is not None
    assert engine.told == []


async def test_a_notice_among_other_events_hides_no_failure(engine: Engine) -> None:
    await engine.channel()
    engine.notifier().script = [Unusable(reason="the webhook was deleted")]
    await engine.accept("your other channel was paused", dialect=NOTICE)
    await engine.accept("a")
    await engine.run_until_quiet()
    assert len(engine.told) == 1


async def test_settings_that_cannot_be_read_any_more_pause_the_channel(engine: Engine) -> None:
    team = await engine.channel(colour="blue")
    await engine.accept("a")
    await engine.run_until_quiet()
    reason = (await engine.stored(team)).paused_reason
    assert reason is not None
    assert reason.startswith("its settings cannot be used: ")
    assert "colour" in reason
    assert not reason.endswith(".")
    assert engine.told == [("team", reason)]
    assert (await engine.delivery()).state is DeliveryState.PENDING


async def test_a_kind_that_is_not_installed_any_more_pauses_the_channel(engine: Engine) -> None:
    team = await engine.channel(kind="pigeon")
    await engine.accept("a")
    await engine.run_until_quiet()
    assert "pigeon" in str((await engine.stored(team)).paused_reason)


# Strangers -----------------------------------------------------------------------------------


async def test_a_notifier_that_raises_makes_a_retry_and_gives_no_secret_away(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    await engine.channel(kind="clumsy", token="tok-planted-canary")
    await engine.accept("a", "b")
    await engine.run_until_quiet()
    first, _ = await engine.deliveries()
    assert first.last_error == "the notifier failed: RuntimeError"
    detail = await engine.store.outbox.delivery(ids.decode(ids.DELIVERY, first.id))
    assert [each.outcome for each in detail.attempts] == [AttemptOutcome.UNKNOWN]
    traces = [getattr(record.msg, "trace", None) for record in caplog.records]
    told = "\n".join(filter(None, traces))
    assert "strangers.py" in told
    assert "builtins.RuntimeError" in told
    assert "builtins.ConnectionError" in told
    assert "canary" not in told + caplog.text + str(first.last_error)


async def test_a_notifier_that_hangs_makes_a_retry(engine: Engine) -> None:
    await engine.channel()
    never = far_side()
    engine.notifier().script = [never]
    await engine.accept("a")
    engine.start()
    await engine.notifier().has_sent(1)
    await engine.passes(TIMEOUT_S)
    delivery = await engine.delivery()
    assert delivery.last_error == "the notifier did not finish in time"
    assert never.cancelled()
    await engine.passes(5)
    assert (await engine.delivery()).state is DeliveryState.DELIVERED


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        (TimeoutError("a timeout of its own"), "the notifier failed: TimeoutError"),
        (KeyError("x"), "the notifier failed: KeyError"),
    ],
)
async def test_what_a_notifier_raises_is_named(
    engine: Engine, raised: Exception, reason: str
) -> None:
    await engine.channel()
    engine.notifier().script = [raised]
    await engine.accept("a")
    await engine.run_until_quiet()
    assert (await engine.delivery()).last_error == reason


async def test_a_notifier_that_cancels_itself_makes_a_retry(engine: Engine) -> None:
    await engine.channel()
    answer = far_side()
    answer.cancel()
    engine.notifier().script = [answer]
    await engine.accept("a")
    await engine.run_until_quiet()
    assert (await engine.delivery()).last_error == "the notifier did not finish in time"


async def test_a_notifier_that_says_nothing_makes_a_retry(engine: Engine) -> None:
    await engine.channel(kind="lost")
    await engine.accept("a")
    await engine.run_until_quiet()
    assert (await engine.delivery()).last_error == "the notifier did not say what came of it"


async def test_a_notifier_that_does_not_know_its_scopes_pauses_the_channel(engine: Engine) -> None:
    team = await engine.channel(kind="lost", label="nowhere")
    await engine.accept("a")
    await engine.run_until_quiet()
    reason = (await engine.stored(team)).paused_reason
    assert reason == "its settings cannot be used: the notifier failed: KeyError"


# Channels that change ------------------------------------------------------------------------


async def test_what_a_far_side_taught_is_used_by_the_next_delivery(engine: Engine) -> None:
    await engine.channel()
    engine.notifier().script = [Delivered(learned={"learned": "dm-7"})]
    await engine.accept("a")
    await engine.run_until_quiet()
    await engine.accept("b")
    await engine.quiet()
    assert [settings.learned for settings in engine.notifier().told] == ["", "dm-7"]


async def test_what_was_learned_of_an_old_far_side_is_not_kept_for_a_new_one(
    engine: Engine,
) -> None:
    team = await engine.channel()
    answer = far_side()
    engine.notifier().script = [answer]
    await engine.accept("a")
    engine.start()
    await engine.notifier().has_sent(1)
    await engine.change(team, label="somebody else")
    answer.set_result(Delivered(learned={"learned": "dm-7"}))
    await engine.quiet()
    await engine.accept("b")
    await engine.quiet()
    told = [(settings.label, settings.learned) for settings in engine.notifier().told]
    assert told == [("team", ""), ("somebody else", "")]


async def test_a_channel_that_was_mended_while_sending_is_not_paused(engine: Engine) -> None:
    team = await engine.channel()
    answer = far_side()
    engine.notifier().script = [answer]
    await engine.accept("a")
    engine.start()
    await engine.notifier().has_sent(1)
    await engine.change(team, label="mended")
    answer.set_result(Unusable(reason="the webhook was deleted"))
    await engine.quiet()
    assert (await engine.stored(team)).paused_at is None
    assert engine.told == []
    assert [settings.label for settings in engine.notifier().told] == ["team", "mended"]
    assert (await engine.delivery()).state is DeliveryState.DELIVERED


async def test_a_channel_that_is_paused_while_sending_sends_no_more(engine: Engine) -> None:
    team = await engine.channel(kind="single")
    notifier = engine.notifier("single")
    answer = far_side()
    notifier.script = [answer]
    await engine.accept("a", "b")
    engine.start()
    await notifier.has_sent(1)
    await engine.pause(team)
    answer.set_result(Delivered())
    await engine.quiet()
    assert [each.state for each in await engine.deliveries()] == [
        DeliveryState.DELIVERED,
        DeliveryState.PENDING,
    ]


async def test_a_paused_channel_costs_nothing_when_it_is_woken(engine: Engine) -> None:
    team = await engine.channel()
    await engine.pause(team)
    await engine.run_until_quiet()
    await engine.accept("a")
    await engine.quiet()
    engine.dispatcher.wake([team])
    assert not engine.dispatcher._alarm.is_set()
    await engine.resume(team)
    await engine.quiet()
    assert bodies(engine.notifier()) == [["a"]]


async def test_a_channel_that_is_removed_while_sending_leaves_nothing_behind(
    engine: Engine,
) -> None:
    team = await engine.channel(kind="single")
    notifier = engine.notifier("single")
    answer = far_side()
    notifier.script = [answer]
    await engine.accept("a", "b")
    engine.start()
    await notifier.has_sent(1)
    await engine.remove(team)
    answer.set_result(Retry(reason="HTTP 503"))
    await engine.quiet()
    await engine.passes(SAFETY_WAKE_S)
    assert {each.state for each in await engine.deliveries()} == {DeliveryState.DISCARDED}
    assert len(notifier.batches) == 1


async def test_a_changed_channel_is_used_as_it_is_now(engine: Engine) -> None:
    team = await engine.channel()
    await engine.accept("a")
    await engine.run_until_quiet()
    await engine.change(team, label="new")
    await engine.accept("b")
    await engine.quiet()
    assert [settings.label for settings in engine.notifier().told] == ["team", "new"]


async def test_a_change_that_nobody_told_of_is_seen_within_a_minute(engine: Engine) -> None:
    team = await engine.channel()
    await engine.accept("a")
    await engine.run_until_quiet()
    await engine.store.directory.pause_channel(team, "by hand", now=engine.clock.now_ms())
    await engine.passes(SAFETY_WAKE_S)
    await engine.accept("b")
    await engine.quiet()
    assert bodies(engine.notifier()) == [["a"]]


async def test_an_event_that_comes_while_a_lane_ends_is_not_left_behind(engine: Engine) -> None:
    team = await engine.channel()
    outbox = engine.watch_outbox()
    await engine.accept("a")

    async def one_more() -> None:
        outbox.after_settle = None
        # The lane has been told that nothing is due, and has not ended yet.
        await engine.accept("b")
        assert team in engine.dispatcher._lanes

    outbox.after_settle = one_more
    await engine.run_until_quiet()
    assert bodies(engine.notifier()) == [["a"], ["b"]]


# Crashes and stops ---------------------------------------------------------------------------


async def test_what_a_crash_cut_off_is_recorded_as_lost_and_sent_again(engine: Engine) -> None:
    await engine.channel()
    engine.notifier().script = [far_side()]
    await engine.accept("a")
    engine.start()
    await engine.notifier().has_sent(1)
    await engine.kill()
    assert (await engine.delivery()).state is DeliveryState.LEASED
    engine.new_dispatcher()
    await engine.run_until_quiet()
    detail = await engine.detail()
    assert detail.delivery.state is DeliveryState.DELIVERED
    assert [(each.no, each.outcome) for each in detail.attempts] == [
        (1, AttemptOutcome.LOST),
        (2, AttemptOutcome.DELIVERED),
    ]


async def test_a_delivery_that_takes_the_server_down_each_time_is_given_up_after_a_while(
    engine: Engine,
) -> None:
    await engine.channel()
    notifier = engine.notifier()
    await engine.accept("a")
    for crash, wait_s in enumerate((0, 0, 0, 60, 300), 1):
        notifier.script = [far_side()]
        engine.start()
        if wait_s:
            await engine.quiet()
            engine.clock.advance(wait_s)
        await notifier.has_sent(crash)
        await engine.kill()
        engine.new_dispatcher()
    await engine.run_until_quiet()
    delivery = await engine.delivery()
    assert (delivery.state, delivery.attempts) == (DeliveryState.FAILED, 5)
    assert "5 attempts in a row" in str(delivery.last_error)
    assert len(notifier.batches) == 5


async def test_a_stop_lets_arrive_what_is_on_its_way(engine: Engine) -> None:
    await engine.channel(kind="single")
    notifier = engine.notifier("single")
    answer = far_side()
    notifier.script = [answer]
    await engine.accept("a", "b")
    engine.start()
    await notifier.has_sent(1)
    stopping = asyncio.create_task(engine.dispatcher.stop(30))
    await asyncio.wait([stopping], timeout=0)
    answer.set_result(Delivered())
    await stopping
    assert [each.state for each in await engine.deliveries()] == [
        DeliveryState.DELIVERED,
        DeliveryState.PENDING,
    ]


async def test_a_stop_cuts_off_what_takes_too_long(engine: Engine) -> None:
    await engine.channel()
    engine.notifier().script = [far_side()]
    await engine.accept("a")
    engine.start()
    await engine.notifier().has_sent(1)
    await engine.dispatcher.stop(0)
    assert (await engine.delivery()).state is DeliveryState.LEASED
    assert engine.dispatcher._lanes == {}


async def test_a_stop_begins_no_message_of_a_split(engine: Engine) -> None:
    await engine.channel()
    answer = far_side()
    engine.notifier().script = [answer]
    await engine.accept("a", "b")
    engine.start()
    await engine.notifier().has_sent(1)
    stopping = asyncio.create_task(engine.dispatcher.stop(30))
    await asyncio.wait([stopping], timeout=0)
    answer.set_result(Rejected(reason="HTTP 400"))
    await stopping
    assert len(engine.notifier().batches) == 1
    assert [(each.state, each.attempts) for each in await engine.deliveries()] == [
        (DeliveryState.PENDING, 0),
        (DeliveryState.PENDING, 0),
    ]


async def test_what_was_claimed_when_the_grace_ran_out_is_given_back_unsent(
    engine: Engine,
) -> None:
    outbox, claimed = engine.watch_outbox(), asyncio.Event()
    outbox.after_lease = claimed.wait
    await engine.channel()
    await engine.accept("a")
    engine.start()
    await outbox.until(lambda: bool(outbox.leased))
    stopping = asyncio.create_task(engine.dispatcher.stop(0))
    await asyncio.wait([stopping], timeout=0.01)  # by then the lane is cut off
    claimed.set()
    await stopping
    detail = await engine.detail()
    assert (detail.delivery.state, detail.delivery.attempts) == (DeliveryState.PENDING, 0)
    assert detail.attempts == ()


async def test_a_lane_that_waits_for_its_turn_sends_nothing_after_a_stop(engine: Engine) -> None:
    for number in range(65):
        await engine.channel(f"c{number}")
    answers = [far_side() for _ in range(64)]
    engine.notifier().script = [*answers]
    await engine.accept("a")
    engine.start()
    await engine.notifier().has_sent(64)
    stopping = asyncio.create_task(engine.dispatcher.stop(30))
    await asyncio.wait([stopping], timeout=0)
    for answer in answers:
        answer.set_result(Delivered())
    await stopping
    assert len(engine.notifier().batches) == 64


# The clock -----------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [HOUR, -HOUR, 3 * DAY, -3 * DAY])
async def test_a_clock_that_steps_loses_nothing_and_no_wait_grows_without_end(
    engine: Engine, step: float
) -> None:
    await engine.channel("retrying", kind="single", retry_delays=[8 * HOUR])
    held = await engine.channel("held")
    engine.notifier("single").script = [Retry(reason="HTTP 503")]
    engine.notifier().script = [Throttled(after=HOUR, scope="recording:held")]
    await engine.accept("a")
    await engine.run_until_quiet()
    engine.clock.step(step)
    await engine.accept("b", only=held)
    for _ in range(10):
        await engine.passes(HOUR)
    assert {each.state for each in await engine.deliveries()} == {DeliveryState.DELIVERED}


@pytest.mark.parametrize("back", [HOUR, 20 * HOUR, 3 * DAY])
async def test_after_a_clock_was_set_back_nothing_waits_longer_than_before(
    engine: Engine, back: float
) -> None:
    await engine.channel("retrying", kind="single", retry_delays=[600.0])
    await engine.channel("held")
    engine.notifier("single").script = [Retry(reason="HTTP 503")]
    engine.notifier().script = [Throttled(after=600.0, scope="recording:held")]
    await engine.accept("a")
    await engine.run_until_quiet()
    engine.clock.step(-back)
    for _ in range(15):
        await engine.passes(MINUTE)
    assert {each.state for each in await engine.deliveries()} == {DeliveryState.DELIVERED}


@pytest.mark.parametrize("deed", ["step_back", "fourth step_back", "step_back_holds", "expire"])
async def test_a_store_that_fails_after_a_clock_was_set_back_makes_nothing_earlier(
    engine: Engine, deed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await engine.channel("retrying", kind="single", retry_delays=[600.0])
    await engine.channel("held")
    monkeypatch.setattr(set_back, "STEP", 1)
    outbox = engine.watch_outbox()
    engine.notifier("single").script = [Retry(reason="HTTP 503")] * 2
    engine.notifier().script = [Throttled(after=600.0, scope="recording:held")]
    await engine.accept("a", "b")
    await engine.run_until_quiet()
    engine.clock.step(-HOUR)
    outbox.full = {deed}
    for seconds in (SAFETY_WAKE_S, RECOVERY_S, RECOVERY_S):
        await engine.passes(seconds)
    assert outbox.refused > 1
    outbox.full = set()
    await engine.passes(RECOVERY_S)
    for waiting in await engine.deliveries("retrying"):
        assert engine.due_in_s(waiting) == pytest.approx(600, abs=20)
    await engine.passes(575)
    assert {each.state for each in await engine.deliveries()} == {DeliveryState.PENDING}
    await engine.passes(30)
    assert {each.state for each in await engine.deliveries()} == {DeliveryState.DELIVERED}


async def test_a_clock_that_stepped_back_while_the_server_was_down_delays_nothing(
    engine: Engine,
) -> None:
    await engine.channel()
    await engine.accept("a")
    engine.clock.step(-3 * DAY)
    await engine.run_until_quiet()
    assert (await engine.delivery()).state is DeliveryState.DELIVERED


async def test_events_of_after_a_step_back_are_sent_at_once(engine: Engine) -> None:
    await engine.channel()
    await engine.run_until_quiet()
    engine.clock.step(-3 * DAY)
    await engine.accept("a")
    await engine.quiet()
    assert (await engine.delivery()).state is DeliveryState.DELIVERED


async def test_what_is_on_its_way_while_the_clock_is_set_back_waits_no_longer(
    engine: Engine,
) -> None:
    await engine.channel()
    outbox = engine.watch_outbox()
    answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    engine.notifier().script = [answer]
    await engine.accept("a")
    engine.start()
    await engine.notifier().has_sent(1)
    engine.clock.step(-3 * DAY)
    engine.clock.advance(SAFETY_WAKE_S)
    await outbox.until(lambda: outbox.looks == 2)
    answer.set_result(Throttled(after=5, scope="recording"))
    await engine.quiet()
    await engine.passes(MINUTE)
    assert (await engine.delivery()).state is DeliveryState.DELIVERED


# Scale, and a store that fails ---------------------------------------------------------------


async def test_a_thousand_channels_that_are_not_due_cost_nothing_per_wake(engine: Engine) -> None:
    outbox = engine.watch_outbox()
    engine.start()
    await engine.quiet()
    for number in range(1_000):
        engine.dispatcher._timetable.plan(number, engine.clock.now_ms() + 3_600_000)
    awake = await engine.channel()
    outbox.leased.clear()
    for text in "abc":
        await engine.accept(text)
        await engine.quiet()
    assert outbox.leased == [awake] * 3
    assert outbox.looks == 1


async def test_a_channel_that_has_to_wait_is_not_made_ready_each_minute(engine: Engine) -> None:
    await engine.channel(kind="counting")
    notifier = engine.notifier("counting")
    assert isinstance(notifier, Counting)
    notifier.script = [Throttled(after=600, scope="recording:team")]
    await engine.accept("a")
    await engine.run_until_quiet()
    before = notifier.readied
    for _ in range(9):
        await engine.passes(SAFETY_WAKE_S)
    assert notifier.readied == before
    await engine.passes(SAFETY_WAKE_S)
    assert bodies(notifier) == [["a"], ["a"]]


async def test_what_is_not_worth_sending_any_more_has_failed(engine: Engine) -> None:
    team = await engine.channel(expire_after_s=60)
    await engine.pause(team)
    await engine.accept("a")
    await engine.run_until_quiet()
    await engine.passes(59)
    assert (await engine.delivery()).state is DeliveryState.PENDING
    await engine.passes(2)
    delivery = await engine.delivery()
    assert delivery.state is DeliveryState.FAILED
    assert "expired" in str(delivery.last_error)


async def test_a_result_that_the_store_cannot_take_is_kept_until_it_can(engine: Engine) -> None:
    await engine.channel()
    outbox = engine.watch_outbox()
    outbox.full = {"settle"}
    await engine.accept("a")
    engine.start()
    await engine.notifier().has_sent(1)
    await outbox.until(lambda: outbox.refused == 1)
    engine.clock.advance(5)
    await outbox.until(lambda: outbox.refused == 2)
    assert (await engine.delivery()).state is DeliveryState.LEASED
    outbox.full = set()
    await engine.passes(5)
    detail = await engine.detail()
    assert detail.delivery.state is DeliveryState.DELIVERED
    assert [each.outcome for each in detail.attempts] == [AttemptOutcome.DELIVERED]
    assert len(engine.notifier().batches) == 1


async def test_a_lane_whose_store_fails_is_looked_at_again(engine: Engine) -> None:
    await engine.channel()
    outbox = engine.watch_outbox()
    outbox.full = {"lease"}
    await engine.accept("a")
    await engine.run_until_quiet()
    assert engine.notifier().batches == []
    outbox.full = set()
    await engine.passes(RECOVERY_S)
    assert (await engine.delivery()).state is DeliveryState.DELIVERED


async def test_what_a_broken_lane_had_claimed_is_freed(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    await engine.channel()
    outbox = engine.watch_outbox()
    outbox.broken = {"settle"}
    await engine.accept("a")
    await engine.run_until_quiet()
    assert (await engine.delivery()).state is DeliveryState.LEASED
    assert "a lane broke off" in caplog.text
    outbox.broken = set()
    await engine.passes(RECOVERY_S)
    detail = await engine.detail()
    assert detail.delivery.state is DeliveryState.DELIVERED
    assert [each.outcome for each in detail.attempts] == [
        AttemptOutcome.LOST,
        AttemptOutcome.DELIVERED,
    ]


async def test_a_lease_of_a_lane_that_works_is_not_freed(engine: Engine) -> None:
    await engine.channel()
    outbox = engine.watch_outbox()
    answer = far_side()
    engine.notifier().script = [answer]
    await engine.accept("a")
    engine.start()
    await engine.notifier().has_sent(1)
    engine.clock.step(3 * DAY)
    engine.clock.advance(SAFETY_WAKE_S)
    await outbox.until(lambda: outbox.looks == 2)
    answer.set_result(Delivered())
    await engine.quiet()
    detail = await engine.detail()
    assert [each.outcome for each in detail.attempts] == [AttemptOutcome.DELIVERED]


@pytest.mark.parametrize("what", ["free_leases", "lanes", "holds"])
async def test_a_store_that_fails_at_the_start_is_asked_again(engine: Engine, what: str) -> None:
    await engine.channel()
    outbox = engine.watch_outbox()
    outbox.full = {what}
    await engine.accept("a")
    await engine.run_until_quiet()
    assert engine.notifier().batches == []
    outbox.full = set()
    await engine.passes(RECOVERY_S)
    assert (await engine.delivery()).state is DeliveryState.DELIVERED


async def test_a_store_that_fails_later_does_not_end_the_sending(engine: Engine) -> None:
    await engine.channel()
    outbox = engine.watch_outbox()
    await engine.run_until_quiet()
    outbox.full = {"expire"}
    await engine.passes(SAFETY_WAKE_S)
    outbox.full = set()
    await engine.passes(RECOVERY_S)
    await engine.accept("a")
    await engine.quiet()
    assert (await engine.delivery()).state is DeliveryState.DELIVERED


# Trying out, counting, telling ---------------------------------------------------------------


async def test_a_test_goes_out_at_once_and_leaves_nothing_behind(engine: Engine) -> None:
    team = await engine.channel()
    await engine.pause(team)
    told = await engine.dispatcher.try_out(await engine.stored(team), "shop")
    assert (told.outcome, told.reason) == ("delivered", None)
    assert "team" in engine.notifier().notifications[0].body
    assert await engine.deliveries() == []


async def test_a_test_tells_what_came_of_it(engine: Engine) -> None:
    team = await engine.channel()
    engine.notifier().script = [Unusable(reason="gone", answer=Answer(404, "Unknown Webhook"))]
    told = await engine.dispatcher.try_out(await engine.stored(team), "shop")
    assert (told.outcome, told.reason, told.status) == ("unusable", "gone", 404)
    assert (await engine.stored(team)).paused_at is None


async def test_nothing_is_tried_out_where_the_far_side_asked_to_wait(engine: Engine) -> None:
    team = await engine.channel()
    engine.notifier().script = [Throttled(after=40, scope="recording:team")]
    await engine.accept("a")
    await engine.run_until_quiet()
    engine.clock.advance(9.5)
    told = await engine.dispatcher.try_out(await engine.stored(team), "shop")
    assert (told.outcome, told.status) == ("throttled", None)
    assert told.reason == "the far side asked to wait: 31 s are left"
    assert len(engine.notifier().batches) == 1


async def test_a_hold_of_an_earlier_process_counts_for_a_test_too(engine: Engine) -> None:
    team = await engine.channel()
    engine.notifier().script = [Throttled(after=40, scope="recording:team")]
    await engine.dispatcher.try_out(await engine.stored(team), "shop")
    engine.new_dispatcher()
    told = await engine.dispatcher.try_out(await engine.stored(team), "shop")
    assert told.outcome == "throttled"
    assert len(engine.notifier().batches) == 1


async def test_what_a_test_teaches_is_kept(engine: Engine) -> None:
    team = await engine.channel(label="team")
    paces = (Pace("recording:team", 2.0),)
    engine.notifier().script = [Delivered(paces=paces, learned={"learned": "dm-1"})]
    await engine.dispatcher.try_out(await engine.stored(team), "shop")
    await engine.accept("a")
    await engine.run_until_quiet()
    assert len(engine.notifier().batches) == 1
    await engine.passes(2)
    assert engine.notifier().told[1].learned == "dm-1"


async def test_messages_are_counted_by_outcome(engine: Engine) -> None:
    await engine.channel()
    engine.notifier().script = [Retry(reason="HTTP 503")]
    await engine.accept("a")
    await engine.run_until_quiet()
    await engine.passes(5)
    assert engine.tally.attempts == {"retry": 1, "delivered": 1}


async def test_a_message_is_told_in_one_line_without_its_words(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await engine.channel()
    receipt = await engine.accept("what the event says")
    await engine.run_until_quiet()
    [line] = [record.getMessage() for record in caplog.records if "sent" in record.getMessage()]
    assert f"event={ids.encode(ids.EVENT, receipt.first_event_id)}" in line
    assert "attempt=1 outcome=delivered" in line
    assert "what the event says" not in line


async def test_a_delivery_that_is_given_up_is_told_with_the_reason(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    await engine.channel()
    engine.notifier().script = [Rejected(reason="HTTP 400: bad")]
    await engine.accept("what the event says")
    await engine.run_until_quiet()
    [line] = [record.getMessage() for record in caplog.records]
    assert line.startswith("failed delivery=dlv_")
    assert "HTTP 400: bad" in line
    assert "what the event says" not in line
