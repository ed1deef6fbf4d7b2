"""Set the stage: a server in a temporary folder, far sides, a past, and traffic that goes on."""

import asyncio
import concurrent.futures
import contextlib
import datetime as dt
import io
import logging
import pathlib
import random
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Final

import msgspec

from slowping.client.client import Client
from slowping.config import (
    Config,
    DiscordSection,
    LimitsSection,
    NotifiersSection,
    ServerSection,
    WebhookSection,
)
from slowping.core import errors
from slowping.core.channel import NewChannel
from slowping.core.delivery import DeliveryState
from slowping.core.project import DEFAULT, NewProject
from slowping.demo import far_sides, traffic
from slowping.demo.far_sides import Failing, FarSide, RateLimited
from slowping.server import serving
from slowping.server.app import World, running
from slowping.server.clock import SystemClock

DAYS: Final = 3
"""How far back the past goes."""

_SECRET: Final = "demo"  # noqa: S105 - it protects nothing
_HOUR_MS: Final = 3_600_000
_TOLD_HOURS: Final = 10
_LOOKS: Final = 150
_LOOK_S: Final = 0.02
_PAGER: Final = "pager"
"""The channel whose far side fails."""


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """Where the demo is."""

    server: str
    """The server's address."""
    api_key: str
    """Of an administrator."""
    folder: pathlib.Path
    """All that it keeps; gone when the demo is."""


class PastClock(SystemClock):
    """The machine's clock, some time ago."""

    def __init__(self) -> None:
        self.ago_ms = 0

    def now_ms(self) -> int:
        """UTC milliseconds."""
        return super().now_ms() - self.ago_ms


@contextlib.contextmanager
def set_up(*, rate: float = 1.0, seed: int | None = None) -> Iterator[Stage]:
    """A stage in a thread of its own, until the block ends: then nothing is left of it.

    `rate` is how many events a second come in, on an average; the same `seed` brings the same.

    Raises:
        SlowpingError: it could not be set up.
    """
    # What the server logs would be written across the picture.
    logging.getLogger().addHandler(logging.NullHandler())
    with tempfile.TemporaryDirectory(prefix="slowping-demo-") as name:
        play = _Play(lambda: _stage(pathlib.Path(name), random.Random(seed), rate))  # noqa: S311 - a play
        try:
            yield play.begin()
        finally:
            play.end()


class _Play:
    """A context on an event loop in a thread of its own, so that it never holds up the picture."""

    def __init__(self, context: Callable[[], AbstractAsyncContextManager[Stage]]) -> None:
        self._context = context
        self._told: concurrent.futures.Future[Stage] = concurrent.futures.Future()
        self._end: Callable[[], object] = bool
        self._thread = threading.Thread(target=self._run, name="demo", daemon=True)

    def begin(self) -> Stage:
        """Enter the context there; what it gives is given here."""
        self._thread.start()
        return self._told.result()

    def end(self) -> None:
        """Leave the context, and wait until it is left."""
        self._end()
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._go())
        except BaseException as error:
            if self._told.done():
                raise
            self._told.set_exception(error)

    async def _go(self) -> None:
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        self._end = lambda: loop.call_soon_threadsafe(over.set)
        async with self._context() as stage:
            self._told.set_result(stage)
            await over.wait()


@contextlib.asynccontextmanager
async def _stage(folder: pathlib.Path, chance: random.Random, rate: float) -> AsyncIterator[Stage]:
    loop = asyncio.get_running_loop()
    sides: dict[str, FarSide] = {
        _PAGER: Failing(chance),
        "webhooks": RateLimited(loop.time),  # under Discord's own path
    }
    clock = PastClock()
    clock.ago_ms = DAYS * 24 * _HOUR_MS
    async with (
        far_sides.listening(sides) as outside,
        _server(folder, clock, outside) as stage,
        Client(stage.server, stage.api_key) as client,
    ):
        await _furnish(client, outside)
        await _live_through(client, clock, chance)
        going_on = asyncio.create_task(_go_on(client, chance, rate))
        try:
            yield stage
        finally:
            going_on.cancel()
            await asyncio.gather(going_on, return_exceptions=True)


