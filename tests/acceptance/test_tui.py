"""The live view against a real server on a real socket."""

from slowping.client.client import Client
from slowping.core.event import NewEvent
from slowping.tui.app import SlowpingApp
from slowping.tui.settings import Profile, Settings
from tests.acceptance.eventually import eventually
from tests.conftest import RunningHouse
from tests.tui.driver import picture


async def test_an_event_is_seen_to_come_and_to_be_delivered(house: RunningHouse) -> None:
    app = SlowpingApp(Settings(), Profile.of(house.base_url, house.admin_key))
    async with (
        app.run_test(size=(100, 24)) as pilot,
        Client(house.base_url, house.admin_key) as client,
    ):

        async def seen(*words: str) -> bool:
            await pilot.pause()
            shown = picture(app.export_screenshot())
            return all(word in shown for word in words)

        await eventually(lambda: seen("● live", "No events yet"))
        await client.send_event(NewEvent(category="sale", description="A real one"))
        await eventually(lambda: seen("💰 sale", "A real one", "1/1"))
        await pilot.press("enter")
        await eventually(lambda: seen("✓ delivered  console", "1. "))
