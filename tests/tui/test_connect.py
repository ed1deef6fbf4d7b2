from pathlib import Path

import msgspec

from slowping.core import errors
from slowping.tui.modals.connect import ConnectModal
from slowping.tui.settings import Settings
from tests.tui.driver import PROFILE, ScriptedServer, events, running


async def test_a_newcomer_is_asked_and_what_works_is_remembered(
    server: ScriptedServer, tmp_path: Path
) -> None:
    server.events = events(1, 3)
    settings = Settings(tmp_path, None)
    async with running(server, profile=None, settings=settings) as live:
        live.shows("Which server?")
        await live.write("slp_key")
        await live.press("enter")
        await live.connects()
        live.shows("event 3", "127.0.0.1:7464")
    remembered = Settings(tmp_path, None).remembered.current()
    assert remembered is not None
    assert (remembered.server, remembered.api_key) == ("http://127.0.0.1:7464", "slp_key")


async def test_a_key_that_is_refused_is_not_remembered(
    server: ScriptedServer, tmp_path: Path
) -> None:
    server.refusing["/events"] = (401, errors.UnknownApiKey)
    settings = Settings(tmp_path, None)
    async with running(server, profile=None, settings=settings) as live:
        await live.write("slp_wrong")
        await live.press("enter")
        live.shows("This API key is unknown", "Which server?")
        await live.press("x")
        live.hides("This API key is unknown")
    assert settings.remembered.profiles == ()


async def test_without_a_key_nothing_is_asked_of_the_server(server: ScriptedServer) -> None:
    async with running(server, profile=None) as live:
        await live.press("enter")
        live.shows("The API key is empty.")
        assert server.asked == []


async def test_another_key_leaves_the_data_folder_of_the_server_as_it_is(
    server: ScriptedServer, tmp_path: Path
) -> None:
    profile, settings = msgspec.structs.replace(PROFILE, data="/data"), Settings(tmp_path, None)
    async with running(server, profile=profile, settings=settings) as live:
        await live.connects()
        await live.press("ctrl+o", "tab")
        await live.write("slp_other")
        await live.press("enter")
    remembered = Settings(tmp_path, None).remembered.current()
    assert remembered is not None
    assert (remembered.api_key, remembered.data) == ("slp_other", "/data")


async def test_the_key_is_never_shown(server: ScriptedServer) -> None:
    async with running(server, profile=None) as live:
        await live.write("slp_secret")
        live.hides("slp_secret")


async def test_who_cancels_at_the_start_leaves(server: ScriptedServer) -> None:
    async with running(server, profile=None) as live:
        await live.press("escape")
        assert not live.app.is_running


async def test_who_cancels_later_stays(server: ScriptedServer) -> None:
    async with running(server) as live:
        await live.press("ctrl+o")
        assert isinstance(live.app.screen, ConnectModal)
        live.shows("http://server.test:7464")
        await live.press("escape")
        live.shows("server.test:7464 · all projects")
