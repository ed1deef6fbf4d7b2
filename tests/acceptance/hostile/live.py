"""The live view on a terminal of its own, and a way through it by its keys."""

import contextlib
import sys
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Final

from slowping.tui import commands, settings
from slowping.tui.places import PLACES, Place
from tests.acceptance.hostile.haunted import Haunted
from tests.acceptance.hostile.strings import EVERY
from tests.acceptance.hostile.terminal import Size, Terminal, terminal

USUAL: Final[Size] = (140, 160)
"""High enough for most of what is told of one thing; more costs more than to scroll."""
ENTER: Final = "\r"
ESCAPE: Final = "\x1b"
SAVE: Final = "\x13"
TAB: Final = "\t"
PLACE: Final = {place.name: place for place in PLACES}
MARKS: Final = [f"{one.mark}|" for one in EVERY]
[TITLE] = [one for one in EVERY if one.text == "\x1b]0;titled\x07"]
_HALF_A_PAGE_DOWN: Final = "\x04"
_THROUGH: Final = (*[_HALF_A_PAGE_DOWN] * 12, "g")


@contextlib.asynccontextmanager
async def live_view(
    haunt: Haunted, home: Path, *, project: str | None = None, **environ: str
) -> AsyncIterator[Terminal]:
    """Run it until the block ends; sees that it leaves as it should and wrote nothing unlawful."""
    settings.Settings(home / "state/slowping").change(lambda kept: kept.changed(project=project))
    command = (sys.executable, "-m", "slowping", "tui")
    places = {"HOME": str(home), "XDG_STATE_HOME": str(home / "state")}
    around = haunt.environ | places | environ
    async with terminal(*command, folder=home, environ=around, size=USUAL) as live:
        if not environ:  # it is not sent elsewhere
            await live.shows("● live")
        yield live
        live.press("q")
        assert await live.ended() == 0
        assert not live.judge.offences
        assert not live.judge.copied


async def go(live: Terminal, place: Place) -> None:
    """Go there, and wait until its own keys are shown."""
    live.press(place.key)
    await live.shows(*_own_keys(place))


async def read_through(live: Terminal, words: Iterable[str]) -> None:
    """Go through what has the focus, from its top, until each of these was to be read."""
    live.press("g")
    await live.shows_in_turn(_THROUGH, words)


def _own_keys(place: Place) -> set[str]:
    shown = {each.name: _footers(each) for each in PLACES}
    return shown.pop(place.name).difference(*shown.values())


def _footers(place: Place) -> set[str]:
    return {command.footer for command in commands.of_place(place.name) if command.footer}
