import asyncio
import contextlib
from collections.abc import Iterator, Mapping, Sequence

import pytest

from slowping.core import ids
from slowping.core.api_key import ApiKeyKind, Principal, Scope
from slowping.core.category import NewCategory
from slowping.core.project import NewProject
from slowping.core.redaction import Redaction
from slowping.server.roster import RECOVERY_S, Drawer, Roster, Tenant
from slowping.store.port import ApiKeyRecord, ChannelRecord, ProjectSnapshot, Store
from slowping.store.sqlite.directory import Directory
from slowping.testing import START_MS, FrozenClock


@pytest.fixture
def roster(store: Store) -> Roster:
    return Roster(store.directory)


async def project(store: Store, name: str, *origins: str) -> int:
    new = NewProject(name=name, allowed_origins=origins)
    made = await store.directory.create_project(new, now=START_MS)
    return ids.decode(ids.PROJECT, made.id)


async def channel(
    store: Store,
    project_id: int,
    name: str,
    *,
    target: str | None = None,
    ad_hoc: bool = False,
    **settings: int,
) -> int:
    record = ChannelRecord(
        name=name,
        kind="discord",
        settings=settings,
        secrets={"url": f"https://far/{name}"},
        target=target,
        ad_hoc=ad_hoc,
    )
    made = await store.directory.create_channel(project_id, record, now=START_MS)
    return ids.decode(ids.CHANNEL, made.id)


async def category(store: Store, project_id: int, name: str) -> int:
    new = NewCategory(name=name)
    made = await store.directory.create_category(project_id, new, now=START_MS)
    return ids.decode(ids.CATEGORY, made.id)


async def key(store: Store, project_id: int, digest: bytes, *origins: str) -> int:
    record = ApiKeyRecord(
        name="browser",
        digest=digest,
        prefix="slp_",
        kind=ApiKeyKind.SECRET,
        scopes=(Scope.INGEST,),
        home_project_id=project_id,
        rate_limit=0,
        origins=origins,
    )
    made = await store.directory.create_api_key(record, now=START_MS)
    return ids.decode(ids.API_KEY, made.id)


def tenant(roster: Roster, project_id: int) -> Tenant:
    found = roster.tenant(project_id)
    assert found is not None
    return found


async def test_a_project_is_found_by_name_and_by_id(store: Store, roster: Roster) -> None:
    number = await project(store, "shop")
    await roster.renew()
    for name in ("shop", ids.encode(ids.PROJECT, number)):
        found = roster.project(name)
        assert found is not None
        assert found.id == number


@pytest.mark.parametrize("name", ["", "Shop", "prj_", "prj_0000000000000", "1"])
async def test_nothing_else_names_a_project(store: Store, roster: Roster, name: str) -> None:
    await project(store, "shop")
    await roster.renew()
    assert roster.project(name) is None


async def test_projects_are_listed_oldest_first(store: Store, roster: Roster) -> None:
    for name in ("b", "a", "c"):
        await project(store, name)
    await roster.renew()
    assert [each.name for each in roster.projects()] == ["b", "a", "c"]


async def test_a_project_that_is_gone_is_forgotten(store: Store, roster: Roster) -> None:
    shop, club = await project(store, "shop"), await project(store, "club")
    await roster.renew()
    await store.directory.remove_project(shop, now=START_MS)
    await roster.renew_project(shop)
    assert roster.project("shop") is None
    assert roster.project("club") is not None
    await store.directory.remove_project(club, now=START_MS)
    await roster.renew()
    assert roster.projects() == ()


async def test_renewing_one_project_leaves_the_others_alone(store: Store, roster: Roster) -> None:
    shop, club = await project(store, "shop"), await project(store, "club")
    await roster.renew()
    await category(store, shop, "sale")
    await category(store, club, "party")
    await roster.renew_project(shop)
    assert set(tenant(roster, shop).drawers) == {"sale"}
    assert set(tenant(roster, club).drawers) == set()


async def test_a_drawer_knows_where_its_events_go(store: Store, roster: Roster) -> None:
    shop = await project(store, "shop")
    one, two = await channel(store, shop, "one"), await channel(store, shop, "two")
    await channel(store, shop, "named", target="9", ad_hoc=True)
    sale = await category(store, shop, "sale")
    await roster.renew()
    assert tenant(roster, shop).drawers["sale"] == Drawer(sale, (one, two))


async def test_only_configured_channels_make_a_kind(store: Store, roster: Roster) -> None:
    shop = await project(store, "shop")
    await channel(store, shop, "named", target="9", ad_hoc=True)
    await roster.renew()
    assert tenant(roster, shop).kinds == frozenset()
    await channel(store, shop, "own")
    await roster.renew_project(shop)
    assert tenant(roster, shop).kinds == {"discord"}


@pytest.mark.parametrize("configured_first", [True, False])
async def test_a_configured_channel_goes_before_an_ad_hoc_one(
    store: Store, roster: Roster, configured_first: bool
) -> None:
    shop = await project(store, "shop")
    made = {}
    for ad_hoc in (not configured_first, configured_first):
        made[ad_hoc] = await channel(store, shop, f"c{ad_hoc}", target="9", ad_hoc=ad_hoc)
    await roster.renew()
    assert tenant(roster, shop).by_target == {("discord", "9"): made[False]}
    assert tenant(roster, shop).ad_hoc_addresses == {made[True]: "https://far/cTrue"}


