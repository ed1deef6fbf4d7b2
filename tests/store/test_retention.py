import asyncio
import pathlib
import sqlite3

import pytest

from slowping.core import errors, ids
from slowping.core.audit import Author
from slowping.core.category import CategoryChange, NewCategory
from slowping.core.delivery import (
    AttemptOutcome,
    AttemptRecord,
    DeliveryFilter,
    DeliveryState,
    Settlement,
)
from slowping.core.feed import FeedFilter
from slowping.core.project import ProjectChange
from slowping.core.retention import Sweep, What
from slowping.store.port import Idempotency, Portion
from slowping.store.sqlite import retention
from slowping.store.sqlite.retention import figures, sweeps
from slowping.store.sqlite.rollups import HOUR_MS
from tests.store.conftest import Shelf, Shop
from tests.store.samples import DAY, NOW

LATER = NOW + DAY


def events(shop: Shop, *, before: int = LATER, project: bool = False) -> Sweep:
    return Sweep(
        what=What.EVENTS,
        before=before,
        before_id=ids.floor(before),
        project_id=shop.project_id,
        category_id=None if project else shop.category_id,
    )


def of(what: What, *, before: int = LATER, project_id: int | None = None) -> Sweep:
    return Sweep(what=what, before=before, before_id=ids.floor(before), project_id=project_id)


async def swept(shop: Shop, sweep: Sweep) -> tuple[int, int]:
    """How many went, in how many steps."""
    after: int | None = sweep.after
    number = steps = 0
    while after is not None:
        portion = await shop.store.retention.remove(sweep, after=after)
        number, steps, after = number + portion.number, steps + 1, portion.last
    return number, steps


async def count(shop: Shop, table: str) -> int:
    [(number,)] = await shop.peek(f"select count(*) from {table}")  # noqa: S608 - it is ours
    assert isinstance(number, int)
    return number


async def counted(shop: Shop) -> None:
    """Let the figures and the text index follow the journal to its end."""
    while await shop.store.journal.count_on() or await shop.store.journal.index_on():
        pass


async def test_events_go_with_all_that_belongs_to_them(shop: Shop) -> None:
    promise = Idempotency(key="k", fingerprint="f")
    await shop.store.inbox.accept(shop.entry(channels=[shop.team], promise=promise))
    [leased] = await shop.lease()
    await settle(shop, leased.id)
    assert await swept(shop, events(shop)) == (1, 1)
    for table in ("event", "delivery", "attempt", "idempotency"):
        assert await count(shop, table) == 0, table


async def test_usage_and_figures_stay(shop: Shop) -> None:
    await shop.store.inbox.accept(shop.entry(count=3))
    await counted(shop)
    await swept(shop, events(shop))
    assert await shop.store.inbox.usage(shop.project_id, 202605) == 3
    [(total,)] = await shop.peek("select sum(events) from event_rollup where span > 1e12")
    assert total == 3


async def test_an_event_stays_while_a_delivery_of_it_waits_or_is_on_its_way(shelf: Shelf) -> None:
    for sweep in (events(shelf.shop, project=True), events(shelf.other)):
        await swept(shelf.shop, sweep)
    assert await shelf.states() == {"l": "l", "B": "p", "O": "p", "p": "p"}


async def test_an_event_stays_that_is_sent_again_while_it_is_looked_at(shelf: Shelf) -> None:
    shop, sweep = shelf.shop, events(shelf.shop)
    before = await count(shop, "event")
    async with shop.one_batch():
        retrying = asyncio.ensure_future(shop.retry(DeliveryFilter(), [shelf.by_name["f"]]))
        await asyncio.sleep(0)
        removing = asyncio.ensure_future(shop.store.retention.remove(sweep))
        await asyncio.sleep(0.05)
    assert (await retrying).moved == 1
    await removing
    assert await count(shop, "event") == before - 2
    assert (await shelf.states())["f"] == "p"


async def test_only_what_is_old_by_its_time_and_by_its_id_goes(shop: Shop) -> None:
    await shop.store.inbox.accept(shop.entry(at=NOW))
    # The clock is set back, so that the id is of a later moment.
    await shop.store.inbox.accept(shop.entry(at=NOW - 3 * DAY))
    await shop.store.inbox.accept(shop.entry(at=NOW + 2 * DAY))
    assert await swept(shop, events(shop, before=NOW - DAY)) == (0, 1)
    assert await swept(shop, events(shop, before=NOW + DAY)) == (2, 1)


