import json
import shlex
from pathlib import Path

import pytest

from slowping.core import errors, ids
from slowping.core.delivery import (
    AttemptOutcome,
    Delivery,
    DeliveryDetail,
    DeliveryState,
    Moved,
)
from slowping.core.feed import CategoryChanged
from slowping.core.page import Page
from slowping.tui.feed.place import FeedPlace
from slowping.tui.feed.rows import Rows
from slowping.tui.settings import Settings
from slowping.tui.widgets.feed_view import FeedView
from tests.tui.delivery.outbox import Outbox
from tests.tui.driver import (
    ScriptedServer,
    attempt,
    category,
    delivery,
    event,
    events,
    running,
)


async def test_the_last_page_is_shown_and_what_comes_follows(server: ScriptedServer) -> None:
    server.events = events(1, 40)
    async with running(server) as live:
        await live.connects()
        live.shows("event 40", "following", "live")
        await live.receives(*events(41, 43))
        live.shows("event 43")
        assert len(live.feed.rows) == 43


async def test_a_step_up_holds_the_feed(server: ScriptedServer) -> None:
    server.events = events(1, 100)
    async with running(server) as live:
        await live.connects()
        await live.press("k", "k")
        before = live.picture().splitlines()[2:-1]
        await live.receives(*events(101, 120))
        live.shows("held", "20 new")
        assert _said(live.picture().splitlines()[2:-1]) == _said(before)
        await live.press("G")
        live.shows("following", "event 120")


def _said(lines: list[str]) -> list[str]:
    """The lines without the scroll bar at their end."""
    return [line[:76].rstrip() for line in lines]


async def test_deliveries_are_shown_as_they_move(server: ScriptedServer) -> None:
    async with running(server) as live:
        await live.connects()
        await live.receives(event(1, deliveries={"pending": 3}))
        live.shows("0/3 ⟳")
        await live.receives(delivery(1, 1, DeliveryState.DELIVERED))
        live.shows("1/3 ⟳")
        await live.receives(
            delivery(2, 1, DeliveryState.DELIVERED), delivery(3, 1, DeliveryState.DELIVERED)
        )
        live.shows("3/3")


def failed_sale(server: ScriptedServer) -> None:
    """An event with two deliveries, one of which has failed."""
    server.events = [event(1, deliveries={"failed": 1, "delivered": 1})]
    failed = delivery(1, 1, DeliveryState.FAILED)
    server.answers["GET /deliveries"] = Page(items=(failed,))
    server.answers["POST /deliveries/retry"] = Moved(moved=1)


async def test_what_failed_of_an_event_goes_out_again(server: ScriptedServer) -> None:
    failed_sale(server)
    async with running(server) as live:
        await live.connects()
        await live.press("r")
        assert "state=failed" in server.queries["/deliveries"]
        assert server.sent["POST /deliveries/retry"]["ids"] == [ids.encode(ids.DELIVERY, 1)]
        assert "1 of 1 go out again." in live.toasts()


async def test_an_event_of_which_nothing_failed_is_not_retried(server: ScriptedServer) -> None:
    server.events = [event(1, deliveries={"delivered": 2})]
    async with running(server) as live:
        await live.connects()
        await live.press("r")
        assert any("no delivery of this event has failed" in toast for toast in live.toasts())
        assert "POST /deliveries/retry" not in server.asked


async def test_the_delivery_that_failed_is_gone_to_and_one_can_go_back(
    server: ScriptedServer,
) -> None:
    delivered = delivery(1, 7, DeliveryState.DELIVERED, channel="hook")
    failed = delivery(2, 7, DeliveryState.FAILED, channel="mail", last_error="no such box")
    Outbox(server, delivered, failed, delivery(3, 8, DeliveryState.FAILED))
    server.events = [event(7, deliveries={"failed": 1, "delivered": 1})]
    async with running(server) as live:
        await live.connects()
        await live.press("o")
        live.shows("failed ▸ mail ▸ no such box", "✗ failed", "to mail (webhook)")
        await live.press("o")
        live.shows("event 7", "evt_0000000000007")


