"""The deliveries, through the keyboard."""

import json

import httpx
import pytest

from slowping.core import errors
from slowping.core.delivery import Delivery, DeliveryState, Replayed
from slowping.core.event import Event
from slowping.core.feed import ChannelChanged
from slowping.tui.delivery.errand import STEP
from slowping.tui.modals.confirm import ConfirmModal
from slowping.tui.screens.delivery import DeliveryScreen
from tests.tui.delivery.outbox import Outbox
from tests.tui.delivery.samples import BUSY, channel, failed, moved
from tests.tui.driver import Driver, ScriptedServer, event, moment, running
from tests.tui.test_hostile import STRINGS, is_harmless

BOX = "no such box"


def shop(server: ScriptedServer) -> Outbox:
    """Three that failed at a webhook, one by mail, one that waits, one that has arrived."""
    outbox = Outbox(
        server,
        *(failed(number) for number in (1, 2, 3)),
        failed(4, channel="mail", kind="email", last_error=BOX, created_at=moment(-9_000)),
        failed(5, state=DeliveryState.PENDING, due_at=moment(42), tries=2, ended_at=None),
        failed(6, state=DeliveryState.DELIVERED, last_error=None),
    )
    for one in outbox.deliveries.values():
        outbox.tell_of(one, BUSY, BUSY)
    return outbox


def many(server: ScriptedServer, number: int) -> Outbox:
    return Outbox(server, *(failed(each) for each in range(1, number + 1)))


async def look(live: Driver) -> DeliveryScreen:
    await live.connects()
    await live.press("2")
    screen = live.app.screen
    assert isinstance(screen, DeliveryScreen)
    return screen


# What is seen --------------------------------------------------------------------------------


async def test_failed_ones_are_shown_first_by_channel_and_error(server: ScriptedServer) -> None:
    shop(server)
    async with running(server) as live:
        await look(live)
        live.shows("[failed 4]  waiting 1  all", "2 groups", BOX, BUSY)
        lines = live.picture().splitlines()
        assert "mail" in lines[3]
        assert "hook" in lines[4]


async def test_enter_looks_into_a_group_and_escape_steps_back(server: ScriptedServer) -> None:
    shop(server)
    async with running(server) as live:
        await look(live)
        await live.press("j", "enter")
        live.shows("failed ▸ hook ▸ HTTP 503", "3 deliveries", "💰 sale")
        await live.press("enter")
        live.shows("✗ failed 3m ago", "to hook (webhook)", "What happened 1")
        await live.press("escape")
        live.hides("to hook (webhook)")
        await live.press("escape")
        live.shows("2 groups")
        assert ">  ✗ shop     hook" in live.picture()


async def test_details_show_every_attempt_the_latest_first(server: ScriptedServer) -> None:
    outbox = shop(server)
    outbox.tell_of(failed(1), "the first", "the second")
    async with running(server, size=(120, 40)) as live:
        await look(live)
        await live.press("j", "enter", "enter")
        shown = live.picture()
        assert shown.index("the second") < shown.index("the first")
        live.shows("2. 2026-11-18 11:06:40  failed 503  120 ms", "upstream busy")


async def test_what_waits_says_when_it_is_tried_and_how_often(server: ScriptedServer) -> None:
    shop(server)
    now = [0.0]
    async with running(server, now_ms=lambda: round(moment(now[0]).timestamp() * 1000)) as live:
        screen = await look(live)
        await live.press("f")
        live.shows("[waiting 1]", "in 42 s")
        await live.press("enter", "enter")
        live.shows("⟳ in 42 s, try 3 of 8")
        now[0] = 10
        screen.tick()
        await live.settle()
        live.shows("⟳ in 32 s, try 3 of 8")


async def test_all_shows_what_has_arrived_as_well(server: ScriptedServer) -> None:
    shop(server)
    async with running(server) as live:
        await look(live)
        await live.press("f", "f")
        live.shows("[all 6]", "4 groups", "✓ shop")
        assert "state=delivered" in server.queries["/deliveries/groups"]
        await live.press("f")
        live.shows("[failed 4]")


async def test_no_failure_is_good_news_and_says_what_waits(server: ScriptedServer) -> None:
    Outbox(server, failed(1, state=DeliveryState.PENDING))
    async with running(server) as live:
        await look(live)
        live.shows("No delivery has failed.", "1 waits for its turn: f shows what waits.")
        await live.press("f")
        live.shows("[waiting 1]", "HTTP 503")


