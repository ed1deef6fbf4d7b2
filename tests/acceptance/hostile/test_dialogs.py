"""Whatever opens over a place tells of hostile things as of all others: in text."""

import asyncio
from pathlib import Path
from typing import Final

import msgspec
import pytest

from slowping.core import errors, problem
from slowping.core.problem import Problem
from tests.acceptance.hostile.haunted import BENEATH, Haunted
from tests.acceptance.hostile.live import (
    ENTER,
    ESCAPE,
    MARKS,
    PLACE,
    TITLE,
    go,
    live_view,
)
from tests.acceptance.hostile.strings import WORST
from tests.acceptance.hostile.terminal import Terminal
from tests.notifiers.far_side import FarSide, after, reply

# A terminal is waited for as long as it takes on a machine that has much else to do.
pytestmark = [pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(240)]

WENT_WRONG: Final = "\x05"
FEED: Final = reply(
    200, b"id: 1\n\n", {"content-type": "text/event-stream", "content-length": "1000000"}
)
"""A line that stands, and never says anything."""
PASTED: Final = "\x1b[200~a\x9b31m\u202eb\x1b[201~"


async def find(live: Terminal, place: str, mark: str) -> None:
    """Go there, and put what is marked so under the cursor.

    The worst has all marks, and comes last, behind the project that all the others are in.
    """
    await go(live, PLACE[place])
    live.press(f"/{mark}{ENTER}")
    await live.shows(f" {mark} ", f"{mark}|")
    live.press("G" if mark == WORST.mark else "g")


async def opens(live: Terminal, key: str, *words: str, close: str = ESCAPE) -> None:
    """Open something that says this, look at it, and close it again.

    What it says first has to stay: of what is too long for its dialog, the top scrolls away.
    """
    live.press(key)
    await live.shows(*words)
    live.press(close)
    await live.hides(words[0])


async def unfilter(live: Terminal) -> None:
    """Show all rows again, whether the filter is still being typed or not."""
    live.press(ESCAPE)
    await live.shows("Everything")


async def test_categories(haunt: Haunted, tmp_path: Path) -> None:
    async with live_view(haunt, tmp_path, project=BENEATH) as live:
        await find(live, "category", "worst")
        await opens(live, "e", "Change worst|", "Colour")
        await opens(live, "d", "Remove the category worst|")
        await opens(live, "c", "Send to", "curl")
        live.press("v")
        await live.shows("following")
        live.press("/")
        await live.shows("To the list", 'category:"', "worst|h000|")
        await unfilter(live)


async def test_channels(haunt: Haunted, tmp_path: Path) -> None:
    async with live_view(haunt, tmp_path, project=BENEATH) as live:
        await find(live, "channel", "worst")
        await opens(live, "e", "Change worst|", "URL")
        await opens(live, "d", "Remove worst|", "the name, worst|")
        await opens(live, "t", "A test of worst|", "Test again")
        await unfilter(live)
        await find(live, "channel", TITLE.mark)
        live.press("s")
        await live.shows(f"Resuming {TITLE.shown}")


async def test_what_a_far_side_answers_to_a_test(haunt: Haunted, tmp_path: Path) -> None:
    haunt.webhook.script = [reply(400, WORST.marked.encode())]
    came = asyncio.Event()
    refused = reply(400, {"message": WORST.marked, "code": 50035})
    haunt.discord.script = [after(came, refused), refused]
    async with live_view(haunt, tmp_path) as live:
        await go(live, PLACE["channel"])
        live.press(f"/front{ENTER}")
        await live.shows("1 of")
        await opens(live, "t", "worst|", *MARKS[:5])
        await unfilter(live)
        live.press(f"/discord{ENTER}")
        await live.shows("1 of", "discord")
        await opens(live, "t", "A test of", "on its way")
        came.set()
        await live.shows("The test of", "worst|")


async def test_api_keys(haunt: Haunted, tmp_path: Path) -> None:
    async with live_view(haunt, tmp_path, project=BENEATH) as live:
        await find(live, "api_key", "worst")
        await opens(live, "d", "Type key_")
        await opens(live, "n", "A new API key", "beneath")
        live.press("R")
        await live.shows("Rotate worst|")
        live.press(ENTER)
        await live.shows("API key worst|", "Shown this once")
        live.press("v")
        await live.shows("•••")
        live.press("w")
        await live.shows("Which file?")
        live.press(ENTER)
        await live.shows("written:")
        live.press(ESCAPE)
        await live.hides("written:")
        live.press(ESCAPE)
        await live.shows("Have you kept it?")
        live.press("y")
        await live.hides("Have you kept it?")
        live.press("gR")  # the new one, of the same name
        await live.shows("Rotate worst|")
        found = (await haunt.client.list_api_keys(project=BENEATH, limit=1_000)).items
        newest = max(found, key=lambda key: key.created_at)
        await haunt.client.revoke_api_key(newest.id)
        live.press(ENTER)
        await live.shows("Rotating worst|")
        await live.hides("⟳ Rotating")
        await opens(live, WENT_WRONG, "  Rotating worst|")


async def test_projects(haunt: Haunted, tmp_path: Path) -> None:
    async with live_view(haunt, tmp_path) as live:
        await find(live, "project", "worst")
        await opens(live, "e", "Change worst|", "Web pages")
        live.press("d")
        await live.shows("Remove worst|", "the name, worst|")
        live.press(ENTER)
        await live.shows("leave")
        live.press(ESCAPE)
        await live.hides("the name, worst|")
        live.press("p")
        for place, none in (
            ("feed", "No events"),
            ("category", "No categories in worst|"),
            ("channel", "No channels in worst|"),
            ("api_key", "No API keys in worst|"),
            ("overview", "worst|"),
        ):
            await go(live, PLACE[place])
            await live.shows(none)
        await go(live, PLACE["delivery"])
        await opens(live, "w", "Replay a time window", "worst|h000|")


async def test_deliveries(haunt: Haunted, tmp_path: Path) -> None:
    async with live_view(haunt, tmp_path, project=BENEATH) as live:
        await find(live, "delivery", "worst")
        await opens(live, "d", "Discard 1 delivery", "worst|")
        live.press("w")
        await live.shows("Replay a time window")
        await opens(live, f"{ENTER * 3}{TITLE.mark}", TITLE.shown)
        live.press("/")
        await live.shows("/ worst")
        live.press(PASTED)
        await live.shows("worsta�31m�b")
        live.press(ESCAPE)
        await live.hides("worsta")


async def test_what_a_server_refuses_with(haunt: Haunted, tmp_path: Path) -> None:
    wrong = f"https://evil.test/#{problem.condition_of(errors.WrongState)}"
    said = Problem(
        type=wrong, title=WORST.marked, status=409, detail=WORST.marked.replace("\n", " ")
    )
    refuse = reply(409, msgspec.json.encode(said), {"content-type": problem.MEDIA_TYPE})
    server = FarSide()

    async def answer(writer: asyncio.StreamWriter) -> bool:
        if server.requests[-1].path.startswith("/slowping/v1/feed"):
            return await FEED(writer)
        return await refuse(writer)

    server.script = [answer]
    async with server.running():
        async with live_view(haunt, tmp_path, SLOWPING_SERVER=server.url) as live:
            await live.shows("● live", "worst|")
            await opens(live, WENT_WRONG, "  Loading", "failed", "worst|")
        server.script = [refuse]
        async with live_view(haunt, tmp_path, SLOWPING_SERVER=server.url) as live:
            await live.shows("✗ refused", "Refused: worst|", MARKS[-1])
