"""What is done to the secrets of all channels at once, on a real store."""

import contextlib
import pathlib
import sqlite3
from collections.abc import AsyncIterator

import pytest

from slowping.core import errors, ids
from slowping.core.audit import ActFilter, Author
from slowping.core.channel import StoredChannel
from slowping.core.project import NewProject
from slowping.store import open_store
from slowping.store.port import ChannelRecord, Store
from slowping.store.vault import Vault, new_key
from tests.store import samples

OLD, NEW, NOW = new_key(), new_key(), 1_780_000_000_000
ANN = Author(key_id=None, name="ann")
SECRETS = {"url": "https://far.example/4f3a9c21", "more": ["x" * 700]}


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "slowping.db"


@contextlib.asynccontextmanager
async def opened(path: pathlib.Path, *keys: bytes) -> AsyncIterator[Store]:
    store = await open_store(f"sqlite:{path}", Vault(keys))
    try:
        yield store
    finally:
        await store.close()


async def channel(store: Store, name: str = "team", **settings: object) -> int:
    """A channel that has secrets."""
    projects = await store.directory.list_projects(None, before=None, limit=1)
    if not projects:
        projects = [await store.directory.create_project(NewProject(name="shop"), now=NOW)]
    record = ChannelRecord(name=name, kind="named", settings=settings, secrets=SECRETS)
    project_id = ids.decode(ids.PROJECT, projects[0].id)
    made = await store.directory.create_channel(project_id, record, now=NOW, by=None)
    return ids.decode(ids.CHANNEL, made.id)


async def stored(store: Store, number: int) -> StoredChannel:
    return await store.directory.stored_channel(number)


async def test_what_an_old_key_has_sealed_is_sealed_with_the_newest(path: pathlib.Path) -> None:
    async with opened(path, OLD) as store:
        number = await channel(store)
    async with opened(path, NEW, OLD) as store:
        assert await store.secrets.seal_anew() == 1
        assert await store.secrets.seal_anew() == 0
    async with opened(path, NEW) as store:
        assert (await stored(store, number)).settings == SECRETS


async def test_a_setting_in_the_clear_that_is_a_secret_is_sealed(path: pathlib.Path) -> None:
    async with opened(path, OLD) as store:
        number = await channel(store, token="4711-in-the-clear", label="x")
        assert await store.secrets.kinds_to_look_at("2.0") == ["named"]
        names = {"named": frozenset({"token"})}
        assert await store.secrets.seal_anew(names, version="2.0") == 1
        assert await store.secrets.kinds_to_look_at("2.0") == []
        assert await store.secrets.kinds_to_look_at("3.0") == ["named"]
        assert (await stored(store, number)).secret_names == {*SECRETS, "token"}
        assert (await store.directory.channel(number)).settings["token"] == "…lear"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("select settings from channel").fetchall() == [('{"label":"x"}',)]


async def test_a_store_without_settings_in_the_clear_has_none_to_look_at(
    path: pathlib.Path,
) -> None:
    async with opened(path, OLD) as store:
        await channel(store)
        assert await store.secrets.kinds_to_look_at("2.0") == []


async def test_one_secret_that_no_key_opens_leaves_all_others_as_they_are(
    path: pathlib.Path,
) -> None:
    async with opened(path, OLD) as store:
        first = await channel(store)
    async with opened(path, NEW) as store:
        await channel(store, "other")
        with pytest.raises(errors.StoreUnusable):
            await store.secrets.seal_anew()
        assert await store.secrets.lost() == ["shop/team"]
    async with opened(path, OLD, NEW) as store:
        assert (await stored(store, first)).settings == SECRETS


async def test_what_no_key_opens_is_given_up_and_its_channel_paused(path: pathlib.Path) -> None:
    async with opened(path, OLD) as store:
        number = await channel(store)
    async with opened(path, NEW) as store:
        other = await channel(store, "other")
        assert await store.secrets.forget_lost("lost", now=NOW, by=ANN) == ["shop/team"]
        found = await stored(store, number)
        assert (found.settings, found.paused_at, found.paused_reason) == ({}, NOW, "lost")
        assert (await stored(store, other)).settings == SECRETS
        assert await store.secrets.lost() == []


async def test_what_was_given_up_is_told_by_an_act(path: pathlib.Path) -> None:
    async with opened(path, OLD) as store:
        await channel(store)
    async with opened(path, NEW) as store:
        for _ in range(2):
            await store.secrets.forget_lost("lost", now=NOW, by=ANN)
        [told] = await store.directory.list_acts(
            ActFilter(act="secrets.forgotten"), before=None, limit=2
        )
        assert (told.author, told.after) == ("ann", {"channels": ["shop/team"]})


async def test_no_secret_is_given_up_without_the_act(path: pathlib.Path) -> None:
    async with opened(path, OLD) as store:
        number = await channel(store)
    samples.forbid_acts(path)
    async with opened(path, NEW) as store:
        with pytest.raises(sqlite3.IntegrityError, match="no act"):
            await store.secrets.forget_lost("lost", now=NOW, by=ANN)
    async with opened(path, OLD) as store:
        assert (await stored(store, number)).settings == SECRETS


async def test_the_place_of_the_key_is_kept(path: pathlib.Path) -> None:
    async with opened(path, OLD) as store:
        assert await store.secrets.key_source() is None
        for source in ("here", "here", "there"):
            await store.secrets.note_key_source(source)
            assert await store.secrets.key_source() == source
