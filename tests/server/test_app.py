import logging
import pathlib

import pytest

from slowping.config import Config, ServerSection
from slowping.core import errors
from slowping.server.app import KEY_FILE
from tests.conftest import running_house

BEHIND_A_PROXY = Config(server=ServerSection(trusted_proxies=("127.0.0.0/8",)))

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


@pytest.mark.parametrize("path", ["/api/v1/events", "/slowping/v1/events"])
@pytest.mark.parametrize(
    ("config", "address"), [(BEHIND_A_PROXY, "192.0.2.7"), (Config(), "127.0.0.1")]
)
async def test_the_log_says_who_was_refused(
    tmp_path: pathlib.Path,
    caplog: pytest.LogCaptureFixture,
    path: str,
    config: Config,
    address: str,
) -> None:
    caplog.set_level(logging.INFO, "slowping.refusals")
    async with running_house(tmp_path, config) as house:
        forwarded = {"x-forwarded-for": "198.51.100.1, 192.0.2.7"}
        await house.client.post(path, json={}, headers=forwarded)
    [line] = [each for each in caplog.messages if each.startswith("refused")]
    assert f" path={path} condition=NoCredential status=401 address={address}" in line
