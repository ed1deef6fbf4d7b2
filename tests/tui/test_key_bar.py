from slowping.core import errors
from slowping.tui.widgets.detail import Detail
from slowping.tui.widgets.key_bar import KeyBar
from tests.tui.driver import ScriptedServer, event, events, running


async def test_the_keys_that_matter_here_are_shown(server: ScriptedServer) -> None:
    server.events = events(1, 3)
    async with running(server) as live:
        await live.connects()
        assert live.picture().splitlines()[-1].split() == [
            *("f", "Follow", "⏎", "Details", "/", "Filter"),
            *("r", "Retry", "c", "curl", "?", "Help"),
        ]


async def test_a_click_is_as_good_as_the_key(server: ScriptedServer) -> None:
    server.events = events(1, 3)
    async with running(server) as live:
        await live.connects()
        await live.pilot.click(KeyBar, offset=(11, 0))
        await live.settle()
        assert live.app.screen.query_one(Detail).display
        live.shows("No deliveries")


async def test_a_click_on_a_grey_key_says_why_it_is_grey(server: ScriptedServer) -> None:
    server.refusing["/keys"] = (403, errors.Forbidden)
    server.events = [event(1, deliveries={"failed": 1})]
    async with running(server) as live:
        await live.connects()
        await live.pilot.click(KeyBar, offset=(30, 0))
        await live.settle()
        assert any("may only read" in toast for toast in live.toasts())


async def test_a_dialog_shows_its_own_keys_and_not_those_below(server: ScriptedServer) -> None:
    server.events = events(1, 3)
    async with running(server) as live:
        await live.connects()
        await live.press("ctrl+e")
        assert live.picture().splitlines()[-1].split() == ["esc", "Close"]
        live.app.refresh_bindings()
        await live.press("escape")
        live.shows("f Follow")
