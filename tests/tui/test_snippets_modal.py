"""Code that sends to a category: chosen, filled with a key, kept, and seen to arrive."""

import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import msgspec
import pytest

from slowping.core import errors
from slowping.core.api_key import IssuedApiKey
from slowping.core.category import Category
from slowping.core.delivery import DeliveryState
from slowping.tui.modals.snippets import SnippetsModal
from slowping.tui.snippets import keys
from slowping.tui.snippets.keys import KeysAtHand
from slowping.tui.widgets.snippet_view import tabs
from tests.tui.driver import (
    PROFILE,
    Driver,
    ScriptedServer,
    category,
    delivery,
    event,
    moment,
    refusal,
    running,
)
from tests.tui.things import key, value

LooksLike = Callable[[str, str], None]
SIZES = {"60x18": (60, 18), "80x24": (80, 24), "160x45": (160, 45)}
SALE = category("sale", "💰", 0xFFEB3B)


@asynccontextmanager
async def showing(
    server: ScriptedServer,
    of: Category = SALE,
    at_hand: KeysAtHand | None = None,
    *,
    size: tuple[int, int] = (100, 40),
    has_channels: bool = True,
) -> AsyncIterator[Driver]:
    """The code for a category on the screen."""
    async with running(server, size=size) as live:
        await live.connects()
        at_hand = at_hand or KeysAtHand()
        live.app.push_screen(SnippetsModal(of, at_hand, has_channels=has_channels))
        await live.settle()
        yield live


def issues(server: ScriptedServer) -> str:
    """Let the server issue a key of this value."""
    issued = value(7)

    def issue(request: httpx.Request) -> IssuedApiKey:
        asked = msgspec.json.decode(request.content)
        return IssuedApiKey(api_key=key(7, name=asked["name"]), value=issued)

    server.answers["POST /keys"] = issue
    return issued


def modal(live: Driver) -> SnippetsModal:
    assert isinstance(live.app.screen, SnippetsModal)
    return live.app.screen


