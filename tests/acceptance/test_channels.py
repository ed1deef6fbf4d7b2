"""A channel from its form to its end: the live view, a real server and a real far side."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from slowping.client.client import Client
from slowping.config import Config, NotifiersSection, WebhookSection
from slowping.core.event import NewEvent
from slowping.tui.app import SlowpingApp
from slowping.tui.settings import Profile, Settings
from tests.acceptance.eventually import eventually
from tests.conftest import RunningHouse, running_house
from tests.notifiers.far_side import FarSide, reply
from tests.tui.driver import picture


@pytest.fixture
async def far_side() -> AsyncIterator[FarSide]:
    async with FarSide(reply(204)).running() as far:
        yield far


class Person:
    """Sits before the live view: presses keys, and looks until something is there."""

    def __init__(self, app: SlowpingApp, pilot: Pilot[None]) -> None:
        self.app = app
        self._pilot = pilot

    async def press(self, *keys: str) -> None:
        """Press keys."""
        await self._pilot.press(*keys)

    async def write(self, words: str) -> None:
        """Type."""
        await self._pilot.press(*words)

    async def sees(self, *words: str) -> None:
        """Look until all of this is on the screen."""
        await eventually(lambda: self._shows(words))

    async def _shows(self, words: tuple[str, ...]) -> bool:
        await self._pilot.pause()
        shown = picture(self.app.export_screenshot())
        return all(word in shown for word in words)


@contextlib.asynccontextmanager
async def sitting(house: RunningHouse) -> AsyncIterator[Person]:
    app = SlowpingApp(Settings(), Profile.of(house.base_url, house.admin_key))
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        yield Person(app, pilot)


async def makes_a_webhook(person: Person, url: str) -> None:
    """Fill the form in, with a mistake at first."""
    await person.press("n")
    await person.sees("A signed HTTP POST")
    await person.press("k", "enter")
    await person.sees("New webhook channel")
    await person.press("enter")
    await person.write("ftp://nowhere")
    await person.press("ctrl+s")
    await person.sees("✗ The setting 'url' has the wrong form", "✗ URL *")
    await person.press("ctrl+u")
    await person.write(url)
    await person.press("ctrl+s")
    await person.sees("Made for webhook", "whsec_")
    await person.press("escape")
    await person.sees("Have you kept it?")
    await person.press("y")
    await person.sees("2 channels", "● sending", "t sends a test")


async def removes_it(person: Person) -> None:
    """Type its name, and mean it."""
    await person.press("d")
    await person.sees("Remove webhook?", "No category names it.")
    await person.press("shift+tab")
    await person.write("webhook")
    await person.press("enter", "enter")
    await person.sees("Removed webhook.")


async def test_a_channel_is_made_tested_paused_resumed_and_removed(
    tmp_path: Path, far_side: FarSide
) -> None:
    section = WebhookSection(allow_networks=("127.0.0.1/32",), allow_http=True)
    config = Config(notifiers=NotifiersSection(webhook=section))
    async with (
        running_house(tmp_path, config) as house,
        sitting(house) as person,
        Client(house.base_url, house.admin_key) as client,
    ):
        await person.sees("● live")
        await person.press("3")
        await person.sees("● sending", "console")
        await makes_a_webhook(person, f"{far_side.url}/hook")

        await person.press("t")
        await person.sees("A test of webhook", "✓ delivered", "status 204")
        assert far_side.requests[-1].path == "/hook"

        await person.press("escape", "s")
        await person.sees("Pause webhook?")
        await person.write("a new receiver")
        await person.press("enter", "enter")
        await person.sees("⏸ paused")
        [paused] = (await client.list_channels(name="webhook")).items
        assert paused.paused_reason == "a new receiver"

        await client.send_event(NewEvent(category="sale", description="while it is paused"))
        await person.press("s")
        await person.sees("Resumed webhook")
        await eventually(lambda: len(far_side.requests) == 2)

        await removes_it(person)
        assert not (await client.list_channels(name="webhook")).items
