"""From nothing to a delivery that failed and was brought all the same, by the keyboard alone."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from slowping.client.client import Client
from slowping.config import Config, NotifiersSection, WebhookSection
from slowping.core.channel import NewChannel
from slowping.core.event import NewEvent
from tests.acceptance.person import sitting
from tests.acceptance.program import Machine
from tests.acceptance.test_seeds import needs_curl
from tests.conftest import RunningHouse, running_house
from tests.notifiers.far_side import FarSide, reply

REFUSAL = reply(400, b"no such field")


@pytest.fixture
async def loopback_house(tmp_path: Path) -> AsyncIterator[RunningHouse]:
    webhook = WebhookSection(allow_networks=("127.0.0.0/8",), allow_http=True)
    config = Config(notifiers=NotifiersSection(webhook=webhook))
    async with running_house(tmp_path, config) as house:
        yield house


@needs_curl
async def test_a_category_a_key_an_event_a_failure_a_retry(
    loopback_house: RunningHouse, machine: Machine
) -> None:
    house = loopback_house
    async with (
        FarSide(REFUSAL).running() as far_side,
        Client(house.base_url, house.admin_key) as client,
        sitting(house.base_url, house.admin_key) as person,
    ):
        settings = {"url": f"{far_side.url}/hook"}
        await client.create_channel(NewChannel(kind="webhook", name="ops", settings=settings))
        await person.sees("● live", "No events yet")

        await person.press("4", "n")
        await person.sees("A new category")
        await person.write("launch")
        await person.press("ctrl+s")
        await person.sees("launch", "4 categories")

        await person.press("c")
        await person.sees("Listening for an event")
        await person.press("k")
        await person.sees("is shown here and nowhere again")
        await person.press("y")
        await person.sees("clipboard")
        ran = await machine.run("bash", "-c", person.app.clipboard)
        assert ran.code == 0, ran.stderr
        await person.sees("✓ It came:", "✗ failed  ops")

        await person.press("escape", "2")
        await person.sees("[failed 1]", "ops", "HTTP 400")
        far_side.script = [reply(200)]
        await person.press("r")
        await person.sees("[failed 0]")
        await person.press("1", "G", "enter")
        await person.sees("2/2", "✓ delivered  ops", "rejected 400", "delivered 200")
        assert [request.path for request in far_side.requests] == ["/hook", "/hook"]


async def test_a_server_that_was_away_is_gone_on_with(machine: Machine, tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with machine.serving(data) as server, server.client() as client:
        port = server.url.rpartition(":")[2]
        async with sitting(server.url, server.admin_key) as person:
            await person.sees("● live")
            await client.send_event(NewEvent(category="sale", description="Before"))
            await person.sees("Before", "1/1")
            await server.killed()
            await person.sees("as of", "Before")
            await person.press("r")
            await person.sees("Retry what failed:")
            async with machine.serving(data, "--port", port) as again, again.client() as new:
                await new.send_event(NewEvent(category="bug", description="Meanwhile"))
                await person.press("ctrl+r")
                await person.sees("● live", "Before", "Meanwhile")
                await new.send_event(NewEvent(category="bug", description="And on"))
                await person.sees("And on")