async def test_other_categories_and_projects_keep_theirs(shop: Shop) -> None:
    other = await Shop(shop.store).furnish("other")
    bug = await shop.store.directory.create_category(
        shop.project_id, NewCategory(name="bug"), now=NOW
    )
    for entry in (
        shop.entry(count=2),
        shop.entry(category_id=ids.decode(ids.CATEGORY, bug.id)),
        other.entry(),
    ):
        await shop.store.inbox.accept(entry)
    assert await swept(shop, events(shop)) == (2, 1)
    assert await swept(shop, events(shop, project=True)) == (1, 1)
    assert await count(shop, "event") == 1


async def test_many_go_in_small_steps_and_a_step_passes_by_what_stays(shop: Shop) -> None:
    await shop.store.inbox.accept(shop.entry(count=retention.STEP, channels=[shop.team]))
    await shop.store.inbox.accept(shop.entry(count=retention.STEP + 1))
    assert await swept(shop, events(shop)) == (retention.STEP + 1, 3)
    assert await count(shop, "event") == retention.STEP


async def test_many_that_stay_are_passed_by_in_one_step(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "STEP", 5)
    monkeypatch.setattr(retention, "LOOK", 20)
    await shop.store.inbox.accept(shop.entry(count=70, channels=[shop.team]))
    await shop.store.inbox.accept(shop.entry(count=3))
    passed = await shop.store.retention.remove(events(shop))
    assert passed.number == 0
    assert passed.last is not None
    assert await swept(shop, events(shop)) == (3, 3)


async def test_what_would_go_is_what_goes(shelf: Shelf) -> None:
    shop, sweep = shelf.shop, events(shelf.shop)
    told = await shop.store.retention.count(sweep)
    assert told == Portion(number=3, deliveries=3, bytes=told.bytes)
    texts = 3 * 15
    rows = 3 * (sweeps.EVENT_BYTES + sweeps.DELIVERY_BYTES)
    assert told.bytes == texts + rows
    assert await shop.store.retention.remove(sweep) == told
    assert (await shop.store.retention.count(sweep)).number == 0


async def test_attempts_go_once_their_delivery_has_arrived_long_ago(shelf: Shelf) -> None:
    shop = shelf.shop
    assert await swept(shop, of(What.ATTEMPTS, before=NOW + 30_000)) == (0, 1)
    assert await swept(shop, of(What.ATTEMPTS)) == (1, 1)
    left = await shop.peek("select delivery_id from attempt order by 1")
    assert left == [(shelf.by_name["f"],), (shelf.by_name["x"],)]
    delivered = await shop.store.outbox.delivery(shelf.by_name["d"])
    assert (delivered.delivery.attempts, delivered.attempts) == (1, ())


async def test_metrics_go_by_project(shop: Shop) -> None:
    other = await Shop(shop.store).furnish("other")
    for one, at in ((shop, NOW), (other, NOW), (shop, LATER)):
        await shop.store.inbox.accept_metric(one.project_id, {"visitorId": "v"}, at)
    assert await swept(shop, of(What.METRICS, project_id=shop.project_id)) == (1, 1)
    assert await count(shop, "metric") == 2


async def test_the_audit_goes_after_its_time(shop: Shop) -> None:
    author = Author(key_id=None, name="somebody")
    for at in (NOW, LATER + 1):
        change = ProjectChange(keep_days=at % 100)
        await shop.store.directory.change_project(shop.project_id, change, now=at, by=author)
    before = await count(shop, "audit")
    assert await swept(shop, of(What.AUDIT)) == (before - 1, 1)
    assert await shop.peek("select at from audit") == [(LATER + 1,)]


async def test_the_journal_goes_from_its_beginning_and_not_beyond_what_is_counted_and_indexed(
    shop: Shop,
) -> None:
    await shop.store.inbox.accept(shop.entry(at=NOW))
    assert await swept(shop, of(What.JOURNAL)) == (0, 1)
    await shop.store.journal.count_on()
    assert await swept(shop, of(What.JOURNAL)) == (0, 1)
    await counted(shop)
    await shop.store.inbox.accept(shop.entry(at=NOW + 2 * DAY))
    await shop.store.inbox.accept(shop.entry(at=NOW))  # behind one that stays
    await counted(shop)
    before = await count(shop, "journal")
    number, _ = await swept(shop, of(What.JOURNAL))
    assert number == before - 2
    assert await shop.peek("select at from journal order by seq") == [(NOW + 2 * DAY,), (NOW,)]


