import sqlite3

import pytest

from slowping.core import ids
from slowping.core.category import NewCategory
from slowping.core.channel import StoredChannel
from slowping.core.project import NewProject
from slowping.store.port import Store, StoredProject
from slowping.store.sqlite.directory import snapshot
from slowping.store.sqlite.store import SqliteStore
from tests.store import samples
from tests.store.samples import NOW


async def test_a_snapshot_has_all_that_is_live_in_a_project(store: Store) -> None:
    new = NewProject(name="shop", allowed_origins=("https://shop.example",), monthly_quota=9)
    project = await store.directory.create_project(new, now=NOW)
    project_id = ids.decode(ids.PROJECT, project.id)
    create = store.directory.create_channel
    record = samples.channel(
        "team", settings={"expire_after_s": 60}, secrets={"url": "https://team.example"}
    )
    team_id = ids.decode(ids.CHANNEL, (await create(project_id, record, now=NOW)).id)
    crew = await create(project_id, samples.channel("crew"), now=NOW)
    crew_id = ids.decode(ids.CHANNEL, crew.id)
    await store.directory.pause_channel(team_id, "holidays", now=NOW)
    await store.directory.learn(team_id, {"dm": "1"}, now=NOW)
    routed = NewCategory(name="sale", channels=("crew", "team"))
    await store.directory.create_category(project_id, routed, now=NOW)
    await store.directory.create_category(project_id, NewCategory(name="bug"), now=NOW)

    [found] = await store.directory.snapshots()
    assert found.project == StoredProject(
        id=project_id,
        name="shop",
        strict_destinations=False,
        allowed_origins=frozenset({"https://shop.example"}),
        monthly_quota=9,
        created_at=NOW,
    )
    assert [(category.name, category.routes) for category in found.categories] == [
        ("sale", (crew_id, team_id)),
        ("bug", ()),
    ]
    assert found.channels[0] == StoredChannel(
        id=team_id,
        project_id=project_id,
        name="team",
        kind="webhook",
        settings={"expire_after_s": 60, "url": "https://team.example"},
        secret_names=frozenset({"url"}),
        learned={"dm": "1"},
        ad_hoc=False,
        target=None,
        paused_at=NOW,
        paused_reason="holidays",
        created_at=NOW,
    )
    assert found.channels[1].id == crew_id


async def test_what_is_removed_is_in_no_snapshot(
    store: Store, project_id: int, other_id: int
) -> None:
    channel = await store.directory.create_channel(project_id, samples.channel(), now=NOW)
    category = await store.directory.create_category(project_id, NewCategory(name="sale"), now=NOW)
    await store.directory.remove_channel(ids.decode(ids.CHANNEL, channel.id), now=NOW)
    await store.directory.remove_category(ids.decode(ids.CATEGORY, category.id), now=NOW)
    await store.directory.remove_project(other_id, now=NOW)
    [found] = await store.directory.snapshots()
    assert (found.project.id, found.categories, found.channels) == (project_id, (), ())


async def test_a_snapshot_of_one_project_leaves_out_the_others(
    store: Store, project_id: int, other_id: int
) -> None:
    for owner in (project_id, other_id):
        await store.directory.create_channel(owner, samples.channel(), now=NOW)
    [found] = await store.directory.snapshots(other_id)
    assert found.project.id == other_id
    assert [channel.project_id for channel in found.channels] == [other_id]


async def test_there_is_no_snapshot_of_a_project_that_is_gone(
    store: Store, project_id: int
) -> None:
    await store.directory.remove_project(project_id, now=NOW)
    assert await store.directory.snapshots(project_id) == []


async def test_snapshots_come_oldest_first(store: Store, project_id: int, other_id: int) -> None:
    found = await store.directory.snapshots()
    assert [one.project.id for one in found] == [project_id, other_id]


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (snapshot.CATEGORIES, "SEARCH category USING INDEX category_name (project_id=?)"),
        (snapshot.CATEGORIES, "SEARCH route USING INDEX route_pair (category_id=?)"),
        (snapshot.CHANNELS, "SEARCH channel USING INDEX channel_name (project_id=?)"),
    ],
)
async def test_an_index_serves_every_query(store: SqliteStore, statement: str, index: str) -> None:
    connection = sqlite3.connect(store.path)
    plan = connection.execute(f"explain query plan {statement}", {"projects": "[1]"}).fetchall()
    connection.close()
    assert index in [step for *_, step in plan]
