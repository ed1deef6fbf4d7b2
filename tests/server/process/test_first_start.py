import itertools
import pathlib
import stat
from collections.abc import Sequence

import pytest

from slowping.core import api_key, ids
from slowping.core.api_key import ApiKey, ApiKeyFilter, Scope
from slowping.core.audit import ITSELF, Author
from slowping.core.channel import Channel
from slowping.server.process.first_start import FirstKeys, FirstStart
from slowping.server.process.key_files import ADMIN_KEY_FILE, INGEST_KEY_FILE
from slowping.server.roster import Roster
from slowping.store.port import ApiKeyRecord, ChannelRecord, Store
from slowping.store.sqlite.directory import Directory
from slowping.testing import FrozenClock


class PowerCut(Exception):
    """The end of this process."""


class MortalDirectory(Directory):
    """Dies after so many changes: the last one is stored, and nobody hears of it."""

    def __init__(self, store: Store, lives: int) -> None:
        assert isinstance(store.directory, Directory)
        self.__dict__.update(store.directory.__dict__)
        self._lives = itertools.count(lives, -1)

    def _live(self) -> None:
        if next(self._lives) <= 0:
            raise PowerCut

    async def create_api_key(
        self, record: ApiKeyRecord, *, now: int, by: Author | None = ITSELF
    ) -> ApiKey:
        """As it is, or the last thing that happens."""
        made = await super().create_api_key(record, now=now, by=by)
        self._live()
        return made

    async def create_channel(
        self, project_id: int, record: ChannelRecord, *, now: int, by: Author | None = ITSELF
    ) -> Channel:
        """As it is, or the last thing that happens."""
        made = await super().create_channel(project_id, record, now=now, by=by)
        self._live()
        return made


async def start(
    store: Store, clock: FrozenClock, folder: pathlib.Path, lives: int | None = None
) -> FirstKeys | None:
    """Start a server on the store, as a new process does."""
    directory = store.directory if lives is None else MortalDirectory(store, lives)
    roster = Roster(directory)
    await roster.renew()
    seeds = itertools.count(1)
    found = await store.directory.list_api_keys(ApiKeyFilter(), before=None, limit=100)
    begun = FirstStart(
        directory,
        roster,
        now_ms=clock.now_ms,
        random_bytes=lambda size: bytes([len(found) * 10 + next(seeds)]) * size,
        rate_limit=60,
    )
    return await begun.run(folder)


def left(folder: pathlib.Path, name: str) -> str:
    return (folder / name).read_text().strip()


def modes(folder: pathlib.Path) -> dict[str, int]:
    """The keys' files, and whatever else begins like them."""
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.glob("*.key*")}


async def keys(store: Store) -> Sequence[ApiKey]:
    listed = await store.directory.list_api_keys(
        ApiKeyFilter(revoked=False), before=None, limit=100
    )
    return list(reversed(listed))


async def test_a_first_start_makes_something_to_begin_with(
    store: Store, clock: FrozenClock, tmp_path: pathlib.Path
) -> None:
    await start(store, clock, tmp_path)
    [snapshot] = await store.directory.snapshots()
    assert snapshot.project.name == "default"
    assert [(channel.name, channel.kind) for channel in snapshot.channels] == [
        ("console", "console")
    ]
    assert {category.name for category in snapshot.categories} == {"bug", "sale", "question"}


async def test_the_keys_are_shown_once(
    store: Store, clock: FrozenClock, tmp_path: pathlib.Path
) -> None:
    assert await start(store, clock, tmp_path) is not None
    assert await start(store, clock, tmp_path) is None
    assert len(await keys(store)) == 2


async def test_the_keys_are_what_they_are_said_to_be(
    store: Store, clock: FrozenClock, tmp_path: pathlib.Path
) -> None:
    shown = await start(store, clock, tmp_path)
    assert shown is not None
    assert shown.ingest is not None
    live = await store.directory.live_api_keys()
    ingest, admin = live[api_key.digest(shown.ingest)], live[api_key.digest(shown.admin)]
    assert ingest.scopes == frozenset({Scope.INGEST, Scope.READ})
    assert admin.scopes == frozenset({Scope.ADMIN})
    assert (ingest.rate_limit, admin.rate_limit) == (60, 0)
    assert ingest.project_ids is not None
    assert admin.project_ids is None


