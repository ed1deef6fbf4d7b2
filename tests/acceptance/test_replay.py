"""What a far side has missed reaches it by a replay, and what it got does not come twice."""

import datetime as dt
import pathlib
from collections.abc import AsyncIterator

import pytest

from slowping.client.client import Client
from slowping.config import Config, NotifiersSection, WebhookSection
from slowping.core.channel import NewChannel
from slowping.core.delivery import DeliverySelection, DeliveryState, Replay, Replayed
from slowping.core.event import NewEvent
from tests.acceptance.eventually import eventually
from tests.conftest import RunningHouse, running_house
from tests.notifiers.far_side import FarSide, reply

CONFIG = Config(
    notifiers=NotifiersSection(
        webhook=WebhookSection(allow_networks=("127.0.0.1/32",), allow_http=True)
    )
)
EVENTS = ["one", "two", "three"]


@pytest.fixture
async def house(tmp_path: pathlib.Path) -> AsyncIterator[RunningHouse]:
    async with running_house(tmp_path, CONFIG) as opened:
        yield opened


@pytest.fixture
async def client(house: RunningHouse) -> AsyncIterator[Client]:
    async with Client(house.base_url, house.admin_key) as opened:
        yield opened


def came(far_side: FarSide) -> list[str]:
    """The descriptions that a far side was sent, in order."""
    return [request.json["data"]["description"] for request in far_side.requests]


def today(**wanted: bool | str) -> Replay:
    """All that was received until now."""
    now = dt.datetime.now(dt.UTC)
    window = {"since": now - dt.timedelta(hours=1), "until": now + dt.timedelta(hours=1)}
    return Replay(**window, **wanted)  # type: ignore[arg-type]  # as it takes them


async def webhook(client: Client, name: str, far_side: FarSide) -> None:
    """Make a channel to a far side."""
    settings = {"url": f"{far_side.url}/in"}
    await client.create_channel(
        NewChannel(kind="webhook", name=name, project="default", settings=settings)
    )


async def send(client: Client) -> None:
    """Send three events."""
    for text in EVENTS:
        await client.send_event(NewEvent(category="sale", description=text, project="default"))


async def all_are(client: Client, state: DeliveryState, channel: str, count: int) -> None:
    """Wait until so many deliveries of a channel are in a state."""

    async def so() -> bool:
        page = await client.list_deliveries(channel=channel, states=(state,))
        return len(page.items) == count

    await eventually(so)


async def test_a_channel_that_was_not_there_gets_everything_once(client: Client) -> None:
    async with FarSide().running() as early, FarSide().running() as late:
        await webhook(client, "early", early)
        await send(client)
        await all_are(client, DeliveryState.DELIVERED, "early", 3)
        await webhook(client, "late", late)
        counted = await client.replay(today(dry_run=True))
        assert counted == Replayed(events=3, queued=0, made=3)
        assert came(late) == []
        assert await client.replay(today()) == counted
        await all_are(client, DeliveryState.DELIVERED, "late", 3)
        assert await client.replay(today()) == Replayed(events=3, queued=0, made=0)
        assert await client.replay(today(channel="late", again=True)) == Replayed(
            events=3, queued=3, made=0
        )
        await eventually(lambda: len(late.requests) == 6)
        assert came(late) == EVENTS * 2
        assert came(early) == EVENTS


async def test_a_far_side_that_was_down_gets_what_it_refused(client: Client) -> None:
    refusals = [reply(422, b"not today") for _ in EVENTS]
    async with FarSide(*refusals, reply()).running() as far_side:
        await webhook(client, "ops", far_side)
        await send(client)
        await all_are(client, DeliveryState.FAILED, "ops", 3)
        [group] = await client.group_deliveries(states=[DeliveryState.FAILED])
        assert (group.channel, group.count) == ("ops", 3)
        assert group.last_error is not None
        assert (await client.list_deliveries(error=group.last_error)).items
        other = DeliverySelection(error="another error")
        assert (await client.retry_deliveries(other)).moved == 0
        assert await client.replay(today()) == Replayed(events=3, queued=3, made=0)
        await all_are(client, DeliveryState.DELIVERED, "ops", 3)
        assert came(far_side) == EVENTS * 2
        assert await client.group_deliveries(states=[DeliveryState.FAILED]) == ()
