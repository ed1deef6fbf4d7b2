import sqlite3
from collections.abc import Sequence
from typing import Any

import pytest

from slowping.core import api_key, errors, ids, times
from slowping.core.audit import Act, ActFilter, ActKind, Author
from slowping.core.category import CategoryChange, NewCategory
from slowping.core.delivery import DeliveryFilter
from slowping.core.project import NewProject, ProjectChange
from slowping.store.port import ActRecord, StepwiseAct, Store
from tests.store import samples
from tests.store.samples import NOW

LATER = NOW + 60_000
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET = "whsec_ZZZZ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TEAM = samples.channel(settings={"url": "https://team.example"}, secrets={"secret": SECRET})


@pytest.fixture
async def ann(store: Store, project_id: int) -> Author:
    """Somebody with a key, and with nothing in the audit yet but the making of both."""
    record = samples.api_key(project_id, name="ann")
    made = await store.directory.create_api_key(record, now=NOW)
    return Author(key_id=ids.decode(ids.API_KEY, made.id), name="ann", address="192.0.2.7")


async def acts(store: Store, author: Author, **which: Any) -> Sequence[Act]:
    """What somebody did, oldest first."""
    wanted = ActFilter(key_id=author.key_id, **which)
    return list(reversed(await store.directory.list_acts(wanted, before=None, limit=100)))


async def test_a_change_is_told_with_who_did_it_and_what_differs(
    store: Store, project_id: int, ann: Author
) -> None:
    await store.directory.change_project(
        project_id, ProjectChange(name="store", monthly_quota=5), now=LATER, by=ann
    )
    [act] = await acts(store, ann)
    assert (act.act, act.at) == ("project.changed", times.to_datetime(LATER))
    assert (act.author, act.address) == ("ann", "192.0.2.7")
    assert act.key == ids.encode(ids.API_KEY, ann.key_id or 0)
    assert (act.project, act.name) == ("store", "store")
    assert act.subject == ids.encode(ids.PROJECT, project_id)
    assert act.before == {"name": "shop", "monthly_quota": None}
    assert act.after == {"name": "store", "monthly_quota": 5}


async def test_what_is_new_is_told_whole(store: Store, ann: Author) -> None:
    made = await store.directory.create_project(NewProject(name="new"), now=NOW, by=ann)
    [act] = await acts(store, ann)
    assert (act.act, act.subject, act.before) == ("project.created", made.id, None)
    assert act.after is not None
    assert (act.after["name"], act.after["monthly_quota"]) == ("new", None)


async def test_a_removed_project_is_told_with_what_went_with_it(
    store: Store, project_id: int, ann: Author
) -> None:
    await store.directory.create_category(project_id, NewCategory(name="sale"), now=NOW)
    await store.directory.create_channel(project_id, TEAM, now=NOW)
    await store.directory.remove_project(project_id, now=LATER, by=ann)
    [act] = await acts(store, ann)
    assert (act.act, act.project, act.after) == ("project.removed", "shop", None)
    assert act.before is not None
    assert (act.before["categories"], act.before["channels"]) == (["sale"], ["team"])
    assert act.before["keys"] == ["ann"]


async def test_a_category_is_told_with_its_channels(
    store: Store, project_id: int, ann: Author
) -> None:
    directory = store.directory
    await directory.create_channel(project_id, TEAM, now=NOW)
    made = await directory.create_category(project_id, NewCategory(name="sale"), now=NOW, by=ann)
    number = ids.decode(ids.CATEGORY, made.id)
    change = CategoryChange(channels=("team",))
    await directory.change_category(number, change, now=NOW, by=ann)
    await directory.remove_category(number, now=NOW, by=ann)
    created, changed, removed = await acts(store, ann)
    assert (created.act, created.name) == ("category.created", "sale")
    assert (changed.before, changed.after) == ({"channels": []}, {"channels": ["team"]})
    assert removed.before is not None
    assert (removed.act, removed.before["channels"]) == ("category.removed", ["team"])


async def test_secrets_are_told_as_they_are_shown(
    store: Store, project_id: int, ann: Author
) -> None:
    directory = store.directory
    made = await directory.create_channel(project_id, TEAM, now=NOW, by=ann)
    number = ids.decode(ids.CHANNEL, made.id)
    changed = samples.channel(
        settings={"url": "https://team.example"}, secrets={"secret": OTHER_SECRET}
    )
    await directory.change_channel(number, changed, now=NOW, by=ann)
    await directory.remove_channel(number, now=NOW, by=ann)
    told = await acts(store, ann)
    # It looks the same, and is told to have changed all the same.
    assert told[1].before == told[1].after == {"settings.secret": "…LaSw"}
    assert SECRET not in repr(told)
    assert OTHER_SECRET not in repr(told)
    assert [act.act for act in told] == ["channel.created", "channel.changed", "channel.removed"]