async def test_the_keys_are_left_in_files_for_their_owner_alone(
    store: Store, clock: FrozenClock, tmp_path: pathlib.Path
) -> None:
    shown = await start(store, clock, tmp_path)
    assert shown is not None
    assert left(tmp_path, INGEST_KEY_FILE) == shown.ingest
    assert left(tmp_path, ADMIN_KEY_FILE) == shown.admin
    assert modes(tmp_path) == {INGEST_KEY_FILE: 0o600, ADMIN_KEY_FILE: 0o600}


@pytest.mark.parametrize("lives", [0, 1])
async def test_a_start_that_was_cut_off_is_finished_by_the_next(
    store: Store, clock: FrozenClock, tmp_path: pathlib.Path, lives: int
) -> None:
    with pytest.raises(PowerCut):
        await start(store, clock, tmp_path, lives)
    shown = await start(store, clock, tmp_path)
    assert shown is not None
    assert shown.ingest == left(tmp_path, INGEST_KEY_FILE)
    assert shown.admin == left(tmp_path, ADMIN_KEY_FILE)
    live = await store.directory.live_api_keys()
    assert live.keys() == {api_key.digest(value) for value in (shown.ingest, shown.admin)}
    [snapshot] = await store.directory.snapshots()
    assert len(snapshot.channels) == 1
    assert len(snapshot.categories) == 3


async def test_a_start_that_was_cut_off_at_its_very_end_has_left_its_keys(
    store: Store, clock: FrozenClock, tmp_path: pathlib.Path
) -> None:
    with pytest.raises(PowerCut):
        await start(store, clock, tmp_path, 2)
    assert await start(store, clock, tmp_path) is None
    live = await store.directory.live_api_keys()
    for name in (INGEST_KEY_FILE, ADMIN_KEY_FILE):
        assert api_key.digest(left(tmp_path, name)) in live


async def test_a_store_that_has_lost_its_admin_key_gets_a_new_one_and_nothing_else(
    store: Store, clock: FrozenClock, tmp_path: pathlib.Path
) -> None:
    first = await start(store, clock, tmp_path)
    assert first is not None
    await revoke(store, "first admin key")
    second = await start(store, clock, tmp_path)
    assert second is not None
    assert second.ingest is None
    assert second.admin != first.admin
    assert left(tmp_path, ADMIN_KEY_FILE) == second.admin
    assert left(tmp_path, INGEST_KEY_FILE) == first.ingest
    assert [key.name for key in await keys(store)] == ["first ingest key", "first admin key"]


async def test_an_admin_key_that_has_expired_administers_nothing(
    store: Store, clock: FrozenClock, tmp_path: pathlib.Path
) -> None:
    await start(store, clock, tmp_path)
    await revoke(store, "first admin key")
    [snapshot] = await store.directory.snapshots()
    record = ApiKeyRecord(
        name="for a day",
        digest=b"digest",
        prefix="slp_",
        kind=api_key.ApiKeyKind.SECRET,
        scopes=(Scope.ADMIN,),
        home_project_id=snapshot.project.id,
        all_projects=True,
        rate_limit=0,
        expires_at=clock.now_ms() + 86_400_000,
    )
    await store.directory.create_api_key(record, now=clock.now_ms())
    assert await start(store, clock, tmp_path) is None
    clock.advance(86_400)
    assert await start(store, clock, tmp_path) is not None


async def test_categories_that_were_removed_stay_so(
    store: Store, clock: FrozenClock, tmp_path: pathlib.Path
) -> None:
    await start(store, clock, tmp_path)
    [snapshot] = await store.directory.snapshots()
    for category in snapshot.categories:
        await store.directory.remove_category(category.id, now=clock.now_ms())
    await revoke(store, "first admin key")
    await start(store, clock, tmp_path)
    [snapshot] = await store.directory.snapshots()
    assert snapshot.categories == ()


async def test_a_store_without_any_project_gets_one(
    store: Store, clock: FrozenClock, tmp_path: pathlib.Path
) -> None:
    await start(store, clock, tmp_path)
    [snapshot] = await store.directory.snapshots()
    await revoke(store, "first admin key")
    await store.directory.remove_project(snapshot.project.id, now=clock.now_ms())
    shown = await start(store, clock, tmp_path)
    assert shown is not None
    assert shown.ingest is not None
    [snapshot] = await store.directory.snapshots()
    assert snapshot.project.name == "default"


async def revoke(store: Store, name: str) -> None:
    for key in await keys(store):
        if key.name == name:
            number = ids.decode(ids.API_KEY, key.id)
            await store.directory.revoke_api_key(number, now=0)


# Files ---------------------------------------------------------------------------------------