async def test_where_none_failed_the_first_delivery_is_gone_to(server: ScriptedServer) -> None:
    first, second = (delivery(number, 7, DeliveryState.DELIVERED) for number in (1, 2))
    Outbox(server, first, second)
    server.events = [event(7, deliveries={"delivered": 2})]
    async with running(server) as live:
        await live.connects()
        await live.press("o")
        live.shows("delivered ▸ channel-1", "to channel-1 (webhook)")


async def test_an_event_that_is_sent_nowhere_has_no_delivery_to_go_to(
    server: ScriptedServer,
) -> None:
    server.events = events(1, 1)
    async with running(server) as live:
        await live.connects()
        await live.press("o")
        assert live.toasts() == ["Go to its deliveries: this event has no deliveries."]


async def test_a_description_is_drawn_as_markdown_where_one_wants_it(
    server: ScriptedServer, tmp_path: Path
) -> None:
    server.events = [event(1, description="# Weekly\n\n- first\n- **second** [x](http://y)")]
    async with running(server, size=(120, 24), settings=Settings(tmp_path)) as live:
        await live.connects()
        await live.press("enter")
        live.shows("- **second** [x](http://y)")
        await live.press("m")
        live.shows("• first", "• second x")
    assert Settings(tmp_path).remembered.markdown
    async with running(server, size=(120, 24), settings=Settings(tmp_path)) as live:
        await live.connects()
        await live.press("enter")
        live.shows("• second x")
        await live.press("m")
        live.hides("• second x")


async def test_compact_leaves_every_line_to_rows(server: ScriptedServer, tmp_path: Path) -> None:
    server.events = events(1, 100)
    async with running(server, settings=Settings(tmp_path)) as live:
        await live.connects()
        live.shows("Filter", "Everything")
        rows = live.feed.size.height
        await live.press("z")
        live.hides("Filter", "Everything")
        assert live.feed.size.height == rows + 2
        await live.press("slash")
        await live.write("event")
        await live.press("enter")
        live.shows("event", "following")
        await live.press("escape")
        assert live.feed.size.height == rows + 2
    assert Settings(tmp_path).remembered.compact


async def test_an_empty_feed_says_how_to_send_the_first_event(server: ScriptedServer) -> None:
    async with running(server) as live:
        await live.connects()
        live.shows("No events yet", "curl http://server.test:7464/slowping/v1/events")
        live.shows("4 then c", "slowping send sale -d 'The first of many'")


async def test_filtering_works_as_one_types_also_while_held(server: ScriptedServer) -> None:
    server.events = [event(n, category="bug" if n % 5 == 0 else "sale") for n in range(1, 41)]
    async with running(server) as live:
        await live.connects()
        await live.press("k", "slash")
        await live.write("category:bug")
        live.shows("event 40", "event 5")
        live.hides("event 39")
        await live.receives(event(41, category="sale"), event(42, category="bug"))
        live.shows("1 new", "event 42")
        await live.press("enter")
        live.shows("category:bug")
        await live.press("exclamation_mark")
        live.shows("not category:bug")
        assert {row.event.category for row in live.feed.rows.shown} == {"sale"}
        await live.press("escape")
        live.shows("Everything")
        assert len(live.feed.rows.shown) == 42


async def test_a_filter_that_matches_nothing_says_so(server: ScriptedServer) -> None:
    server.events = events(1, 3)
    async with running(server) as live:
        await live.connects()
        await live.press("slash")
        await live.write("zebra")
        live.shows("No event matches the filter.", "esc clears it")


async def test_a_filter_is_remembered(server: ScriptedServer, tmp_path: Path) -> None:
    server.events = [event(1, category="bug"), event(2, category="sale")]
    async with running(server, settings=Settings(tmp_path, None)) as live:
        await live.connects()
        await live.press("slash")
        await live.write("category:bug")
        await live.press("enter")
    async with running(server, settings=Settings(tmp_path, None)) as live:
        await live.connects()
        live.shows("category:bug", "event 1")
        live.hides("event 2")