async def test_a_pause_and_its_end_are_told_once(
    store: Store, project_id: int, ann: Author
) -> None:
    directory = store.directory
    made = await directory.create_channel(project_id, TEAM, now=NOW)
    number = ids.decode(ids.CHANNEL, made.id)
    for _ in range(2):
        await directory.pause_channel(number, "spring cleaning", now=LATER, by=ann)
    for _ in range(2):
        await directory.resume_channel(number, now=LATER, by=ann)
    paused, resumed = await acts(store, ann)
    assert paused.act == "channel.paused"
    assert paused.after == {
        "paused_at": "2026-05-28T20:27:40Z",
        "paused_reason": "spring cleaning",
    }
    assert (resumed.act, resumed.before) == ("channel.resumed", paused.after)


async def test_who_pauses_what_slowping_has_paused_is_told(
    store: Store, project_id: int, ann: Author
) -> None:
    directory = store.directory
    made = await directory.create_channel(project_id, TEAM, now=NOW)
    number = ids.decode(ids.CHANNEL, made.id)
    await directory.pause_channel(number, "HTTP 404", now=NOW, by_hand=False)
    await directory.pause_channel(number, "leave it", now=NOW, by=ann)
    [act] = await acts(store, ann)
    assert (act.act, act.after) == ("channel.paused", {"paused_reason": "HTTP 404"})


async def test_what_slowping_does_by_itself_is_its_own(store: Store, project_id: int) -> None:
    made = await store.directory.create_channel(project_id, TEAM, now=NOW)
    number = ids.decode(ids.CHANNEL, made.id)
    await store.directory.pause_channel(number, "HTTP 404", now=NOW, by_hand=False)
    [act, *_] = await store.directory.list_acts(ActFilter(), before=None, limit=1)
    assert (act.act, act.author, act.key, act.address) == (
        "channel.paused", "slowping", None, None,
    )  # fmt: skip


async def test_keys_are_told_without_their_digest(
    store: Store, project_id: int, ann: Author
) -> None:
    directory = store.directory
    record = samples.api_key(project_id, digest=api_key.digest("one"), name="one")
    made = await directory.create_api_key(record, now=NOW, by=ann)
    number = ids.decode(ids.API_KEY, made.id)
    rotated = await directory.rotate_api_key(
        number, api_key.digest("two"), "slp_efgh", overlap_ms=1_000, now=NOW, by=ann
    )
    for _ in range(2):
        await directory.revoke_api_key(number, now=NOW, by=ann)
    issued, rotation, revocation = await acts(store, ann)
    assert (issued.act, issued.name, issued.project) == ("key.issued", "one", "shop")
    assert issued.after is not None
    assert issued.after["scopes"] == ["ingest", "read"]
    assert "digest" not in issued.after
    assert rotation.after == {
        "expires_at": "2026-05-28T20:26:41Z",
        "rotated_to": rotated.id,
    }
    assert revocation.after == {"revoked_at": "2026-05-28T20:26:40Z"}


async def test_what_was_refused_is_no_act(store: Store, project_id: int, ann: Author) -> None:
    with pytest.raises(errors.NameTaken):
        await store.directory.create_project(NewProject(name="shop"), now=NOW, by=ann)
    with pytest.raises(errors.NotFound):
        await store.directory.remove_channel(1, now=NOW, by=ann)
    assert await acts(store, ann) == []


async def test_what_cannot_be_written_down_is_not_done(store: Store, project_id: int) -> None:
    nobody = Author(key_id=1, name="nobody")
    for deed in (
        store.directory.create_project(NewProject(name="new"), now=NOW, by=nobody),
        store.directory.change_project(project_id, ProjectChange(name="b"), now=NOW, by=nobody),
        store.directory.remove_project(project_id, now=NOW, by=nobody),
    ):
        with pytest.raises(sqlite3.IntegrityError):
            await deed
    projects = await store.directory.list_projects(None, before=None, limit=10)
    assert [project.name for project in projects] == ["shop"]


async def test_what_changes_nothing_is_no_act(store: Store, project_id: int, ann: Author) -> None:
    await store.directory.change_project(project_id, ProjectChange(name="shop"), now=NOW, by=ann)
    assert await acts(store, ann) == []


async def test_what_a_sender_makes_by_sending_is_no_act(store: Store, project_id: int) -> None:
    before = await store.directory.list_acts(ActFilter(), before=None, limit=100)
    new = NewCategory(name="sale")
    await store.directory.create_category(project_id, new, now=NOW, by=None)
    await store.directory.create_channel(project_id, samples.ad_hoc(), now=NOW, by=None)
    assert await store.directory.list_acts(ActFilter(), before=None, limit=100) == before


async def test_an_act_can_be_written_down_by_itself(
    store: Store, project_id: int, ann: Author
) -> None:
    record = ActRecord(
        kind=ActKind.STORE_BACKED_UP, by=ann, name="slowping.backup", after={"bytes": 4096}
    )
    await store.directory.note_act(record, now=LATER)
    [act] = await acts(store, ann)
    assert (act.act, act.project, act.subject) == ("store.backed_up", None, None)
    assert (act.name, act.after) == ("slowping.backup", {"bytes": 4096})


