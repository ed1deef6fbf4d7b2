"""Commands that print lines on a terminal, with hostile text in all that they tell of."""

import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.hostile import haunted
from tests.acceptance.hostile.haunted import BENEATH, Haunted
from tests.acceptance.hostile.strings import EVERY
from tests.acceptance.hostile.terminal import Size, Terminal, terminal

# A terminal is waited for as long as it takes on a machine that has much else to do.
pytestmark = [pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(240)]

WIDE: Size = (4_000, 50)
"""So that nothing is cut off."""

MARKS: Final = [f"{one.mark}|" for one in EVERY]

_MANY: Final = ("--limit", "1000")

LISTINGS: Final = (
    ("event", "list", "--project", BENEATH, *_MANY),
    ("delivery", "list", "--project", BENEATH, *_MANY),
    ("delivery", "groups", "--project", BENEATH),
    ("channel", "list", *_MANY),
    ("category", "list", *_MANY),
    ("key", "list", *_MANY),
    ("project", "list", *_MANY),
    ("overview", "--project", BENEATH),
)


@contextlib.asynccontextmanager
async def printing(haunt: Haunted, home: Path, *command: str) -> AsyncIterator[Terminal]:
    """Run a command until the block ends; sees that it wrote nothing unlawful."""
    program = (sys.executable, "-m", "slowping", *command)
    environ = haunt.environ | {"HOME": str(home)}
    async with terminal(*program, folder=home, environ=environ, size=WIDE, lines=True) as opened:
        yield opened
        assert not opened.judge.offences
        assert not opened.judge.copied
        assert not opened.judge.notices


@pytest.mark.parametrize("command", LISTINGS, ids=lambda command: " ".join(command[:2]))
async def test_a_listing_is_text(haunt: Haunted, tmp_path: Path, command: tuple[str, ...]) -> None:
    async with printing(haunt, tmp_path, *command) as listing:
        assert await listing.ended() == 0
        await listing.shows(*(one.shown for one in EVERY))


@pytest.mark.parametrize(
    ("noun", "path"),
    [
        ("event", "events"),
        ("delivery", "deliveries"),
        ("channel", "channels"),
        ("category", "categories"),
        ("key", "keys"),
        ("project", "projects"),
    ],
)
async def test_all_that_is_known_of_one_is_text(
    haunt: Haunted, tmp_path: Path, noun: str, path: str
) -> None:
    async with printing(haunt, tmp_path, noun, "show", await haunt.marked(path)) as shown:
        assert await shown.ended() == 0
        await shown.shows(*MARKS)


async def test_a_tail_is_text(haunt: Haunted, tmp_path: Path) -> None:
    async with (
        printing(haunt, tmp_path, "tail") as tail,
        printing(haunt, tmp_path, "tail", "--all") as everything,
        printing(haunt, tmp_path, "tail", "--json") as written,
    ):
        for each in (tail, everything, written):
            await each.shows("Connected.")
        await haunted.send_each(haunt)
        await written.shows(*MARKS, r"\u001b[2J")
        written.interrupt()
        assert await written.ended() == 0
        for each in (tail, everything):
            await each.shows(*(one.let_in.shown for one in EVERY))
            each.interrupt()
            assert await each.ended() == 0