async def test_keys_that_are_typed_ahead_end_up_where_they_should(server: ScriptedServer) -> None:
    server.events = events(1, 12)
    async with running(server) as live:
        await live.connects()
        await live.press(*"/", *"11", "enter", "exclamation_mark")
        live.shows("not 11", "event 12")
        live.hides("event 11")


async def test_a_hold_before_the_first_events_are_loaded_leaves_a_row_to_act_on(
    server: ScriptedServer,
) -> None:
    server.events = events(1, 12)
    async with running(server) as live:
        await live.press("g")
        live.shows("held")
        await live.connects()
        live.shows("> ", "event 12")
        live.hides("12 new")
        await live.press("enter")
        live.shows(event(12).id)


async def test_what_is_new_is_counted_on_through_a_reconnect(server: ScriptedServer) -> None:
    server.events = events(1, 10)
    async with running(server) as live:
        await live.connects()
        await live.press("k")
        await live.receives(*events(11, 13))
        live.shows("3 new")
        await live.loses_the_line()
        server.events = events(1, 15)
        await live.tries_again(reset=True)
        live.shows("held · 5 new")
        await live.press("slash")
        await live.write("14")
        live.shows("1 new")
        await live.press("escape", "G")
        live.shows("following", "event 15")


async def test_a_filter_of_several_words_is_turned_round_as_one(server: ScriptedServer) -> None:
    server.events = [*events(1, 2), event(3, category="bug"), event(4, category="bug")]
    async with running(server) as live:
        await live.connects()
        await live.press("slash")
        await live.write("bug 4")
        await live.press("enter", "exclamation_mark")
        live.shows("not (bug 4)", "event 3", "event 2")
        live.hides("event 4")


async def test_an_inversion_without_a_filter_is_answered(server: ScriptedServer) -> None:
    async with running(server) as live:
        await live.connects()
        await live.press("exclamation_mark")
        assert any("/ sets one" in toast for toast in live.toasts())


async def test_nothing_moves_under_the_eye_when_the_ring_turns_over(
    server: ScriptedServer,
) -> None:
    async with running(server) as live:
        live.feed.rows = Rows(capacity=50)
        server.events = events(1, 50)
        await live.connects()
        await live.press("g", "j")
        before = _said(live.picture().splitlines()[2:-1])
        for first in range(51, 251, 20):
            await live.receives(*events(first, first + 19))
        assert _said(live.picture().splitlines()[2:-1]) == before
        live.shows("50 new")
        server.events = events(150, 250)
        await live.press("f")
        live.shows("event 249", "following")
        assert any("loaded anew" in toast for toast in live.toasts())


async def test_j_from_the_last_row_follows(server: ScriptedServer) -> None:
    server.events = events(1, 5)
    async with running(server) as live:
        await live.connects()
        await live.press("k", "j")
        live.shows("held")
        await live.press("j")
        live.shows("following")


async def test_the_mouse_holds_and_selects(server: ScriptedServer) -> None:
    server.events = events(1, 60)
    async with running(server) as live:
        await live.connects()
        await live.pilot.click(FeedView, offset=(20, 3))
        await live.settle()
        assert live.feed.current is not None
        assert live.feed.current.event.description == "event 43"
        live.shows("held")


