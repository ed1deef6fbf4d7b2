from collections.abc import Mapping

import pytest

from slowping.core.page import Page
from slowping.tui.feed import older
from slowping.tui.sifting.query import Query
from tests.tui.driver import ScriptedServer, category, event, events, running

CATEGORIES = ("Sale", "sale-eu", "bug")


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("refund", {"text": '"refund"*'}),
        ("refund anna", {"text": '"refund"* "anna"*'}),
        ('"out of stock"', {"text": '"out of stock"*'}),
        (r"say\"hi", {"text": '"say hi"*'}),
        ("refund category:bug", {"text": '"refund"*', "category": "bug"}),
        ("category:b", {"category": "bug"}),
        ("category:=sale", {"category": "Sale"}),
        ("refund category:sale", {"text": '"refund"*'}),
        ("refund state:failed project:shop", {"text": '"refund"*'}),
    ],
)
def test_as_much_of_a_filter_is_asked_as_a_server_knows(
    typed: str, asked: Mapping[str, str]
) -> None:
    query = Query.read(typed)
    assert older.why_not(query, CATEGORIES) is None
    assert older.asked(query, CATEGORIES) == asked


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        (Query.read("refund", inverted=True), "turned round"),
        (Query.read("state:failed"), "Only words and whole categories"),
        (Query.read("category:sale"), "Only words and whole categories"),
        (Query.read("->"), "Only words and whole categories"),
    ],
)
def test_what_cannot_be_asked_for_is_not(query: Query, reason: str) -> None:
    assert reason in (older.why_not(query, CATEGORIES) or "")


async def test_older_events_are_found_on_the_server(server: ScriptedServer) -> None:
    server.events = events(10, 12)
    server.categories = [category("sale")]
    async with running(server) as live:
        await live.connects()
        await live.press("/", *"refund", "enter")
        live.shows("No event matches the filter.", "s asks the server")
        found = (event(3, description="refund 3"), event(2, description="refund 2"))
        server.answers["GET /events"] = Page(items=found)
        await live.press("s")
        live.shows("refund 2", "refund 3", "held")
        assert "text=%22refund%22%2A" in server.queries["/events"]
        assert "2 older found on the server." in live.toasts()
        await live.press("s")
        assert "No older found on the server." in live.toasts()


async def test_where_there_is_more_than_a_page_that_is_said(server: ScriptedServer) -> None:
    async with running(server) as live:
        await live.connects()
        await live.press("/", *"refund", "enter")
        server.answers["GET /events"] = Page(items=(event(3, description="refund"),), cursor="c")
        await live.press("s")
        assert any("These are the newest" in toast for toast in live.toasts())


async def test_without_a_filter_it_is_typed_first(server: ScriptedServer) -> None:
    async with running(server) as live:
        await live.connects()
        before = list(server.asked)
        await live.press("s")
        assert older.NO_FILTER in live.toasts()
        assert server.asked == before
        await live.press(*"refund", "enter", "s")
        assert "text=%22refund%22%2A" in server.queries["/events"]


async def test_what_was_found_stays_in_its_place_while_more_comes_in(
    server: ScriptedServer,
) -> None:
    server.events = events(10, 12, description="refund now")
    async with running(server) as live:
        await live.connects()
        await live.press("/", *"refund", "enter")
        server.answers["GET /events"] = Page(items=(event(3, description="refund then"),))
        await live.press("s")
        await live.receives(event(13, description="refund later"))
        shown = [row.event.description for row in live.feed.rows.shown]
        assert shown == ["refund then", *["refund now"] * 3, "refund later"]
