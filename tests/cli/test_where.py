"""Which server a command talks to, with the live view's memory in a real file."""

import asyncio
import functools
import json
import pathlib
from collections.abc import Awaitable, Callable

import pytest
from click.testing import CliRunner, Result

from slowping.cli import cli, where
from slowping.tui.settings import Profile, Remembered, Settings
from tests.conftest import RunningHouse

Run = Callable[..., Awaitable[Result]]

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def settings(home: pathlib.Path) -> Settings:
    """The live view's, where this user's are."""
    return Settings(home / "state/slowping")


def remember(settings: Settings, *profiles: Profile) -> None:
    for profile in profiles:
        settings.change(functools.partial(Remembered.with_profile, profile=profile))


async def run(*arguments: str, **environ: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, cli, arguments, env=environ)


async def test_a_command_talks_to_the_server_that_the_live_view_showed_last(
    house: RunningHouse, settings: Settings
) -> None:
    remember(
        settings, Profile.of(NOWHERE, "slp_other"), Profile.of(house.base_url, house.admin_key)
    )
    listed = await run("key", "list", "--json")
    assert listed.exit_code == 0, listed.stderr
    sent = await run("send", "bug", "-d", "It broke")
    assert sent.exit_code == 0, sent.stderr
    assert [event.description for event in await house.events("default")] == ["It broke"]


async def test_what_is_typed_or_set_goes_first(house: RunningHouse, settings: Settings) -> None:
    remember(settings, Profile.of(NOWHERE, "slp_other"))
    typed = ("--server", house.base_url, "--api-key", house.admin_key)
    assert (await run("key", "list", *typed)).exit_code == 0
    variables = {"SLOWPING_SERVER": house.base_url, "SLOWPING_API_KEY": house.admin_key}
    assert (await run("key", "list", **variables)).exit_code == 0


async def test_the_memory_goes_before_the_server_of_this_machine(
    house: RunningHouse, settings: Settings, home: pathlib.Path
) -> None:
    folder = home / "data/slowping"
    folder.mkdir(parents=True)
    (folder / "server.json").write_text(json.dumps({"url": house.base_url}), encoding="utf-8")
    (folder / "admin.key").write_text(house.admin_key, encoding="utf-8")
    assert (await run("key", "list")).exit_code == 0
    remember(settings, Profile.of(NOWHERE, "slp_other"))
    gone = await run("key", "list")
    assert gone.exit_code == 3
    assert "the profile 127.0.0.1:9 of the live view: give another with --server" in gone.stderr
    assert (await run("key", "list", "--data", str(folder))).exit_code == 0


async def test_a_remembered_key_that_is_refused_is_told_by_its_profile(
    house: RunningHouse, settings: Settings
) -> None:
    remember(settings, Profile.of(house.base_url, "slp_old"))
    refused = await run("key", "list")
    assert refused.exit_code == 4
    assert f"from the profile {house.base_url.removeprefix('http://')}" in refused.stderr


async def test_whoever_rotates_the_remembered_key_is_told_where_to_put_the_new_one(
    house: RunningHouse, settings: Settings
) -> None:
    remember(settings, Profile.of(house.base_url, house.admin_key))
    rotated = await run("key", "rotate", "first admin key")
    assert rotated.exit_code == 0, rotated.stderr
    assert "of the live view: put the new one there" in rotated.stderr


@pytest.mark.parametrize("left", ["{", '{"profiles": 7}', '{"profiles": []}'])
async def test_a_memory_that_says_nothing_stops_nothing(home: pathlib.Path, left: str) -> None:
    folder = home / "state/slowping"
    folder.mkdir(parents=True)
    (folder / "tui.json").write_text(left, encoding="utf-8")
    ran = await run("key", "list")
    assert ran.exit_code == 3
    assert "slowping serve" in ran.stderr


def test_a_memory_that_may_not_be_read_stops_nothing(home: pathlib.Path) -> None:
    (home / "state/slowping/tui.json").mkdir(parents=True)  # a folder: reading it fails
    assert where.remembered() == []


def test_the_last_server_comes_first_and_one_without_a_key_is_none(settings: Settings) -> None:
    a, b, c = (Profile.of(f"http://{name}", "k" if name != "c" else "") for name in "abc")
    remember(settings, a, b, c)
    settings.change(lambda kept: kept.changed(profile="b"))
    assert [address.server for address in where.remembered()] == ["http://b", "http://a"]
