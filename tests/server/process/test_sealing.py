import asyncio
import contextlib
import pathlib
import sqlite3
from collections.abc import Sequence

import pytest

from slowping.core import errors
from slowping.core.audit import ActFilter
from slowping.core.channel import StoredChannel
from slowping.server.process import data_folder, sealing, secret_key
from slowping.server.process.data_folder import DATABASE
from slowping.server.process.secret_key import KEY_FILE
from slowping.store.vault import new_key
from tests.conftest import RunningHouse, running_house

HOOK = ("webhook", {"url": "https://shop.example/in", "secret": "whsec_" + "c2VjcmV0" * 4})
BOT = ("telegram", {"bot_token": "1:abcdefghijkl", "chat_id": 1})


async def set_up(folder: pathlib.Path) -> None:
    """A database with two channels that have secrets."""
    async with running_house(folder) as house:
        await house.project("shop", channels=[HOOK, BOT])


async def channels(house: RunningHouse) -> Sequence[StoredChannel]:
    """Those of the shop."""
    found = {each.project.name: each.channels for each in await house.store.directory.snapshots()}
    return found["shop"]


def blobs(folder: pathlib.Path) -> Sequence[bytes]:
    """What is sealed in the database."""
    with contextlib.closing(sqlite3.connect(folder / DATABASE)) as connection:
        found = connection.execute("select secrets from channel where secrets is not null")
        return [blob for (blob,) in found.fetchall()]


def keys(folder: pathlib.Path) -> Sequence[bytes]:
    return secret_key.find(folder, {}).keys


# At the start ------------------------------------------------------------------------------------


async def test_without_its_key_a_database_with_secrets_is_not_served(
    tmp_path: pathlib.Path,
) -> None:
    await set_up(tmp_path)
    (tmp_path / KEY_FILE).unlink()
    with pytest.raises(errors.StoreUnusable, match=r"is missing, .* shop/webhook-0, shop/tele"):
        async with running_house(tmp_path):
            pass
    assert not (tmp_path / KEY_FILE).exists()


async def test_a_key_that_does_not_open_the_secrets_is_refused(tmp_path: pathlib.Path) -> None:
    await set_up(tmp_path)
    (tmp_path / KEY_FILE).write_bytes(new_key())
    with pytest.raises(errors.StoreUnusable, match="does not open the secrets of shop/webhook-0"):
        async with running_house(tmp_path):
            pass


async def test_a_lost_key_that_sealed_nothing_is_made_anew(tmp_path: pathlib.Path) -> None:
    async with running_house(tmp_path):
        pass
    (tmp_path / KEY_FILE).unlink()
    async with running_house(tmp_path):
        assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600


async def test_a_start_seals_anew_what_an_older_key_has_sealed(tmp_path: pathlib.Path) -> None:
    await set_up(tmp_path)
    [old], new, before = keys(tmp_path), new_key(), blobs(tmp_path)
    (tmp_path / KEY_FILE).write_bytes(new + b"\n" + old)
    async with running_house(tmp_path):
        pass
    assert not {*before} & {*blobs(tmp_path)}
    (tmp_path / KEY_FILE).write_bytes(new)
    async with running_house(tmp_path) as house:
        assert [each.settings for each in await channels(house)] == [HOOK[1], BOT[1]]


async def test_a_start_leaves_alone_what_the_newest_key_has_sealed(tmp_path: pathlib.Path) -> None:
    await set_up(tmp_path)
    before = blobs(tmp_path)
    async with running_house(tmp_path):
        pass
    assert blobs(tmp_path) == before


async def test_a_secret_that_was_a_plain_setting_is_sealed_by_the_next_start(
    tmp_path: pathlib.Path,
) -> None:
    await set_up(tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / DATABASE)) as connection:
        connection.execute("delete from meta where key = 'secrets_apart'")
        connection.execute(
            """update channel set secrets = null, settings = '{"bot_token":"2:clear","chat_id":2}'
                where kind = 'telegram'"""
        )
        connection.commit()
    async with running_house(tmp_path) as house:
        [_, bot] = await channels(house)
        assert bot.settings == {"bot_token": "2:clear", "chat_id": 2}
    with contextlib.closing(sqlite3.connect(tmp_path / DATABASE)) as connection:
        read = "select settings from channel where kind = 'telegram'"
        assert connection.execute(read).fetchall() == [('{"chat_id":2}',)]


# Another key -------------------------------------------------------------------------------------


