import sqlite3
from collections.abc import Callable

import pytest

from slowping.core import ids
from slowping.core.category import NewCategory
from slowping.core.delivery import (
    AttemptOutcome,
    AttemptRecord,
    DeliveryFilter,
    DeliveryState,
    Settlement,
)
from slowping.store.sqlite import delivery
from tests.store.conftest import Shop
from tests.store.samples import NOW

EVERYTHING = DeliveryFilter()
LATER = NOW + 60_000
BUSY = "HTTP 503: it's busy"


class Shelf:
    """A delivery in each state, a second apart, named by the first letter of the state.

    In capitals: one of another project (`O`) and one to another channel by another category (`B`).
    """

    def __init__(self, shop: Shop, other: Shop) -> None:
        self.shop = shop
        self.other = other
        self.by_name: dict[str, int] = {}
        self.event_id = 0

    async def fill(self) -> "Shelf":
        """Bring each to its state."""
        shop, store = self.shop, self.shop.store
        for number, name in enumerate("fdxl"):
            self.by_name[name] = await shop.deliver(at=NOW + number * 1_000)
        await shop.lease(now=LATER)
        tried = AttemptRecord(started_at=NOW, duration_ms=1, outcome=AttemptOutcome.REJECTED)
        await store.outbox.settle(
            shop.team,
            [
                Settlement(
                    delivery_id=self.by_name[name], state=state, attempt=tried, last_error=error
                )
                for name, state, error in (
                    ("f", DeliveryState.FAILED, BUSY),
                    ("d", DeliveryState.DELIVERED, None),
                    ("x", DeliveryState.FAILED, BUSY),
                )
            ],
            now=LATER,
        )
        await store.outbox.discard(EVERYTHING, [self.by_name["x"]], now=LATER)
        bug = await store.directory.create_category(
            shop.project_id, NewCategory(name="bug"), now=NOW
        )
        entry = shop.entry(
            at=NOW + 4_000,
            channels=[shop.boss],
            category_id=ids.decode(ids.CATEGORY, bug.id),
        )
        await store.inbox.accept(entry)
        self.event_id = entry.events[0].id
        self.by_name["B"] = entry.deliveries[0].id
        self.by_name["O"] = await self.other.deliver(at=NOW + 5_000)
        self.by_name["p"] = await shop.deliver(at=NOW + 6_000)
        return self

    async def listed(self, which: DeliveryFilter, before: int | None = None, limit: int = 9) -> str:
        """What a listing shows, as names."""
        found = await self.shop.store.outbox.list_deliveries(which, before=before, limit=limit)
        numbers = [ids.decode(ids.DELIVERY, one.id) for one in found]
        return "".join(self.name_of(number) for number in numbers)

    def name_of(self, number: int) -> str:
        """The name of a delivery."""
        return next(name for name, known in self.by_name.items() if known == number)

    async def states(self) -> dict[str, str]:
        """The states that all are in now, by the first letter."""
        found = await self.shop.peek("select id, state from delivery")
        letter = {state: state[0] for state in DeliveryState} | {DeliveryState.DISCARDED: "x"}
        return {
            self.name_of(number): letter[DeliveryState(str(state))]
            for number, state in found
            if isinstance(number, int)
        }


Which = Callable[[Shelf], DeliveryFilter]


@pytest.fixture
async def shelf(shop: Shop) -> Shelf:
    return await Shelf(shop, await Shop(shop.store).furnish("other")).fill()


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


async def test_grouping_looks_at_nothing_but_the_states_that_are_asked_for(shop: Shop) -> None:
    reader = sqlite3.connect(shop.store.path)
    values = {"projects": None, "states": '["failed"]', "limit": 1000}
    plan = [row[3] for row in reader.execute(f"explain query plan {delivery.GROUPS}", values)]
    assert "SEARCH own USING INDEX delivery_state (project_id=? AND state=?)" in plan
    assert not any(step.startswith(("SCAN own", "SCAN ch")) for step in plan), plan
    reader.close()


