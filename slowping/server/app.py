"""Wire the server together: the composition root of everything that `slowping serve` runs."""

import contextlib
import os
import pathlib
import random
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Final, TextIO

import msgspec

from slowping.config import Config
from slowping.core.redaction import Redaction
from slowping.notifiers.registry import Registry
from slowping.server import http
from slowping.server.api import create_api
from slowping.server.api.metrics import Metrics
from slowping.server.api.services import Services
from slowping.server.auth import Gatekeeper
from slowping.server.clock import Clock, SystemClock
from slowping.server.dialects import DIALECTS
from slowping.server.dialects.desk import ServerDesk
from slowping.server.dialects.door import Door
from slowping.server.dialects.door import Services as DoorServices
from slowping.server.dispatch import toolbox
from slowping.server.dispatch.dispatcher import Dispatcher
from slowping.server.dispatch.toolbox import Toolbox
from slowping.server.event_import import EventImport
from slowping.server.feed import Feed
from slowping.server.http import Bodies, Receive, Scope, Send
from slowping.server.ingest import Ingest
from slowping.server.owner import Owner
from slowping.server.process import backups, disk, secret_key, upkeep
from slowping.server.process.backups import Backups
from slowping.server.process.chores import Uses, going_on
from slowping.server.process.data_folder import DATABASE
from slowping.server.process.first_start import FirstKeys, FirstStart
from slowping.server.process.key_files import KeyFiles
from slowping.server.process.sealing import Sealing
from slowping.server.process.upkeep import Upkeep
from slowping.server.proxies import Proxies
from slowping.server.refusals import Refusals
from slowping.server.roster import Roster
from slowping.server.tally import Tally
from slowping.store import database_at, open_store
from slowping.store.port import Store
from slowping.store.vault import Vault

API_PREFIX: Final = "/slowping/"


class World(msgspec.Struct, frozen=True, kw_only=True):
    """What lies outside the server: passed in, so that a test decides it."""

    clock: Clock = SystemClock()
    jitter: Callable[[], float] = random.random
    random_bytes: Callable[[int], bytes] = os.urandom
    terminal: TextIO = sys.stdout
    disk_usage: Callable[[pathlib.Path], disk.Usage] = disk.usage_of
    environ: Mapping[str, str] = msgspec.field(default_factory=lambda: os.environ)
    redaction: Redaction = msgspec.field(default_factory=Redaction)
    """Told of every secret that is in use; the log asks it."""


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

    def __init__(self, api: object, door: Door, proxies: Proxies | None) -> None:
        self._api: Callable[[Scope, Receive, Send], object] = api  # type: ignore[assignment]
        self._door = door
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self._proxies is not None and scope.get("client") is not None:
            sender = self._proxies.sender(scope["client"][0], scope["headers"])
            if sender is not None:
                scope = {**scope, "client": (sender, http.TOLD_BY_PROXY)}
        if scope["path"].startswith(API_PREFIX):
            await self._api(scope, receive, send)  # type: ignore[misc]
        else:
            await self._door(scope, receive, send)


@contextlib.asynccontextmanager
async def running(config: Config, folder: pathlib.Path, world: World) -> AsyncIterator[House]:
    """A server on the data in `folder`, dispatching until the context ends.

    Raises:
        StoreUnusable: the database or the key of its secrets cannot be used.
        ConfigError: that key cannot be written, or the configuration names an unknown notifier.
    """
    ring = secret_key.find(folder, world.environ, world.random_bytes)
    vault = Vault(ring.keys)
    world.redaction.hold("configuration", config.secrets)
    backups.clear(folder)
    async with contextlib.AsyncExitStack() as stack:
        store = await open_store(f"sqlite:{folder / DATABASE}", vault)
        stack.push_async_callback(store.close)
        sealing = Sealing(ring, vault, store, world.random_bytes)
        yield await _open(config, folder, world, store, sealing, stack)


async def _open(
    config: Config,
    folder: pathlib.Path,
    world: World,
    store: Store,
    sealing: Sealing,
    stack: contextlib.AsyncExitStack,
) -> House:
    """Wire the engine, have it set up what is missing, open its doors, and start it."""
    registry = _registry(config, world, stack)
    await sealing.begin(registry)
    engine = await _wire_engine(config, folder, world, store, registry, sealing)
    first_start = FirstStart(
        store.directory,
        engine.roster,
        now_ms=world.clock.now_ms,
        random_bytes=world.random_bytes,
        rate_limit=config.limits.rate_limit,
    )
    first_keys = await first_start.run(folder)
    refusals = Refusals(engine.tally)
    bodies = Bodies(
        limit_bytes=config.server.max_body_bytes, timeout_s=config.server.body_timeout_s
    )
    door = _wire_door(engine, bodies, refusals)
    api = _wire_api(config, folder, world, engine, bodies, refusals)
    uses = Uses(engine.gatekeeper, store.directory)
    proxies = await _find_proxies(config.server.trusted_proxies, world.clock, stack)
    await stack.enter_async_context(
        going_on(
            engine.dispatcher,
            engine.roster,
            uses,
            store,
            engine.upkeep,
            world.clock,
            config.server.shutdown_timeout_s,
        )
    )
    return House(
        asgi=Application(api, door, proxies),
        store=store,
        dispatcher=engine.dispatcher,
        feed=engine.feed,
        roster=engine.roster,
        first_keys=first_keys,
    )