# Pictures ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
async def test_without_a_key(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    async with showing(server, size=SIZES[size]) as live:
        looks_like(live.picture(), f"snippets-{size}")


@pytest.mark.parametrize("size", SIZES)
async def test_an_event_came(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    issues(server)
    async with showing(server, size=SIZES[size]) as live:
        await live.press("k")
        live.app.clear_notifications()
        await live.press("right", "right", "down", "down")
        await live.receives(
            event(1, description="Hello from JavaScript", fields={"amount": 49.99},
                  deliveries={"pending": 3}, received_at=moment(0)),
            delivery(1, 1, DeliveryState.DELIVERED, channel="ops"),
            delivery(2, 1, DeliveryState.FAILED, channel="mail", last_error="HTTP 550"),
        )  # fmt: skip
        looks_like(live.picture(), f"snippets-live-{size}")


async def test_a_name_that_the_service_does_not_take(
    server: ScriptedServer, looks_like: LooksLike
) -> None:
    async with showing(server, category("It's"), size=SIZES["80x24"]) as live:
        await live.press("right", "right", "y", "w")
        assert live.app.clipboard == ""
        looks_like(live.picture(), "snippets-unnameable-80x24")


async def test_the_mouse_turns_the_tabs(server: ScriptedServer) -> None:
    async with showing(server) as live:
        await live.pilot.click("#service_no", offset=(13, 0))
        await live.pilot.click("#language_no", offset=(9, 0))
        live.shows("[SlowStats]", "[Python]", "ingest-events")


# Turning -----------------------------------------------------------------------------------------


async def test_arrows_choose_service_and_language(server: ScriptedServer) -> None:
    async with showing(server) as live:
        live.shows("[slowping]", "[curl]", "curl http://server.test:7464/slowping/v1/events")
        await live.press("left", "up")
        live.shows("[Adwize]", "[JavaScript]", 'fetch("http://server.test:7464/api/v1/events"')
        await live.press("right", "right", "down", "down")
        live.shows("[SlowStats]", "[Python]", '"projectId": "shop"')


@pytest.mark.parametrize("has_channels", [True, False])
async def test_a_project_without_channels_is_warned_of(
    server: ScriptedServer, has_channels: bool
) -> None:
    async with showing(server, has_channels=has_channels) as live:
        await live.press("right", "right")
        assert ("answered 403 until the project has a channel" in live.picture()) is (
            not has_channels
        )


def test_tabs_that_do_not_fit_show_the_chosen_one_alone() -> None:
    names = ["one", "two", "three"]
    assert tabs(names, 1, 40).plain == " one [two] three "
    assert tabs(names, 1, 16).plain == "◂ [two] ▸  2 of 3"


# Keys --------------------------------------------------------------------------------------------


async def test_a_key_is_issued_and_filled_in(server: ScriptedServer) -> None:
    issued = issues(server)
    async with showing(server) as live:
        live.shows("YOUR_API_KEY", "k issues one")
        await live.press("k")
        assert server.sent["POST /keys"]["name"] == "sale"
        assert server.sent["POST /keys"]["project"] == "shop"
        assert server.sent["POST /keys"]["scopes"] == ["ingest"]
        live.shows(issued, "is shown here and nowhere again")
        live.hides("YOUR_API_KEY")
        await live.press("k")
        assert "there is one in the code already" in live.toasts()[-1]


async def test_no_key_is_issued_that_nobody_gets_to_see(server: ScriptedServer) -> None:
    issued = issues(server)
    async with showing(server) as live:
        server.gate.clear()
        await live.press("k", "k", "escape")
        server.gate.set()
        await live.settle()
        assert server.asked.count("POST /keys") == 1
        live.shows(issued)


async def test_a_key_stays_at_hand_for_its_project_alone(server: ScriptedServer) -> None:
    issued = issues(server)
    at_hand = KeysAtHand()
    async with showing(server, at_hand=at_hand) as live:
        await live.press("k", "escape")
        assert "stays in this code until you quit" in live.toasts()[-1]
        live.app.push_screen(SnippetsModal(category("bug"), at_hand, has_channels=True))
        await live.settle()
        live.shows(issued)
        await live.press("escape")
        other = category("bug", project="support")
        live.app.push_screen(SnippetsModal(other, at_hand, has_channels=True))
        await live.settle()
        live.hides(issued)


async def test_a_key_that_is_not_issued_is_told(server: ScriptedServer) -> None:
    server.answers["POST /keys"] = lambda _: refusal(403, errors.Forbidden, "Not you.")
    async with showing(server) as live:
        await live.press("k")
        assert any("Issuing an API key failed Not you." in toast for toast in live.toasts())
        live.shows("YOUR_API_KEY")


async def test_who_may_only_read_issues_nothing(server: ScriptedServer) -> None:
    async with showing(server) as live:
        live.app.may_administer = False
        await live.press("k")
        assert "POST /keys" not in server.asked
        assert "may only read" in live.toasts()[-1]


async def test_a_key_is_pasted_unseen(server: ScriptedServer) -> None:
    async with showing(server) as live:
        await live.press("p")
        await live.write("an-old-key")
        live.hides("an-old-key")
        await live.press("enter")
        live.shows("Bearer an-old-key")


async def test_the_own_key_is_refused(server: ScriptedServer) -> None:
    async with showing(server) as live:
        await live.press("p")
        await live.write(PROFILE.api_key)
        await live.press("enter")
        live.shows("must not go into code")
        await live.press("escape")
        live.shows("YOUR_API_KEY")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("own", "must not go into code"),
        (value(3)[:-1] + "!", "is mistyped"),
        ("with space", "no spaces"),
        ("schlüssel", "printable ASCII"),
        ("", "printable ASCII"),
        (value(3), None),
        ("it's-$5", None),
    ],
)
def test_which_keys_can_stand_in_code(given: str, says: str | None) -> None:
    flaw = keys.flaw(given, "own")
    assert flaw == says if says is None else flaw is not None and says in flaw