async def test_details_show_every_attempt(server: ScriptedServer) -> None:
    server.events = [
        event(1, category="sale", description="Two lines\nof text", fields={"amount": 49.0},
              source="Checkout", deliveries={"failed": 1}),
    ]  # fmt: skip
    server.deliveries = {
        event(1).id: (
            DeliveryDetail(
                delivery=delivery(1, 1, DeliveryState.FAILED, last_error="HTTP 410"),
                attempts=(
                    attempt(1, AttemptOutcome.RETRY, 503, "HTTP 503", "busy now"),
                    attempt(2, AttemptOutcome.UNUSABLE, 410, "HTTP 410", "gone for good"),
                ),
            ),
        )
    }
    async with running(server, size=(120, 40)) as live:
        await live.connects()
        await live.press("enter")
        live.shows(
            "Two lines", "of text", "amount  49", "Checkout", "✗ failed  channel-1 (webhook)"
        )
        live.shows("1. 2026-11-18 11:06:40  failed 503  120 ms", "busy now")
        live.shows("2. 2026-11-18 11:06:40  unusable 410", "gone for good")
        await live.press("escape")
        live.hides("Two lines of text\n")
        assert live.has_focus(FeedView)


async def test_details_follow_the_cursor_and_the_deliveries(server: ScriptedServer) -> None:
    server.events = events(1, 3, deliveries={"pending": 1})
    async with running(server, size=(120, 40)) as live:
        await live.connects()
        await live.press("enter", "k")
        live.shows(event(2).id)
        detail = DeliveryDetail(delivery=delivery(9, 2, DeliveryState.DELIVERED), attempts=())
        server.deliveries = {event(2).id: (detail,)}
        await live.receives(detail.delivery)
        live.shows("✓ delivered  channel-9")


async def test_a_detail_that_cannot_be_loaded_is_told(server: ScriptedServer) -> None:
    server.events = events(1, 1)
    server.refusing[f"/events/{event(1).id}"] = (404, errors.NotFound)
    async with running(server) as live:
        await live.connects()
        await live.press("enter")
        [toast] = live.toasts()
        assert "Loading the details failed" in toast
        assert "ctrl+r" in toast


async def test_a_retry_of_an_old_event_is_asked_for(server: ScriptedServer) -> None:
    server.events = [event(1, deliveries={"failed": 1, "delivered": 1})]
    known = (delivery(1, 1, DeliveryState.DELIVERED), delivery(2, 1, DeliveryState.DELIVERED))
    server.deliveries = {
        event(1).id: tuple(DeliveryDetail(delivery=each, attempts=()) for each in known)
    }
    async with running(server) as live:
        await live.connects()
        live.shows("1/2 ✗")
        await live.receives(known[0])
        live.shows("2/2")


@pytest.mark.parametrize(("in_a_batch", "asks"), [(4, "GET /deliveries"), (20, "GET /events")])
async def test_many_old_events_that_move_are_asked_for_now_and_then(
    server: ScriptedServer, in_a_batch: int, asks: str
) -> None:
    server.events = events(1, 100, deliveries={"failed": 2})

    def batch(number: int) -> list[Delivery]:
        first = 1 + number * in_a_batch
        of = range(first, first + in_a_batch)
        return [delivery(1_000 + each, each, DeliveryState.PENDING) for each in of]

    async with running(server) as live:
        await live.connects()
        server.asked.clear()
        await live.receives(*batch(0))
        at_first = server.asked.count(asks)
        assert at_first
        await live.receives(*batch(1))
        await live.receives(*batch(1))
        assert server.asked.count(asks) == at_first
        feed = live.app.screen
        assert isinstance(feed, FeedPlace)
        feed.make_sure()
        await live.settle()
        assert server.asked.count(asks) == 2 * at_first
        feed.make_sure()
        await live.settle()
        assert server.asked.count(asks) == 2 * at_first


async def test_what_moves_while_nobody_looks_is_asked_for_on_return(
    server: ScriptedServer,
) -> None:
    Outbox(server)
    server.events = [event(1, deliveries={"failed": 2})]
    async with running(server) as live:
        await live.connects()
        await live.press("2")
        server.every_query.clear()
        await live.receives(delivery(2, 1, DeliveryState.PENDING))
        assert not [asked for asked in server.every_query if event(1).id in asked]
        await live.press("1")
        assert [asked for asked in server.every_query if event(1).id in asked]