# Retrying ------------------------------------------------------------------------------------

UNTOUCHED = {"f": "f", "d": "d", "x": "x", "l": "l", "B": "p", "O": "p", "p": "p"}


@pytest.mark.parametrize(
    ("which", "moved"),
    [
        (lambda _: EVERYTHING, "fxBOp"),
        (lambda _: DeliveryFilter(states=(DeliveryState.FAILED,)), "f"),
        (lambda _: DeliveryFilter(states=(DeliveryState.DELIVERED,)), "d"),
        (lambda _: DeliveryFilter(states=(DeliveryState.LEASED,)), ""),
        (lambda _: DeliveryFilter(states=tuple(DeliveryState)), "fdxBOp"),
        (lambda _: DeliveryFilter(states=()), ""),
        (lambda shelf: DeliveryFilter(project_ids=(shelf.other.project_id,)), "O"),
        (lambda _: DeliveryFilter(project_ids=()), ""),
        (lambda _: DeliveryFilter(channel="boss"), "B"),
        (lambda _: DeliveryFilter(category="sale"), "fxOp"),
        (lambda _: DeliveryFilter(since=NOW + 2_000), "xBOp"),
        (lambda _: DeliveryFilter(until=NOW + 2_000), "f"),
        (lambda _: DeliveryFilter(since=NOW + 1_000, until=NOW + 5_000), "xB"),
        (lambda shelf: DeliveryFilter(event_id=shelf.event_id), "B"),
        (lambda _: DeliveryFilter(error=BUSY), "fx"),
        (lambda _: DeliveryFilter(error=""), ""),
    ],
)
async def test_a_retry_makes_what_matches_due_now(shelf: Shelf, which: Which, moved: str) -> None:
    requeued = await shelf.shop.store.outbox.retry(which(shelf), None, now=LATER)
    assert requeued.moved == len(moved)
    assert await shelf.states() == UNTOUCHED | dict.fromkeys(moved, "p")
    due = await shelf.shop.peek("select id from delivery where due_at = ?", LATER)
    assert {shelf.name_of(number) for [number] in due if isinstance(number, int)} == set(moved)


@pytest.mark.parametrize(
    ("names", "which", "moved"),
    [
        ("f", lambda _: EVERYTHING, "f"),
        ("fxd", lambda _: EVERYTHING, "fx"),
        ("d", lambda _: DeliveryFilter(states=(DeliveryState.DELIVERED,)), "d"),
        ("fO", lambda shelf: DeliveryFilter(project_ids=(shelf.shop.project_id,)), "f"),
        ("", lambda _: EVERYTHING, ""),
    ],
)
async def test_a_retry_of_some_is_narrowed_by_the_filter_as_well(
    shelf: Shelf, names: str, which: Which, moved: str
) -> None:
    chosen = [shelf.by_name[name] for name in names]
    requeued = await shelf.shop.store.outbox.retry(which(shelf), chosen, now=LATER)
    assert requeued.moved == len(moved)
    assert await shelf.states() == UNTOUCHED | dict.fromkeys(moved, "p")


async def test_a_retry_names_the_channels_to_wake(shelf: Shelf) -> None:
    requeued = await shelf.shop.store.outbox.retry(EVERYTHING, None, now=LATER)
    assert set(requeued.channel_ids) == {shelf.shop.team, shelf.shop.boss, shelf.other.team}
    assert len(requeued.channel_ids) == 3


async def test_a_retry_is_a_new_round_that_never_expires(shop: Shop) -> None:
    made = await shop.deliver(expires_at=NOW + 10)
    await shop.lease(owner="gone")
    await shop.store.outbox.free_leases(owner="new", now=NOW)
    await shop.store.outbox.expire(now=NOW + 10)
    await shop.store.outbox.retry(EVERYTHING, [made], now=LATER)
    shown = (await shop.store.outbox.delivery(made)).delivery
    assert (shown.state, shown.attempts, shown.ended_at) == (DeliveryState.PENDING, 1, None)
    [claimed] = await shop.lease(now=LATER)
    assert (claimed.attempts, claimed.tries) == (2, 1)


