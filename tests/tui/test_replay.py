"""The question which time window goes out again."""

import contextlib
from collections.abc import AsyncIterator

import msgspec
import pytest

from slowping.core import errors
from slowping.core.delivery import Replay, Replayed
from slowping.core.page import Page
from slowping.tui.modals.replay import ReplayModal
from tests.tui.delivery.outbox import Outbox
from tests.tui.delivery.samples import failed
from tests.tui.driver import Driver, ScriptedServer, moment, running

TOLD = Replayed(events=312, queued=280, made=32)


@contextlib.asynccontextmanager
async def asking(server: ScriptedServer, told: Replayed = TOLD) -> AsyncIterator[Driver]:
    Outbox(server, failed(1), failed(2, channel="mail"))
    server.answers["POST /deliveries/replay"] = told
    async with running(server) as live:
        await live.connects()
        await live.press("2", "w")
        assert isinstance(live.app.screen, ReplayModal)
        yield live


def sent(server: ScriptedServer) -> Replay:
    return msgspec.convert(server.sent["POST /deliveries/replay"], Replay)


async def count(live: Driver) -> None:
    """Go through the fields by Enter, from the first on."""
    await live.press(*["enter"] * 5)


async def fill(live: Driver, *values: str) -> None:
    """Type into the fields, from the first on, and go on after each."""
    for value in values:
        await live.press("end", "ctrl+u")
        await live.write(value)
        await live.press("enter")


async def test_it_is_counted_then_sent_when_that_is_meant(server: ScriptedServer) -> None:
    async with asking(server) as live:
        await count(live)
        live.shows("312 events: 280 go out again, 32 are made (y sends, esc leaves)")
        assert sent(server).dry_run
        await live.press("y")
        assert sent(server) == Replay(since=moment(-3_600), until=moment(0))
        assert "312 events: 280 go out again, 32 are made." in live.toasts()
        assert not isinstance(live.app.screen, ReplayModal)


async def test_a_stray_enter_sends_nothing_and_loses_nothing(server: ScriptedServer) -> None:
    async with asking(server) as live:
        await count(live)
        await live.press("enter", "enter")
        assert server.asked.count("POST /deliveries/replay") == 1
        live.shows("(y sends, esc leaves)")
        await live.press("y")
        assert not isinstance(live.app.screen, ReplayModal)


async def test_it_is_counted_from_any_field(server: ScriptedServer) -> None:
    async with asking(server) as live:
        await live.press("ctrl+s")
        live.shows("312 events", "(y sends, esc leaves)")
        assert sent(server).dry_run


async def test_everything_that_was_typed_is_asked_for(server: ScriptedServer) -> None:
    async with asking(server) as live:
        await fill(live, "yesterday", "2h", "shop", "hook")
        await live.write("sale")
        await live.press("tab", "right", "tab", "enter")
        live.shows("[send again]")
        assert sent(server) == Replay(
            since=moment(-126_400), until=moment(-7_200), project="shop", channel="hook",
            category="sale", again=True, dry_run=True,
        )  # fmt: skip


async def test_what_is_typed_ahead_ends_up_where_it_should(server: ScriptedServer) -> None:
    async with asking(server) as live:
        await live.pilot.press("enter", "enter", "enter", *"hook", "enter", *"sale", "enter")
        await live.settle()
        assert (sent(server).channel, sent(server).category) == ("hook", "sale")


async def test_known_names_are_offered(server: ScriptedServer) -> None:
    async with asking(server) as live:
        await live.press("enter", "enter", "enter")
        await live.write("ma")
        await live.press("right", "enter", "enter")
        assert sent(server).channel == "mail"


async def test_what_is_counted_holds_only_for_what_was_asked(server: ScriptedServer) -> None:
    async with asking(server) as live:
        await count(live)
        live.shows("Send 312")
        await live.press("shift+tab", "right")
        live.hides("312 events", "Send 312")
        await live.press("tab", "y")
        assert server.asked.count("POST /deliveries/replay") == 1


