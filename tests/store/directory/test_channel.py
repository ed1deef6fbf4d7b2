import sqlite3

import msgspec
import pytest

from slowping.core import channel as channels
from slowping.core import errors, ids, times
from slowping.core.category import CategoryChange, NewCategory
from slowping.core.channel import Channel, ChannelFilter
from slowping.core.delivery import DeliveryFilter
from slowping.store.port import Store
from slowping.store.sqlite.store import SqliteStore
from tests.store import samples
from tests.store.directory.conftest import Told
from tests.store.samples import NOW

LATER = NOW + 60_000
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TEAM = samples.channel(settings={"url": "https://team.example"}, secrets={"secret": SECRET})


@pytest.fixture
async def channel_id(store: Store, project_id: int) -> int:
    """The channel `team`."""
    return _id(await store.directory.create_channel(project_id, TEAM, now=NOW))


# Created and read ----------------------------------------------------------------------------


async def test_a_channel_is_read_back_as_it_was_created(store: Store, project_id: int) -> None:
    channel = await store.directory.create_channel(project_id, TEAM, now=NOW)
    assert (channel.project, channel.name, channel.kind) == ("shop", "team", "webhook")
    assert (channel.ad_hoc, channel.paused_at, channel.paused_reason) == (False, None, None)
    assert channel.created_at == times.to_datetime(NOW)
    assert await store.directory.channel(_id(channel)) == channel


async def test_people_see_the_end_of_a_secret_and_the_engine_all_of_it(
    store: Store, channel_id: int
) -> None:
    shown = await store.directory.channel(channel_id)
    assert shown.settings == {"url": "https://team.example", "secret": "…LaSw"}
    stored = await store.directory.stored_channel(channel_id)
    assert stored.settings == {"url": "https://team.example", "secret": SECRET}


async def test_a_secret_that_is_no_text_shows_nothing(store: Store, project_id: int) -> None:
    record = samples.channel(secrets={"older": [SECRET]})
    channel = await store.directory.create_channel(project_id, record, now=NOW)
    assert channel.settings == {"older": "…"}


async def test_no_secret_is_stored_as_it_is(store: SqliteStore, channel_id: int) -> None:
    connection = sqlite3.connect(store.path)
    [row] = connection.execute("select * from channel").fetchall()
    connection.close()
    assert "team.example" in repr(row)
    assert SECRET not in repr(row)


async def test_two_live_channels_of_a_project_cannot_have_one_name(
    store: Store, project_id: int, channel_id: int
) -> None:
    with pytest.raises(errors.NameTaken, match="already a channel named 'team'"):
        await store.directory.create_channel(project_id, TEAM, now=NOW)


async def test_a_project_that_is_gone_takes_no_channel(store: Store, project_id: int) -> None:
    await store.directory.remove_project(project_id, now=NOW)
    with pytest.raises(errors.NotFound, match="There is no project"):
        await store.directory.create_channel(project_id, TEAM, now=NOW)


@pytest.mark.parametrize(
    ("which", "names"),
    [
        (ChannelFilter(), ["other/team", "shop/discord-1", "shop/alerts", "shop/team"]),
        (ChannelFilter(name="team"), ["other/team", "shop/team"]),
        (ChannelFilter(kind="discord"), ["shop/discord-1"]),
        (ChannelFilter(kind="email"), []),
        (ChannelFilter(project_ids=()), []),
    ],
)
async def test_channels_are_listed_by_filter_newest_first(
    store: Store, project_id: int, other_id: int, which: ChannelFilter, names: list[str]
) -> None:
    create = store.directory.create_channel
    await create(project_id, samples.channel("team"), now=NOW)
    await create(project_id, samples.channel("alerts"), now=NOW)
    await create(project_id, samples.ad_hoc("1"), now=NOW)
    await create(other_id, samples.channel("team"), now=NOW)
    listed = await store.directory.list_channels(which, before=None, limit=10)
    assert [f"{channel.project}/{channel.name}" for channel in listed] == names


async def test_channels_are_listed_by_project(store: Store, channel_id: int, other_id: int) -> None:
    await store.directory.create_channel(other_id, TEAM, now=NOW)
    which = ChannelFilter(project_ids=(other_id,))
    listed = await store.directory.list_channels(which, before=None, limit=10)
    assert [channel.project for channel in listed] == ["other"]


# Changed -------------------------------------------------------------------------------------


