"""Keep in memory what accepting an event needs to know: projects, categories, channels, keys.

The one process that serves is the only one that changes them, so whoever changes something
renews its part here before the change is answered. Where that fails, the change is stored all the
same, so everything is read anew until it works.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from slowping.core import discord_url, fanout, ids
from slowping.core.api_key import Principal
from slowping.core.redaction import Redaction
from slowping.server.clock import Clock
from slowping.server.log import Fact
from slowping.store.port import Directory, ProjectSnapshot, StoredProject

logger = logging.getLogger("slowping.roster")

RECOVERY_S: Final = 1.0
"""How soon everything is read again after a reading that failed."""


class Drawer(msgspec.Struct, frozen=True, gc=False):
    """A category, and the channels that its events go to."""

    category_id: int
    channel_ids: tuple[int, ...]


class Tenant(msgspec.Struct, frozen=True):
    """A project with what is live in it, arranged for looking up."""

    project: StoredProject
    drawers: Mapping[str, Drawer]
    kinds: frozenset[str]
    """Kinds of the channels that were configured on purpose."""
    by_target: Mapping[tuple[str, str], int]
    """Channels by kind and target; one that was configured goes before an ad hoc one."""
    ad_hoc_addresses: Mapping[int, str]
    """The address that each ad hoc channel was last given, in its one spelling. Secrets."""
    expiry_ms: Mapping[int, int]
    """For channels whose deliveries expire: after how many milliseconds."""


class Roster:
    """Projects by id and name, API keys by digest."""

    def __init__(
        self,
        directory: Directory,
        keys_renewed: Callable[[], None] | None = None,
        redaction: Redaction | None = None,
    ) -> None:
        """`keys_renewed` is called after the keys were read anew: some may have ended.

        `redaction` is told the secrets of all live channels.
        """
        self._directory = directory
        self._keys_renewed = keys_renewed
        self._redaction = redaction or Redaction()
        self._tenants: dict[int, Tenant] = {}
        self._ids_by_name: dict[str, int] = {}
        self._origins: frozenset[str] = frozenset()
        # One reading at a time: a slow one must not put back what a later one has seen changed.
        self._reading = asyncio.Lock()
        self._is_stale = asyncio.Event()
        self._ended_keys: frozenset[int] = frozenset()
        self.api_keys: Mapping[bytes, Principal] = {}

    async def keep_true(self, clock: Clock) -> None:
        """Read everything anew whenever a reading has failed, for ever."""
        while True:
            await self._is_stale.wait()
            # Whatever is wrong with the store now must not leave the past standing.
            [failure] = await asyncio.gather(self.renew(), return_exceptions=True)
            if failure is not None:
                logger.error(Fact("cannot read what was changed"), exc_info=failure)
                await clock.wait(asyncio.Event(), RECOVERY_S)

    async def renew(self) -> None:
        """Read everything anew."""
        self._is_stale.clear()
        async with self._reads():
            self._replace(await self._directory.snapshots(), self._tenants)
        await self.renew_api_keys()

    async def renew_project(self, project_id: int) -> None:
        """Read one project anew; one that is gone is forgotten."""
        async with self._reads():
            self._replace(await self._directory.snapshots(project_id), (project_id,))

    async def renew_api_keys(self) -> None:
        """Read the keys anew."""
        async with self._reads():
            live = await self._directory.live_api_keys()
            # What this reading does not hold any more, no later one does.
            self._ended_keys &= {principal.key_id for principal in live.values()}
            self._keep_keys(live)

    def end_api_key(self, key_id: int) -> None:
        """Forget a key that was revoked, at once: whatever is read later may be read in vain."""
        self._ended_keys |= {key_id}
        self._keep_keys(self.api_keys)

    def tenant(self, project_id: int) -> Tenant | None:
        """A live project with what is in it."""
        return self._tenants.get(project_id)

    def project(self, name_or_id: str) -> StoredProject | None:
        """A live project by its name, or by its id as people write it."""
        number = self._ids_by_name.get(name_or_id)
        if number is None:
            number = ids.parse(ids.PROJECT, name_or_id)
        return None if number is None else self.project_by_id(number)

    def project_by_id(self, project_id: int) -> StoredProject | None:
        """A live project by its id."""
        tenant = self._tenants.get(project_id)
        return None if tenant is None else tenant.project

    def projects(self) -> tuple[StoredProject, ...]:
        """All live projects, oldest first."""
        return tuple(self._tenants[number].project for number in sorted(self._tenants))

    def knows_origin(self, origin: str) -> bool:
        """Whether any project or key allows the origin."""
        return origin in self._origins

    @contextlib.asynccontextmanager
    async def _reads(self) -> AsyncIterator[None]:
        async with self._reading:
            try:
                yield
            except BaseException:
                self._is_stale.set()
                raise

    def _keep_keys(self, live: Mapping[bytes, Principal]) -> None:
        self.api_keys = {
            digest: principal
            for digest, principal in live.items()
            if principal.key_id not in self._ended_keys
        }
        self._gather_origins()
        if self._keys_renewed is not None:
            self._keys_renewed()

    def _replace(self, snapshots: Sequence[ProjectSnapshot], read: Iterable[int]) -> None:
        gone = tuple(read)
        for project_id in gone:
            self._tenants.pop(project_id, None)
        for snapshot in snapshots:
            self._tenants[snapshot.project.id] = arrange(snapshot)
        self._hold_secrets(snapshots, gone)
        self._ids_by_name = {
            tenant.project.name: number for number, tenant in self._tenants.items()
        }
        self._gather_origins()

    def _hold_secrets(self, snapshots: Sequence[ProjectSnapshot], read: Iterable[int]) -> None:
        found = {
            snapshot.project.id: [text for one in snapshot.channels for text in one.secrets]
            for snapshot in snapshots
        }
        for project_id in {*read, *found}:
            self._redaction.hold(project_id, found.get(project_id, ()))

    def _gather_origins(self) -> None:
        lists = [tenant.project.allowed_origins for tenant in self._tenants.values()]
        lists += [principal.origins for principal in self.api_keys.values()]
        self._origins = frozenset().union(*lists)


def arrange(snapshot: ProjectSnapshot) -> Tenant:
    """Arrange what is live in a project for looking up."""
    channels = snapshot.channels
    ad_hoc = frozenset(channel.id for channel in channels if channel.ad_hoc)
    channel_ids = [channel.id for channel in channels]
    # The last one wins, so the configured ones come last.
    by_target = {
        (channel.kind, channel.target): channel.id
        for channel in sorted(channels, key=lambda channel: not channel.ad_hoc)
        if channel.target is not None
    }
    return Tenant(
        project=snapshot.project,
        drawers={
            category.name: Drawer(category.id, fanout.targets(channel_ids, ad_hoc, category.routes))
            for category in snapshot.categories
        },
        kinds=frozenset(channel.kind for channel in channels if not channel.ad_hoc),
        by_target=by_target,
        ad_hoc_addresses={
            channel.id: discord_url.one_spelling(str(channel.settings.get(ADDRESS)))
            for channel in channels
            if channel.ad_hoc
        },
        expiry_ms={
            channel.id: 1000 * int(channel.settings["expire_after_s"])
            for channel in channels
            if channel.settings.get("expire_after_s")
        },
    )


ADDRESS: Final = "url"
"""The setting by which a request names an ad hoc channel's far side."""
