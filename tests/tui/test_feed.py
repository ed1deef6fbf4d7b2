from slowping.core.delivery import DeliveryState
from tests.tui.driver import ScriptedServer, delivery, event, events, running


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


async def test_an_empty_feed_says_how_to_send_the_first_event(server: ScriptedServer) -> None:
    async with running(server) as live:
        await live.connects()
        live.shows("No events yet", "curl http://server.test:7464/api/v1/events")
