"""Nothing that was acknowledged is lost, however the server ends."""

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from slowping.client.client import Client, all_items
from slowping.core.api_key import NewApiKey
from slowping.core.channel import NewChannel
from slowping.core.delivery import AttemptOutcome, DeliveryDetail, DeliveryState
from tests.acceptance.eventually import eventually
from tests.acceptance.program import Machine, Server
from tests.notifiers.far_side import FarSide, after, reply, silence

KILLS = 20
SENDERS = 8
ACKNOWLEDGED_BEFORE_A_KILL = 25

LOOPBACK = {
    "SLOWPING_NOTIFIERS__WEBHOOK__ALLOW_NETWORKS": "127.0.0.0/8",
    "SLOWPING_NOTIFIERS__WEBHOOK__ALLOW_HTTP": "true",
}
SOON = [0.1] * 100
"""Retry delays for a far side that will be there in a moment."""

BUSY = {DeliveryState.PENDING, DeliveryState.LEASED}


# Killed ------------------------------------------------------------------------------------------


async def test_what_was_acknowledged_is_delivered_once_after_a_kill(
    machine: Machine, tmp_path: Path
) -> None:
    far_side = FarSide(reply(204))
    with nobody_listening() as port:
        async with serving(machine, tmp_path) as server:
            await add_webhook(server, f"http://127.0.0.1:{port}/in")
            event_id = await send(server)
            await server.killed()
    async with far_side.running(port=port), serving(machine, tmp_path) as server:
        [webhook] = await eventually(lambda: settled(server, event_id))
        server.terminate()
        assert await server.ended() == 0
    [request] = far_side.requests
    assert request.headers["webhook-id"] == webhook.delivery.id
    assert request.json["data"]["id"] == event_id


async def test_a_delivery_that_a_kill_cut_off_goes_again_under_the_same_id(
    machine: Machine, tmp_path: Path
) -> None:
    async with FarSide(silence(), reply(204)).running() as far_side:
        async with serving(machine, tmp_path) as server:
            await add_webhook(server, far_side.url)
            event_id = await send(server)
            await eventually(lambda: far_side.requests)
            await server.killed()
        async with serving(machine, tmp_path) as server:
            [webhook] = await eventually(lambda: settled(server, event_id))
    assert outcomes(webhook) == [AttemptOutcome.LOST, AttemptOutcome.DELIVERED]
    assert [request.headers["webhook-id"] for request in far_side.requests] == [
        webhook.delivery.id,
        webhook.delivery.id,
    ]


@pytest.mark.timeout(180)  # it starts the program 22 times
async def test_nothing_acknowledged_is_lost_in_twenty_kills_under_load(
    machine: Machine, tmp_path: Path
) -> None:
    acknowledged: list[str] = []
    async with FarSide(reply(204)).running() as far_side:
        key = await set_up_for_load(machine, tmp_path, far_side.url)
        for _ in range(KILLS):
            async with serving(machine, tmp_path) as server:
                await be_killed_under_load(server, key, acknowledged)
        async with serving(machine, tmp_path) as server, server.client() as client:
            await eventually(lambda: nothing_is_left(client))
            kinds = await delivered_kinds(client)
    assert len(acknowledged) >= KILLS * ACKNOWLEDGED_BEFORE_A_KILL
    everywhere = {"console", "webhook"}
    assert [event_id for event_id in acknowledged if kinds.get(event_id) != everywhere] == []
    arrived = Counter(
        (request.json["data"]["id"], request.headers["webhook-id"]) for request in far_side.requests
    )
    # Each event arrived, always under the same id, and a kill repeats one delivery at most.
    assert {event_id for event_id, _ in arrived} >= set(acknowledged)
    assert len({event_id for event_id, _ in arrived}) == len(arrived)
    assert arrived.total() - len(arrived) <= KILLS


# Asked to stop -----------------------------------------------------------------------------------


async def test_a_stop_lets_what_is_on_its_way_arrive_and_takes_nothing_more(
    machine: Machine, tmp_path: Path
) -> None:
    go_on = asyncio.Event()
    async with FarSide(after(go_on, reply(204))).running() as far_side:
        async with serving(machine, tmp_path) as server:
            await add_webhook(server, far_side.url)
            event_id = await send(server)
            await eventually(lambda: far_side.requests)
            server.terminate()
            await eventually(lambda: is_closed(server.url))
            go_on.set()
            assert await server.ended() == 0
        async with serving(machine, tmp_path) as server:
            [webhook] = await eventually(lambda: settled(server, event_id))
    assert outcomes(webhook) == [AttemptOutcome.DELIVERED]
    assert len(far_side.requests) == 1


