import pytest

from slowping.core import category as categories
from slowping.core import errors, ids, times
from slowping.core.category import CategoryChange, NewCategory
from slowping.store.port import Store
from tests.store import samples
from tests.store.directory.conftest import Told
from tests.store.samples import NOW

SALE = NewCategory(name="sale", emoji="💰", color=0x2ECC71, priority=2)


@pytest.fixture
async def category_id(store: Store, project_id: int) -> int:
    """The category `sale`."""
    category = await store.directory.create_category(project_id, SALE, now=NOW)
    return ids.decode(ids.CATEGORY, category.id)


@pytest.fixture
async def channels(store: Store, project_id: int) -> None:
    """The channels `a`, `b` and `c`, and an ad hoc one."""
    for name in ("a", "b", "c"):
        await store.directory.create_channel(project_id, samples.channel(name), now=NOW)
    await store.directory.create_channel(project_id, samples.ad_hoc("1"), now=NOW)


async def test_a_category_is_read_back_as_it_was_created(store: Store, project_id: int) -> None:
    category = await store.directory.create_category(project_id, SALE, now=NOW)
    assert (category.project, category.name, category.emoji) == ("shop", "sale", "💰")
    assert (category.color, category.priority, category.channels) == (0x2ECC71, 2, ())
    assert category.created_at == times.to_datetime(NOW)
    assert await store.directory.category(ids.decode(ids.CATEGORY, category.id)) == category


async def test_two_live_categories_of_a_project_cannot_have_one_name(
    store: Store, project_id: int, category_id: int
) -> None:
    with pytest.raises(errors.NameTaken, match="already a category named 'sale'"):
        await store.directory.create_category(project_id, SALE, now=NOW)


async def test_two_projects_may_have_categories_of_one_name(
    store: Store, category_id: int, other_id: int
) -> None:
    assert (await store.directory.create_category(other_id, SALE, now=NOW)).project == "other"


async def test_a_category_names_its_channels_in_the_order_given(
    store: Store, project_id: int, channels: None
) -> None:
    new = NewCategory(name="sale", channels=("c", "a", "c"))
    category = await store.directory.create_category(project_id, new, now=NOW)
    assert category.channels == ("c", "a")


@pytest.mark.parametrize("name", ["nowhere", "discord-1"])
async def test_a_category_cannot_go_to_a_channel_that_nobody_configured(
    store: Store, project_id: int, channels: None, name: str
) -> None:
    with pytest.raises(errors.NotFound, match=f"There is no channel '{name}'"):
        await store.directory.create_category(
            project_id, NewCategory(name="sale", channels=("a", name)), now=NOW
        )
    assert await _names(store) == []


async def test_a_category_cannot_go_to_a_channel_of_another_project(
    store: Store, other_id: int, channels: None
) -> None:
    with pytest.raises(errors.NotFound):
        await store.directory.create_category(
            other_id, NewCategory(name="sale", channels=("a",)), now=NOW
        )


async def test_a_change_keeps_what_it_leaves_out(
    store: Store, category_id: int, channels: None
) -> None:
    change = CategoryChange(channels=("b", "a"))
    await store.directory.change_category(category_id, change, now=NOW)
    changed = await store.directory.change_category(
        category_id, CategoryChange(name="order", color=0), now=NOW
    )
    assert (changed.name, changed.color) == ("order", 0)
    assert (changed.emoji, changed.priority, changed.channels) == ("💰", 2, ("b", "a"))


async def test_a_change_can_send_a_category_to_all_channels_again(
    store: Store, category_id: int, channels: None
) -> None:
    await store.directory.change_category(category_id, CategoryChange(channels=("a",)), now=NOW)
    changed = await store.directory.change_category(
        category_id, CategoryChange(channels=()), now=NOW
    )
    assert changed.channels == ()


async def test_a_change_that_is_refused_changes_nothing(
    store: Store, category_id: int, channels: None
) -> None:
    change = CategoryChange(channels=("a",))
    before = await store.directory.change_category(category_id, change, now=NOW)
    with pytest.raises(errors.NotFound):
        await store.directory.change_category(
            category_id, CategoryChange(name="order", channels=("b", "nowhere")), now=NOW
        )
    assert await store.directory.category(category_id) == before


async def test_a_category_cannot_take_the_name_of_another(
    store: Store, project_id: int, category_id: int
) -> None:
    await store.directory.create_category(project_id, NewCategory(name="bug"), now=NOW)
    with pytest.raises(errors.NameTaken):
        await store.directory.change_category(category_id, CategoryChange(name="bug"), now=NOW)


async def test_a_project_has_room_for_so_many_categories(store: Store, project_id: int) -> None:
    for number in range(categories.MAX_CATEGORIES):
        await store.directory.create_category(
            project_id, NewCategory(name=f"category-{number}"), now=NOW
        )
    with pytest.raises(errors.InvalidInput, match="at most 1000 categories"):
        await store.directory.create_category(project_id, SALE, now=NOW)


async def test_a_project_that_is_gone_takes_no_category(store: Store, project_id: int) -> None:
    await store.directory.remove_project(project_id, now=NOW)
    with pytest.raises(errors.NotFound, match="There is no project"):
        await store.directory.create_category(project_id, SALE, now=NOW)


async def test_categories_are_listed_by_project_and_name_newest_first(
    store: Store, project_id: int, other_id: int
) -> None:
    for owner, name in ((project_id, "sale"), (project_id, "bug"), (other_id, "sale")):
        await store.directory.create_category(owner, NewCategory(name=name), now=NOW)
    assert await _names(store) == ["other/sale", "shop/bug", "shop/sale"]
    assert await _names(store, project_ids=(project_id,)) == ["shop/bug", "shop/sale"]
    assert await _names(store, name="sale") == ["other/sale", "shop/sale"]
    assert await _names(store, limit=1) == ["other/sale"]


async def test_a_page_goes_on_below_the_last_id_of_the_one_before(
    store: Store, project_id: int, category_id: int
) -> None:
    await store.directory.create_category(project_id, NewCategory(name="bug"), now=NOW)
    listed = await store.directory.list_categories(None, None, before=category_id + 1, limit=10)
    assert [category.name for category in listed] == ["sale"]


async def test_a_removed_category_is_gone_and_its_name_free(
    store: Store, project_id: int, category_id: int
) -> None:
    await store.directory.remove_category(category_id, now=NOW)
    with pytest.raises(errors.NotFound):
        await store.directory.category(category_id)
    with pytest.raises(errors.NotFound):
        await store.directory.remove_category(category_id, now=NOW)
    await store.directory.create_category(project_id, SALE, now=NOW)
    assert await _names(store) == ["shop/sale"]


async def test_each_change_of_a_category_is_told_once(
    store: Store, project_id: int, told: Told
) -> None:
    told()
    created = await store.directory.create_category(project_id, SALE, now=NOW)
    category_id = ids.decode(ids.CATEGORY, created.id)
    await store.directory.change_category(category_id, CategoryChange(color=1), now=NOW)
    await store.directory.remove_category(category_id, now=NOW)
    assert told() == [("category.changed", category_id)] * 3


async def _names(
    store: Store,
    *,
    project_ids: tuple[int, ...] | None = None,
    name: str | None = None,
    limit: int = 10,
) -> list[str]:
    listed = await store.directory.list_categories(project_ids, name, before=None, limit=limit)
    return [f"{category.project}/{category.name}" for category in listed]
