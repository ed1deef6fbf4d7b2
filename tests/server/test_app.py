import pathlib

import pytest

from slowping.core import errors
from slowping.server.app import KEY_FILE
from tests.conftest import running_house

WEBHOOK = ("webhook", {"url": "https://shop.example/hook"})


async def test_without_its_key_file_a_database_with_secrets_is_not_opened(
    tmp_path: pathlib.Path,
) -> None:
    async with running_house(tmp_path) as house:
        await house.project("shop", channels=[WEBHOOK])
    (tmp_path / KEY_FILE).unlink()
    with pytest.raises(errors.StoreUnusable, match=r"secret\.key is missing"):
        async with running_house(tmp_path):
            pass
    assert not (tmp_path / KEY_FILE).exists()


async def test_a_lost_key_file_that_sealed_nothing_is_made_anew(tmp_path: pathlib.Path) -> None:
    async with running_house(tmp_path):
        pass
    (tmp_path / KEY_FILE).unlink()
    async with running_house(tmp_path):
        assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600
