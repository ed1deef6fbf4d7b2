"""The deliveries of the live view against a real server, with a far side that fails at first."""

import contextlib
import pathlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from textual.pilot import Pilot

from slowping.client.client import Client
from slowping.config import Config, NotifiersSection, WebhookSection
from slowping.core.category import NewCategory
from slowping.core.channel import NewChannel
from slowping.core.delivery import DeliveryState
from slowping.core.event import NewEvent
from slowping.core.project import NewProject
from slowping.tui.app import SlowpingApp
from slowping.tui.settings import Profile, Settings
from tests.acceptance.eventually import eventually
from tests.conftest import running_house
from tests.notifiers.far_side import FarSide, reply
from tests.tui.driver import picture


class Shop:
    """A project with one webhook, and the live view that looks at it."""

    def __init__(self, client: Client, hook: FarSide, pilot: Pilot[None]) -> None:
        self.client = client
        self.hook = hook
        self.press: Callable[..., Awaitable[None]] = pilot.press
        self._pilot = pilot

    async def send(self, number: int) -> None:
        """Send events, and wait until each one's delivery has failed or arrived."""
        news = [NewEvent(project="shop", category="sale", description=f"Sale {n}")
                for n in range(1, number + 1)]  # fmt: skip
        await self.client.send_events(news)

        async def are_done() -> bool:
            open_states = (DeliveryState.PENDING, DeliveryState.LEASED)
            return not await self.client.group_deliveries(project="shop", states=open_states)

        await eventually(are_done)

    async def sees(self, *words: str) -> None:
        """Wait until these words are on the screen."""
        shown = ""

        async def are_seen() -> bool:
            nonlocal shown
            await self._pilot.pause()
            shown = picture(self._pilot.app.export_screenshot())
            return all(word in shown for word in words)

        try:
            await eventually(are_seen)
        except AssertionError as error:
            error.add_note(shown)
            raise


@pytest.fixture
async def shop(tmp_path: pathlib.Path) -> AsyncIterator[Shop]:
    webhook = WebhookSection(allow_networks=("127.0.0.0/8",), allow_http=True)
    config = Config(notifiers=NotifiersSection(webhook=webhook))
    async with contextlib.AsyncExitStack() as stack:
        hook = await stack.enter_async_context(FarSide(reply(400, b"no such order")).running())
        house = await stack.enter_async_context(running_house(tmp_path, config))
        client = await stack.enter_async_context(Client(house.base_url, house.admin_key))
        await client.create_project(NewProject(name="shop"))
        await client.create_category(NewCategory(name="sale", project="shop", emoji="💰"))
        settings = {"url": f"{hook.url}/in"}
        await client.create_channel(
            NewChannel(kind="webhook", name="hook", project="shop", settings=settings)
        )
        profile = Profile.of(house.base_url, house.admin_key)
        app = SlowpingApp(Settings(), profile)
        pilot = await stack.enter_async_context(app.run_test(size=(110, 36)))
        yield Shop(client, hook, pilot)


async def test_a_failed_delivery_is_retried_and_seen_to_arrive(shop: Shop) -> None:
    await shop.send(1)
    await shop.sees("● live", "0/1 ✗")
    await shop.press("2")
    await shop.sees("[failed 1]", "hook", "400")
    await shop.press("enter", "enter")
    await shop.sees("✗ failed", "Sale 1", "rejected 400", "no such order")
    shop.hook.script = [reply(204)]
    await shop.press("r")
    await shop.sees(
        "✓ Retried 1: 1 delivered", "✓ delivered", "2. ", "delivered 204", "rejected 400"
    )
    await shop.press("1")
    await shop.sees("1/1")


async def test_all_that_failed_are_retried(shop: Shop) -> None:
    await shop.send(60)
    await shop.press("2")
    await shop.sees("[failed 60]")
    shop.hook.script = [*[reply(204)] * 59, reply(400)]
    await shop.press("R")
    await shop.sees("Retry 60 deliveries?")
    await shop.press("y")
    await shop.sees("✗ Retried 60: 59 delivered, 1 failed again", "[failed 1]")


async def test_what_failed_is_discarded(shop: Shop) -> None:
    await shop.send(3)
    await shop.press("2")
    await shop.sees("[failed 3]")
    await shop.press("enter")
    await shop.sees("3 deliveries")
    await shop.press("space", "space", "d")
    await shop.sees("Discard 2 deliveries?")
    await shop.press("y")
    await shop.sees("Discarded 2", "1 delivery")
    await shop.press("escape", "escape", "f", "f")
    await shop.sees("[all 3]", "- shop")


async def test_a_time_window_goes_out_again(shop: Shop) -> None:
    await shop.send(4)
    await shop.press("2")
    await shop.sees("[failed 4]")
    shop.hook.script = [reply(204)]
    await shop.press("w", *["enter"] * 5)
    await shop.sees("4 events: 4 go out again")
    await shop.press("y")
    await shop.sees("No delivery has failed.")
    await shop.press("f", "f")
    await shop.sees("[all 4]", "✓ shop")


async def test_what_waits_counts_down(shop: Shop) -> None:
    shop.hook.script = [reply(503)]
    await shop.client.send_events([NewEvent(project="shop", category="sale")])
    await shop.press("2", "f")
    await shop.sees("[waiting 1]", "503", " in ")
    await shop.press("enter", "enter")
    await shop.sees("try 2 of ", "failed 503")
