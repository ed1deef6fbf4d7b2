"""From nothing to the first event, by the keyboard, against a real server on a real socket."""

import shutil

import pytest

from slowping.client.client import Client
from slowping.core.api_key import Scope
from slowping.tui.app import SlowpingApp
from slowping.tui.settings import Profile, Settings
from tests.acceptance.eventually import eventually
from tests.acceptance.program import Machine
from tests.conftest import RunningHouse
from tests.tui.driver import picture


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
async def test_a_category_is_made_and_its_first_event_seen_to_come(
    house: RunningHouse, machine: Machine
) -> None:
    app = SlowpingApp(Settings(), Profile.of(house.base_url, house.admin_key))
    async with (
        app.run_test(size=(120, 40)) as pilot,
        Client(house.base_url, house.admin_key) as client,
    ):

        async def seen(*words: str) -> bool:
            await pilot.pause()
            shown = picture(app.export_screenshot())
            return all(word in shown for word in words)

        await eventually(lambda: seen("● live"))
        await pilot.press("4")
        await eventually(lambda: seen("💰 sale", "3 categories", "never"))
        await pilot.press("n")
        await eventually(lambda: seen("A new category"))
        await pilot.press(*"launch", "enter", *"rocket", "enter", *"sky", "enter", "ctrl+s")
        await eventually(lambda: seen("🚀 launch", "4 categories"))
        [made] = (await client.list_categories(name="launch")).items
        assert (made.project, made.emoji, made.color) == ("default", "🚀", 0x45B7D1)

        await pilot.press("c")
        await eventually(lambda: seen("Send to 🚀 launch", "Listening for an event"))
        await pilot.press("k")
        await eventually(lambda: seen("is shown here and nowhere again"))
        [issued] = (await client.list_api_keys(name="launch")).items
        assert issued.scopes == (Scope.INGEST,)
        await pilot.press("right", "right", "y")
        await eventually(lambda: seen("[PingPanda]", "clipboard"))
        ran = await machine.run("bash", "-c", app.clipboard)
        assert "Event processed successfully" in ran.stdout, ran.stderr
        await eventually(lambda: seen("✓ It came:", "Hello from curl", "✓ delivered  console"))

        await pilot.press("escape")
        await eventually(lambda: seen("🚀 launch", "Categor"))
        assert "Hello from curl" in house.printed