async def test_a_change_replaces_name_settings_and_secrets(store: Store, channel_id: int) -> None:
    record = samples.channel("crew", secrets={"url": "https://crew.example/abcdefgh"})
    changed = await store.directory.change_channel(channel_id, record, now=LATER)
    assert (changed.name, changed.settings) == ("crew", {"url": "https://crew.example/…"})


async def test_a_change_forgets_what_the_channel_had_learned(store: Store, channel_id: int) -> None:
    await store.directory.learn(channel_id, {"dm": "123"}, now=NOW)
    await store.directory.change_channel(channel_id, TEAM, now=LATER)
    assert (await store.directory.stored_channel(channel_id)).learned == {}


async def test_a_change_does_not_resume_a_paused_channel(store: Store, channel_id: int) -> None:
    await store.directory.pause_channel(channel_id, "holidays", now=NOW)
    changed = await store.directory.change_channel(channel_id, TEAM, now=LATER)
    assert changed.paused_reason == "holidays"


async def test_a_channel_cannot_take_the_name_of_another(
    store: Store, project_id: int, channel_id: int
) -> None:
    await store.directory.create_channel(project_id, samples.channel("crew"), now=NOW)
    with pytest.raises(errors.NameTaken):
        await store.directory.change_channel(channel_id, samples.channel("crew"), now=NOW)


async def test_facts_are_kept_beside_those_that_were_learned_before(
    store: Store, channel_id: int
) -> None:
    await store.directory.learn(channel_id, {"dm": "123", "chat": "4"}, now=NOW)
    await store.directory.learn(channel_id, {"chat": "5"}, now=NOW)
    assert (await store.directory.stored_channel(channel_id)).learned == {"dm": "123", "chat": "5"}


async def test_a_channel_that_is_gone_learns_nothing(
    store: Store, channel_id: int, told: Told
) -> None:
    await store.directory.remove_channel(channel_id, now=NOW)
    told()
    await store.directory.learn(channel_id, {"dm": "123"}, now=NOW)
    assert told() == []


# Paused and resumed --------------------------------------------------------------------------


async def test_a_paused_channel_keeps_its_first_reason(store: Store, channel_id: int) -> None:
    await store.directory.pause_channel(channel_id, "webhook deleted", now=NOW)
    paused = await store.directory.pause_channel(channel_id, "holidays", now=LATER)
    assert (paused.paused_at, paused.paused_reason) == (times.to_datetime(NOW), "webhook deleted")


async def test_a_resumed_channel_has_no_reason_left(store: Store, channel_id: int) -> None:
    await store.directory.pause_channel(channel_id, "holidays", now=NOW)
    resumed = await store.directory.resume_channel(channel_id, now=LATER)
    assert (resumed.paused_at, resumed.paused_reason) == (None, None)


async def test_the_journal_tells_only_of_changes(
    store: Store, project_id: int, channel_id: int, told: Told
) -> None:
    directory, line = store.directory, ("channel.changed", channel_id)
    assert told()[-1] == line
    await directory.resume_channel(channel_id, now=NOW)
    assert told() == []
    await directory.pause_channel(channel_id, "holidays", now=NOW)
    await directory.pause_channel(channel_id, "holidays", now=NOW)
    await directory.resume_channel(channel_id, now=NOW)
    assert told() == [line] * 2
    await directory.learn(channel_id, {"dm": "123"}, now=NOW)
    await directory.learn(channel_id, {"dm": "123"}, now=NOW)
    assert told() == [line]
    await directory.change_channel(channel_id, TEAM, now=NOW)
    await directory.remove_channel(channel_id, now=NOW)
    assert told() == [line] * 2


async def test_what_is_not_there_cannot_be_acted_on(store: Store) -> None:
    directory = store.directory
    for act in (
        directory.channel(7),
        directory.stored_channel(7),
        directory.change_channel(7, TEAM, now=NOW),
        directory.pause_channel(7, "holidays", now=NOW),
        directory.resume_channel(7, now=NOW),
        directory.remove_channel(7, now=NOW),
    ):
        with pytest.raises(errors.NotFound, match="There is no channel 'chn_0000000000007'"):
            await act


# Ad hoc --------------------------------------------------------------------------------------


async def test_a_request_that_names_a_channel_again_finds_it(
    store: Store, project_id: int, told: Told
) -> None:
    first = await store.directory.create_channel(project_id, samples.ad_hoc("1"), now=NOW)
    told()
    again = await store.directory.create_channel(project_id, samples.ad_hoc("1"), now=LATER)
    assert (again, told()) == (first, [])