async def test_nothing_is_retried_to_a_removed_channel(shelf: Shelf) -> None:
    await shelf.shop.store.directory.remove_channel(shelf.shop.team, now=NOW)
    requeued = await shelf.shop.store.outbox.retry(EVERYTHING, None, now=LATER)
    assert requeued.moved == 2
    assert (await shelf.states())["f"] == "f"


# Discarding ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("which", "moved"),
    [
        (lambda _: EVERYTHING, "fBOp"),
        (lambda _: DeliveryFilter(states=(DeliveryState.FAILED,)), "f"),
        (lambda _: DeliveryFilter(states=(DeliveryState.DELIVERED, DeliveryState.LEASED)), ""),
        (lambda _: DeliveryFilter(states=()), ""),
        (lambda _: DeliveryFilter(channel="team"), "fOp"),
        (lambda _: DeliveryFilter(since=NOW + 5_000), "Op"),
        (lambda shelf: DeliveryFilter(project_ids=(shelf.shop.project_id,)), "fBp"),
        (lambda _: DeliveryFilter(error=BUSY), "f"),
    ],
)
async def test_what_matches_is_given_up(shelf: Shelf, which: Which, moved: str) -> None:
    assert await shelf.shop.store.outbox.discard(which(shelf), None, now=LATER) == len(moved)
    assert await shelf.states() == UNTOUCHED | dict.fromkeys(moved, "x")


async def test_what_is_given_up_is_not_sent(shop: Shop) -> None:
    made = await shop.deliver()
    await shop.store.outbox.discard(EVERYTHING, [made], now=LATER)
    assert await shop.lease(now=LATER) == ()
    assert (await shop.store.outbox.delivery(made)).delivery.ended_at is not None


async def test_each_that_was_moved_is_told_once(shelf: Shelf) -> None:
    [(before,)] = await shelf.shop.peek("select max(seq) from journal")
    await shelf.shop.store.outbox.retry(DeliveryFilter(channel="team"), None, now=LATER)
    await shelf.shop.store.outbox.discard(DeliveryFilter(channel="boss"), None, now=LATER)
    lines = await shelf.shop.peek(
        "select kind, subject_id, at from journal where seq > ? order by subject_id", before
    )
    assert lines == [
        ("delivery.changed", shelf.by_name[name], LATER) for name in ("f", "x", "B", "O", "p")
    ]


# How fast ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("which", "chosen", "served_by"),
    [
        (EVERYTHING, None, "delivery_state (project_id=? AND state=?"),
        (DeliveryFilter(since=NOW), None, "delivery_state (project_id=? AND state=?"),
        (DeliveryFilter(project_ids=(1,)), None, "delivery_state (project_id=? AND state=?"),
        (DeliveryFilter(event_id=7), None, "delivery_event (event_id=?)"),
        (EVERYTHING, [7], "own USING INTEGER PRIMARY KEY"),
    ],
)
async def test_an_index_serves_every_filter(
    shop: Shop, which: DeliveryFilter, chosen: list[int] | None, served_by: str
) -> None:
    condition, values = delivery._narrowed(which, DeliveryState, chosen)
    values |= {"before": ids.LARGEST, "limit": 50}
    reader = sqlite3.connect(shop.store.path)
    statements = [delivery.MATCHING] if chosen else [delivery.MATCHING, delivery.NEWEST]
    for statement in statements:
        sql = f"explain query plan {statement.format(condition=condition)}"
        plan = [row[3] for row in reader.execute(sql, values)]
        assert any(served_by in step for step in plan), plan
        assert not any(step.startswith(("SCAN own", "SCAN d")) for step in plan), plan
    reader.close()
