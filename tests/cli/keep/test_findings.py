import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from slowping.cli.keep import findings
from slowping.cli.keep.findings import Finding, State
from slowping.config import Config, ServerSection
from slowping.core import disk, times
from slowping.store.port.database import ChannelState, Contents, Examination, ProviderState

NOW = 1_795_000_000_000
HOUR = 3_600_000
DAY = 24 * HOUR
GIGABYTE = 1_000_000_000

GOOD = Examination(
    contents=Contents(
        schema=6, events=7, newest_event_at=NOW, waiting=0, has_secrets=False, size=1_000_000
    ),
    newest_schema=6,
    is_thorough=True,
    damage=(),
    log_bytes=0,
    version="3.54.1",
    faults=(),
    channels=(),
    held_providers=(),
    clock_steps=0,
    largest_step_ms=0,
    last_journal_at=NOW - 5,
    key_digests={},
)
QUIET = ChannelState(
    name="team",
    project="shop",
    paused_at=None,
    paused_reason=None,
    paused_by_hand=False,
    waiting=0,
    failed=0,
    oldest_waiting_at=None,
    sealed=None,
)


def told(found: Iterable[Finding], state: State) -> str:
    """What was found of that state."""
    return "\n".join(one.told for one in found if one.state is state)


def test_what_is_good_is_all_good() -> None:
    looked = (
        *findings.of_configuration(Config(), None),
        *findings.of_modes(Path("/data"), {".": 0o700, "slowping.db": 0o600}),
        findings.of_disk(100 * GIGABYTE, 50 * GIGABYTE, GIGABYTE, disk.marks(GIGABYTE, 0, 0)),
        findings.of_backup(times.to_datetime(NOW), times.to_datetime(NOW)),
        *findings.of_database(GOOD),
        *findings.of_channels([QUIET], [], NOW),
        findings.of_secret_key([], 1, None),
        *findings.of_admin_key(Path("/data/admin.key"), is_there=True, is_live=True),
        findings.of_certificate(Path("/tls/full.pem"), NOW + 15 * DAY, NOW),
        *findings.of_clock(GOOD, NOW, 0.0),
    )
    assert {one.state for one in looked} == {State.OK}


@pytest.mark.parametrize(
    ("change", "state", "words"),
    [
        ({"damage": ("row 7 missing from index",)}, State.WRONG, "row 7 missing from index"),
        ({"newest_schema": 7}, State.NOTE, "It has schema 6: a server brings it to 7"),
        ({"faults": ("it forgets",)}, State.NOTE, "3.54.1 has a known fault: it forgets."),
        ({"log_bytes": 65_000_000}, State.NOTE, "The write-ahead log has 65.0 MB: much was"),
    ],
)
def test_what_is_wrong_with_a_database_is_told(
    change: dict[str, Any], state: State, words: str
) -> None:
    assert words in told(findings.of_database(msgspec.structs.replace(GOOD, **change)), state)


@pytest.mark.parametrize(
    ("change", "state", "words"),
    [
        (
            {"paused_at": NOW, "paused_reason": "Unknown Webhook", "waiting": 3},
            State.WRONG,
            "shop/team is paused, and 3 wait: Unknown Webhook",
        ),
        (
            {"paused_at": NOW, "paused_reason": "by Ada", "paused_by_hand": True},
            State.NOTE,
            "shop/team is paused, and 0 wait: by Ada",
        ),
        (
            {"waiting": 2, "oldest_waiting_at": NOW - 5 * HOUR},
            State.WRONG,
            "shop/team has 2 waiting, one of them for 5h.",
        ),
        (
            {"waiting": 3, "held_until": NOW, "held_reason": "HTTP 503"},
            State.NOTE,
            "shop/team is troubled, and 3 wait: HTTP 503. One message tries it at 2026-11-",
        ),
        (
            {"waiting": 3, "held_until": NOW, "oldest_waiting_at": NOW - 5 * HOUR},
            State.WRONG,
            "shop/team has 3 waiting, one of them for 5h.",
        ),
        ({"failed": 1}, State.NOTE, "shop/team: 1 delivery has failed."),
    ],
)
def test_what_is_wrong_with_a_channel_is_told(
    change: dict[str, Any], state: State, words: str
) -> None:
    assert words in told(
        findings.of_channels([msgspec.structs.replace(QUIET, **change)], [], NOW), state
    )


def test_what_waits_for_a_moment_is_not_wrong() -> None:
    busy = msgspec.structs.replace(QUIET, waiting=2, oldest_waiting_at=NOW - 1_000)
    [found] = findings.of_channels([busy], [], NOW)
    assert (found.state, found.told) == (State.OK, "1 channel; 2 deliveries wait.")


