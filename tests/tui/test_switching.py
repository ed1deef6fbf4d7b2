"""Looking at another project, or at another server."""

from collections.abc import Callable
from pathlib import Path

import httpx
import msgspec
import pytest

from slowping.core import errors
from slowping.core.api_key import IssuedApiKey
from slowping.core.feed import ProjectChanged
from slowping.core.page import Page
from slowping.tui.modals.choose import ChooseModal
from slowping.tui.places import PLACES
from slowping.tui.settings import Profile, Settings
from tests.tui.delivery.outbox import Outbox
from tests.tui.delivery.samples import failed
from tests.tui.driver import PROFILE, ScriptedServer, events, running
from tests.tui.things import has_keys, has_projects, key, project, value

LooksLike = Callable[[str, str], None]
OTHER = Profile(name="other.test", server="http://other.test", api_key="slp_other")


async def test_a_project_is_chosen_by_typing_and_remembered(
    server: ScriptedServer, tmp_path: Path
) -> None:
    has_projects(server, "shop", "blog", "default")
    async with running(server, settings=Settings(tmp_path)) as live:
        await live.connects()
        await live.press("p")
        live.shows("Which project?", "● All projects", "  blog", "  default", "  shop")
        await live.write("sho")
        live.hides("blog")
        await live.press("enter")
        await live.connects()
        live.shows("server.test:7464 · shop")
        assert server.queries["/feed"] == "project=shop"
        assert server.queries["/events"].startswith("project=shop")
    assert Settings(tmp_path).remembered.project == "shop"


async def test_arrows_lead_from_the_project_that_holds_to_the_others(
    server: ScriptedServer,
) -> None:
    has_projects(server, "shop", "blog", "default")
    async with running(server) as live:
        await live.connects()
        live.app.project = "default"
        await live.connects()
        await live.press("p")
        live.shows("● default", "  All projects")
        await live.press("up", "enter")
        await live.connects()
        assert live.app.project == "blog"
        await live.press("p", "up", "enter")
        await live.connects()
        assert live.app.project is None
        live.shows("all projects")


async def test_who_cancels_stays_where_they_are(server: ScriptedServer) -> None:
    has_projects(server, "shop", "blog")
    async with running(server) as live:
        await live.connects()
        await live.press("p", "escape")
        assert live.app.project is None
        assert server.lines == 1


async def test_a_key_that_sees_one_project_is_told_so(server: ScriptedServer) -> None:
    has_projects(server, "shop")
    async with running(server) as live:
        await live.connects()
        await live.press("p")
        assert not isinstance(live.app.screen, ChooseModal)
        assert "'shop' is the only project that this API key may see." in live.toasts()


async def test_projects_that_cannot_be_listed_are_told_of(server: ScriptedServer) -> None:
    server.refusing["/projects"] = (503, errors.Unavailable)
    async with running(server) as live:
        await live.connects()
        await live.press("p")
        assert not isinstance(live.app.screen, ChooseModal)
        assert any("Listing the projects failed" in toast for toast in live.toasts())


@pytest.mark.parametrize(
    ("status", "condition"), [(404, errors.NotFound), (403, errors.ForeignProject)]
)
async def test_a_remembered_project_that_is_gone_leads_to_all_of_them(
    server: ScriptedServer, status: int, condition: type[errors.SlowpingError]
) -> None:
    settings = Settings()
    settings.change(lambda kept: kept.changed(project="gone"))
    server.events = events(1, 2)
    server.refusing["/feed"] = (status, condition)
    server.gate.clear()
    async with running(server, settings=settings) as live:
        server.gate.set()
        while settings.remembered.project:
            await live.pilot.pause()
        del server.refusing["/feed"]
        await live.pilot.pause()
        assert any("Back to all projects from 'gone'" in toast for toast in live.toasts())
        await live.press("ctrl+r")
        await live.connects()
        live.shows("● live", "all projects", "event 2")
        assert settings.remembered.project is None


async def test_a_project_that_is_removed_leads_to_all_of_them(server: ScriptedServer) -> None:
    async with running(server) as live:
        live.app.project = "shop"
        await live.connects()
        await live.receives(ProjectChanged(id="prj_shop", project=None))
        await live.connects()
        live.shows("all projects")
        assert any("it was removed" in toast for toast in live.toasts())


async def test_a_project_that_is_renamed_is_gone_along_with(server: ScriptedServer) -> None:
    async with running(server) as live:
        live.app.project = "shop"
        await live.connects()
        renamed = project("store")
        await live.receives(ProjectChanged(id="prj_shop", project=renamed))
        await live.connects()
        live.shows("· store")
        assert server.queries["/feed"] == "project=store"


async def test_the_palette_finds_a_project(server: ScriptedServer) -> None:
    has_projects(server, "shop", "blog")
    server.answers["GET /channels"] = Page(items=())
    async with running(server) as live:
        await live.connects()
        await live.press("colon")
        await live.write("project blog")
        await live.comes_to_show("Look at the project blog")
        await live.press("down", "enter")
        await live.connects()
        live.shows("server.test:7464 · blog")


async def test_another_server_starts_with_all_of_its_projects(server: ScriptedServer) -> None:
    settings = Settings()
    settings.change(lambda kept: kept.with_profile(OTHER).with_profile(PROFILE))
    async with running(server, settings=settings) as live:
        live.app.project = "shop"
        await live.connects()
        await live.press("colon")
        await live.write("other.test")
        await live.comes_to_show("Switch to other.test")
        live.hides("Forget")
        await live.press("down", "enter")
        await live.connects()
        live.shows("other.test · all projects")
        assert settings.remembered.profile == "other.test"


