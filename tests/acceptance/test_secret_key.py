"""A server that is killed while it changes the key of its secrets loses none of them."""

import asyncio
import contextlib
from pathlib import Path

import httpx

from slowping.core.channel import NewChannel
from tests.acceptance.program import Machine, Server
from tests.notifiers.far_side import FarSide, reply

PAUSES_S = (0.01, 0.03, 0.06, 0.1, 0.16, 0.25)
"""After which it is killed."""
CHANNELS = 20
LOOPBACK = {
    "SLOWPING_NOTIFIERS__WEBHOOK__ALLOW_NETWORKS": "127.0.0.0/8",
    "SLOWPING_NOTIFIERS__WEBHOOK__ALLOW_HTTP": "true",
}


async def rotate_on_and_on(server: Server) -> None:
    """Have one new key after the other."""
    headers = {"authorization": f"Bearer {server.admin_key}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, trust_env=False) as client:
        with contextlib.suppress(httpx.HTTPError):
            while True:
                await client.post("/slowping/v1/secrets/rotate")


async def test_no_secret_is_lost_whenever_the_server_is_killed(
    machine: Machine, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    async with FarSide(reply(204)).running() as far_side:
        async with machine.serving(data, **LOOPBACK) as server, server.client() as client:
            for number in range(CHANNELS):
                settings = {"url": f"{far_side.url}/in/secret-{number}"}
                new = NewChannel(kind="webhook", name=f"hook-{number}", settings=settings)
                await client.create_channel(new)
        for pause_s in PAUSES_S:
            async with machine.serving(data, **LOOPBACK) as server:
                rotating = asyncio.create_task(rotate_on_and_on(server))
                await asyncio.wait([rotating], timeout=pause_s)
                await server.killed()
                await rotating
        async with machine.serving(data, **LOOPBACK) as server, server.client() as client:
            for channel in (await client.list_channels(kind="webhook", limit=1000)).items:
                tested = await client.test_channel(channel.id)
                assert tested.outcome == "delivered"
    told = {request.path for request in far_side.requests}
    assert told == {f"/in/secret-{number}" for number in range(CHANNELS)}
    assert len((data / "secret.key").read_text().split()) > 1