async def test_what_was_being_counted_while_somebody_typed_holds_for_nothing(
    server: ScriptedServer,
) -> None:
    async with asking(server) as live:
        server.gate.clear()
        await count(live)
        live.shows("Counting…")
        await live.press("x")
        server.gate.set()
        await live.settle()
        live.hides("312 events", "Send 312")


async def test_what_is_being_sent_is_sent_once_and_the_wait_is_shown(
    server: ScriptedServer,
) -> None:
    async with asking(server) as live:
        await count(live)
        server.gate.clear()
        await live.press("y", "y")
        live.shows("⟳ Sending for 0 s. It may take minutes. esc leaves it going")
        server.gate.set()
        await live.settle()
        assert not isinstance(live.app.screen, ReplayModal)
        assert server.asked.count("POST /deliveries/replay") == 2  # counted, then sent
        assert "312 events: 280 go out again, 32 are made." in live.toasts()


@pytest.mark.parametrize(
    ("since", "until", "said", "wrong"),
    [
        ("soon", "", "'soon' is no moment", "Since"),
        ("1h", "2h", "The window ends before it begins.", "Until"),
    ],
)
async def test_what_makes_no_sense_is_said_and_stays_to_be_changed(
    server: ScriptedServer, since: str, until: str, said: str, wrong: str
) -> None:
    async with asking(server) as live:
        await fill(live, since, until)
        await live.press("enter", "enter", "enter")
        live.shows(f"✗ {said}", since, f"✗ {wrong}")
        await live.press("end", "ctrl+u")
        live.hides(f"✗ {wrong}", since if wrong == "Since" else until)


async def test_a_window_in_which_nothing_is_to_be_done_says_so(server: ScriptedServer) -> None:
    async with asking(server, Replayed(events=12, queued=0, made=0)) as live:
        await count(live)
        live.shows("Of 12 events everything has arrived or is on its way")
        live.hides("Send")


async def test_an_empty_window_says_so(server: ScriptedServer) -> None:
    async with asking(server, Replayed(events=0, queued=0, made=0)) as live:
        await count(live)
        live.shows("No event of that time is to be sent.")


async def test_a_name_that_nothing_has_is_told(server: ScriptedServer) -> None:
    async with asking(server, Replayed(events=12, queued=0, made=0)) as live:
        server.answers["GET /channels"] = Page(items=())
        await fill(live, "1h", "", "", "hok")
        await live.press("enter")
        live.shows("✗ There is no channel 'hok'.", "✗ Channel")


async def test_what_the_server_refuses_in_the_end_is_said(server: ScriptedServer) -> None:
    async with asking(server) as live:
        await count(live)
        server.refusing["/deliveries/replay"] = (503, errors.Unavailable)
        await live.press("y")
        live.shows("✗ It was refused.")
        assert isinstance(live.app.screen, ReplayModal)


async def test_what_goes_on_without_its_form_is_told_in_the_end(server: ScriptedServer) -> None:
    async with asking(server) as live:
        await count(live)
        server.gate.clear()
        await live.press("y", "escape")
        assert not isinstance(live.app.screen, ReplayModal)
        server.gate.set()
        await live.settle()
        assert "312 events: 280 go out again, 32 are made." in live.toasts()


async def test_what_is_refused_without_its_form_is_told_too(server: ScriptedServer) -> None:
    async with asking(server) as live:
        await count(live)
        server.gate.clear()
        server.refusing["/deliveries/replay"] = (503, errors.Unavailable)
        await live.press("y", "escape")
        server.gate.set()
        await live.settle()
        assert any("Replaying a time window failed" in toast for toast in live.toasts())


async def test_escape_leaves_and_sends_nothing(server: ScriptedServer) -> None:
    async with asking(server) as live:
        await live.press("escape")
        assert not isinstance(live.app.screen, ReplayModal)
        assert "POST /deliveries/replay" not in server.asked


async def test_the_project_that_is_looked_at_is_filled_in(server: ScriptedServer) -> None:
    async with asking(server) as live:
        await live.press("escape")
        live.app.project = "shop"
        await live.connects()
        await live.press("w")
        await count(live)
        assert sent(server).project == "shop"
