"""What the live view shows by itself is text, whatever others wrote."""

from pathlib import Path
from typing import Final

import pytest

from slowping.core.event import NewEvent
from slowping.tui.places import PLACES, Place
from tests.acceptance.hostile.haunted import BENEATH, SHOP, Haunted
from tests.acceptance.hostile.live import (
    ENTER,
    ESCAPE,
    MARKS,
    PLACE,
    TAB,
    TITLE,
    go,
    live_view,
    read_through,
)
from tests.acceptance.hostile.strings import EVERY
from tests.acceptance.hostile.terminal import Terminal

# A terminal is waited for as long as it takes on a machine that has much else to do.
pytestmark = [pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(240)]

WITHOUT_DETAILS: Final = ("overview",)
_IN_ONE: Final = 8
"""As many texts as fit into a notice."""
[NOUGHT] = [one for one in EVERY if one.text == "a\0b"]
"""Which no door lets in: where it is shown, what came from beneath is shown."""


async def test_what_senders_wrote_is_text_in_the_feed(haunt: Haunted, tmp_path: Path) -> None:
    async with live_view(haunt, tmp_path, project=SHOP) as live:
        await live.shows("following")
        await read_through(live, [one.let_in.shown for one in EVERY])


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
async def test_what_others_wrote_is_text_in_every_place(
    haunt: Haunted, tmp_path: Path, place: Place
) -> None:
    async with live_view(haunt, tmp_path, project=BENEATH) as live:
        await go(live, place)
        await read_through(live, [one.shown for one in (*EVERY, NOUGHT)])
        if place.name not in WITHOUT_DETAILS:
            await show_the_worst(live, place)
        if place.name == "feed":
            live.press("m")
            await live.hides("**bold")  # it is bold
            await read_through(live, MARKS)


async def show_the_worst(live: Terminal, place: Place) -> None:
    """Filter for what holds all of them, and show all that is known of it."""
    live.press("g")
    await live.shows(NOUGHT.shown)
    live.press(f"/worst{ENTER}")
    await live.hides(NOUGHT.shown)
    live.press(f"G{ENTER}")  # the project that all the others are in fits as well
    if place.name == "delivery":  # from the group to what is in it
        await live.shows("▸ worst|", "dlv_")
        live.press(ENTER)
    live.press(TAB)
    await read_through(live, MARKS)


async def test_what_others_wrote_is_text_in_whatever_opens(haunt: Haunted, tmp_path: Path) -> None:
    async with live_view(haunt, tmp_path) as live:
        live.press("p")
        await live.shows("h000|", "h001|")
        live.press(ESCAPE)
        await live.hides("h001|")
        live.press(":")
        await live.shows("Type to find")
        live.press(TITLE.mark)
        await live.shows(TITLE.shown, "Show the channel.")
        live.press(ESCAPE)
        await live.hides("Show the channel.")
        await go(live, PLACE["category"])
        live.press(f"/{TITLE.mark}{ENTER}")
        await live.shows("2 of")
        live.press("c")
        await live.shows("Send to ␛]0;titled␇", "curl")
        live.press(ESCAPE)
        await live.hides("Send to")


async def test_a_notice_on_the_desktop_is_text(haunt: Haunted, tmp_path: Path) -> None:
    file = tmp_path / ".config/slowping/tui.toml"
    file.parent.mkdir(parents=True)
    file.write_text('notice = ["sale"]\n', encoding="utf-8")
    async with live_view(haunt, tmp_path) as live:
        for at in range(0, len(EVERY), 3 * _IN_ONE):
            parts = [
                EVERY[begin : begin + _IN_ONE] for begin in range(at, at + 3 * _IN_ONE, _IN_ONE)
            ]
            words = ["".join(one.let_in.shown for one in part) for part in parts if part]
            new = [NewEvent(category="sale", project=SHOP, description=each) for each in words]
            await haunt.client.send_events(new)
            await live.notifies(*words)