# In steps ------------------------------------------------------------------------------------


async def deliveries(store: Store, project_id: int, count: int) -> Sequence[int]:
    """Make so many deliveries, and give their ids."""
    sale = await store.directory.create_category(project_id, NewCategory(name="sale"), now=NOW)
    team = await store.directory.create_channel(project_id, TEAM, now=NOW)
    place = ids.decode(ids.CATEGORY, sale.id), ids.decode(ids.CHANNEL, team.id)
    for _ in range(count):
        await samples.accept(store, project_id, place[0], channel_ids=(place[1],))
    found = await store.outbox.list_deliveries(DeliveryFilter(), before=None, limit=1_000)
    return [ids.decode(ids.DELIVERY, one.id) for one in found]


async def test_the_steps_of_an_act_are_summed_up_in_one_line(
    store: Store, project_id: int, ann: Author
) -> None:
    numbers = await deliveries(store, project_id, 3)
    record = ActRecord(
        kind=ActKind.DELIVERIES_DISCARDED, by=ann, project_id=project_id, after={"channel": "team"}
    )
    act = StepwiseAct(id=store.ids.take(NOW), record=record)
    for number in numbers:
        async for _ in store.outbox.discard(DeliveryFilter(), [number], now=NOW, act=act):
            pass
    [told] = await acts(store, ann)
    assert (told.act, told.after) == ("deliveries.discarded", {"channel": "team", "moved": 3})


async def test_an_act_that_is_left_in_the_middle_tells_what_it_did(
    store: Store, project_id: int, ann: Author
) -> None:
    numbers = await deliveries(store, project_id, 501)
    record = ActRecord(kind=ActKind.DELIVERIES_RETRIED, by=ann)
    act = StepwiseAct(id=store.ids.take(NOW), record=record)
    steps = store.outbox.retry(DeliveryFilter(), numbers, now=NOW, act=act)
    await anext(steps)
    [told] = await acts(store, ann)
    assert told.after == {"moved": 500}


async def test_steps_that_move_nothing_are_no_act(
    store: Store, project_id: int, ann: Author
) -> None:
    act = StepwiseAct(
        id=store.ids.take(NOW), record=ActRecord(kind=ActKind.DELIVERIES_RETRIED, by=ann)
    )
    async for _ in store.outbox.retry(DeliveryFilter(), [1, 2], now=NOW, act=act):
        pass
    assert await acts(store, ann) == []


# Listed --------------------------------------------------------------------------------------


async def test_acts_are_listed_latest_first_in_pages(store: Store, ann: Author) -> None:
    for name in ("one", "two", "three"):
        await store.directory.create_project(NewProject(name=name), now=NOW, by=ann)
    first = await store.directory.list_acts(ActFilter(), before=None, limit=2)
    last = ids.decode(ids.ACT, first[-1].id)
    rest = await store.directory.list_acts(ActFilter(), before=last, limit=2)
    assert [act.name for act in (*first, *rest)] == ["three", "two", "one", "ann"]


@pytest.mark.parametrize(
    ("which", "found"),
    [
        ({"act": "project"}, ["project.created", "project.changed"]),
        ({"act": "project.changed"}, ["project.changed"]),
        ({"act": "proj"}, []),
        ({"since": LATER}, ["project.changed"]),
        ({"until": LATER}, ["project.created", "category.created"]),
    ],
)
async def test_acts_are_narrowed(
    which: dict[str, Any], found: Sequence[str], store: Store, ann: Author
) -> None:
    made = await store.directory.create_project(NewProject(name="new"), now=NOW, by=ann)
    number = ids.decode(ids.PROJECT, made.id)
    await store.directory.create_category(number, NewCategory(name="sale"), now=NOW, by=ann)
    await store.directory.change_project(number, ProjectChange(name="newer"), now=LATER, by=ann)
    assert [act.act for act in await acts(store, ann, **which)] == found


async def test_the_acts_of_a_project_are_told_after_its_end(
    store: Store, project_id: int, other_id: int, ann: Author
) -> None:
    await store.directory.remove_project(other_id, now=NOW, by=ann)
    which = ActFilter(project_id=other_id)
    found = await store.directory.list_acts(which, before=None, limit=10)
    assert [act.act for act in found] == ["project.removed", "project.created"]


async def test_new_ids_are_above_those_of_acts(store: Store, project_id: int, ann: Author) -> None:
    from slowping.store.sqlite.inbox import newest_id
    from slowping.store.sqlite.store import SqliteStore

    assert isinstance(store, SqliteStore)
    far = ids.floor(NOW + 86_400_000)
    record = ActRecord(kind=ActKind.STORE_PRUNED, by=ann)
    await store.directory.note_act(record, now=NOW + 86_400_000)
    assert await store._writer.run(newest_id) >= far
