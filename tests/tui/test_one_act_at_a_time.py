"""Keys that are pressed while an act is under way: nothing is lost, and nothing is done twice."""

import httpx
import msgspec

from slowping.core.api_key import IssuedApiKey
from slowping.core.category import Category
from slowping.core.channel import Channel, ChannelTest
from slowping.core.page import Page
from slowping.tui.modals.key_reveal import KeyRevealModal
from slowping.tui.place_screen import PlaceScreen
from slowping.tui.settings import Profile
from tests.tui.channels import channel, overview, real_kinds
from tests.tui.driver import Driver, ScriptedServer, category, moment, running
from tests.tui.things import has_keys, has_projects, key, project, value

SENDER, OTHER = key(1, name="shop server"), key(2, name="support desk")
OWN = Profile(name="test", server="http://server.test:7464", api_key=value(1))
OPS, ALERTS = (channel(name, paused_at=moment(-60)) for name in ("ops", "alerts"))


def has_channels(server: ScriptedServer, *channels: Channel) -> None:
    server.answers["GET /channels"] = Page(items=channels)
    server.answers["GET /channel-kinds"] = Page(items=real_kinds())
    server.answers["GET /overview"] = overview()


async def goes_to(live: Driver, name: str) -> None:
    assert isinstance(live.app.screen, PlaceScreen)
    live.app.screen.jump(name)
    await live.settle()


async def answers_now(live: Driver) -> None:
    live.server.gate.set()
    await live.settle()


async def test_a_new_key_is_shown_whatever_is_pressed_before_it_is_there(
    server: ScriptedServer,
) -> None:
    has_projects(server, "shop")
    has_keys(server, SENDER, OTHER)
    rotate = f"POST /keys/{SENDER.id}/rotate"
    server.answers[rotate] = IssuedApiKey(api_key=key(7, name="shop server"), value=value(7))
    async with running(server) as live:
        await live.connects()
        await live.press("6")
        await goes_to(live, "shop server")
        await live.press("R")
        server.gate.clear()
        await live.press("enter", "n", "R", "down", "R", "d")
        assert live.toasts()[-1] == "Revoke the key: wait until this has ended: Rotate the key."
        await answers_now(live)
        assert isinstance(live.app.screen, KeyRevealModal)
        live.app.clear_notifications()
        await live.settle()
        live.shows(value(7)[:40])
        assert [asked for asked in server.asked if "rotate" in asked] == [rotate]


async def test_a_new_key_is_shown_to_who_has_gone_to_another_place(
    server: ScriptedServer,
) -> None:
    has_projects(server, "shop")
    has_keys(server, SENDER)
    rotated = IssuedApiKey(api_key=key(7, name="shop server"), value=value(7))
    server.answers[f"POST /keys/{SENDER.id}/rotate"] = rotated
    async with running(server) as live:
        await live.connects()
        await live.press("6", "R")
        server.gate.clear()
        await live.press("enter", "1")
        await answers_now(live)
        live.shows(value(7))


async def test_a_new_key_is_used_only_where_the_old_one_was(server: ScriptedServer) -> None:
    has_projects(server, "shop")
    own = key(1, name="laptop", scopes=["admin"])
    has_keys(server, own)
    rotated = IssuedApiKey(api_key=key(7, name="laptop"), value=value(7))
    server.answers[f"POST /keys/{own.id}/rotate"] = rotated
    elsewhere = Profile(name="other", server="http://other.test:7464", api_key="slp_other")
    async with running(server, profile=OWN) as live:
        await live.connects()
        await live.press("6", "R")
        server.gate.clear()
        await live.press("enter")
        live.app.use(elsewhere)
        await answers_now(live)
        live.shows(value(7))
        assert live.app.profile == elsewhere


async def test_quick_start_is_pressed_twice_and_adds_three(server: ScriptedServer) -> None:
    def create(request: httpx.Request) -> Category:
        return category(msgspec.json.decode(request.content)["name"])

    has_projects(server, "default")
    server.answers["POST /categories"] = create
    server.answers["GET /overview"] = overview()
    async with running(server) as live:
        await live.connects()
        await live.press("4")
        server.gate.clear()
        await live.press("a", "a", "n")
        waits = "wait until this has ended: Add bug, sale and question."
        assert live.toasts()[-1] == f"New category: {waits}"
        await answers_now(live)
        assert live.toasts()[-1] == "Added bug, sale, question in shop."
        assert server.asked.count("POST /categories") == 3


async def test_a_form_that_is_asked_for_twice_opens_once(server: ScriptedServer) -> None:
    has_projects(server, "shop")
    async with running(server) as live:
        await live.connects()
        await live.press("7")
        await live.pilot.press("n", "n", "n")
        await live.settle()
        assert len(live.app.screen_stack) == 2


async def test_a_project_that_is_being_removed_is_removed_whatever_is_pressed(
    server: ScriptedServer,
) -> None:
    server.answers["GET /projects"] = Page(items=(project("blog"),))
    server.answers["GET /deliveries/groups"] = Page(items=())
    server.answers["GET /channels"] = Page(items=())
    async with running(server) as live:
        await live.connects()
        await live.press("7", "d")
        await live.write("blog")
        server.gate.clear()
        await live.press("enter", "enter", "d", "e")
        assert "Change the project: wait until this has ended: Remove the project." in live.toasts()
        await answers_now(live)
        assert "Removed blog." in live.toasts()


async def test_two_channels_resume_at_the_same_time_and_each_of_them_once(
    server: ScriptedServer,
) -> None:
    has_channels(server, OPS, ALERTS)
    for each in (OPS, ALERTS):
        server.answers[f"POST /channels/{each.id}/resume"] = channel(each.name)
    async with running(server) as live:
        await live.connects()
        await live.press("3")
        server.gate.clear()
        await live.press("s", "s", "down", "s")
        assert live.toasts()[-1] == "Pause or resume: it is being resumed."
        await answers_now(live)
        asked = [each for each in server.asked if each.endswith("/resume")]
        assert asked == [f"POST /channels/{each.id}/resume" for each in (ALERTS, OPS)]
        live.hides("paused ")


async def test_a_test_that_is_asked_for_twice_is_sent_once(server: ScriptedServer) -> None:
    has_channels(server, channel("ops"))
    server.answers[f"POST /channels/{OPS.id}/test"] = ChannelTest(
        outcome="delivered", duration_ms=12, status=204, reason=None, excerpt=None
    )
    async with running(server) as live:
        await live.connects()
        await live.press("3")
        server.gate.clear()
        await live.press("t", "t", "t")
        await answers_now(live)
        assert server.asked.count(f"POST /channels/{OPS.id}/test") == 1
