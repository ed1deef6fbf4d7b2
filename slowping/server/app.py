"""Wire the server together: the composition root of everything that `slowping serve` runs."""

import asyncio
import contextlib
import ipaddress
import os
import pathlib
import random
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, TextIO

import msgspec

from slowping.config import Config
from slowping.core import errors
from slowping.core.channel import StoredChannel
from slowping.core.event import EventDraft
from slowping.notifiers.registry import Registry
from slowping.server.api import create_api
from slowping.server.api.metrics import Metrics
from slowping.server.api.services import Services
from slowping.server.auth import Gatekeeper
from slowping.server.clock import Clock, SystemClock
from slowping.server.dialects import DIALECTS
from slowping.server.dialects.desk import ServerDesk
from slowping.server.dialects.door import Door
from slowping.server.dialects.door import Services as DoorServices
from slowping.server.dispatch.dispatcher import NOTICE, Dispatcher
from slowping.server.dispatch.toolbox import Toolbox
from slowping.server.feed import Feed
from slowping.server.first_start import FirstKeys, FirstStart
from slowping.server.http import Patience, Receive, Scope, Send
from slowping.server.ingest import Ingest, Submission
from slowping.server.refusals import Refusals
from slowping.server.roster import Roster
from slowping.server.tally import Tally
from slowping.store import open_store
from slowping.store.port import Directory, Store
from slowping.store.vault import Vault, load_key_file, new_key, write_key_file

DATABASE: Final = "slowping.db"
KEY_FILE: Final = "secret.key"
API_PREFIX: Final = "/slowping/"
OWN_CATEGORY: Final = "slowping"

_USED_KEYS_EVERY_S: Final = 60.0

Asgi = Callable[[Scope, Receive, Send], "asyncio.Future[None]"]


class World(msgspec.Struct, frozen=True, kw_only=True):
    """What lies outside the server: passed in, so that a test decides it."""

    clock: Clock = SystemClock()
    jitter: Callable[[], float] = random.random
    random_bytes: Callable[[int], bytes] = os.urandom
    terminal: TextIO = sys.stdout


class House(msgspec.Struct, frozen=True, kw_only=True):
    """A server that runs, but for the sockets."""

    asgi: "Application"
    store: Store
    dispatcher: Dispatcher
    feed: Feed
    roster: Roster
    first_keys: FirstKeys | None


class Application:
    """The ASGI application: our own API under its prefix, and the door for everything else."""

    def __init__(self, api: object, door: Door, trusted_proxies: Sequence[str]) -> None:
        self._api: Callable[[Scope, Receive, Send], object] = api  # type: ignore[assignment]
        self._door = door
        self._proxies = [ipaddress.ip_network(network) for network in trusted_proxies]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self._proxies:
            scope = {**scope, "client": self._client(scope)}
        if scope["path"].startswith(API_PREFIX):
            await self._api(scope, receive, send)  # type: ignore[misc]
        else:
            await self._door(scope, receive, send)

    def _client(self, scope: Scope) -> tuple[str, int] | None:
        """Who sent the request: the right-most address that is no trusted proxy's."""
        client: tuple[str, int] | None = scope.get("client")
        forwarded = dict(scope["headers"]).get(b"x-forwarded-for", b"").decode("latin-1")
        hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
        while client is not None and self._is_proxy(client[0]) and hops:
            client = (hops.pop(), 0)
        return client

    def _is_proxy(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._proxies)


@contextlib.asynccontextmanager
async def running(config: Config, folder: pathlib.Path, world: World) -> AsyncIterator[House]:
    """A server on the data in `folder`, dispatching until the context ends.

    Raises:
        StoreUnusable: the database or its key file cannot be used.
    """
    key_file, database = folder / KEY_FILE, folder / DATABASE
    is_lost = database.exists() and not key_file.exists()
    key = new_key() if is_lost else load_key_file(key_file)
    async with contextlib.AsyncExitStack() as stack:
        store = await open_store(f"sqlite:{database}", Vault([key]))
        stack.push_async_callback(store.close)
        if is_lost:
            await _replace_key_file(key_file, key, store)
        yield await _wire(config, folder, world, store, stack)


async def _replace_key_file(path: pathlib.Path, key: bytes, store: Store) -> None:
    """Make a new key file for a database whose own is gone, if nothing is sealed in it."""
    try:
        await store.directory.snapshots()
    except errors.StoreUnusable:
        raise errors.StoreUnusable(
            f"The key file {path} is missing, and channels have secrets that nothing else can "
            "decrypt. Put it back from your copy."
        ) from None
    write_key_file(path, key)


