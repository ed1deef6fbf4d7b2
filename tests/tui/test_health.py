"""A server that accepts no events says so on every screen."""

from slowping.core import errors
from tests.tui.driver import ScriptedServer, running

READY = "/health/ready"


async def test_a_server_that_accepts_no_events_is_seen_and_told_of_once(
    server: ScriptedServer,
) -> None:
    server.refusing[READY] = (503, errors.Unavailable)
    async with running(server) as live:
        await live.connects()
        live.shows("✗ accepts no events")
        assert len(live.toasts()) == 1
        assert live.toasts()[0].startswith("No events are accepted")
        live.app.health.ask()
        await live.settle()
        assert len(live.toasts()) == 1
        await live.press("2")
        live.shows("✗ accepts no events")


async def test_room_again_is_seen(server: ScriptedServer) -> None:
    server.refusing[READY] = (503, errors.Unavailable)
    async with running(server) as live:
        await live.connects()
        del server.refusing[READY]
        live.app.health.ask()
        await live.settle()
        live.shows("● live")
        live.hides("accepts no events")


async def test_what_else_goes_wrong_when_it_is_asked_is_no_such_trouble(
    server: ScriptedServer,
) -> None:
    server.refusing[READY] = (404, errors.UnknownPath)
    async with running(server) as live:
        await live.connects()
        live.shows("● live")
        assert live.toasts() == []
