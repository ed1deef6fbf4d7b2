import pytest

from slowping.core import errors, ids, times
from slowping.core.api_key import ApiKeyFilter
from slowping.core.category import NewCategory
from slowping.core.delivery import DeliveryFilter
from slowping.core.project import NewProject, ProjectChange
from slowping.store.port import Store
from tests.store import samples
from tests.store.directory.conftest import Told
from tests.store.samples import NOW

LATER = NOW + 60_000


async def test_a_project_is_read_back_as_it_was_created(store: Store) -> None:
    new = NewProject(
        name="shop",
        strict_destinations=True,
        allowed_origins=("https://shop.example",),
        monthly_quota=100,
    )
    project = await store.directory.create_project(new, now=NOW)
    assert (project.name, project.strict_destinations) == ("shop", True)
    assert (project.allowed_origins, project.monthly_quota) == (("https://shop.example",), 100)
    assert project.created_at == times.to_datetime(NOW)
    assert await store.directory.project(ids.decode(ids.PROJECT, project.id)) == project


async def test_two_live_projects_cannot_have_one_name(store: Store, project_id: int) -> None:
    with pytest.raises(errors.NameTaken, match="already a project named 'shop'"):
        await store.directory.create_project(NewProject(name="shop"), now=NOW)


async def test_a_refused_project_leaves_no_trace(store: Store, project_id: int, told: Told) -> None:
    told()
    with pytest.raises(errors.NameTaken):
        await store.directory.create_project(NewProject(name="shop"), now=NOW)
    assert told() == []
    assert len(await store.directory.list_projects(None, before=None, limit=10)) == 1


async def test_a_change_keeps_what_it_leaves_out(store: Store) -> None:
    new = NewProject(name="shop", strict_destinations=True, monthly_quota=100)
    created = await store.directory.create_project(new, now=NOW)
    changed = await store.directory.change_project(
        ids.decode(ids.PROJECT, created.id), ProjectChange(name="store"), now=LATER
    )
    assert (changed.name, changed.strict_destinations, changed.monthly_quota) == (
        "store",
        True,
        100,
    )


async def test_a_quota_can_be_taken_away(store: Store) -> None:
    created = await store.directory.create_project(
        NewProject(name="shop", monthly_quota=100), now=NOW
    )
    changed = await store.directory.change_project(
        ids.decode(ids.PROJECT, created.id), ProjectChange(monthly_quota=None), now=LATER
    )
    assert changed.monthly_quota is None


async def test_a_project_cannot_take_the_name_of_another(
    store: Store, project_id: int, other_id: int
) -> None:
    with pytest.raises(errors.NameTaken):
        await store.directory.change_project(other_id, ProjectChange(name="shop"), now=LATER)


async def test_projects_are_listed_newest_first_in_pages(
    store: Store, project_id: int, other_id: int
) -> None:
    first = await store.directory.list_projects(None, before=None, limit=1)
    rest = await store.directory.list_projects(None, before=other_id, limit=10)
    assert [project.name for project in (*first, *rest)] == ["other", "shop"]


async def test_a_key_sees_only_its_own_projects(
    store: Store, project_id: int, other_id: int
) -> None:
    listed = await store.directory.list_projects((project_id,), before=None, limit=10)
    assert [project.name for project in listed] == ["shop"]


async def test_a_removed_project_is_gone_and_its_name_free(store: Store, project_id: int) -> None:
    await store.directory.remove_project(project_id, now=LATER)
    with pytest.raises(errors.NotFound):
        await store.directory.project(project_id)
    assert await store.directory.list_projects(None, before=None, limit=10) == []
    await store.directory.create_project(NewProject(name="shop"), now=LATER)


async def test_a_removed_project_takes_its_categories_and_channels_with_it(
    store: Store, project_id: int
) -> None:
    directory = store.directory
    channel = await directory.create_channel(project_id, samples.channel("team"), now=NOW)
    new = NewCategory(name="sale", channels=("team",))
    category = await directory.create_category(project_id, new, now=NOW)
    await directory.remove_project(project_id, now=LATER)
    with pytest.raises(errors.NotFound):
        await directory.channel(ids.decode(ids.CHANNEL, channel.id))
    with pytest.raises(errors.NotFound):
        await directory.category(ids.decode(ids.CATEGORY, category.id))