async def test_what_could_not_be_loaded_is_not_called_good_news(server: ScriptedServer) -> None:
    server.refusing["/deliveries/groups"] = (503, errors.Unavailable)
    async with running(server) as live:
        await look(live)
        live.shows("The deliveries could not be loaded.", "ctrl+r tries again")
        live.hides("No delivery has failed")


async def test_rows_are_filtered_as_it_is_typed(server: ScriptedServer) -> None:
    shop(server)
    async with running(server) as live:
        await look(live)
        await live.press("slash")
        await live.write("box")
        live.shows("1 of 2 groups", BOX)
        live.hides("hook")
        await live.press("enter", "exclamation_mark")
        live.shows("hook")
        await live.press("escape")
        live.shows("2 groups")


async def test_a_filter_is_named_where_nothing_has_failed_either(server: ScriptedServer) -> None:
    Outbox(server, failed(6, state=DeliveryState.DELIVERED, last_error=None))
    async with running(server) as live:
        await look(live)
        live.shows("No delivery has failed.")
        await live.press("slash")
        await live.write("state:delivered")
        live.shows("Nothing matches the filter.", "esc clears it", "f looks further")
        live.hides("No delivery has failed")
        await live.press("enter", "f", "f")
        live.shows("hook")


async def test_a_page_that_is_not_all_says_so(server: ScriptedServer) -> None:
    many(server, 1_200)
    async with running(server) as live:
        await look(live)
        await live.press("enter")
        live.shows("1,000 of 1,200 shown")


async def test_a_row_is_copied_as_json(server: ScriptedServer) -> None:
    shop(server)
    async with running(server) as live:
        await look(live)
        await live.press("y")
        assert json.loads(live.app.clipboard)["count"] == 1
        await live.press("enter", "y")
        assert json.loads(live.app.clipboard)["channel"] == "mail"


async def test_its_event_is_shown_in_the_feed(server: ScriptedServer) -> None:
    shop(server)
    async with running(server, size=(120, 24)) as live:
        await look(live)
        await live.press("o")
        assert any("enter shows its deliveries" in toast for toast in live.toasts())
        await live.press("j", "enter", "o")
        assert live.app.current_mode == "feed"
        live.shows("What happened 1")


async def test_one_can_jump_to_a_delivery_and_to_a_channel(server: ScriptedServer) -> None:
    shop(server)
    async with running(server, size=(120, 24)) as live:
        await look(live)
        await live.press("1")
        await live.app.jump("delivery", failed(2).id)
        await live.settle()
        live.shows("failed ▸ hook ▸ HTTP 503", f"id        {failed(2).id}")
        await live.app.jump("delivery", "mail")
        await live.settle()
        live.shows("1 of 2 groups", BOX)


async def test_the_palette_finds_a_delivery_by_its_id(server: ScriptedServer) -> None:
    shop(server)
    async with running(server, size=(120, 24)) as live:
        await live.connects()
        await live.press("colon")
        await live.write(failed(2).id)
        await live.press("enter")
        live.shows("failed ▸ hook ▸ HTTP 503", "What happened 2")


async def test_one_can_jump_there_before_anything_is_loaded(server: ScriptedServer) -> None:
    Outbox(server, failed(1), failed(5, channel="mail", state=DeliveryState.PENDING))
    async with running(server) as live:
        await live.connects()
        server.gate.clear()
        await live.app.jump("delivery", "mail")
        server.gate.set()
        await live.settle()
        live.shows("[waiting 1]", "mail")


async def test_where_nothing_could_be_loaded_no_jump_follows_later(
    server: ScriptedServer,
) -> None:
    Outbox(server, failed(1), failed(5, channel="mail", state=DeliveryState.PENDING))
    server.refusing["/deliveries/groups"] = (503, errors.Unavailable)
    async with running(server) as live:
        await live.connects()
        server.gate.clear()
        await live.app.jump("delivery", "mail")
        server.gate.set()
        await live.settle()
        server.refusing.clear()
        await live.press("ctrl+r")
        await live.connects()
        live.shows("[failed 1]", "hook")


# One is retried ------------------------------------------------------------------------------