async def test_origins_of_projects_and_keys_are_known(store: Store, roster: Roster) -> None:
    shop = await project(store, "shop", "https://shop.example")
    await key(store, shop, b"1", "https://page.example")
    await roster.renew()
    assert roster.knows_origin("https://shop.example")
    assert roster.knows_origin("https://page.example")
    assert not roster.knows_origin("https://other.example")
    await store.directory.remove_project(shop, now=START_MS)
    await roster.renew()
    assert not roster.knows_origin("https://shop.example")


async def test_expiry_is_told_in_milliseconds(store: Store, roster: Roster) -> None:
    shop = await project(store, "shop")
    await channel(store, shop, "patient")
    brief = await channel(store, shop, "brief", expire_after_s=60)
    await roster.renew()
    assert tenant(roster, shop).expiry_ms == {brief: 60_000}


class CountingDirectory(Directory):
    """Knows how many readings went on at once."""

    def __init__(self, store: Store) -> None:
        assert isinstance(store.directory, Directory)
        self.__dict__.update(store.directory.__dict__)
        self.now = self.most = 0

    async def live_api_keys(self) -> Mapping[bytes, Principal]:
        """As it is, counted."""
        with self.counted():
            return await super().live_api_keys()

    async def snapshots(self, project_id: int | None = None) -> Sequence[ProjectSnapshot]:
        """As it is, counted."""
        with self.counted():
            return await super().snapshots(project_id)

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        """Count a reading while it goes on."""
        self.now += 1
        self.most = max(self.most, self.now)
        yield
        self.now -= 1


async def test_a_slow_reading_cannot_bring_back_what_a_later_one_saw_changed(store: Store) -> None:
    shop = await project(store, "shop")
    directory = CountingDirectory(store)
    roster = Roster(directory)

    async def change(number: int) -> None:
        key_id = await key(store, shop, b"%d" % number)
        await roster.renew_api_keys()
        assert api_key_of(roster, b"%d" % number)
        await store.directory.revoke_api_key(key_id, now=START_MS)
        await roster.renew_api_keys()
        assert not api_key_of(roster, b"%d" % number)
        await category(store, shop, f"c{number}")
        await roster.renew_project(shop)
        assert f"c{number}" in tenant(roster, shop).drawers

    await asyncio.gather(*map(change, range(20)))
    assert directory.most == 1


class FailingDirectory(Directory):
    """Cannot be read for a while."""

    def __init__(self, store: Store) -> None:
        assert isinstance(store.directory, Directory)
        self.__dict__.update(store.directory.__dict__)
        self.is_broken = False

    async def live_api_keys(self) -> Mapping[bytes, Principal]:
        """As it is, if it can be read."""
        if self.is_broken:
            raise OSError(5, "Input/output error")
        return await super().live_api_keys()

    async def snapshots(self, project_id: int | None = None) -> Sequence[ProjectSnapshot]:
        """As it is, if it can be read."""
        if self.is_broken:
            raise OSError(5, "Input/output error")
        return await super().snapshots(project_id)


async def test_what_could_not_be_read_is_read_until_it_works(
    store: Store, clock: FrozenClock
) -> None:
    shop = await project(store, "shop")
    directory = FailingDirectory(store)
    renewed = asyncio.Event()
    roster = Roster(directory, renewed.set)
    await roster.renew()
    renewed.clear()
    keeping = asyncio.create_task(roster.keep_true(clock))
    await category(store, shop, "sale")
    directory.is_broken = True
    with pytest.raises(OSError, match="Input/output error"):
        await roster.renew_project(shop)
    await clock.is_waited_on()  # it has tried, in vain
    directory.is_broken = False
    clock.advance(RECOVERY_S)
    await renewed.wait()
    assert "sale" in tenant(roster, shop).drawers
    keeping.cancel()


async def test_a_revoked_key_ends_even_where_nothing_can_be_read(store: Store) -> None:
    shop = await project(store, "shop")
    number = await key(store, shop, b"1")
    directory = FailingDirectory(store)
    roster = Roster(directory)
    await roster.renew()
    await store.directory.revoke_api_key(number, now=START_MS)
    directory.is_broken = True
    roster.end_api_key(number)
    with pytest.raises(OSError, match="Input/output error"):
        await roster.renew_api_keys()
    assert not api_key_of(roster, b"1")


async def test_a_reading_that_began_before_a_key_was_revoked_does_not_bring_it_back(
    store: Store, roster: Roster
) -> None:
    shop = await project(store, "shop")
    number = await key(store, shop, b"1")
    await roster.renew()
    roster.end_api_key(number)
    await roster.renew_api_keys()  # the store has it still
    assert not api_key_of(roster, b"1")


def api_key_of(roster: Roster, digest: bytes) -> Principal | None:
    return roster.api_keys.get(digest)


async def test_who_asked_for_it_is_told_once_keys_were_read_anew(store: Store) -> None:
    told: list[str] = []
    listened_to = Roster(store.directory, lambda: told.append("keys"))
    await listened_to.renew_project(await project(store, "shop"))
    assert told == []
    await listened_to.renew_api_keys()
    assert told == ["keys"]


async def test_secrets_are_known_for_as_long_as_their_channel_is_live(store: Store) -> None:
    known = Redaction()
    roster = Roster(store.directory, redaction=known)
    shop, team = await project(store, "shop"), await project(store, "team")
    for each in (shop, team):
        await channel(store, each, f"channel-of-{each}")
    await roster.renew()
    told = [f"https://far/channel-of-{each}" for each in (shop, team)]
    assert [known.clean(secret) for secret in told] == ["[secret]", "[secret]"]
    await store.directory.remove_project(shop, now=START_MS)
    await roster.renew_project(shop)
    assert [known.clean(secret) for secret in told] == [told[0], "[secret]"]