@contextlib.asynccontextmanager
async def _server(folder: pathlib.Path, clock: PastClock, outside: str) -> AsyncIterator[Stage]:
    """A real server on a free port, that may speak to loopback."""
    webhook = WebhookSection(allow_networks=("127.0.0.0/8",), allow_http=True, timeout_s=5)
    config = Config(
        server=ServerSection(shutdown_timeout_s=1),
        limits=LimitsSection(rate_limit=0),
        notifiers=NotifiersSection(discord=DiscordSection(api_base=outside), webhook=webhook),
    )
    world = World(clock=clock, terminal=io.StringIO())
    async with running(config, folder, world) as house:
        with contextlib.closing(serving.listen("127.0.0.1", 0)) as listener:
            server = serving.server_for(house, config)
            answering = asyncio.create_task(server.serve(sockets=[listener]))
            await server.ready.wait()
            admin = house.first_keys.admin if house.first_keys else ""
            url = serving.address_of(listener)
            try:
                yield Stage(server=url, api_key=admin, folder=folder)
            finally:
                server.should_exit = True
                await house.dispatcher.stop(0)
                await answering


async def _furnish(client: Client, outside: str) -> None:
    """Projects, categories, and the channels that go to our own far sides."""
    for project, kinds in traffic.PROJECTS.items():
        await client.create_project(NewProject(name=project))
        channels = [
            NewChannel(
                kind="webhook", name="crm", project=project, settings={"url": f"{outside}/crm"}
            )
        ]
        if project == "shop":
            hook = f"https://discord.com/api/webhooks/1000000000/{_SECRET}"
            channels.append(
                NewChannel(kind="discord", name="team", project=project, settings={"url": hook})
            )
        if project != "blog":
            channels.append(
                NewChannel(
                    kind="webhook", name=_PAGER, project=project,
                    settings={"url": f"{outside}/{_PAGER}"},
                )
            )  # fmt: skip
        for channel in channels:
            await client.create_channel(channel)
        for kind in kinds:
            wanted = (
                ()
                if kind.category.priority
                else tuple(each.name for each in channels if each.name != _PAGER)
            )
            await client.create_category(
                msgspec.structs.replace(kind.category, project=project, channels=wanted)
            )
    [default] = (await client.list_projects(name=DEFAULT)).items
    await client.remove_project(default.id)


async def _live_through(client: Client, clock: PastClock, chance: random.Random) -> None:
    """Let the last days go by, hour by hour; only lately was anybody told."""
    for hours in range(DAYS * 24, 0, -1):
        clock.ago_ms = hours * _HOUR_MS
        hour = dt.datetime.fromtimestamp(clock.now_ms() / 1000).astimezone().hour
        is_told = hours <= _TOLD_HOURS
        for project in traffic.PROJECTS:
            count = chance.randint(0, traffic.busyness(hour))
            past = [traffic.happening(chance, project) for _ in range(count)]
            if past:
                await client.send_events(
                    [msgspec.structs.replace(each, notify=is_told) for each in past]
                )
        if is_told:
            await _until_delivered(client)
    clock.ago_ms = 0


async def _until_delivered(client: Client) -> None:
    """Wait until all is delivered but for what fails."""
    on_its_way = (DeliveryState.PENDING, DeliveryState.LEASED)
    for _ in range(_LOOKS):
        left = (await client.list_deliveries(states=on_its_way)).items
        if all(each.channel == _PAGER for each in left):
            return
        await asyncio.sleep(_LOOK_S)


async def _go_on(client: Client, chance: random.Random, rate: float) -> None:
    """Send what happens, now and then a lot at once, until the demo is over."""
    while True:
        await asyncio.sleep(chance.expovariate(rate))
        count = chance.choice((12, 20)) if chance.random() < 0.02 else 1
        for _ in range(count):
            with contextlib.suppress(errors.RateLimited, errors.Unavailable):
                await client.send_event(traffic.happening(chance))
