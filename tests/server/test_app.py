import logging
import pathlib

import pytest

from slowping.config import Config, NotifiersSection, ServerSection
from slowping.core import errors
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


# Where admin keys may be used ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "forwarded", "status"),
    [
        (Config(), None, 200),
        (Config(), "192.0.2.7", 403),
        (BEHIND_A_PROXY, None, 200),
        (BEHIND_A_PROXY, "192.0.2.7", 403),
        (BEHIND_A_PROXY, "192.168.1.20", 200),
        (Config(server=ServerSection(admin_from=("0.0.0.0/0", "::/0"))), "192.0.2.7", 200),
        (Config(server=ServerSection(admin_from=("192.0.2.0/24",))), None, 403),
        (Config(server=ServerSection(trusted_proxies=("localhost",))), "192.168.1.20", 200),
        (Config(server=ServerSection(trusted_proxies=("localhost",))), "192.0.2.7", 403),
    ],
)
async def test_an_admin_key_is_taken_from_where_it_may_be_used(
    tmp_path: pathlib.Path, config: Config, forwarded: str | None, status: int
) -> None:
    async with running_house(tmp_path, config) as house:
        headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
        for key, expected in ((house.admin_key, status), (house.ingest_key, 200)):
            own = {**headers, "authorization": f"Bearer {key}"}
            answer = await house.client.get("/slowping/v1/projects", headers=own)
            assert answer.status_code == expected
            # A dialect has no word for it: it does not know the key.
            answer = await house.client.post(
                "/api/v1/events", json={"category": "sale"}, headers=own
            )
            assert answer.status_code == (401 if expected == 403 else expected)


@pytest.mark.parametrize("config", [Config(), BEHIND_A_PROXY], ids=["stranger's", "ours"])
@pytest.mark.parametrize(
    "header",
    [
        {"forwarded": "for=192.0.2.7"},
        {"x-real-ip": "192.0.2.7"},
        {"via": "1.1 cache"},
        {"x-forwarded-for": "unknown"},
    ],
    ids=lambda header: next(iter(header)),
)
async def test_an_admin_key_is_refused_behind_a_proxy_that_tells_no_address(
    tmp_path: pathlib.Path, config: Config, header: dict[str, str]
) -> None:
    async with running_house(tmp_path, config) as house:
        for key, expected in ((house.admin_key, 403), (house.ingest_key, 200)):
            own = {**header, "authorization": f"Bearer {key}"}
            answer = await house.client.get("/slowping/v1/projects", headers=own)
            assert answer.status_code == expected


# Options of notifiers --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (
            "consol",
            r"no notifier of kind 'consol'\. Did you mean 'console'\? Installed are console,",
        ),
        ("discord", r"plugins\.discord: the options of discord stand in notifiers\.discord\."),
    ],
)
async def test_options_that_no_notifier_reads_are_refused_with_the_known_kinds(
    tmp_path: pathlib.Path, kind: str, words: str
) -> None:
    config = Config(notifiers=NotifiersSection(plugins={kind: {"server": "https://ntfy.sh"}}))
    with pytest.raises(errors.ConfigError, match=words):
        async with running_house(tmp_path, config):
            raise AssertionError("it runs")