async def _find_proxies(
    named: Sequence[str], clock: Clock, stack: contextlib.AsyncExitStack
) -> Proxies | None:
    if not named:
        return None
    from slowping.notifiers.dialling import SystemResolver  # most servers name none

    proxies = Proxies(named, SystemResolver())
    await stack.enter_async_context(proxies.looked_up(clock))
    return proxies


class _Engine(msgspec.Struct, frozen=True, kw_only=True):
    """What the doors call."""

    store: Store
    feed: Feed
    registry: Registry
    roster: Roster
    gatekeeper: Gatekeeper
    dispatcher: Dispatcher
    ingest: Ingest
    tally: Tally
    sealing: Sealing
    upkeep: Upkeep
    now_ms: Callable[[], int]


def _registry(config: Config, world: World, stack: contextlib.AsyncExitStack) -> Registry:
    """The notifiers, which are closed before their tools.

    Raises:
        ConfigError: there are options for one that is not installed.
    """
    tools = Toolbox(config.notifiers, now_ms=world.clock.now_ms, terminal=world.terminal)
    stack.push_async_callback(tools.close)
    registry = Registry(tools.tools_for)
    toolbox.require_known(config.notifiers, registry.kinds())
    stack.push_async_callback(registry.close)
    return registry


async def _wire_engine(
    config: Config,
    folder: pathlib.Path,
    world: World,
    store: Store,
    registry: Registry,
    sealing: Sealing,
) -> _Engine:
    now_ms = world.clock.now_ms
    feed = Feed(store.journal, world.clock)
    roster = Roster(store.directory, feed.wake, world.redaction)
    await roster.renew()
    owner, tally = Owner(), Tally()
    dispatcher = Dispatcher(
        store.outbox, store.directory, registry, world.clock,
        jitter=world.jitter, tell_owner=owner.tell, tally=tally,
    )  # fmt: skip
    ingest = Ingest(
        store.inbox, store.directory, roster, store.ids,
        now_ms=now_ms, wake=dispatcher.wake, forget=dispatcher.forget, tally=tally,
    )  # fmt: skip
    owner.speaks_through(ingest)
    return _Engine(
        store=store, feed=feed, registry=registry, roster=roster, sealing=sealing,
        gatekeeper=Gatekeeper(
            roster,
            now_ms,
            wrong_keys=config.limits.wrong_keys,
            admin_from=config.server.admin_from,
        ),
        dispatcher=dispatcher, ingest=ingest, tally=tally,
        upkeep=upkeep.arrange(
            config, folder, store, world.clock,
            roster=roster, ingest=ingest, owner=owner, tally=tally, usage=world.disk_usage,
        ),
        now_ms=now_ms,
    )  # fmt: skip


def _wire_door(engine: _Engine, bodies: Bodies, refusals: Refusals) -> Door:
    store, now_ms = engine.store, engine.now_ms
    return Door(
        DIALECTS,
        DoorServices(
            roster=engine.roster,
            gatekeeper=engine.gatekeeper,
            ingest=engine.ingest,
            desk=ServerDesk(engine.roster, engine.ingest, store.inbox, store.journal, now_ms),
            refusals=refusals,
            now_ms=now_ms,
            bodies=bodies,
        ),
    )


def _wire_api(
    config: Config,
    folder: pathlib.Path,
    world: World,
    engine: _Engine,
    bodies: Bodies,
    refusals: Refusals,
) -> object:
    database = database_at(f"sqlite:{folder / DATABASE}")
    return create_api(
        Services(
            store=engine.store,
            roster=engine.roster,
            gatekeeper=engine.gatekeeper,
            ingest=engine.ingest,
            event_import=EventImport(engine.store.inbox, engine.ingest, now_ms=engine.now_ms),
            dispatcher=engine.dispatcher,
            feed=engine.feed,
            registry=engine.registry,
            now_ms=engine.now_ms,
            random_bytes=world.random_bytes,
            key_files=KeyFiles(folder),
            backups=Backups(
                database,
                folder,
                now_ms=engine.now_ms,
                closing=engine.feed.closed,
                min_free=config.disk.min_free_mb * disk.MEBIBYTE,
            ),
            sealing=engine.sealing,
            redaction=world.redaction,
            metrics=Metrics(engine.store, engine.upkeep.disk, engine.tally),
            upkeep=engine.upkeep,
            refusals=refusals,
            started_at=engine.now_ms(),
            rate_limit=config.limits.rate_limit,
            sqlite_version=sqlite3.sqlite_version,
            sqlite_faults=database.faults,
            dialects=DIALECTS,
            bodies=bodies,
        )
    )
