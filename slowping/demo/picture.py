"""Draw the pictures of the README: `python -m slowping.demo.picture FOLDER`."""

import asyncio
import pathlib
import re
import sys
from collections.abc import Sequence
from typing import Final

import msgspec
from textual.pilot import Pilot

from slowping.demo import stage
from slowping.demo.stage import Stage
from slowping.tui.app import SlowpingApp
from slowping.tui.settings import Profile, Settings

_FOREIGN: Final = re.compile(r"@font-face \{.*?\}|<!-- .*? -->", re.DOTALL)
"""Fonts that would be loaded from elsewhere, which a picture in a README may not do."""


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn, and the keys that lead there."""

    name: str
    size: tuple[int, int]
    keys: Sequence[str]


PICTURES: Final = (
    Picture(name="feed", size=(132, 34), keys=("k", "k", "k", "enter")),
    Picture(name="overview", size=(160, 28), keys=("5",)),
)


def main(folder: pathlib.Path) -> None:
    """Draw all of them into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for picture in PICTURES:
        with stage.set_up(rate=4, seed=11) as found:
            drawn = asyncio.run(_draw(picture, found))
        file = folder / f"{picture.name}.svg"
        # Some programs that draw SVG leave spaces out.
        kept = _FOREIGN.sub("", drawn).replace("<svg ", '<svg xml:space="preserve" ', 1)
        file.write_text(kept, encoding="utf-8")
        sys.stdout.write(f"{file}\n")


async def _draw(picture: Picture, found: Stage) -> str:
    profile = Profile(name="demo", server=found.server, api_key=found.api_key)
    app = SlowpingApp(Settings(), profile)
    async with app.run_test(size=picture.size) as pilot:
        await _until_live(app, pilot)
        await pilot.pause(6)  # some of the present
        await pilot.press(*picture.keys)
        await pilot.pause(2)
        # The picture has a frame of its own; its title is the command.
        return app.export_screenshot(title="slowping tui")


async def _until_live(app: SlowpingApp, pilot: Pilot[None]) -> None:
    while not app.live.link.stands:
        await pilot.pause(0.1)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