@pytest.mark.parametrize(
    ("now", "drift_s", "change", "state", "words"),
    [
        (0, 0.0, {}, State.WRONG, "It says 1970-01-01 00:00:00 UTC."),
        (NOW, 0.7, {}, State.NOTE, "It was set by +0.70 s during this check."),
        (NOW, 0.0, {"last_journal_at": NOW + 2 * HOUR}, State.WRONG, "lies ahead"),
        (
            NOW,
            0.0,
            {"clock_steps": 2, "largest_step_ms": HOUR},
            State.NOTE,
            "It was set back 2 times while the server ran, by up to 1h.",
        ),
    ],
)
def test_a_clock_that_cannot_be_relied_on_is_told(
    now: int, drift_s: float, change: dict[str, Any], state: State, words: str
) -> None:
    found = msgspec.structs.replace(GOOD, **change)
    assert words in told(findings.of_clock(found, now, drift_s), state)


@pytest.mark.parametrize(
    ("modes", "wrong", "noted"),
    [
        ({".": 0o755, "slowping.db": 0o644}, "chmod 600 /data/slowping.db", ""),
        ({".": 0o700, "slowping.db": 0o644}, "", "chmod 600 /data/slowping.db"),
        ({".": 0o755, "slowping.db": 0o600}, "", "chmod 700 /data"),
    ],
)
def test_files_that_others_can_read_are_told(modes: dict[str, int], wrong: str, noted: str) -> None:
    found = list(findings.of_modes(Path("/data"), modes))
    assert wrong in told(found, State.WRONG)
    assert noted in told(found, State.NOTE)
    assert all(one.state is not State.OK for one in found)


@pytest.mark.parametrize(
    ("free", "size", "state"),
    [
        (400_000_000, GIGABYTE, State.WRONG),
        (GIGABYTE, GIGABYTE, State.NOTE),
        (2 * GIGABYTE, GIGABYTE, State.OK),
    ],
)
def test_a_disk_needs_room_for_events_and_for_a_copy(free: int, size: int, state: State) -> None:
    marks = disk.marks(100 * GIGABYTE, 500_000_000, 0)
    assert findings.of_disk(100 * GIGABYTE, free, size, marks).state is state


@pytest.mark.parametrize(("days", "state"), [(None, State.NOTE), (40, State.NOTE), (1, State.OK)])
def test_a_copy_is_looked_for(days: int | None, state: State) -> None:
    now = times.to_datetime(NOW)
    at = None if days is None else now - dt.timedelta(days=days)
    assert findings.of_backup(at, now).state is state


def test_a_provider_that_is_troubled_is_told() -> None:
    discord = ProviderState(scope="discord", held_until=NOW, held_reason="HTTP 503")
    noted = told(findings.of_channels([QUIET], [discord], NOW), State.NOTE)
    assert noted.startswith("discord is troubled, and all its channels wait: HTTP 503. One message")


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        (None, "The key does not open the secrets of shop/team."),
        (Path("/data/secret.key"), "/data/secret.key is missing."),
    ],
)
def test_secrets_that_no_key_opens_are_wrong(missing: Path | None, words: str) -> None:
    found = findings.of_secret_key(["shop/team"], 1, missing)
    assert words in told([found], State.WRONG)
    assert "shop/team" in found.told


@pytest.mark.parametrize(
    ("is_there", "words"),
    [(False, "There is no /data/admin.key:"), (True, "/data/admin.key holds no live admin key:")],
)
def test_an_admin_key_that_commands_cannot_use_is_told(is_there: bool, words: str) -> None:
    found = findings.of_admin_key(Path("/data/admin.key"), is_there=is_there, is_live=False)
    assert words in told(found, State.NOTE)


@pytest.mark.parametrize(
    ("left", "state", "words"),
    [
        (-1, State.WRONG, "ended at 2026-"),
        (13 * DAY, State.NOTE, "ends in 13d, at 2026-12-"),
        (15 * DAY, State.OK, "fits its key, and ends in 15d, at 2026-12-"),
    ],
)
def test_a_certificate_is_told_before_it_ends(left: int, state: State, words: str) -> None:
    found = findings.of_certificate(Path("/tls/full.pem"), NOW + left, NOW)
    assert found.state is state
    assert words in found.told


def test_options_that_were_changed_are_named_without_secrets() -> None:
    email = msgspec.structs.replace(Config().notifiers.email, password="hush", host="mail")
    config = Config(
        server=ServerSection(port=8080),
        notifiers=msgspec.structs.replace(
            Config().notifiers, email=email, plugins={"sms": {"pin": "1234"}}
        ),
    )
    words = told(findings.of_configuration(config, Path("/etc/slowping.toml")), State.OK)
    assert "It is read from /etc/slowping.toml." in words
    assert "server.port is 8080 (by default 7464)." in words
    assert 'notifiers.email.host is "mail" (by default "localhost").' in words
    assert "notifiers.email.password is set" in words
    assert "notifiers.plugins is set" in words
    assert "hush" not in words
    assert "1234" not in words
