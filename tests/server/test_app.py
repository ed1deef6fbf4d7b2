import logging
import pathlib

import pytest

from slowping.config import Config, ServerSection
from tests.conftest import running_house

BEHIND_A_PROXY = Config(server=ServerSection(trusted_proxies=("127.0.0.0/8",)))


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