async def _wire(
    config: Config,
    folder: pathlib.Path,
    world: World,
    store: Store,
    stack: contextlib.AsyncExitStack,
) -> House:
    now_ms = world.clock.now_ms
    toolbox = Toolbox(config.notifiers, now_ms=now_ms, terminal=world.terminal)
    stack.push_async_callback(toolbox.close)
    registry = Registry(toolbox.tools_for)
    stack.push_async_callback(registry.close)
    feed = Feed(store.journal, world.clock)
    roster = Roster(store.directory, feed.wake)
    await roster.renew()
    first_start = FirstStart(
        store.directory,
        roster,
        now_ms=now_ms,
        random_bytes=world.random_bytes,
        rate_limit=config.limits.rate_limit,
    )
    first_keys = await first_start.run(folder)

    owner = Owner(now_ms)
    tally = Tally()
    dispatcher = Dispatcher(
        store.outbox,
        store.directory,
        registry,
        world.clock,
        jitter=world.jitter,
        tell_owner=owner.tell,
        tally=tally,
    )
    ingest = Ingest(
        store.inbox,
        store.directory,
        roster,
        store.ids,
        now_ms=now_ms,
        wake=dispatcher.wake,
        forget=dispatcher.forget,
        tally=tally,
    )
    owner.speaks_through(ingest)
    gatekeeper = Gatekeeper(roster, now_ms)
    refusals = Refusals(tally)
    patience = Patience(config.server.body_timeout_s)
    door = Door(
        DIALECTS,
        DoorServices(
            roster=roster,
            gatekeeper=gatekeeper,
            ingest=ingest,
            desk=ServerDesk(roster, ingest, store.inbox, store.journal, now_ms),
            refusals=refusals,
            now_ms=now_ms,
            patience=patience,
            max_body_bytes=config.server.max_body_bytes,
        ),
    )
    api = create_api(
        Services(
            store=store,
            roster=roster,
            gatekeeper=gatekeeper,
            ingest=ingest,
            dispatcher=dispatcher,
            feed=feed,
            registry=registry,
            now_ms=now_ms,
            random_bytes=world.random_bytes,
            metrics=Metrics(store.outbox, tally),
            refusals=refusals,
            started_at=now_ms(),
            rate_limit=config.limits.rate_limit,
            sqlite_version=sqlite3.sqlite_version,
            dialects=DIALECTS,
            max_body_bytes=config.server.max_body_bytes,
            patience=patience,
        )
    )
    await _start(stack, dispatcher, gatekeeper, store.directory, config.server.shutdown_timeout_s)
    keeping = asyncio.create_task(roster.keep_true(world.clock))
    stack.callback(keeping.cancel)
    return House(
        asgi=Application(api, door, config.server.trusted_proxies),
        store=store,
        dispatcher=dispatcher,
        feed=feed,
        roster=roster,
        first_keys=first_keys,
    )


class Owner:
    """Tells a project's owner about a channel that was paused, through its other channels."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._ingest: Ingest | None = None

    def speaks_through(self, ingest: Ingest) -> None:
        """What it says goes in by the same door as everything else."""
        self._ingest = ingest

    async def tell(self, channel: StoredChannel, reason: str) -> None:
        """Write an event about the channel, for every channel but this one."""
        if self._ingest is None:
            return
        draft = EventDraft(
            category=OWN_CATEGORY,
            source=OWN_CATEGORY,
            description=f"The channel {channel.name} was paused: {reason}. Its deliveries wait. "
            f"Mend it, then resume it: slowping channel resume {channel.name}",
            fields={"channel": channel.name, "kind": channel.kind, "reason": reason},
        )
        with contextlib.suppress(errors.Refused, errors.Unavailable):
            await self._ingest.accept(
                Submission(
                    drafts=(draft,),
                    principal=None,
                    project_id=channel.project_id,
                    dialect=NOTICE,
                    create_categories=True,
                    skip_channels=(channel.id,),
                )
            )


async def _start(
    stack: contextlib.AsyncExitStack,
    dispatcher: Dispatcher,
    gatekeeper: Gatekeeper,
    directory: Directory,
    grace_s: float,
) -> None:
    """Start what runs beside the requests, and arrange for its end."""
    sending = asyncio.create_task(dispatcher.run())
    writing = asyncio.create_task(_write_used_keys(gatekeeper, directory))

    async def end() -> None:
        await dispatcher.stop(grace_s)
        await sending
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        if used := gatekeeper.take_used():
            await directory.touch_api_keys(used)

    stack.push_async_callback(end)


async def _write_used_keys(gatekeeper: Gatekeeper, directory: Directory) -> None:
    """Write down once a minute when keys were used last."""
    while True:
        await asyncio.sleep(_USED_KEYS_EVERY_S)
        if used := gatekeeper.take_used():
            with contextlib.suppress(errors.Unavailable):
                await directory.touch_api_keys(used)
