from collections.abc import Callable

import pytest

from slowping.core import ids
from slowping.core.delivery import DeliveryFilter, DeliveryState, Settlement
from slowping.store.sqlite import delivery
from tests.store.conftest import BUSY, EVERYTHING, Shelf, Shop
from tests.store.samples import NOW

Which = Callable[[Shelf], DeliveryFilter]


# Listing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("which", "listed"),
    [
        (lambda _: EVERYTHING, "pOBlxdf"),
        (lambda shelf: DeliveryFilter(project_ids=(shelf.shop.project_id,)), "pBlxdf"),
        (lambda shelf: DeliveryFilter(project_ids=(shelf.other.project_id,)), "O"),
        (
            lambda shelf: DeliveryFilter(
                project_ids=(shelf.other.project_id, shelf.shop.project_id)
            ),
            "pOBlxdf",
        ),
        (lambda _: DeliveryFilter(project_ids=()), ""),
        (lambda _: DeliveryFilter(channel="team"), "pOlxdf"),
        (lambda _: DeliveryFilter(channel="boss"), "B"),
        (lambda _: DeliveryFilter(channel="none"), ""),
        (lambda _: DeliveryFilter(category="bug"), "B"),
        (lambda _: DeliveryFilter(category="sale"), "pOlxdf"),
        (lambda _: DeliveryFilter(states=(DeliveryState.FAILED,)), "f"),
        (lambda _: DeliveryFilter(states=(DeliveryState.FAILED, DeliveryState.PENDING)), "pOBf"),
        (lambda _: DeliveryFilter(states=()), ""),
        (lambda shelf: DeliveryFilter(event_id=shelf.event_id), "B"),
        (lambda _: DeliveryFilter(event_id=7), ""),
        (lambda _: DeliveryFilter(since=NOW + 3_000), "pOBl"),
        (lambda _: DeliveryFilter(until=NOW + 3_000), "xdf"),
        (lambda _: DeliveryFilter(since=NOW + 1_000, until=NOW + 3_000), "xd"),
        (lambda _: DeliveryFilter(since=-(2**50)), "pOBlxdf"),
        (lambda _: DeliveryFilter(error=BUSY), "xf"),
        (lambda _: DeliveryFilter(error="HTTP 503"), ""),
        (lambda _: DeliveryFilter(states=(DeliveryState.PENDING,) * 2), "pOB"),
        (
            lambda shelf: DeliveryFilter(
                project_ids=(shelf.shop.project_id,),
                channel="team",
                category="sale",
                states=(DeliveryState.PENDING, DeliveryState.LEASED),
                since=NOW + 1_000,
            ),
            "pl",
        ),
    ],
)
async def test_deliveries_are_listed_newest_first_by_filter(
    shelf: Shelf, which: Which, listed: str
) -> None:
    assert await shelf.listed(which(shelf)) == listed


async def test_a_page_goes_on_where_the_last_one_ended(shelf: Shelf) -> None:
    assert await shelf.listed(EVERYTHING, limit=3) == "pOB"
    assert await shelf.listed(EVERYTHING, before=shelf.by_name["B"], limit=3) == "lxd"
    assert await shelf.listed(EVERYTHING, before=shelf.by_name["d"], limit=3) == "f"


async def test_a_clock_that_stepped_back_hides_nothing(shop: Shop) -> None:
    shop.store.ids.take(NOW + 10_000)
    made = await shop.deliver(at=NOW)
    listed = await shop.store.outbox.list_deliveries(
        DeliveryFilter(since=NOW, until=NOW + 1), before=None, limit=9
    )
    assert [one.id for one in listed] == [ids.encode(ids.DELIVERY, made)]


async def test_a_delivery_is_shown_by_names(shelf: Shelf) -> None:
    shown = (await shelf.shop.store.outbox.delivery(shelf.by_name["B"])).delivery
    assert (shown.project, shown.category, shown.channel) == ("shop", "bug", "boss")
    assert (shown.kind, shown.state, shown.attempts) == ("webhook", DeliveryState.PENDING, 0)
    assert shown.event_id == ids.encode(ids.EVENT, shelf.event_id)
    assert shown.due_at is not None


async def test_the_deliveries_of_an_event_are_shown_with_their_attempts(shop: Shop) -> None:
    entry = shop.entry(channels=[shop.team, shop.boss])
    await shop.store.inbox.accept(entry)
    await shop.lease(owner="gone")
    await shop.store.outbox.free_leases(owner="new", now=NOW)
    team, boss = await shop.store.outbox.deliveries_of(entry.events[0].id)
    assert (team.delivery.channel, boss.delivery.channel) == ("team", "boss")
    assert [tried.no for tried in team.attempts] == [1]
    assert boss.attempts == ()


async def test_deliveries_are_counted_by_state(shelf: Shelf) -> None:
    assert await shelf.shop.store.outbox.count_by_state() == {
        DeliveryState.PENDING: 3,
        DeliveryState.LEASED: 1,
        DeliveryState.DELIVERED: 1,
        DeliveryState.FAILED: 1,
        DeliveryState.DISCARDED: 1,
    }


# Grouping ------------------------------------------------------------------------------------


async def fail(shop: Shop, reason: str, *, at: int = NOW, channel: int | None = None) -> None:
    """Let a delivery of that moment fail."""
    made = await shop.deliver(at=at, channel=channel)
    await shop.lease(now=at, channel=channel)
    settled = Settlement(delivery_id=made, state=DeliveryState.FAILED, last_error=reason)
    await shop.store.outbox.settle(channel or shop.team, [settled], now=at)