async def test_a_removed_project_revokes_the_keys_at_home_in_it(
    store: Store, project_id: int, other_id: int
) -> None:
    directory = store.directory
    guest = samples.api_key(other_id, digest=b"2", project_ids=(project_id,))
    await directory.create_api_key(samples.api_key(project_id, digest=b"1"), now=NOW)
    await directory.create_api_key(guest, now=NOW)
    await directory.remove_project(project_id, now=LATER)
    assert [*await directory.live_api_keys()] == [b"2"]
    [revoked] = await directory.list_api_keys(ApiKeyFilter(revoked=True), before=None, limit=10)
    assert (revoked.project, revoked.revoked_at) == ("shop", times.to_datetime(LATER))


async def test_a_key_for_all_projects_outlives_its_home(store: Store, project_id: int) -> None:
    directory = store.directory
    await directory.create_api_key(samples.api_key(project_id, all_projects=True), now=NOW)
    await directory.remove_project(project_id, now=LATER)
    assert len(await directory.live_api_keys()) == 1


async def test_a_key_no_longer_names_a_removed_project_among_its_further_ones(
    store: Store, project_id: int, other_id: int
) -> None:
    guest = samples.api_key(other_id, project_ids=(project_id,))
    key = await store.directory.create_api_key(guest, now=NOW)
    await store.directory.remove_project(project_id, now=LATER)
    key_id = ids.decode(ids.API_KEY, key.id)
    assert (await store.directory.api_key(key_id)).projects == ()
    [principal] = (await store.directory.live_api_keys()).values()
    assert principal.project_ids == frozenset({other_id})


async def test_a_removed_project_discards_its_pending_deliveries(
    store: Store, project_id: int
) -> None:
    directory = store.directory
    channel = await directory.create_channel(project_id, samples.channel(), now=NOW)
    category = await directory.create_category(project_id, NewCategory(name="sale"), now=NOW)
    await samples.accept(
        store,
        project_id,
        ids.decode(ids.CATEGORY, category.id),
        channel_ids=(ids.decode(ids.CHANNEL, channel.id),),
    )
    await directory.remove_project(project_id, now=LATER)
    [delivery] = await store.outbox.list_deliveries(DeliveryFilter(), before=None, limit=10)
    assert (delivery.state, delivery.ended_at) == ("discarded", times.to_datetime(LATER))


async def test_the_journal_tells_of_all_that_goes_with_a_project(
    store: Store, project_id: int, other_id: int, told: Told
) -> None:
    directory = store.directory
    for owner in (project_id, other_id):
        await directory.create_channel(owner, samples.channel(), now=NOW)
        await directory.create_category(owner, NewCategory(name="sale"), now=NOW)
        await directory.create_api_key(samples.api_key(owner, digest=bytes([owner % 251])), now=NOW)
    told()
    await directory.remove_project(project_id, now=LATER)
    assert [kind for kind, _ in told()] == [
        "key.changed",
        "channel.changed",
        "category.changed",
        "project.changed",
    ]


async def test_each_change_of_a_project_is_told_once(store: Store, told: Told) -> None:
    created = await store.directory.create_project(NewProject(name="shop"), now=NOW)
    project_id = ids.decode(ids.PROJECT, created.id)
    await store.directory.change_project(project_id, ProjectChange(name="store"), now=NOW)
    await store.directory.remove_project(project_id, now=NOW)
    assert told() == [("project.changed", project_id)] * 3


async def test_what_is_not_there_cannot_be_changed_or_removed(store: Store) -> None:
    with pytest.raises(errors.NotFound, match="There is no project 'prj_0000000000007'"):
        await store.directory.change_project(7, ProjectChange(name="store"), now=NOW)
    with pytest.raises(errors.NotFound):
        await store.directory.remove_project(7, now=NOW)