async def test_one_is_retried_at_once_and_seen_to_arrive(server: ScriptedServer) -> None:
    outbox = shop(server)
    async with running(server) as live:
        await look(live)
        await live.press("j", "enter", "j", "r")
        assert f"POST /deliveries/{failed(2).id}/retry" in server.asked
        live.shows("⟳ 💰 sale", "due now, try 1 of 8", "Retried 1: 1 on the way")
        await live.receives(*outbox.delivered(failed(2).id))
        live.shows("✓ 💰 sale", "delivered just now", "✓ Retried 1: 1 delivered")
        await live.press("escape")
        live.hides("delivered just now")
        live.shows("2 deliveries")


async def test_a_retry_that_is_refused_says_why(server: ScriptedServer) -> None:
    shop(server)
    server.refusing[f"/deliveries/{failed(4).id}/retry"] = (409, errors.WrongState)
    async with running(server) as live:
        await look(live)
        await live.press("r")
        assert any("Retrying 1 delivery failed" in toast for toast in live.toasts())
        live.hides("Retried")
        live.shows("[failed 4]")


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (moved(failed(1), DeliveryState.LEASED), "being sent right now"),
        (moved(failed(1), DeliveryState.DELIVERED), "it has arrived"),
    ],
)
async def test_a_retry_that_is_impossible_says_why(
    server: ScriptedServer, one: Delivery, why: str
) -> None:
    Outbox(server, one)
    async with running(server) as live:
        await look(live)
        await live.press("f", "f", "enter", "r")
        assert any(why in toast for toast in live.toasts())
        assert not any("retry" in asked for asked in server.asked)


async def test_what_waits_for_a_paused_channel_goes_when_that_is_resumed(
    server: ScriptedServer,
) -> None:
    outbox = shop(server)
    outbox.channels["hook"] = channel("hook", paused_at=moment(-60))
    async with running(server) as live:
        await look(live)
        await live.press("f", "r")
        live.shows("⏸", "paused")
        assert any("its channel is paused" in toast for toast in live.toasts())
        resumed = channel("hook")
        await live.receives(ChannelChanged(id=resumed.id, channel=resumed))
        live.shows("in 42 s")


async def test_a_key_that_may_only_read_retries_nothing(server: ScriptedServer) -> None:
    shop(server)
    server.refusing["/keys"] = (403, errors.Forbidden)
    async with running(server) as live:
        await look(live)
        for key in ("r", "R", "d", "w"):
            await live.press(key)
            assert "this API key may only read" in live.toasts()[-1]


# Many are retried ----------------------------------------------------------------------------


async def test_a_group_is_retried_once_its_number_was_confirmed(server: ScriptedServer) -> None:
    outbox = shop(server)
    async with running(server) as live:
        await look(live)
        await live.press("j", "r")
        live.shows("Retry 3 deliveries?", "hook: HTTP 503")
        await live.press("enter")  # Cancel has the focus
        assert outbox.moves == []
        await live.press("r", "y")
        assert [set(each) for each in outbox.moves] == [{failed(n).id for n in (1, 2, 3)}]
        assert server.sent["POST /deliveries/retry"]["states"] == ["failed"]
        live.shows("Retried 3: 3 on the way")


async def test_what_was_counted_and_is_told_of_once_more_is_asked_about_once(
    server: ScriptedServer,
) -> None:
    shop(server)
    async with running(server) as live:
        await look(live)
        await live.receives(failed(1))
        await live.press("R")
        live.shows("Retry 4 deliveries?")


async def test_a_key_pressed_twice_while_it_is_counted_asks_once(server: ScriptedServer) -> None:
    shop(server)
    async with running(server) as live:
        await look(live)
        server.gate.clear()
        await live.press("R", "R")
        server.gate.set()
        await live.settle()
        live.shows("Retry 4 deliveries?")
        await live.press("escape")
        live.hides("Retry 4 deliveries?")


async def test_nothing_is_asked_where_the_server_does_not_count(server: ScriptedServer) -> None:
    outbox = shop(server)
    async with running(server) as live:
        await look(live)
        server.refusing["/deliveries/groups"] = (503, errors.Unavailable)
        await live.press("R")
        assert "Counting the deliveries failed" in live.toasts()[-1]
        assert isinstance(live.app.screen, DeliveryScreen)
        assert outbox.moves == []