async def grouped(
    shop: Shop, *states: DeliveryState, projects: list[int] | None = None, limit: int = 9
) -> list[tuple[str, str, str, str | None, int, float]]:
    """Groups, with the seconds after the beginning at which the oldest was made."""
    found = await shop.store.outbox.groups(projects, states, limit=limit)
    return [
        (
            one.project, one.channel, one.state, one.last_error, one.count,
            one.oldest_at.timestamp() - NOW / 1000,
        )
        for one in found
    ]  # fmt: skip


async def test_what_stands_alike_is_a_group_and_the_oldest_of_a_state_comes_first(
    shop: Shop,
) -> None:
    await fail(shop, "no room", at=NOW + 1_000, channel=shop.boss)
    await fail(shop, "HTTP 503", at=NOW + 2_000)
    await fail(shop, "HTTP 404", at=NOW + 3_000)
    await fail(shop, "HTTP 503", at=NOW + 4_000)
    await shop.deliver(at=NOW)
    assert await grouped(shop, DeliveryState.FAILED, DeliveryState.PENDING) == [
        ("shop", "boss", "failed", "no room", 1, 1),
        ("shop", "team", "failed", "HTTP 503", 2, 2),
        ("shop", "team", "failed", "HTTP 404", 1, 3),
        ("shop", "team", "pending", None, 1, 0),
    ]
    [pending] = await shop.store.outbox.groups(None, [DeliveryState.PENDING], limit=9)
    [busy] = [
        one
        for one in await shop.store.outbox.groups(None, [DeliveryState.FAILED], limit=9)
        if one.last_error == "HTTP 503"
    ]
    assert pending.oldest_at == pending.newest_at
    assert (busy.newest_at - busy.oldest_at).total_seconds() == 2
    assert (pending.next_at, busy.next_at) == (pending.oldest_at, None)


async def test_groups_are_of_the_states_and_projects_that_are_asked_for(shelf: Shelf) -> None:
    shop, other = shelf.shop, shelf.other
    assert await grouped(shop, DeliveryState.LEASED) == [("shop", "team", "leased", None, 1, 3)]
    assert await grouped(shop, DeliveryState.PENDING, projects=[other.project_id]) == [
        ("other", "team", "pending", None, 1, 5)
    ]
    assert await grouped(shop, DeliveryState.PENDING, projects=[]) == []
    assert await grouped(shop) == []


async def test_a_state_that_is_named_twice_counts_once(shelf: Shelf) -> None:
    twice = (DeliveryState.FAILED, DeliveryState.FAILED)
    assert await grouped(shelf.shop, *twice) == [("shop", "team", "failed", BUSY, 1, 0)]


async def test_there_are_no_more_groups_than_are_asked_for(shop: Shop) -> None:
    for number in range(4):
        await fail(shop, f"error {number}", at=NOW + number)
    names = [group[3] for group in await grouped(shop, DeliveryState.FAILED, limit=3)]
    assert names == ["error 0", "error 1", "error 2"]


async def test_a_channel_and_a_removed_one_of_its_name_are_a_group(shop: Shop) -> None:
    await fail(shop, "gone")
    await shop.store.directory.remove_channel(shop.team, now=NOW)
    await fail(shop, "gone", at=NOW + 1_000, channel=await shop.channel("team"))
    assert await grouped(shop, DeliveryState.FAILED) == [("shop", "team", "failed", "gone", 2, 0)]


async def test_a_removed_project_has_no_groups(shop: Shop) -> None:
    await fail(shop, "gone")
    await shop.store.directory.remove_project(shop.project_id, now=NOW)
    assert await grouped(shop, DeliveryState.FAILED) == []


# How fast ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("which", "served_by"),
    [
        (EVERYTHING, "delivery_state (project_id=? AND state=?"),
        (DeliveryFilter(since=NOW), "delivery_state (project_id=? AND state=?"),
        (DeliveryFilter(error=BUSY), "delivery_state (project_id=? AND state=?"),
        (DeliveryFilter(project_ids=(1,)), "delivery_state (project_id=? AND state=?"),
        (DeliveryFilter(event_id=7), "delivery_event (event_id=?)"),
    ],
)
async def test_an_index_serves_every_filter_of_a_list(
    shop: Shop, which: DeliveryFilter, served_by: str
) -> None:
    condition, values = delivery.narrowed(which, DeliveryState)
    values |= {"before": ids.LARGEST, "limit": 50}
    plan = await shop.plan(delivery.NEWEST.format(condition=condition), values)
    assert any(served_by in step for step in plan), plan
    assert not any(step.startswith(("SCAN own", "SCAN d")) for step in plan), plan


async def test_a_channel_that_hears_little_is_not_looked_for_among_all_deliveries(
    shop: Shop,
) -> None:
    condition, values = delivery.narrowed(DeliveryFilter(channel="team"), DeliveryState)
    values |= {"before": ids.LARGEST, "limit": 50}
    plan = await shop.plan(delivery.NEWEST_OF_CHANNEL.format(condition=condition), values)
    assert any("delivery_channel (channel_id=? AND state=? AND id<?)" in step for step in plan)
    assert not any(step.startswith(("SCAN own", "SCAN d")) for step in plan), plan


async def test_grouping_looks_at_nothing_but_the_states_that_are_asked_for(shop: Shop) -> None:
    values = {"projects": None, "states": '["failed"]', "limit": 1000}
    plan = await shop.plan(delivery.GROUPS, values)
    assert "SEARCH own USING INDEX delivery_state (project_id=? AND state=?)" in plan
    assert not any(step.startswith(("SCAN own", "SCAN ch")) for step in plan), plan
