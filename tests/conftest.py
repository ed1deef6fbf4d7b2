"""What the tests stand on: a clock, a store in a temporary folder, a server on a free port."""

import asyncio
import contextlib
import io
import pathlib
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Final

import httpx
import hypothesis
import pytest

from slowping.config import Config
from slowping.core import api_key, ids
from slowping.core.api_key import ApiKeyKind, Scope
from slowping.core.category import NewCategory
from slowping.core.event import Event, EventFilter
from slowping.core.project import NewProject
from slowping.server import serving
from slowping.server.app import House, World, running
from slowping.server.clock import Clock, SystemClock
from slowping.server.process.disk import Usage, usage_of
from slowping.store import open_store
from slowping.store.port import ApiKeyRecord, ChannelRecord, Store
from slowping.store.vault import Vault
from slowping.testing import FrozenClock

# The same examples in every run: a gate that is red by chance says nothing.
hypothesis.settings.register_profile("gate", derandomize=True, deadline=None)
hypothesis.settings.load_profile("gate")

VAULT_KEY = b"c2xvd3BpbmctdGVzdHMtdXNlLXRoaXMta2V5LW9ubHk="
"""A Fernet key that protects nothing but test data."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-snapshots", action="store_true", help="keep the pictures as they are drawn now"
    )


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
async def store(tmp_path: pathlib.Path) -> AsyncIterator[Store]:
    opened = await open_store(f"sqlite:{tmp_path / 'slowping.db'}", Vault([VAULT_KEY]))
    yield opened
    await opened.close()


class RunningHouse:
    """A real server on a real socket, and shorthands for what a test sets up."""

    def __init__(
        self, house: House, client: httpx.AsyncClient, base_url: str, world: World
    ) -> None:
        self.house = house
        self.store = house.store
        self.dispatcher = house.dispatcher
        self.client = client
        """Speaks to the server without a key."""
        self.base_url = base_url
        self.world = world
        first = house.first_keys
        self.admin_key = first.admin if first else ""
        self.ingest_key = (first.ingest if first else None) or ""

    @property
    def printed(self) -> str:
        """What the console notifier has printed."""
        assert isinstance(self.world.terminal, io.StringIO)
        return self.world.terminal.getvalue()

    async def project(
        self,
        name: str,
        *,
        channels: Sequence[str | tuple[str, Mapping[str, Any]]] = (),
        categories: Sequence[str] = (),
        paused: bool = True,
        **settings: Any,  # as NewProject takes them
    ) -> str:
        """Make a project with channels (kinds, or kind and settings) and categories."""
        now = self.world.clock.now_ms()
        directory = self.store.directory
        project = await directory.create_project(NewProject(name=name, **settings), now=now)
        stored = await self.number(project.name)
        for position, given in enumerate(channels):
            kind, values = (given, {}) if isinstance(given, str) else given
            record = ChannelRecord(
                name=f"{kind}-{position}", kind=kind, settings={}, secrets=values
            )
            channel = await directory.create_channel(stored, record, now=now)
            if paused:
                await directory.pause_channel(
                    ids.decode(ids.CHANNEL, channel.id), "paused by the test", now=now
                )
        for category in categories:
            await directory.create_category(stored, NewCategory(name=category), now=now)
        await self.house.roster.renew()
        return name

    async def key(
        self,
        project: str,
        *,
        scopes: Sequence[str] = ("ingest", "read"),
        rate_limit: int = 0,
        value: str | None = None,
        projects: Sequence[str] = (),
        origins: Sequence[str] = (),
        expires_at: int | None = None,
    ) -> str:
        """Issue a key at home in a project."""
        value = value or api_key.mint(secrets.token_bytes(32))
        await self.store.directory.create_api_key(
            ApiKeyRecord(
                name="test",
                digest=api_key.digest(value),
                prefix=api_key.shown(value),
                kind=ApiKeyKind.SECRET,
                scopes=tuple(map(Scope, scopes)),
                home_project_id=await self.number(project),
                project_ids=tuple([await self.number(name) for name in projects]),
                rate_limit=rate_limit,
                origins=tuple(origins),
                expires_at=expires_at,
            ),
            now=self.world.clock.now_ms(),
        )
        await self.house.roster.renew_api_keys()
        return value

    async def events(self, project: str) -> Sequence[Event]:
        """Everything that a project was sent, oldest first."""
        which = EventFilter(project_ids=(await self.number(project),))
        listed = await self.store.journal.list_events(which, before=None, limit=1000)
        return list(reversed(listed))

    async def number(self, project: str) -> int:
        """A project's number."""
        for snapshot in await self.store.directory.snapshots():
            if snapshot.project.name == project:
                return snapshot.project.id
        raise LookupError(project)


_PATIENCE_S: Final = 30.0
"""A test may have hundreds of requests on their way, on a machine with much else to do."""


@contextlib.asynccontextmanager
async def running_house(
    folder: pathlib.Path,
    config: Config | None = None,
    clock: Clock | None = None,
    environ: Mapping[str, str] | None = None,
    disk_usage: Callable[[pathlib.Path], Usage] = usage_of,
) -> AsyncIterator[RunningHouse]:
    """Run a server on a free port of this machine."""
    config = config or Config()
    world = World(
        clock=clock or SystemClock(),
        terminal=io.StringIO(),
        environ=environ or {},
        disk_usage=disk_usage,
    )
    with contextlib.closing(serving.listen("127.0.0.1", 0)) as listener:
        base_url = serving.address_of(listener)
        async with running(config, folder, world) as house:
            server = serving.server_for(house, config)
            task = asyncio.create_task(server.serve(sockets=[listener]))
            try:
                await server.ready.wait()
                async with httpx.AsyncClient(
                    base_url=base_url, trust_env=False, timeout=_PATIENCE_S
                ) as client:
                    yield RunningHouse(house, client, base_url, world)
            finally:
                server.should_exit = True
                await task


@pytest.fixture
async def house(tmp_path: pathlib.Path) -> AsyncIterator[RunningHouse]:
    async with running_house(tmp_path) as opened:
        yield opened