async def test_a_reader_whose_place_has_gone_is_told_to_begin_anew(shop: Shop) -> None:
    await shop.store.inbox.accept(shop.entry(at=NOW))
    place = await shop.store.journal.head()
    await shop.store.inbox.accept(shop.entry(at=NOW, count=2))
    await counted(shop)
    await swept(shop, of(What.JOURNAL))
    page = await shop.store.journal.since(place, FeedFilter(), limit=10)
    assert page.reset
    here = await shop.store.journal.since(page.cursor, FeedFilter(), limit=10)
    assert not here.reset


async def test_stocks_tell_how_long_categories_are_kept(shop: Shop) -> None:
    [empty] = await shop.store.retention.stocks()
    assert (empty.name, empty.keep_days, empty.keep_mb, empty.categories) == (
        "shop",
        None,
        None,
        (),
    )
    entry = shop.entry()
    await shop.store.inbox.accept(entry)
    [project] = await shop.store.retention.stocks()
    [usual] = project.categories
    assert (usual.category_id, usual.oldest_id) == (shop.category_id, entry.events[0].id)
    assert (usual.keep_days, usual.keep_mb) == (None, None)
    directory = shop.store.directory
    change = ProjectChange(keep_days=30, keep_mb=100)
    await directory.change_project(shop.project_id, change, now=NOW)
    [project] = await shop.store.retention.stocks()
    assert (project.keep_days, project.keep_mb, project.categories) == (30, 100, (usual,))
    own = CategoryChange(keep_days=0, keep_mb=5)
    await directory.change_category(shop.category_id, own, now=NOW)
    [project] = await shop.store.retention.stocks()
    [decided] = project.categories
    assert (decided.keep_days, decided.keep_mb, project.keep_days) == (0, 5, 30)


async def test_a_setting_is_taken_back_and_survives_other_changes(shop: Shop) -> None:
    directory, change = shop.store.directory, ProjectChange(keep_days=30, keep_mb=100)
    changed = await directory.change_project(shop.project_id, change, now=NOW)
    assert (changed.keep_days, changed.keep_mb) == (30, 100)
    renamed = await directory.change_project(shop.project_id, ProjectChange(name="x"), now=NOW)
    assert (renamed.keep_days, renamed.keep_mb) == (30, 100)
    usual = await directory.change_project(shop.project_id, ProjectChange(keep_days=None), now=NOW)
    assert (usual.keep_days, usual.keep_mb) == (None, 100)


@pytest.mark.parametrize("look", [2, 2_000])
async def test_the_newest_events_that_have_room_stay(
    shop: Shop, look: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "LOOK", look)
    entry = shop.entry(count=7)
    await shop.store.inbox.accept(entry)
    size = sweeps.EVENT_BYTES + 15
    numbers = [event.id for event in entry.events]
    edge = shop.store.retention.edge
    for category_id in (shop.category_id, None):
        assert await edge(shop.project_id, category_id, 3 * size) == numbers[4]
        assert await edge(shop.project_id, category_id, 3 * size - 1) == numbers[5]
        assert await edge(shop.project_id, category_id, 7 * size) is None


async def test_figures_by_the_hour_are_forgotten_and_days_stay(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "STEP", 3)
    for at in (NOW, NOW + 2 * HOUR_MS, NOW + DAY):
        entry = shop.entry(channels=[shop.team], at=at)
        await shop.store.inbox.accept(entry)
        [leased] = await shop.lease(now=at)
        await settle(shop, leased.id, now=at)
    await counted(shop)
    while await shop.store.retention.thin_figures(before=NOW + HOUR_MS):
        pass
    rows = {
        "event_rollup": (2, 2, 2, 1),
        "field_rollup": (2, 2, 2),
    }
    for table, by_span in rows.items():
        told = await shop.peek(f"select count(*) from {table} group by span order by span")  # noqa: S608 - it is ours
        assert told == [(number,) for number in by_span], table
    for table in ("channel_rollup", "latency_rollup"):
        assert await count(shop, table) == 2, table
    assert await shop.peek("select sum(events) from event_rollup where span > 1e12") == [(3,)]


@pytest.mark.parametrize("table", figures.OLD)
async def test_old_figures_are_found_by_their_key(shop: Shop, table: str) -> None:
    plan = await shop.plan(figures.OLD[table], {"spans": "[1]", "before": 1, "most": 1})
    assert any(f"SEARCH old USING PRIMARY KEY ({_KEYS[table]}" in step for step in plan), plan