# Copying and writing -----------------------------------------------------------------------------


async def test_the_code_is_copied(server: ScriptedServer) -> None:
    issued = issues(server)
    async with showing(server) as live:
        await live.press("y")
        live.shows("sent to your terminal's clipboard. Put a key in the place of YOUR_API_KEY.")
        await live.press("k", "y")
        assert f"Bearer {issued}" in live.app.clipboard
        assert live.app.clipboard.startswith("curl http://server.test:7464/")
        live.shows("is filled in until you quit")


async def test_the_code_is_written_for_its_owner_alone(
    server: ScriptedServer, tmp_path: Path
) -> None:
    issued = issues(server)
    file = tmp_path / "sale.sh"
    async with showing(server) as live:
        await live.press("k", "w")
        assert modal(live).file_field.value == "~/slowping-sale.sh"
        modal(live).file_field.value = str(file)
        await live.press("enter")
        assert issued in file.read_text(encoding="utf-8")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        live.shows("Written to ")
        await live.press("w")
        modal(live).file_field.value = str(file)
        await live.press("enter")
        live.shows("Choose another name.")


# Listening ---------------------------------------------------------------------------------------


async def test_only_an_event_of_this_category_and_project_counts(server: ScriptedServer) -> None:
    async with showing(server) as live:
        await live.receives(event(1, category="bug"), event(2, project="support"))
        live.shows("Listening for an event in sale…")
        await live.receives(event(3, description="The first", fields={"plan": "pro"}))
        live.shows("✓ It came:", "The first", "plan pro", "Nobody is told")
        live.hides("Listening for")


async def test_its_deliveries_are_followed(server: ScriptedServer) -> None:
    async with showing(server) as live:
        await live.receives(event(1, deliveries={"pending": 2}))
        live.shows("2 on the way")
        await live.receives(delivery(1, 1, DeliveryState.LEASED, channel="ops"))
        live.shows("on its way  ops", "1 on the way")
        await live.receives(
            delivery(1, 1, DeliveryState.DELIVERED, channel="ops"),
            delivery(2, 1, DeliveryState.FAILED, channel="mail", last_error="HTTP 550"),
            delivery(3, 9, DeliveryState.FAILED, channel="another-event"),
        )
        live.shows("✓ delivered  ops", "✗ failed  mail  HTTP 550")
        live.hides("another-event", "on the way")


async def test_the_latest_is_shown_with_the_number(server: ScriptedServer) -> None:
    async with showing(server) as live:
        await live.receives(event(1), event(2), event(3, description="third"))
        live.shows("third  the latest of 3")


async def test_while_the_line_is_lost_it_says_so_and_goes_on_after(
    server: ScriptedServer,
) -> None:
    async with showing(server) as live:
        await live.loses_the_line()
        live.shows("Reconnecting: what is sent now shows once the line stands again.")
        await live.tries_again()
        live.shows("Listening for an event in sale…")
        await live.receives(event(1, description="meanwhile"))
        live.shows("meanwhile")


async def test_what_has_come_stays_in_sight_while_the_line_is_lost(
    server: ScriptedServer,
) -> None:
    async with showing(server) as live:
        await live.receives(event(1, description="before"))
        await live.loses_the_line()
        live.shows("Reconnecting: what is sent now", "✓ It came:", "before")


async def test_a_hostile_event_is_shown_harmlessly(server: ScriptedServer) -> None:
    async with showing(server) as live:
        await live.receives(event(1, description="\x1b]0;t\x07[red]x", fields={"[/b]": "\x1b[2J"}))
        live.shows("␛]0;t␇[red]x", "[/b] ␛[2J")
