"""Set up a server to be tried hard, and a far side that counts what arrives."""

import asyncio
import collections
import contextlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from slowping.core.api_key import NewApiKey
from slowping.core.channel import NewChannel
from tests.acceptance.program import Machine, Server
from tests.notifiers.far_side import FarSide, Request

CHANNELS: Final = ("first", "second")
"""Every event goes to each of them."""

ENVIRON: Final[Mapping[str, str]] = {
    "SLOWPING_NOTIFIERS__WEBHOOK__ALLOW_NETWORKS": "127.0.0.0/8",
    "SLOWPING_NOTIFIERS__WEBHOOK__ALLOW_HTTP": "true",
    "SLOWPING_LOG__LEVEL": "warning",
}

SOON: Final = [0.1] * 100
"""Retry delays for a far side that will be well in a moment."""


class Arrivals(list[Request]):
    """Counts how often each delivery arrived, and keeps nothing else of it."""

    def __init__(self) -> None:
        super().__init__()
        self.counted: collections.Counter[str] = collections.Counter()
        self.one_more = asyncio.Event()

    def append(self, request: Request) -> None:
        """One more has arrived."""
        self.counted[request.headers["webhook-id"]] += 1
        self.one_more.set()


def counting(far_side: FarSide) -> Arrivals:
    """Have a far side count from now on."""
    arrivals = Arrivals()
    far_side.requests = arrivals
    return arrivals


async def set_up(
    server: Server,
    url: str,
    channels: tuple[str, ...] = CHANNELS,
    *,
    delays: Sequence[float] = SOON,
) -> str:
    """Webhook channels to `url` instead of the console; a key without a limit."""
    async with server.client() as client:
        for channel in (await client.list_channels()).items:
            await client.remove_channel(channel.id)
        for name in channels:
            settings = {"url": f"{url}/{name}", "retry_delays": list(delays)}
            await client.create_channel(NewChannel(kind="webhook", name=name, settings=settings))
        return (await client.issue_api_key(NewApiKey(name="load", rate_limit=0))).value


def serving(
    machine: Machine, folder: Path, **environ: str
) -> contextlib.AbstractAsyncContextManager[Server]:
    """The real program on the data of a run."""
    return machine.serving(folder / "data", **{**ENVIRON, **environ})


async def stopped(server: Server) -> int:
    """Ask a server to stop, and wait until it has; its exit code."""
    server.terminate()
    return await server.ended()


async def settles(server: Server, *, within_s: float = float("inf")) -> bool:
    """Whether all deliveries end, or still do after `within_s` seconds."""
    until = time.monotonic() + within_s
    async with server.client() as client:
        before, idle = -1, 0
        while idle < 50:
            waiting = sum(one.waiting for one in (await client.overview()).channels)
            if not waiting or time.monotonic() > until:
                return True
            idle = idle + 1 if waiting == before else 0
            before = waiting
            await asyncio.sleep(0.2)
    return False