_KEYS = {
    "event_rollup": "category_id=? AND span=? AND start<?",
    "field_rollup": "field_id=? AND span=? AND start<?",
    "channel_rollup": "channel_id=? AND start<?",
    "latency_rollup": "channel_id=? AND start<?",
}


async def test_room_is_given_back_in_steps(shop: Shop) -> None:
    large = "x" * 3_000
    for _ in range(40):
        await shop.store.inbox.accept(shop.entry(count=30, description=large))
    full = await shop.store.retention.space()
    assert full.used > 1_200 * 3_000
    await swept(shop, events(shop))
    pruned = await shop.store.retention.space()
    assert pruned.free > full.used / 2
    steps = 1
    while await shop.store.retention.give_back():
        steps += 1
    left = await shop.store.retention.space()
    assert 1 < steps < 1 + pruned.free / 4096 / retention.PAGES
    assert left.free + left.used < (pruned.used + pruned.free) / 2
    assert await shop.peek("pragma integrity_check") == [("ok",)]


async def test_the_log_is_emptied_unless_somebody_reads(shop: Shop, tmp_path: pathlib.Path) -> None:
    await shop.store.inbox.accept(shop.entry(count=50))
    assert (await shop.store.retention.space()).log > 0
    assert await shop.store.retention.fold()
    assert (await shop.store.retention.space()).log == 0
    reader = sqlite3.connect(tmp_path / "slowping.db", isolation_level=None)
    reader.execute("begin")
    reader.execute("select count(*) from event").fetchall()
    await shop.store.inbox.accept(shop.entry())
    assert not await shop.store.retention.fold()
    assert (await shop.store.retention.space()).log > 0
    reader.close()
    assert await shop.store.retention.fold()


async def test_the_moment_of_the_last_line_is_known(shop: Shop) -> None:
    await shop.store.inbox.accept(shop.entry(at=LATER))
    assert await shop.store.retention.newest_at() == LATER


async def test_a_disk_that_is_full_is_told_of_until_something_can_be_written(shop: Shop) -> None:
    await shop.fill_disk()
    assert shop.store.retention.trouble is None
    with pytest.raises(errors.Unavailable):
        await shop.store.inbox.accept(shop.entry(count=100, description="x" * 1_000))
    assert shop.store.retention.trouble == "database or disk is full"
    await shop.store.retention.try_writing()
    assert shop.store.retention.trouble is None


@pytest.mark.parametrize(
    ("sweep", "index"),
    [
        (Sweep(what=What.EVENTS, before=1, before_id=1, category_id=1), "event_category"),
        (Sweep(what=What.EVENTS, before=1, before_id=1, project_id=1), "event_project"),
        (Sweep(what=What.EVENTS, before=1, before_id=1), "INTEGER PRIMARY KEY"),
        (Sweep(what=What.METRICS, before=1, before_id=1, project_id=1), "metric_project"),
        (Sweep(what=What.ATTEMPTS, before=1, before_id=1), "PRIMARY KEY (delivery_id>"),
        (Sweep(what=What.JOURNAL, before=1, before_id=1), "INTEGER PRIMARY KEY"),
        (Sweep(what=What.AUDIT, before=1, before_id=1), "INTEGER PRIMARY KEY"),
    ],
)
async def test_a_stretch_is_found_by_an_index(shop: Shop, sweep: Sweep, index: str) -> None:
    plan = await shop.plan(sweeps.found(sweep), sweeps.values(sweep, 0, 10))
    assert any(index in step for step in plan), plan
    assert not [step for step in plan if "TEMP B-TREE" in step], plan


@pytest.mark.parametrize(
    ("which", "index"),
    [
        ("project_id = :project_id", "event_project (project_id=? AND id<?)"),
        ("category_id = :category_id", "event_category (category_id=? AND id<?)"),
    ],
)
async def test_what_there_is_room_for_is_found_by_an_index(
    shop: Shop, which: str, index: str
) -> None:
    names = ("project_id", "category_id", "event_bytes", "before", "room", "most")
    plan = await shop.plan(retention.EDGE.format(which=which), dict.fromkeys(names, 1))
    assert f"SEARCH event USING INDEX {index}" in plan
    assert not [step for step in plan if step.startswith("SCAN event")], plan


async def settle(shop: Shop, number: int, now: int = NOW) -> None:
    """A delivery has arrived."""
    tried = AttemptRecord(started_at=NOW, duration_ms=1, outcome=AttemptOutcome.DELIVERED)
    arrived = Settlement(delivery_id=number, state=DeliveryState.DELIVERED, attempt=tried)
    await shop.store.outbox.settle(shop.team, [arrived], now=now)