async def test_a_new_key_seals_everything_while_the_server_runs(tmp_path: pathlib.Path) -> None:
    await set_up(tmp_path)
    async with running_house(tmp_path) as house:
        before = blobs(tmp_path)
        told = await house.client.post(
            "/slowping/v1/secrets/rotate", headers={"authorization": f"Bearer {admin(tmp_path)}"}
        )
        assert (told.status_code, told.json()) == (200, {"channels": 2})
        assert [each.settings for each in await channels(house)] == [HOOK[1], BOT[1]]
        assert not {*before} & {*blobs(tmp_path)}
    newest, _ = keys(tmp_path)
    (tmp_path / KEY_FILE).write_bytes(newest)
    async with running_house(tmp_path) as house:
        assert [each.settings for each in await channels(house)] == [HOOK[1], BOT[1]]


async def test_changes_that_come_at_once_go_one_by_one(tmp_path: pathlib.Path) -> None:
    await set_up(tmp_path)
    async with running_house(tmp_path) as house:
        headers = {"authorization": f"Bearer {admin(tmp_path)}"}
        told = await asyncio.gather(
            *(house.client.post("/slowping/v1/secrets/rotate", headers=headers) for _ in range(5))
        )
        assert [each.status_code for each in told] == [200] * 5
    assert len(keys(tmp_path)) == 6
    async with running_house(tmp_path) as house:
        assert [each.settings for each in await channels(house)] == [HOOK[1], BOT[1]]


async def test_a_copy_of_before_opens_with_the_key_file_of_after(tmp_path: pathlib.Path) -> None:
    await set_up(tmp_path)
    copy = (tmp_path / DATABASE).read_bytes()
    async with running_house(tmp_path) as house:
        await house.client.post(
            "/slowping/v1/secrets/rotate", headers={"authorization": f"Bearer {admin(tmp_path)}"}
        )
    (tmp_path / DATABASE).write_bytes(copy)
    async with running_house(tmp_path) as house:
        assert [each.settings for each in await channels(house)] == [HOOK[1], BOT[1]]


async def test_a_key_of_another_place_is_changed_there(tmp_path: pathlib.Path) -> None:
    await set_up(tmp_path)
    environ = {"SLOWPING_SECRET_KEY": new_key().decode()}
    async with running_house(tmp_path, environ=environ) as house:
        told = await house.client.post(
            "/slowping/v1/secrets/rotate", headers={"authorization": f"Bearer {admin(tmp_path)}"}
        )
    assert told.status_code == 409
    assert "the variable SLOWPING_SECRET_KEY" in told.json()["detail"]


def admin(folder: pathlib.Path) -> str:
    return (folder / "admin.key").read_text().strip()


# Where it is lost --------------------------------------------------------------------------------


async def test_what_is_lost_is_given_up_and_its_channels_pause(tmp_path: pathlib.Path) -> None:
    await set_up(tmp_path)
    (tmp_path / KEY_FILE).unlink()
    loss = await sealing.find_lost(tmp_path, {})
    assert loss.channels == ["shop/webhook-0", "shop/telegram-1"]
    assert loss.source == loss.was == f"the file {tmp_path / KEY_FILE}"
    assert await sealing.forget_lost(tmp_path, {}, now=1) == loss.channels
    async with running_house(tmp_path) as house:
        [hook, bot] = await channels(house)
        assert (hook.settings, bot.settings) == ({}, {})
        assert hook.paused_reason == bot.paused_reason == sealing.GIVEN_UP
        [act] = await house.store.directory.list_acts(
            ActFilter(act="secrets.forgotten"), before=None, limit=2
        )
        assert act.after == {"channels": list(loss.channels)}


async def test_what_a_key_opens_is_not_given_up(tmp_path: pathlib.Path) -> None:
    await set_up(tmp_path)
    assert await sealing.forget_lost(tmp_path, {}, now=1) == []
    async with running_house(tmp_path) as house:
        assert [each.settings for each in await channels(house)] == [HOOK[1], BOT[1]]


async def test_nothing_is_given_up_while_a_server_runs_there(tmp_path: pathlib.Path) -> None:
    await set_up(tmp_path)
    with data_folder.owned(tmp_path), pytest.raises(errors.ConfigError, match="serves the data"):
        await sealing.forget_lost(tmp_path, {}, now=1)


async def test_a_folder_without_a_database_has_nothing_to_give_up(tmp_path: pathlib.Path) -> None:
    with pytest.raises(errors.ConfigError, match="no database"):
        await sealing.find_lost(tmp_path, {})