async def test_a_retry_that_is_asked_for_twice_is_sent_once(server: ScriptedServer) -> None:
    server.events = [event(1, deliveries={"failed": 1})]
    server.answers["POST /deliveries/retry"] = Moved(moved=1)
    async with running(server) as live:
        await live.connects()
        server.gate.clear()
        await live.press("r", "r")
        server.gate.set()
        await live.settle()
        assert server.asked.count("POST /deliveries/retry") == 1
        assert "Retry what failed: wait until this has ended: Retry what failed." in live.toasts()


async def test_what_is_copied_is_said_to_be_sent_not_copied(server: ScriptedServer) -> None:
    server.events = [event(1, fields={"quote": "it's \x1b[31m"})]
    async with running(server) as live:
        await live.connects()
        await live.press("y")
        assert json.loads(live.app.clipboard)["fields"] == {"quote": "it's \x1b[31m"}
        assert live.app.clipboard.isascii()
        await live.press("c")
        line = shlex.split(live.app.clipboard)
        assert line[:2] == ["curl", "http://server.test:7464/slowping/v1/events"]
        assert json.loads(line[-1]) == {
            "category": "sale", "project": "shop", "description": "event 1",
            "fields": {"quote": "it's \x1b[31m"},
        }  # fmt: skip
        assert live.app.clipboard.isprintable()
        assert all("was sent to your terminal's clipboard" in toast for toast in live.toasts())


async def test_keys_without_an_event_say_what_is_missing(server: ScriptedServer) -> None:
    async with running(server) as live:
        await live.connects()
        await live.press("y")
        assert live.toasts() == ["Copy as JSON: nothing is selected."]


async def test_times_of_day_are_shown_and_remembered(
    server: ScriptedServer, tmp_path: Path
) -> None:
    server.events = events(1, 2)
    async with running(server, settings=Settings(tmp_path, None)) as live:
        await live.connects()
        live.shows(" 59s ")
        await live.press("t")
        live.shows("11:05:40")
    assert Settings(tmp_path, None).remembered.absolute_times


async def test_categories_are_shown_with_emoji_and_change_at_once(server: ScriptedServer) -> None:
    server.categories = [category("sale", "💰", 0x2ECC71)]
    server.events = events(1, 2)
    async with running(server) as live:
        await live.connects()
        live.shows("💰 sale")
        await live.receives(CategoryChanged(id="cat_sale", category=category("sale", "🪙")))
        live.shows("🪙 sale")


@pytest.mark.parametrize(
    ("width", "said"), [(80, "desk/sale  "), (120, "sale               desk ")]
)
async def test_a_category_that_several_projects_have_is_told_with_its_project(
    server: ScriptedServer, width: int, said: str
) -> None:
    server.events = [event(1, project="desk"), event(2, category="bug")]
    server.categories = [
        category("sale"), category("sale", id="cat_2", project="desk"), category("bug"),
    ]  # fmt: skip
    async with running(server, size=(width, 24)) as live:
        await live.connects()
        live.shows(said, " bug ")
        live.hides("shop/bug")


async def test_the_list_of_another_project_is_loaded(server: ScriptedServer) -> None:
    server.events = events(1, 2)
    async with running(server, size=(120, 24)) as live:
        await live.connects()
        live.shows("all projects", "shop")
        live.app.project = "shop"
        await live.connects()
        live.shows("· shop")
        assert "project=shop" in str(server.queries["/events"])


async def test_chosen_categories_ring_the_bell(server: ScriptedServer, tmp_path: Path) -> None:
    (tmp_path / "tui.toml").write_text('bell = ["bug"]\n')
    async with running(server, settings=Settings(None, tmp_path)) as live:
        await live.connects()
        rung: list[int] = []
        live.app.bell = lambda: rung.append(1)  # type: ignore[method-assign]
        await live.receives(event(1, category="sale"))
        assert rung == []
        await live.receives(event(2, category="bug"))
        assert rung == [1]