async def test_what_a_stop_could_not_wait_for_is_found_as_lost_and_sent_again(
    machine: Machine, tmp_path: Path
) -> None:
    async with FarSide(silence(), reply(204)).running() as far_side:
        async with serving(machine, tmp_path, SLOWPING_SERVER__SHUTDOWN_TIMEOUT_S="0.5") as server:
            await add_webhook(server, far_side.url)
            event_id = await send(server)
            await eventually(lambda: far_side.requests)
            server.terminate()
            assert await server.ended() == 0
        async with serving(machine, tmp_path) as server:
            [webhook] = await eventually(lambda: settled(server, event_id))
    assert outcomes(webhook) == [AttemptOutcome.LOST, AttemptOutcome.DELIVERED]
    assert "the server stopped in the middle" in (webhook.attempts[0].reason or "")


# How it is set up --------------------------------------------------------------------------------


def serving(
    machine: Machine, tmp_path: Path, **environ: str
) -> contextlib.AbstractAsyncContextManager[Server]:
    """A server on the one data folder of a test, which may send to this machine."""
    return machine.serving(tmp_path / "data", **LOOPBACK, **environ)


async def add_webhook(server: Server, url: str) -> None:
    """Give the default project a webhook channel beside its console."""
    async with server.client() as client:
        await client.create_channel(
            NewChannel(kind="webhook", name="hook", settings={"url": url, "retry_delays": SOON})
        )


async def send(server: Server) -> str:
    """Send an event by PingPanda's dialect; its id."""
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as sender:
        return await acknowledged_by(sender, server.ingest_key)


async def acknowledged_by(sender: httpx.AsyncClient, key: str) -> str:
    answer = await sender.post(
        "/api/v1/events", json={"category": "bug"}, headers={"authorization": f"Bearer {key}"}
    )
    assert answer.status_code == 200
    event_id: str = answer.json()["eventId"]
    return event_id


async def set_up_for_load(machine: Machine, tmp_path: Path, url: str) -> str:
    """A webhook channel, and a key without a limit."""
    async with serving(machine, tmp_path) as server, server.client() as client:
        await add_webhook(server, url)
        return (await client.issue_api_key(NewApiKey(name="load", rate_limit=0))).value


async def be_killed_under_load(server: Server, key: str, acknowledged: list[str]) -> None:
    """Send from all sides, and kill the server as soon as it has acknowledged enough."""
    goal = len(acknowledged) + ACKNOWLEDGED_BEFORE_A_KILL
    enough = asyncio.Event()

    async def send_until_it_is_dead(sender: httpx.AsyncClient) -> None:
        with contextlib.suppress(httpx.TransportError):
            while True:
                acknowledged.append(await acknowledged_by(sender, key))
                if len(acknowledged) >= goal:
                    enough.set()

    async with (
        httpx.AsyncClient(base_url=server.url, trust_env=False) as sender,
        asyncio.TaskGroup() as senders,
    ):
        for _ in range(SENDERS):
            senders.create_task(send_until_it_is_dead(sender))
        await enough.wait()
        await server.killed()


# What is looked at -------------------------------------------------------------------------------


async def settled(server: Server, event_id: str) -> Sequence[DeliveryDetail]:
    """The event's webhook delivery, once all of its deliveries have ended."""
    async with server.client() as client:
        shown = await client.show_event(event_id)
    if any(detail.delivery.state in BUSY for detail in shown.deliveries):
        return ()
    return [detail for detail in shown.deliveries if detail.delivery.kind == "webhook"]


async def nothing_is_left(client: Client) -> bool:
    return not (await client.list_deliveries(states=tuple(BUSY), limit=1)).items


async def delivered_kinds(client: Client) -> dict[str, set[str]]:
    """By event, the kinds of channel that it was delivered to."""
    kinds: dict[str, set[str]] = {}
    async for delivery in all_items(client.list_deliveries, states=(DeliveryState.DELIVERED,)):
        kinds.setdefault(delivery.event_id, set()).add(delivery.kind)
    return kinds


def outcomes(detail: DeliveryDetail) -> list[AttemptOutcome]:
    return [attempt.outcome for attempt in detail.attempts]


@contextlib.contextmanager
def nobody_listening() -> Iterator[int]:
    """A port that is ours, where connections are refused until the block ends."""
    with contextlib.closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


async def is_closed(url: str) -> bool:
    """Whether nobody takes connections at the address any more."""
    async with httpx.AsyncClient(trust_env=False) as visitor:
        try:
            await visitor.get(f"{url}/slowping/v1/health/live")
        except httpx.ConnectError:
            return True
    return False