async def test_a_server_is_forgotten_once_that_is_confirmed(server: ScriptedServer) -> None:
    settings = Settings()
    settings.change(lambda kept: kept.with_profile(OTHER).with_profile(PROFILE))
    async with running(server, settings=settings) as live:
        await live.connects()
        for answer in ("escape", "y"):
            await live.press("colon")
            await live.write("forget other")
            await live.comes_to_show("Forget other.test")
            await live.press("down", "enter")
            live.shows("Forget other.test?")
            await live.press(answer)
            kept = {"escape": (OTHER, PROFILE), "y": (PROFILE,)}[answer]
            assert settings.remembered.profiles == kept
        assert "Forgot other.test." in live.toasts()


async def test_the_server_that_is_looked_at_is_not_offered_to_be_forgotten(
    server: ScriptedServer,
) -> None:
    settings = Settings()
    settings.change(lambda kept: kept.with_profile(PROFILE))
    async with running(server, settings=settings) as live:
        await live.connects()
        await live.press("colon")
        await live.write("forget")
        live.hides("Forget test")


async def test_every_place_that_was_opened_is_loaded_anew(server: ScriptedServer) -> None:
    has_projects(server, "shop", "blog")
    async with running(server, size=(120, 30)) as live:
        await live.connects()
        for place in PLACES:
            await live.press(place.key)
        loading = {asked for asked in server.asked if asked != "GET /feed"}
        server.asked.clear()
        live.app.project = "shop"
        await live.connects()
        assert loading <= set(server.asked)


@pytest.mark.parametrize("size", {"60x18": (60, 18), "160x45": (160, 45)}.items())
async def test_choosing(
    server: ScriptedServer, looks_like: LooksLike, size: tuple[str, tuple[int, int]]
) -> None:
    has_projects(server, *(f"project-{number}" for number in range(14)), "a[b]\x1b]0;x")
    async with running(server, size=size[1]) as live:
        await live.connects()
        await live.press("p")
        looks_like(live.picture(), f"choose-project-{size[0]}")


async def test_what_is_under_way_goes_on_while_all_is_loaded_again(
    server: ScriptedServer,
) -> None:
    async with running(server) as live:
        await live.connects()
        before = live.app.client
        await live.press("ctrl+r")
        await live.connects()
        assert live.app.client is before


async def test_the_client_of_another_server_is_let_go(server: ScriptedServer) -> None:
    async with running(server) as live:
        await live.connects()
        before = live.app.client
        live.app.use(OTHER)
        await live.connects()
        assert live.app.client is not before
        with pytest.raises(errors.Unreachable, match="was closed"):
            await before.list_projects()


async def test_keys_that_are_pressed_quickly_find_the_client_there(server: ScriptedServer) -> None:
    has_projects(server, "shop", "blog")
    async with running(server) as live:
        await live.connects()
        server.gate.clear()
        await live.pilot.press("p", "p")
        live.app.use(OTHER)
        live.app.use(PROFILE)
        await live.pilot.press("p", "p")
        server.gate.set()
        await live.connects()
        live.shows("Which project?")
        assert not [toast for toast in live.toasts() if "closed" in toast]


async def test_a_client_is_let_go_once_an_act_that_was_begun_with_it_has_ended(
    server: ScriptedServer,
) -> None:
    has_projects(server, "shop")
    has_keys(server, key(1, name="sender"))
    rotated = IssuedApiKey(api_key=key(7, name="sender"), value=value(7))
    server.answers[f"POST /keys/{rotated.api_key.id}/rotate"] = rotated
    server.answers[f"POST /keys/{key(1).id}/rotate"] = rotated
    async with running(server) as live:
        await live.connects()
        await live.press("6", "R")
        server.gate.clear()
        await live.pilot.press("enter")
        before = live.app.client
        live.app.use(OTHER)
        while live.app.client is before:
            await live.pilot.pause()
        closing = [each for each in live.app.workers if each.group == "closing"]
        assert [each.is_finished for each in closing] == [False]
        server.gate.set()
        await live.connects()
        live.shows(value(7))
        await live.press("escape", "y")
        with pytest.raises(errors.Unreachable, match="was closed"):
            await before.list_projects()


async def test_a_retry_of_many_ends_at_the_server_where_it_was_begun(
    server: ScriptedServer,
) -> None:
    outbox = Outbox(server, *(failed(number) for number in range(1, 1_201)))
    retried = server.answers["POST /deliveries/retry"]
    hosts: list[str] = []

    def retry(request: httpx.Request) -> msgspec.Struct | httpx.Response:
        hosts.append(request.url.host)
        assert callable(retried)
        return retried(request)

    server.answers["POST /deliveries/retry"] = retry
    async with running(server) as live:
        await live.connects()
        await live.press("2", "R")
        server.gate.clear()
        await live.pilot.press("y")
        before = live.app.client
        live.app.use(OTHER)
        while live.app.client is before:
            await live.pilot.pause()
        server.gate.set()
        await live.connects()
        assert hosts == ["server.test"] * 3
        assert len(outbox.moves) == 3
        assert "Retried 1,200: 1,200 on the way" in live.toasts()
        with pytest.raises(errors.Unreachable, match="was closed"):
            await before.list_projects()


async def test_what_the_server_has_trimmed_is_said_once(server: ScriptedServer) -> None:
    has_projects(server, "shop")
    async with running(server) as live:
        await live.connects()
        await live.loses_the_line()
        await live.tries_again(reset=True)
        assert [toast for toast in live.toasts() if "missed" in toast]
        live.app.clear_notifications()
        await live.press(*(place.key for place in PLACES))
        assert not [toast for toast in live.toasts() if "missed" in toast]
