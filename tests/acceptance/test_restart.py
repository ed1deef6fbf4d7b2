"""Nothing that was acknowledged is lost, however the server ends."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx

from slowping.core.channel import NewChannel
from slowping.core.delivery import AttemptOutcome, DeliveryDetail, DeliveryState
from tests.acceptance.eventually import eventually
from tests.acceptance.program import Machine, Server
from tests.notifiers.far_side import FarSide, after, reply, silence

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
        answer = await sender.post(
            "/api/v1/events",
            json={"category": "bug"},
            headers={"authorization": f"Bearer {server.ingest_key}"},
        )
    assert answer.status_code == 200
    event_id: str = answer.json()["eventId"]
    return event_id


# What is looked at -------------------------------------------------------------------------------


async def settled(server: Server, event_id: str) -> Sequence[DeliveryDetail]:
    """The event's webhook delivery, once all of its deliveries have ended."""
    async with server.client() as client:
        shown = await client.show_event(event_id)
    if any(detail.delivery.state in BUSY for detail in shown.deliveries):
        return ()
    return [detail for detail in shown.deliveries if detail.delivery.kind == "webhook"]


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
