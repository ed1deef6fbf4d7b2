"""The live view on a terminal of its own, with hostile text in all that it shows."""

import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from slowping.core.event import NewEvent
from slowping.tui import commands, settings
from slowping.tui.places import PLACES, Place
from tests.acceptance.hostile.haunted import BENEATH, SHOP, Haunted
from tests.acceptance.hostile.strings import EVERY, WORST
from tests.acceptance.hostile.terminal import Size, Terminal, terminal
from tests.notifiers.far_side import reply

pytestmark = pytest.mark.asyncio(loop_scope="package")

ALL_ROWS: Size = (140, 620)
"""So high that every row of a place can be seen at once, and every part of a description."""
_IN_ONE = 8
"""As many texts as fit into a notice."""
USUAL: Size = (140, 160)
HALF_A_PAGE_DOWN = "\x04"
STEP_BACK = "\x1b"
WITHOUT_DETAILS = ("overview",)
PLACE = {place.name: place for place in PLACES}
MARKS = [f"{one.mark}|" for one in EVERY]
[NOUGHT] = [one for one in EVERY if one.text == "a\0b"]
"""Which no door lets in: where it is shown, all is shown that came from beneath."""
[TITLE] = [one for one in EVERY if one.text == "\x1b]0;titled\x07"]


@contextlib.asynccontextmanager
async def live_view(
    haunt: Haunted, home: Path, size: Size, *, project: str | None = None
) -> AsyncIterator[Terminal]:
    """Run it until the block ends; sees that it leaves as it should and wrote nothing unlawful."""
    settings.Settings(home / "state/slowping").remember(project=project)
    command = (sys.executable, "-m", "slowping", "tui")
    environ = haunt.environ | {"HOME": str(home), "XDG_STATE_HOME": str(home / "state")}
    async with terminal(*command, folder=home, environ=environ, size=size) as live:
        await live.shows("● live")
        yield live
        live.press("q")
        assert await live.ended() == 0
        assert not live.judge.offences
        assert not live.judge.copied


async def test_what_senders_wrote_is_text_in_the_feed(haunt: Haunted, tmp_path: Path) -> None:
    async with live_view(haunt, tmp_path, ALL_ROWS, project=SHOP) as live:
        await live.shows(*(one.let_in.shown for one in EVERY))


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
async def test_what_others_wrote_is_text_in_every_place(
    haunt: Haunted, tmp_path: Path, place: Place
) -> None:
    async with live_view(haunt, tmp_path, ALL_ROWS, project=BENEATH) as live:
        await go(live, place)
        await live.shows("beneath" if place.name == "project" else MARKS[-1])
        live.press("g")
        await live.shows(NOUGHT.shown)
        await live.shows_in_turn(HALF_A_PAGE_DOWN, [one.shown for one in EVERY])
        if place.name not in WITHOUT_DETAILS:
            await show_the_worst(live, place)
        if place.name == "feed":
            live.press("m")
            await live.hides("**bold")  # it is bold
            await live.shows(*MARKS)


async def show_the_worst(live: Terminal, place: Place) -> None:
    """Filter for what holds all of them, and show all that is known of it."""
    live.press("/worst\r")
    await live.hides(NOUGHT.shown)
    live.press("G\r")  # the project that all the others are in fits as well
    if place.name == "delivery":  # from the group to what is in it
        await live.shows("▸ worst|", "dlv_")
        live.press("\r")
    await live.shows(*MARKS)


async def test_what_others_wrote_is_text_in_whatever_opens(haunt: Haunted, tmp_path: Path) -> None:
    async with live_view(haunt, tmp_path, USUAL) as live:
        live.press("p")
        await live.shows("h000|", "h001|")
        live.press(STEP_BACK)
        await live.hides("h001|")
        live.press(":")
        await live.shows("Type to find")
        live.press(TITLE.mark)
        await live.shows(TITLE.shown, "Show the channel.")
        live.press(STEP_BACK)
        await live.hides("Show the channel.")
        await go(live, PLACE["category"])
        live.press(f"/{TITLE.mark}\r")
        await live.shows("2 of")
        live.press("c")
        await live.shows("Send to ␛]0;titled␇", "curl")
        live.press(STEP_BACK)
        await live.hides("Send to")
        await go(live, PLACE["channel"])
        live.press(f"/{TITLE.mark}\r")
        await live.shows("2 of")
        live.press("s")
        await live.shows(f"Resumed {TITLE.shown}")


async def test_what_a_far_side_answers_to_a_test_is_text(haunt: Haunted, tmp_path: Path) -> None:
    haunt.webhook.script = [reply(400, WORST.marked.encode())]
    async with live_view(haunt, tmp_path, ALL_ROWS) as live:
        await go(live, PLACE["channel"])
        live.press("/front\r")
        await live.shows("1 of")
        live.press("t")
        await live.shows("worst|", *MARKS[:5])
        live.press(STEP_BACK)
        await live.hides("worst|")


async def test_a_notice_on_the_desktop_is_text(haunt: Haunted, tmp_path: Path) -> None:
    file = tmp_path / ".config/slowping/tui.toml"
    file.parent.mkdir(parents=True)
    file.write_text('notice = ["sale"]\n', encoding="utf-8")
    async with live_view(haunt, tmp_path, USUAL) as live:
        for at in range(0, len(EVERY), 3 * _IN_ONE):
            parts = [
                EVERY[begin : begin + _IN_ONE] for begin in range(at, at + 3 * _IN_ONE, _IN_ONE)
            ]
            words = ["".join(one.let_in.shown for one in part) for part in parts if part]
            new = [NewEvent(category="sale", project=SHOP, description=each) for each in words]
            await haunt.client.send_events(new)
            await live.notifies(*words)


async def go(live: Terminal, place: Place) -> None:
    """Go there, and wait until its own keys are shown."""
    live.press(place.key)
    await live.shows(*_own_keys(place))


def _own_keys(place: Place) -> set[str]:
    shown = {each.name: _footers(each) for each in PLACES}
    return shown.pop(place.name).difference(*shown.values())


def _footers(place: Place) -> set[str]:
    return {command.footer for command in commands.of_place(place.name) if command.footer}
