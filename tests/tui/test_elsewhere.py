"""Nothing that was known of one server or project is shown under the name of another."""

import asyncio

import pytest

from slowping.tui.places import PLACES
from slowping.tui.settings import Profile
from tests.tui.channels import channel
from tests.tui.delivery.outbox import Outbox
from tests.tui.delivery.samples import failed
from tests.tui.driver import Driver, ScriptedServer, event, moment, running
from tests.tui.figures import shop
from tests.tui.test_one_act_at_a_time import has_channels
from tests.tui.things import has_keys, has_projects, key

OTHER = Profile(name="other.test", server="http://other.test", api_key="slp_other")


@pytest.fixture
def filled(server: ScriptedServer) -> ScriptedServer:
    """A server that has something to show in every place."""
    has_projects(server, "shop", "blog")
    has_keys(server, key(1, name="the-key"))
    Outbox(server, failed(1, channel="the-channel", last_error="the-error"))
    server.events = [event(1, description="the-event")]
    server.answers["GET /overview"] = shop()
    return server


async def look_elsewhere(live: Driver, elsewhere: str) -> None:
    """Look at what does not answer."""
    live.server.gate.clear()
    if elsewhere == "server":
        live.app.use(OTHER)
    else:
        live.app.project = "other.test"
    await live.settle()


@pytest.mark.parametrize("elsewhere", ["server", "project"])
@pytest.mark.parametrize(
    ("place", "known"),
    [
        ("feed", "the-event"),
        ("delivery", "the-error"),
        ("channel", "the-channel"),
        ("category", "sale"),
        ("overview", "sale"),
        ("api_key", "the-key"),
        ("project", "shop"),
    ],
)
async def test_a_place_forgets_what_is_not_of_what_is_looked_at(
    filled: ScriptedServer, place: str, known: str, elsewhere: str
) -> None:
    async with running(filled, size=(120, 30)) as live:
        await live.connects()
        await live.press(next(each.key for each in PLACES if each.name == place))
        live.shows(known)
        if place != "overview":  # from there it leads into the feed
            await live.press("enter")
        await look_elsewhere(live, elsewhere)
        live.shows("connecting", "other.test")
        live.hides(known)


async def test_a_place_that_is_out_of_sight_forgets_too(filled: ScriptedServer) -> None:
    async with running(filled, size=(120, 30)) as live:
        await live.connects()
        for place in PLACES:
            await live.press(place.key)
        await look_elsewhere(live, "server")
        for place in PLACES:
            await live.press(place.key)
            live.hides("the-", "sale", "shop")


async def test_an_answer_that_was_waited_for_is_not_shown_elsewhere(
    filled: ScriptedServer,
) -> None:
    async with running(filled, size=(120, 30)) as live:
        await live.connects()
        filled.gate.clear()
        for place in PLACES:
            await live.press(place.key)
        live.app.project = "other"
        await live.pilot.pause()
        filled.gate.set()
        await live.settle()
        for place in PLACES:
            await live.press(place.key)
            live.hides("the-", "sale", "shop")


async def test_another_key_of_the_same_server_starts_anew(filled: ScriptedServer) -> None:
    async with running(filled) as live:
        await live.connects()
        filled.gate.clear()
        assert live.app.profile is not None
        live.app.use(Profile(name="test", server=live.app.profile.server, api_key="slp_2"))
        await live.settle()
        live.hides("the-event")


async def test_what_is_looked_at_next_is_loaded(filled: ScriptedServer) -> None:
    async with running(filled, size=(120, 30)) as live:
        await live.connects()
        await live.press("2", "1", "k")
        live.shows("held")
        live.app.use(OTHER)
        await live.connects()
        live.shows("other.test", "the-event", "following")
        await live.press("2")
        live.shows("the-error")


async def test_loading_again_shows_what_is_known_meanwhile(filled: ScriptedServer) -> None:
    async with running(filled) as live:
        await live.connects()
        filled.gate.clear()
        await live.press("ctrl+r")
        live.shows("the-event")


async def test_the_answer_of_an_act_is_not_shown_among_what_it_is_not_of(
    server: ScriptedServer,
) -> None:
    has_projects(server, "shop", "blog")
    has_channels(server, channel("ops", paused_at=moment(-60)))
    async with running(server) as live:
        await live.connects()
        await live.press("3")
        server.answers["POST /channels/chn_ops/resume"] = channel("ops")
        held = server.gate
        held.clear()
        await live.pilot.press("s")
        await live.pilot.pause()
        server.gate = asyncio.Event()
        server.gate.set()
        has_channels(server, channel("mail", project="blog"))
        live.app.project = "blog"
        server.stand()
        await live.comes_to_show("mail")
        held.set()
        await live.settle()
        assert live.toasts() == ["Resumed ops: what waited goes out in order."]
        live.shows("1 channel")
