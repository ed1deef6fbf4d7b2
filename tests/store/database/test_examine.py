import pathlib

import pytest

from slowping.core import errors
from slowping.store.sqlite.database import SqliteDatabase, examine
from tests.store import samples
from tests.store.database import history
from tests.store.database.conftest import Keeping
from tests.store.samples import NOW


async def test_a_database_at_work_is_looked_over(kept: Keeping) -> None:
    await kept.shop.deliver()
    found = kept.database.examine(thorough=True)
    assert (found.contents.events, found.contents.waiting) == (1, 1)
    assert found.damage == ()
    assert found.log_bytes > 0
    assert found.contents.schema == found.newest_schema == history.SCHEMAS[-1]


async def test_channels_are_told_as_they_are(kept: Keeping) -> None:
    shop = kept.shop
    await shop.store.directory.create_channel(
        shop.project_id,
        samples.channel("secret", secrets={"url": "https://discord.com/api/webhooks/1/a"}),
        now=NOW,
    )
    await shop.deliver(at=NOW + 7)
    boss, secret, team = kept.database.examine(thorough=False).channels
    assert [one.name for one in (boss, secret, team)] == ["boss", "secret", "team"]
    assert (team.waiting, team.failed, team.oldest_waiting_at) == (1, 0, NOW + 7)
    assert (boss.waiting, boss.oldest_waiting_at, boss.sealed) == (0, None, None)
    assert secret.sealed is not None
    assert b"discord.com" not in secret.sealed


async def test_a_clock_that_was_set_back_is_noticed(kept: Keeping) -> None:
    for at in (NOW, NOW + 5_000, NOW + 4_500, NOW - 3_600_000, NOW):
        await kept.shop.deliver(at=at)
    found = kept.database.examine(thorough=False)
    assert (found.clock_steps, found.largest_step_ms) == (1, 3_604_500)
    assert found.last_journal_at == NOW + 5_000


@pytest.mark.parametrize("schema", history.SCHEMAS)
def test_a_database_of_every_schema_can_be_looked_over(tmp_path: pathlib.Path, schema: int) -> None:
    path = tmp_path / "slowping.db"
    history.build(path, schema, 20)
    found = SqliteDatabase(path).examine(thorough=True)
    assert (found.contents.schema, found.contents.events, found.damage) == (schema, 20, ())
    assert [one.name for one in found.channels if one.paused_at] == ["boss"]


@pytest.mark.parametrize("thorough", [True, False])
def test_damage_is_told_in_sqlites_own_words(tmp_path: pathlib.Path, thorough: bool) -> None:
    path = tmp_path / "slowping.db"
    history.build(path, history.SCHEMAS[-1], 2_000)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 4_096)
    assert "malformed" in _told(path, thorough) or "ree " in _told(path, thorough)


def _told(path: pathlib.Path, thorough: bool) -> str:
    try:
        return "; ".join(SqliteDatabase(path).examine(thorough=thorough).damage)
    except errors.StoreUnusable as error:
        return str(error)


@pytest.mark.parametrize(
    ("version", "is_faulty"),
    [
        ((3, 6, 23), False),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 54, 1), False),
    ],
)
def test_versions_with_a_known_fault_are_told(
    version: tuple[int, int, int], is_faulty: bool
) -> None:
    assert bool(examine.known_faults(version)) is is_faulty
