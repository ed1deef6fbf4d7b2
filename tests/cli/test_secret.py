import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from slowping import cli
from slowping.server.process import data_folder, secret_key
from slowping.store.vault import new_key
from tests.conftest import running_house

HOOK = ("webhook", {"url": "https://shop.example/in"})


async def run(*arguments: str | Path, given: str | None = None, **environ: str) -> Result:
    """Run a command, in a thread: it runs a loop of its own."""
    words = ["secret", *map(str, arguments)]
    return await asyncio.to_thread(
        CliRunner().invoke, cli.cli, words, input=given, env={**environ}, prog_name="slowping"
    )


async def set_up(folder: Path, **environ: str) -> None:
    """A database with a channel that has a secret."""
    async with running_house(folder, environ=environ) as house:
        await house.project("shop", channels=[HOOK])


async def test_a_new_key_is_made_by_the_server_that_runs(tmp_path: Path) -> None:
    async with running_house(tmp_path) as house:
        await house.project("shop", channels=[HOOK])
        where = {"SLOWPING_SERVER": house.base_url, "SLOWPING_API_KEY": house.admin_key}
        ran = await run("rotate", **where)
        assert (ran.exit_code, ran.stdout) == (0, "")
        assert "the secrets of 1 channel with a new key" in ran.stderr
        assert '"channels": 1' in (await run("rotate", "--json", **where)).stdout
    assert len(secret_key.find(tmp_path, {}).keys) == 3


async def test_lost_secrets_are_given_up_so_that_the_server_starts(tmp_path: Path) -> None:
    await set_up(tmp_path)
    (tmp_path / secret_key.KEY_FILE).unlink()
    ran = await run("forget", "--data", tmp_path)
    assert ran.exit_code == 0, ran.stderr
    assert "Gave up the secrets of shop/webhook-0" in ran.stderr
    async with running_house(tmp_path):
        pass


async def test_nothing_is_given_up_where_nothing_is_lost(tmp_path: Path) -> None:
    await set_up(tmp_path)
    ran = await run("forget", "--data", tmp_path)
    assert ran.exit_code == 0, ran.stderr
    assert "nothing to give up" in ran.stderr


async def test_the_folder_may_be_the_one_that_a_configuration_names(tmp_path: Path) -> None:
    await set_up(tmp_path)
    file = tmp_path / "config.toml"
    file.write_text(f'data = "{tmp_path}"', encoding="utf-8")
    ran = await run("forget", "--config", file)
    assert ran.exit_code == 0, ran.stderr
    assert "nothing to give up" in ran.stderr


async def test_a_key_that_only_the_server_sees_is_not_taken_for_lost(tmp_path: Path) -> None:
    key = new_key().decode()
    await set_up(tmp_path, SLOWPING_SECRET_KEY=key)
    ran = await run("forget", "--data", tmp_path)
    assert ran.exit_code == 1
    assert "took the key from the variable SLOWPING_SECRET_KEY" in ran.stderr
    ran = await run("forget", "--data", tmp_path, SLOWPING_SECRET_KEY=key)
    assert "nothing to give up" in ran.stderr


async def test_nothing_is_given_up_while_a_server_runs(tmp_path: Path) -> None:
    await set_up(tmp_path)
    with data_folder.owned(tmp_path):
        ran = await run("forget", "--data", tmp_path)
    assert ran.exit_code == 1
    assert "serves the data folder" in ran.stderr


@pytest.mark.parametrize("yes", [(), ("--yes",)])
async def test_a_folder_without_a_database_is_named(tmp_path: Path, yes: tuple[str, ...]) -> None:
    ran = await run("forget", "--data", tmp_path, *yes)
    assert ran.exit_code == 1
    assert str(tmp_path) in ran.stderr