async def test_a_paused_channel_that_is_named_again_stays_paused(
    store: Store, project_id: int
) -> None:
    first = await store.directory.create_channel(project_id, samples.ad_hoc("1"), now=NOW)
    await store.directory.pause_channel(_id(first), "webhook deleted", now=NOW)
    again = await store.directory.create_channel(project_id, samples.ad_hoc("1"), now=LATER)
    assert again.paused_reason == "webhook deleted"


async def test_a_new_token_replaces_the_old_one_and_resumes_the_channel(
    store: Store, project_id: int
) -> None:
    old, new = (f"https://discord.com/api/webhooks/1/{token}" for token in ("aaaa", "bbbb"))
    first = await store.directory.create_channel(project_id, samples.ad_hoc("1", url=old), now=NOW)
    await store.directory.pause_channel(_id(first), "webhook deleted", now=NOW, by_hand=False)
    again = await store.directory.create_channel(
        project_id, samples.ad_hoc("1", url=new), now=LATER
    )
    assert (again.id, again.paused_at) == (first.id, None)
    assert (await store.directory.stored_channel(_id(again))).settings == {"url": new}


@pytest.mark.parametrize("failed_first", [False, True])
async def test_a_new_token_does_not_resume_what_a_person_has_paused(
    store: Store, project_id: int, failed_first: bool
) -> None:
    first = await store.directory.create_channel(project_id, samples.ad_hoc("1"), now=NOW)
    if failed_first:
        await store.directory.pause_channel(_id(first), "webhook deleted", now=NOW, by_hand=False)
    await store.directory.pause_channel(_id(first), "holidays", now=NOW)
    new = samples.ad_hoc("1", url="https://discord.com/api/webhooks/1/bbbb")
    again = await store.directory.create_channel(project_id, new, now=LATER)
    assert again.paused_reason == ("webhook deleted" if failed_first else "holidays")


async def test_a_pause_by_hand_is_over_once_somebody_resumes(store: Store, project_id: int) -> None:
    first = await store.directory.create_channel(project_id, samples.ad_hoc("1"), now=NOW)
    await store.directory.pause_channel(_id(first), "holidays", now=NOW)
    await store.directory.resume_channel(_id(first), now=NOW)
    await store.directory.pause_channel(_id(first), "webhook deleted", now=NOW, by_hand=False)
    new = samples.ad_hoc("1", url="https://discord.com/api/webhooks/1/bbbb")
    again = await store.directory.create_channel(project_id, new, now=LATER)
    assert again.paused_at is None


async def test_another_target_or_project_is_another_channel(
    store: Store, project_id: int, other_id: int
) -> None:
    places = ((project_id, "1"), (project_id, "2"), (other_id, "1"))
    created = [
        await store.directory.create_channel(owner, samples.ad_hoc(target), now=NOW)
        for owner, target in places
    ]
    assert len({channel.id for channel in created}) == 3


async def test_a_project_has_room_for_so_many_ad_hoc_channels(
    store: Store, project_id: int
) -> None:
    for number in range(channels.MAX_AD_HOC):
        await store.directory.create_channel(project_id, samples.ad_hoc(str(number)), now=NOW)
    with pytest.raises(errors.InvalidInput, match="at most 1000 channels"):
        await store.directory.create_channel(project_id, samples.ad_hoc("new"), now=NOW)
    await store.directory.create_channel(project_id, samples.ad_hoc("7"), now=NOW)
    await store.directory.create_channel(project_id, TEAM, now=NOW)


# Removed -------------------------------------------------------------------------------------


async def test_a_removed_channel_is_gone_and_its_name_free(
    store: Store, project_id: int, channel_id: int
) -> None:
    await store.directory.remove_channel(channel_id, now=LATER)
    with pytest.raises(errors.NotFound):
        await store.directory.channel(channel_id)
    await store.directory.create_channel(project_id, TEAM, now=LATER)


async def test_a_removed_channel_leaves_no_secret_behind(
    store: SqliteStore, channel_id: int
) -> None:
    await store.directory.remove_channel(channel_id, now=LATER)
    connection = sqlite3.connect(store.path)
    assert connection.execute("select secrets from channel").fetchall() == [(None,)]
    connection.close()


