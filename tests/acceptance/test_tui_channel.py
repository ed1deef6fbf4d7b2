"""A channel from its form to its end: the live view, a real server and a real far side."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from slowping.client.client import Client
from slowping.config import Config, NotifiersSection, WebhookSection
from slowping.core.event import NewEvent
from tests.acceptance.eventually import eventually
from tests.acceptance.person import Person, sitting
from tests.conftest import running_house
from tests.notifiers.far_side import FarSide, reply


@pytest.fixture
async def far_side() -> AsyncIterator[FarSide]:
    async with FarSide(reply(204)).running() as far:
        yield far


async def makes_a_webhook(person: Person, url: str) -> None:
    """Fill the form in, with a mistake at first."""
    await person.press("n")
    await person.sees("A signed HTTP POST")
    await person.write("web")
    await person.press("enter")
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
    await person.write("webhook")
    await person.press("enter")
    await person.sees("Removed webhook.")


async def test_a_channel_is_made_tested_paused_resumed_and_removed(
    tmp_path: Path, far_side: FarSide
) -> None:
    section = WebhookSection(allow_networks=("127.0.0.1/32",), allow_http=True)
    config = Config(notifiers=NotifiersSection(webhook=section))
    async with (
        running_house(tmp_path, config) as house,
        sitting(house.base_url, house.admin_key) as person,
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