async def test_nothing_is_asked_where_all_has_moved_on(server: ScriptedServer) -> None:
    outbox = shop(server)
    async with running(server) as live:
        await look(live)
        outbox.deliveries.clear()
        await live.press("R")
        assert "None of them is left" in live.toasts()[-1]
        live.shows("No delivery has failed.")
        assert outbox.moves == []


async def test_what_is_marked_is_retried(server: ScriptedServer) -> None:
    outbox = shop(server)
    async with running(server) as live:
        await look(live)
        await live.press("j", "enter", "space", "j", "space")
        live.shows("2 marked")
        await live.receives(failed(9))
        live.shows("2 marked", "4 deliveries")
        await live.press("r")
        live.shows("Retry 2 deliveries?")
        await live.press("y")
        assert outbox.moves == [(failed(1).id, failed(3).id)]
        live.hides("marked")


async def test_escape_unmarks(server: ScriptedServer) -> None:
    shop(server)
    async with running(server) as live:
        await look(live)
        await live.press("space", "space")
        live.shows("2 marked")
        await live.press("escape")
        live.hides("marked")
        live.shows("2 groups")


async def test_all_that_match_are_retried_also_what_is_not_loaded(server: ScriptedServer) -> None:
    outbox = many(server, 1_200)
    async with running(server) as live:
        await look(live)
        await live.press("R")
        live.shows("Retry 1,200 deliveries?")
        await live.press("y")
        assert [len(each) for each in outbox.moves] == [STEP, STEP, 200]
        assert len({name for each in outbox.moves for name in each}) == 1_200
        live.shows("Retried 1,200: 1,200 on the way")
        names = sorted(outbox.deliveries)
        await live.receives(*outbox.delivered(*names[:1_180]))
        await live.receives(*outbox.failed_again(*names[1_180:]))
        live.shows("Retried 1,200: 1,180 delivered, 20 failed again", "[failed 20]  waiting 0")


async def test_all_that_match_a_filter_in_a_group_are_looked_for(server: ScriptedServer) -> None:
    numbers = range(1, 1_101)
    outbox = Outbox(
        server, *(failed(n, category="bug" if n in {5, 1_050} else "sale") for n in numbers)
    )
    async with running(server) as live:
        await look(live)
        await live.press("enter", "slash")
        await live.write("category:bug")
        await live.press("enter", "R")
        live.shows("Retry 1 or more deliveries?")
        await live.press("y")
        assert outbox.moves == []  # one at a time where a step has one
        posted = [asked for asked in server.asked if asked.endswith("/retry")]
        assert posted == [f"POST /deliveries/{failed(n).id}/retry" for n in (1_050, 5)]
        live.shows("Retried 2: 2 on the way")


async def test_a_retry_of_many_is_stopped_by_escape(server: ScriptedServer) -> None:
    outbox = many(server, 1_200)
    async with running(server) as live:
        await look(live)
        await live.press("R")
        assert isinstance(live.app.screen, ConfirmModal)
        server.gate.clear()
        await live.press("y")
        live.shows("Retrying 0 of 1,200…", "esc stops")
        await live.press("r")
        assert any("retrying goes on; esc stops that" in toast for toast in live.toasts())
        await live.press("escape")
        live.shows("stopping")
        server.gate.set()
        await live.settle()
        assert outbox.moves == []
        live.hides("Retrying")
        live.shows("[failed 1,200]")


async def test_a_retry_that_breaks_off_says_how_far_it_came(server: ScriptedServer) -> None:
    outbox = many(server, 1_200)
    answer = server.answers["POST /deliveries/retry"]

    def once(request: object) -> object:
        server.refusing["/deliveries/retry"] = (503, errors.Unavailable)
        return answer(request)  # type: ignore[operator, arg-type]  # it is a function

    server.answers["POST /deliveries/retry"] = once  # type: ignore[assignment]
    async with running(server) as live:
        await look(live)
        await live.press("R", "y")
        assert len(outbox.moves) == 1
        live.shows(f"Stopped. Retried {STEP} of 1,200")
        assert any("Retrying 1,200 deliveries failed" in toast for toast in live.toasts())