async def test_a_removed_channel_discards_its_pending_deliveries_alone(
    store: Store, project_id: int, channel_id: int, told: Told
) -> None:
    crew = await store.directory.create_channel(project_id, samples.channel("crew"), now=NOW)
    category = await store.directory.create_category(project_id, NewCategory(name="sale"), now=NOW)
    category_id = ids.decode(ids.CATEGORY, category.id)
    event_id = await samples.accept(
        store, project_id, category_id, channel_ids=(channel_id, _id(crew))
    )
    told()
    await store.directory.remove_channel(channel_id, now=LATER)
    listed = await store.outbox.list_deliveries(DeliveryFilter(), before=None, limit=10)
    assert {delivery.channel: (delivery.state, delivery.ended_at) for delivery in listed} == {
        "team": ("discarded", times.to_datetime(LATER)),
        "crew": ("pending", None),
    }
    assert told() == [("delivery.changed", event_id + 1), ("channel.changed", channel_id)]


@pytest.fixture
async def crew_id(store: Store, project_id: int) -> int:
    """The channel `crew`, beside `team`."""
    return _id(await store.directory.create_channel(project_id, samples.channel("crew"), now=NOW))


async def _routed_to(store: Store, project_id: int, *names: str) -> int:
    new = NewCategory(name="sale", channels=names)
    category = await store.directory.create_category(project_id, new, now=NOW)
    return ids.decode(ids.CATEGORY, category.id)


async def test_a_category_that_names_another_channel_too_forgets_a_removed_one(
    store: Store, project_id: int, channel_id: int, crew_id: int
) -> None:
    category_id = await _routed_to(store, project_id, "team", "crew")
    await store.directory.remove_channel(channel_id, now=NOW)
    assert (await store.directory.category(category_id)).channels == ("crew",)


async def test_a_category_whose_only_channel_is_removed_does_not_turn_to_all_others(
    store: Store, project_id: int, channel_id: int, crew_id: int
) -> None:
    category_id = await _routed_to(store, project_id, "team", "crew")
    await store.directory.remove_channel(channel_id, now=NOW)
    await store.directory.remove_channel(crew_id, now=NOW)
    assert (await store.directory.category(category_id)).channels == ("crew",)
    [snapshot] = await store.directory.snapshots()
    assert snapshot.categories[0].routes == (crew_id,)
    assert snapshot.channels == ()


async def test_a_category_that_lost_its_channel_is_given_others_by_a_change(
    store: Store, project_id: int, channel_id: int, crew_id: int
) -> None:
    category_id = await _routed_to(store, project_id, "team")
    await store.directory.remove_channel(channel_id, now=NOW)
    change = CategoryChange(channels=("crew",))
    changed = await store.directory.change_category(category_id, change, now=NOW)
    assert changed.channels == ("crew",)


async def test_a_channel_that_gets_the_name_of_a_removed_one_gets_its_category(
    store: Store, project_id: int, channel_id: int
) -> None:
    await _routed_to(store, project_id, "team")
    await store.directory.remove_channel(channel_id, now=NOW)
    anew = await store.directory.create_channel(project_id, TEAM, now=NOW)
    [snapshot] = await store.directory.snapshots()
    assert snapshot.categories[0].routes == (_id(anew),)


async def test_a_channel_that_is_renamed_after_a_removed_one_gets_its_category(
    store: Store, project_id: int, channel_id: int, crew_id: int
) -> None:
    await _routed_to(store, project_id, "team")
    await store.directory.remove_channel(channel_id, now=NOW)
    await store.directory.change_channel(crew_id, TEAM, now=NOW)
    [snapshot] = await store.directory.snapshots()
    assert snapshot.categories[0].routes == (crew_id,)


async def test_an_ad_hoc_channel_takes_no_category_over(store: Store, project_id: int) -> None:
    gone = await store.directory.create_channel(project_id, samples.channel("discord-1"), now=NOW)
    await _routed_to(store, project_id, "discord-1")
    await store.directory.remove_channel(_id(gone), now=NOW)
    await store.directory.create_channel(project_id, samples.ad_hoc("1"), now=NOW)
    [snapshot] = await store.directory.snapshots()
    assert snapshot.categories[0].routes == (_id(gone),)


async def test_no_secret_is_in_what_people_are_shown(store: Store, channel_id: int) -> None:
    shown = await store.directory.list_channels(ChannelFilter(), before=None, limit=10)
    assert SECRET.encode() not in msgspec.json.encode(shown)


def _id(channel: Channel) -> int:
    return ids.decode(ids.CHANNEL, channel.id)
