"""Somebody who sits before the live view: presses keys, and looks until something is there."""

import contextlib
from collections.abc import AsyncIterator

from textual.pilot import Pilot

from slowping.tui.app import SlowpingApp
from slowping.tui.settings import Profile, Settings
from tests.acceptance.eventually import eventually
from tests.tui.driver import picture


class Person:
    """Has nothing but a keyboard and a screen."""

    def __init__(self, app: SlowpingApp, pilot: Pilot[None]) -> None:
        self.app = app
        self._pilot = pilot

    async def press(self, *keys: str) -> None:
        """Press keys."""
        await self._pilot.press(*keys)

    async def write(self, words: str) -> None:
        """Type."""
        await self._pilot.press(*("space" if letter == " " else letter for letter in words))

    async def sees(self, *words: str) -> None:
        """Look until all of this is on the screen."""
        await eventually(lambda: self._shows(words))

    async def sees_no_more(self, words: str) -> None:
        """Look until this has gone."""
        await eventually(lambda: self._hides(words))

    async def _shows(self, words: tuple[str, ...]) -> bool:
        shown = await self._look()
        return all(word in shown for word in words)

    async def _hides(self, words: str) -> bool:
        return words not in await self._look()

    async def _look(self) -> str:
        await self._pilot.pause()
        return picture(self.app.export_screenshot())


@contextlib.asynccontextmanager
async def sitting(
    server: str,
    api_key: str,
    *,
    size: tuple[int, int] = (120, 40),
    settings: Settings | None = None,
) -> AsyncIterator[Person]:
    """A person before the live view of that server."""
    app = SlowpingApp(settings or Settings(), Profile.of(server, api_key))
    async with app.run_test(size=size, notifications=True) as pilot:
        yield Person(app, pilot)