async def test_a_retry_of_many_goes_on_while_another_project_is_looked_at(
    server: ScriptedServer,
) -> None:
    outbox = many(server, 1_200)
    async with running(server) as live:
        screen = await look(live)
        await live.press("R")
        server.gate.clear()
        await live.press("y")
        live.app.project = "home"
        await live.pilot.pause()
        server.gate.set()
        await live.connects()
        assert [len(each) for each in outbox.moves] == [500, 500, 200]
        assert "Retried 1,200: 1,200 on the way" in live.toasts()
        assert screen.is_current
        live.hides("Retrying")


async def test_an_act_of_which_no_answer_comes_may_have_been_done(server: ScriptedServer) -> None:
    shop(server)

    def breaks(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("gone", request=request)

    async with running(server) as live:
        await look(live)
        server.answers[f"POST /deliveries/{failed(4).id}/retry"] = breaks
        server.answers["GET /deliveries/groups"] = breaks
        await live.press("r")
        assert live.toasts()[-1].endswith("See whether it was done before you do it again.")
        await live.press("f", "f")
        assert live.toasts()[-1].endswith("ctrl+r tries now.")


async def test_nothing_is_retried_where_nothing_has_failed(server: ScriptedServer) -> None:
    Outbox(server, failed(1, state=DeliveryState.DELIVERED, last_error=None))
    async with running(server) as live:
        await look(live)
        await live.press("f", "f", "R")
        assert any("nothing here can be retried" in toast for toast in live.toasts())


async def test_what_is_marked_is_discarded(server: ScriptedServer) -> None:
    outbox = shop(server)
    async with running(server) as live:
        await look(live)
        await live.press("j", "enter", "space", "space", "d")
        live.shows("Discard 2 deliveries?", "A retry brings them back.")
        await live.press("y")
        assert outbox.moves == [(failed(1).id, failed(2).id)]
        await live.receives(*(outbox.deliveries[failed(n).id] for n in (1, 2)))
        live.shows("Discarded 2", "1 delivery")


async def test_one_is_discarded_only_when_asked(server: ScriptedServer) -> None:
    outbox = shop(server)
    async with running(server) as live:
        await look(live)
        await live.press("d")
        live.shows("Discard 1 delivery?", BOX)
        await live.press("y")
        assert outbox.deliveries[failed(4).id].state is DeliveryState.DISCARDED


# What happens meanwhile ----------------------------------------------------------------------


async def test_deliveries_move_between_groups_without_loading(server: ScriptedServer) -> None:
    outbox = shop(server)
    async with running(server) as live:
        await look(live)
        await live.press("j", "enter", "escape")
        asked = len(server.asked)
        await live.receives(*outbox.become(moved(failed(1), DeliveryState.FAILED, last_error="x")))
        live.shows("3 groups", "[failed 4]")
        await live.receives(*outbox.become(failed(7)))
        live.shows("[failed 5]")
        assert len(server.asked) == asked


async def test_what_the_feed_cannot_tell_is_asked_for_a_little_later(
    server: ScriptedServer,
) -> None:
    outbox = many(server, 3)
    async with running(server) as live:
        screen = await look(live)
        await live.receives(*outbox.delivered(failed(1).id))
        live.shows("[failed 3]")  # where it stood before was never told
        screen.make_sure()
        await live.settle()
        live.shows("[failed 2]")


async def test_what_happens_elsewhere_is_asked_for_on_return(server: ScriptedServer) -> None:
    outbox = many(server, 3)
    async with running(server) as live:
        screen = await look(live)
        await live.press("1")
        await live.receives(*outbox.delivered(failed(1).id))
        asked = server.asked.count("GET /deliveries/groups")
        screen.make_sure()
        assert server.asked.count("GET /deliveries/groups") == asked
        await live.press("2")
        live.shows("[failed 2]")


async def test_the_cursor_stays_where_it_is_when_its_row_leaves(server: ScriptedServer) -> None:
    outbox = shop(server)
    async with running(server, size=(120, 40)) as live:
        await look(live)
        await live.press("j", "enter", "j")
        await live.receives(*outbox.delivered(failed(2).id))
        live.shows("2 deliveries")
        await live.press("enter")
        live.shows("What happened 3")


async def test_details_follow_what_comes_of_the_delivery(server: ScriptedServer) -> None:
    outbox = shop(server)
    async with running(server, size=(120, 40)) as live:
        await look(live)
        await live.press("j", "enter", "enter", "r")
        outbox.tell_of(failed(1), BUSY, BUSY, "and once more")
        await live.receives(*outbox.failed_again(failed(1).id))
        live.shows("and once more", "3. ")


async def test_a_thousand_changes_at_once_are_taken_in(server: ScriptedServer) -> None:
    outbox = many(server, 2_000)
    async with running(server) as live:
        await look(live)
        await live.press("enter")
        asked = len(server.asked)
        await live.receives(*outbox.delivered(*sorted(outbox.deliveries)[1_000:]))
        live.shows("Nothing is left here")
        assert len(server.asked) == asked
        await live.press("escape")
        live.shows("[failed 1,000]")


async def test_after_a_gap_everything_is_loaded_anew(server: ScriptedServer) -> None:
    outbox = shop(server)
    async with running(server) as live:
        await look(live)
        await live.press("j", "enter")
        await live.loses_the_line()
        live.shows("3 deliveries")
        await live.press("r")
        assert any("not while reconnecting" in toast for toast in live.toasts())
        outbox.delivered(failed(1).id)
        await live.tries_again(reset=True)
        live.shows("2 deliveries")


async def test_another_project_closes_the_group(server: ScriptedServer) -> None:
    shop(server)
    async with running(server) as live:
        await look(live)
        await live.press("enter")
        live.shows("failed ▸ mail")
        live.app.project = "home"
        await live.connects()
        live.shows("[failed 4]")
        assert "project=home" in server.queries["/deliveries/groups"]


async def test_after_a_gap_nobody_knows_what_came_of_an_act(server: ScriptedServer) -> None:
    shop(server)
    async with running(server) as live:
        await look(live)
        await live.press("r", "f")
        live.shows("Retried 1: 1 on the way", "[waiting 2]")
        await live.loses_the_line()
        await live.tries_again()
        live.shows("Retried 1: 1 on the way")
        await live.loses_the_line()
        await live.tries_again(reset=True)
        live.hides("Retried 1")


async def test_an_event_that_comes_in_is_counted_a_little_later(server: ScriptedServer) -> None:
    outbox = many(server, 1)
    new: Event = event(9, deliveries={"pending": 1})
    async with running(server) as live:
        screen = await look(live)
        outbox.become(failed(9, state=DeliveryState.PENDING, last_error=None))
        await live.receives(new)
        screen.make_sure()
        await live.settle()
        live.shows("waiting 1")


# Hostile text --------------------------------------------------------------------------------


async def test_nothing_that_a_far_side_wrote_reaches_the_terminal(server: ScriptedServer) -> None:
    outbox = Outbox(
        server,
        *(
            failed(number, last_error=string, channel=string, project=string, category=string,
                   kind=string, reference=string)
            for number, string in enumerate(STRINGS, 1)
        ),
    )  # fmt: skip
    for one in outbox.deliveries.values():
        outbox.tell_of(one, *STRINGS)
    async with running(server, size=(160, 60)) as live:
        await look(live)
        assert is_harmless(live)
        for _ in STRINGS[:3]:
            await live.press("r")
            assert is_harmless(live)
            await live.press("n", "enter", "enter")
            assert is_harmless(live)
            await live.press("escape", "escape", "j")
        await live.press("space", "j", "space", "r")
        assert is_harmless(live)
        await live.press("n", "w")
        assert is_harmless(live)


# A window is replayed ------------------------------------------------------------------------


async def test_a_window_is_counted_before_it_goes_out_again(server: ScriptedServer) -> None:
    shop(server)
    server.answers["POST /deliveries/replay"] = Replayed(events=312, queued=280, made=32)
    async with running(server) as live:
        await look(live)
        await live.press("w", "backspace", "backspace")
        await live.write("2h")
        await live.press("enter", "enter", "enter")
        await live.write("hook")
        await live.press("enter", "enter")
        live.shows("312 events: 280 go out again, 32 are made", "Send 312")
        assert server.sent["POST /deliveries/replay"] == {
            "since": "2026-11-18T09:06:40Z", "until": "2026-11-18T11:06:40Z", "channel": "hook",
            "project": None, "category": None, "again": False, "dry_run": True,
        }  # fmt: skip
        await live.press("enter")  # Cancel has the focus
        assert server.asked.count("POST /deliveries/replay") == 1
