import asyncio
import pathlib
import re
import sqlite3
from collections.abc import Callable, Sequence

import pytest

from slowping.core import ids, page, times
from slowping.core.category import CategoryChange, NewCategory
from slowping.core.event import EventFilter
from slowping.core.feed import (
    CategoryChanged,
    EventAccepted,
    FeedFilter,
    FeedItem,
    ProjectChanged,
)
from slowping.core.project import NewProject
from slowping.store import open_store
from slowping.store.port import DayCount, FeedPage, Store
from slowping.store.sqlite import journal, subjects
from slowping.store.sqlite.search import pages
from slowping.store.sqlite.store import SqliteStore
from slowping.store.vault import Vault
from tests.conftest import VAULT_KEY
from tests.store import samples
from tests.store.conftest import Shop
from tests.store.samples import DAY, NOW, accept


@pytest.fixture
async def project_id(store: Store) -> int:
    project = await store.directory.create_project(NewProject(name="shop"), now=NOW)
    return ids.decode(ids.PROJECT, project.id)


@pytest.fixture
async def category_id(store: Store, project_id: int) -> int:
    return await _category(store, project_id, "sale")


# Events --------------------------------------------------------------------------------------


async def test_an_event_is_read_back_as_it_was_accepted(
    store: Store, project_id: int, category_id: int
) -> None:
    event_id = await accept(store, project_id, category_id, source="till")
    [event] = await store.journal.list_events(EventFilter(), before=event_id + 1, limit=1)
    assert event.id == ids.encode(ids.EVENT, event_id)
    assert (event.project, event.category, event.source) == ("shop", "sale", "till")
    assert (event.description, event.color) == ("It happened.", 0xFF0000)
    assert event.fields == {"amount": 49.5, "nested": {"a": [1]}}
    assert (event.dialect, event.notify, event.deliveries) == ("slowping", True, {})
    assert event.occurred_at == times.to_datetime(NOW - 1_000)
    assert event.received_at == times.to_datetime(NOW)


async def test_an_event_counts_its_deliveries_by_state(
    store: Store, project_id: int, category_id: int
) -> None:
    channels = [await _channel(store, project_id, name) for name in ("a", "b", "c")]
    event_id = await accept(store, project_id, category_id, channel_ids=tuple(channels))
    await store.directory.remove_channel(channels[0], now=NOW)
    [event] = await store.journal.list_events(EventFilter(), before=event_id + 1, limit=1)
    assert event.deliveries == {"pending": 2, "discarded": 1}


async def test_a_listing_counts_the_deliveries_of_each_event(
    store: Store, project_id: int, category_id: int
) -> None:
    channel_id = await _channel(store, project_id, "a")
    await accept(store, project_id, category_id)
    await accept(store, project_id, category_id, channel_ids=(channel_id,))
    listed = await store.journal.list_events(EventFilter(), before=None, limit=10)
    assert [event.deliveries for event in listed] == [{"pending": 1}, {}]


@pytest.fixture
async def six(store: Store, project_id: int, category_id: int) -> dict[str, int]:
    """Events `a` to `f`, a minute apart, in two projects with two categories each."""
    bug_id = await _category(store, project_id, "bug")
    other = await store.directory.create_project(NewProject(name="other"), now=NOW)
    other_id = ids.decode(ids.PROJECT, other.id)
    other_sale_id = await _category(store, other_id, "sale")
    other_bug_id = await _category(store, other_id, "bug")
    places = {
        "a": (project_id, category_id),
        "b": (other_id, other_sale_id),
        "c": (project_id, bug_id),
        "d": (other_id, other_bug_id),
        "e": (project_id, category_id),
        "f": (other_id, other_sale_id),
    }
    return {
        name: await accept(store, *place, at=NOW + 60_000 * number, source=f"{name.upper()}")
        for number, (name, place) in enumerate(places.items())
    } | {"shop": project_id, "other": other_id}


Which = Callable[[dict[str, int]], EventFilter]


@pytest.mark.parametrize(
    ("which", "listed"),
    [
        (lambda six: EventFilter(), "fedcba"),
        (lambda six: EventFilter(project_ids=(six["shop"],)), "eca"),
        (lambda six: EventFilter(project_ids=(six["shop"], six["other"])), "fedcba"),
        (lambda six: EventFilter(project_ids=()), ""),
        (lambda six: EventFilter(category="sale"), "feba"),
        (lambda six: EventFilter(category="sale", project_ids=(six["other"],)), "fb"),
        (lambda six: EventFilter(category="none"), ""),
        (lambda six: EventFilter(source="C"), "c"),
        (lambda six: EventFilter(source="C", project_ids=(six["shop"],)), "c"),
        (lambda six: EventFilter(source="C", category="sale"), ""),
        (lambda six: EventFilter(since=NOW + 180_000), "fed"),
        (lambda six: EventFilter(until=NOW + 180_000), "cba"),
        (lambda six: EventFilter(since=NOW + 60_000, until=NOW + 180_000, category="sale"), "b"),
        (lambda six: EventFilter(since=NOW + 60_000, project_ids=(six["shop"],)), "ec"),
        (lambda six: EventFilter(since=-(2**40)), "fedcba"),
        (lambda six: EventFilter(since=2**53), ""),
    ],
)
async def test_events_are_listed_newest_first_by_filter(
    store: Store, six: dict[str, int], which: Which, listed: str
) -> None:
    assert await _listed(store, which(six)) == listed


@pytest.mark.parametrize(
    ("which", "listed"),
    [
        (lambda six: EventFilter(), "dcb"),
        (lambda six: EventFilter(project_ids=(six["shop"], six["other"])), "dcb"),
        (lambda six: EventFilter(category="sale"), "ba"),
        (lambda six: EventFilter(until=NOW + 180_000), "cba"),
    ],
)
async def test_a_page_goes_on_below_the_last_id_of_the_one_before(
    store: Store, six: dict[str, int], which: Which, listed: str
) -> None:
    assert await _listed(store, which(six), before=six["e"], limit=3) == listed


@pytest.mark.parametrize(
    ("which", "listed"),
    [
        (lambda six: EventFilter(), "cb"),
        (lambda six: EventFilter(project_ids=(six["shop"], six["other"])), "cb"),
        (lambda six: EventFilter(category="sale"), "a"),
    ],
)
async def test_a_page_can_skip_the_newest(
    store: Store, six: dict[str, int], which: Which, listed: str
) -> None:
    assert await _listed(store, which(six), limit=2, skip=3) == listed


BUDGET = page.MAX_BYTES


@pytest.mark.parametrize(
    ("sizes", "listed"),
    [
        ([1, 1, 1, 1], "dcba"),
        ([1, 1, BUDGET, 1], "dc"),
        ([BUDGET // 2, BUDGET // 2, BUDGET // 2, BUDGET // 2], "dc"),
        ([1, BUDGET // 2, BUDGET // 2, BUDGET // 2 - 1], "dcb"),
        ([1, 1, 1, 9 * BUDGET], "d"),
    ],
)
@pytest.mark.parametrize("narrowed", ["", "projects", "category"])
async def test_a_page_ends_where_its_events_are_large_but_has_one(
    store: Store,
    project_id: int,
    category_id: int,
    sizes: Sequence[int],
    listed: str,
    narrowed: str,
) -> None:
    for source, size in zip("ABCD", sizes, strict=True):
        await accept(store, project_id, category_id, source=source, size=size)
    which = {
        "": EventFilter(),
        "projects": EventFilter(project_ids=(project_id,)),
        "category": EventFilter(category="sale"),
    }[narrowed]
    assert await _listed(store, which) == listed


async def test_the_events_of_a_removed_category_are_still_found_by_its_name(
    store: Store, project_id: int, category_id: int
) -> None:
    await accept(store, project_id, category_id, source="A")
    await store.directory.remove_category(category_id, now=NOW)
    anew = await _category(store, project_id, "sale")
    await accept(store, project_id, anew, source="B")
    assert await _listed(store, EventFilter(category="sale")) == "ba"


@pytest.mark.parametrize("which", [EventFilter(), EventFilter(category="sale")])
async def test_the_events_of_a_removed_project_are_not_listed(
    store: Store, six: dict[str, int], which: EventFilter
) -> None:
    await store.directory.remove_project(six["other"], now=NOW)
    assert set(await _listed(store, which)) <= set("ace")


# Figures -------------------------------------------------------------------------------------


async def test_a_project_without_events_has_seven_empty_days(store: Store, project_id: int) -> None:
    figures = await store.journal.figures(project_id, NOW)
    assert (figures.total_events, figures.unique_visitors) == (0, 0)
    assert figures.last_7_days == tuple(
        DayCount(f"2026-05-{day}", 0) for day in (22, 23, 24, 25, 26, 27, 28)
    )


async def test_events_count_on_their_day_in_utc(
    store: Store, project_id: int, category_id: int
) -> None:
    midnight = (NOW // DAY + 8) * DAY
    for at in (midnight - 7 * DAY, midnight - 6 * DAY, midnight - 1, midnight, midnight + 9):
        await accept(store, project_id, category_id, at=at)
    figures = await store.journal.figures(project_id, midnight + 10)
    assert figures.total_events == 5
    assert [day.events for day in figures.last_7_days] == [1, 0, 0, 0, 0, 1, 2]


async def test_a_visitor_counts_once_however_many_metrics_name_it(
    store: Store, project_id: int
) -> None:
    for payload in ({"visitorId": "v1"}, {"visitorId": "v1"}, {"visitorId": "v2"}, {"page": "/"}):
        await store.inbox.accept_metric(project_id, payload, NOW)
    assert (await store.journal.figures(project_id, NOW)).unique_visitors == 2


async def test_figures_are_of_the_one_project(store: Store, six: dict[str, int]) -> None:
    await store.inbox.accept_metric(six["other"], {"visitorId": "v1"}, NOW)
    figures = await store.journal.figures(six["shop"], NOW)
    assert (figures.total_events, figures.unique_visitors) == (3, 0)


async def test_figures_are_the_same_while_some_is_counted_and_the_rest_is_not(shop: Shop) -> None:
    await shop.store.inbox.accept(shop.entry(count=2, at=NOW - 86_400_000))
    before = await shop.store.journal.figures(shop.project_id, NOW)
    while await shop.store.journal.count_on():
        pass
    assert await shop.store.journal.figures(shop.project_id, NOW) == before
    await shop.store.inbox.accept(shop.entry(at=NOW))
    figures = await shop.store.journal.figures(shop.project_id, NOW)
    assert figures.total_events == 3
    assert [day.events for day in figures.last_7_days] == [0, 0, 0, 0, 0, 2, 1]


# What happened since a place ------------------------------------------------------------------


async def test_what_happened_after_a_place_is_told_in_order_and_once(shop: Shop) -> None:
    place = await shop.store.journal.head()
    first, second = await _told_event(shop), await _told_event(shop)
    page = await shop.store.journal.since(place, FeedFilter(), limit=10)
    assert _ids(page) == [first, second]
    assert (page.more, page.reset) == (False, False)
    assert page.cursor == page.entries[-1].cursor == await shop.store.journal.head()
    nothing = await shop.store.journal.since(page.cursor, FeedFilter(), limit=10)
    assert (nothing.entries, nothing.cursor) == ((), page.cursor)


async def test_the_journal_is_read_page_by_page_without_gap_or_repeat(shop: Shop) -> None:
    place = await shop.store.journal.head()
    accepted = [await _told_event(shop) for _ in range(5)]
    read: list[str] = []
    more = True
    while more:
        page = await shop.store.journal.since(place, FeedFilter(), limit=2)
        read += _ids(page)
        place, more = page.cursor, page.more
    assert read == accepted


async def test_a_page_of_the_journal_ends_where_its_events_are_large(shop: Shop) -> None:
    place = await shop.store.journal.head()
    room = journal.STRETCH_BYTES
    sizes = (1, room, 1, room // 2, room // 2, 1, 9 * room, 1)
    accepted = [
        await accept(shop.store, shop.project_id, shop.category_id, size=size) for size in sizes
    ]
    read: list[str] = []
    counts = []
    more = True
    while more:
        page = await shop.store.journal.since(place, FeedFilter(), limit=100)
        read += _ids(page)
        counts.append(len(page.entries))
        place, more = page.cursor, page.more
    assert counts == [2, 3, 2, 1]
    assert read == [ids.encode(ids.EVENT, number) for number in accepted]


async def test_each_entry_is_a_place_to_go_on_from(shop: Shop) -> None:
    place = await shop.store.journal.head()
    accepted = [await _told_event(shop) for _ in range(3)]
    page = await shop.store.journal.since(place, FeedFilter(), limit=10)
    rest = await shop.store.journal.since(page.entries[0].cursor, FeedFilter(), limit=10)
    assert _ids(rest) == accepted[1:]


async def test_several_lines_of_one_thing_are_told_once_at_the_last_place(shop: Shop) -> None:
    place = await shop.store.journal.head()
    await _recolor(shop, 1)
    event = await _told_event(shop)
    await _recolor(shop, 2)
    category = ids.encode(ids.CATEGORY, shop.category_id)
    page = await shop.store.journal.since(place, FeedFilter(), limit=10)
    assert _ids(page) == [event, category]
    # Whoever went away between the two is told of the second.
    rest = await shop.store.journal.since(page.entries[0].cursor, FeedFilter(), limit=10)
    assert _ids(rest) == [category]


async def test_a_page_that_ends_between_two_lines_of_one_thing_tells_it_twice(shop: Shop) -> None:
    place = await shop.store.journal.head()
    await _recolor(shop, 1)
    await _recolor(shop, 2)
    category = ids.encode(ids.CATEGORY, shop.category_id)
    page = await shop.store.journal.since(place, FeedFilter(), limit=1)
    assert (_ids(page), page.more) == ([category], True)
    page = await shop.store.journal.since(page.cursor, FeedFilter(), limit=1)
    assert (_ids(page), page.more) == ([category], False)


async def test_a_place_is_still_one_after_the_store_was_closed(
    tmp_path: pathlib.Path, store: Store, project_id: int, category_id: int
) -> None:
    place = await store.journal.head()
    event_id = await accept(store, project_id, category_id)
    again = await open_store(f"sqlite:{tmp_path / 'slowping.db'}", Vault([VAULT_KEY]))
    page = await again.journal.since(place, FeedFilter(), limit=10)
    await again.close()
    assert (_ids(page), page.reset) == ([ids.encode(ids.EVENT, event_id)], False)


@pytest.mark.parametrize(
    "strange",
    ["", "0", "-", "nonsense", "00-1", "0123456789abcdef-1", "{epoch}-",
     "{epoch}-99999999999999999999", "{epoch}-1000000", "{epoch}--1", "{epoch}-1 "],
)  # fmt: skip
async def test_a_place_of_another_journal_is_reset_to_now(shop: Shop, strange: str) -> None:
    await _told_event(shop)
    head = await shop.store.journal.head()
    cursor = strange.replace("{epoch}", head.partition("-")[0])
    page = await shop.store.journal.since(cursor, FeedFilter(), limit=10)
    assert (page.entries, page.cursor, page.more, page.reset) == ((), head, False, True)


async def test_a_place_before_what_was_trimmed_is_reset_to_now(shop: Shop) -> None:
    place = await shop.store.journal.head()
    await _told_event(shop)
    kept = await shop.store.journal.head()
    last = await _told_event(shop)
    await _trim(shop, kept)
    page = await shop.store.journal.since(kept, FeedFilter(), limit=10)
    assert (_ids(page), page.reset) == ([last], False)
    head = await shop.store.journal.head()
    page = await shop.store.journal.since(place, FeedFilter(), limit=10)
    assert (page.entries, page.cursor, page.reset) == ((), head, True)


async def test_when_everything_was_trimmed_only_now_is_a_place(shop: Shop) -> None:
    place = await shop.store.journal.head()
    await _told_event(shop)
    head = await shop.store.journal.head()
    await _trim(shop, head)
    assert await shop.store.journal.head() == head
    assert (await shop.store.journal.since(place, FeedFilter(), limit=10)).reset
    assert not (await shop.store.journal.since(head, FeedFilter(), limit=10)).reset


async def test_a_reader_is_told_of_its_projects_alone(store: Store, six: dict[str, int]) -> None:
    place = f"{(await store.journal.head()).partition('-')[0]}-0"
    which = FeedFilter(project_ids=(six["shop"],))
    page = await store.journal.since(place, which, limit=100)
    projects = {project for entry in page.entries for project in _projects(entry.item)}
    assert projects == {"shop"}
    nobody = await store.journal.since(place, FeedFilter(project_ids=()), limit=100)
    assert (nobody.entries, nobody.cursor) == ((), await store.journal.head())


async def test_a_reader_may_ask_for_categories_by_name(shop: Shop) -> None:
    bug_id = await _category(shop.store, shop.project_id, "bug")
    place = await shop.store.journal.head()
    wanted = shop.entry(category_id=bug_id, channels=[shop.team])
    await shop.store.inbox.accept(wanted)
    await shop.store.inbox.accept(shop.entry(channels=[shop.team]))
    await _recolor(shop, 1)
    await shop.store.directory.change_category(bug_id, CategoryChange(color=7), now=NOW)
    await shop.store.directory.remove_channel(shop.team, now=NOW)
    which = FeedFilter(categories=("bug", "no such one"))
    page = await shop.store.journal.since(place, which, limit=100)
    assert _ids(page) == [
        ids.encode(ids.EVENT, wanted.events[0].id),
        ids.encode(ids.CATEGORY, bug_id),
        ids.encode(ids.DELIVERY, wanted.deliveries[0].id),
    ]
    assert page.cursor == await shop.store.journal.head()


async def test_keys_are_told_only_to_who_may_see_them(shop: Shop) -> None:
    place = await shop.store.journal.head()
    await shop.store.directory.create_api_key(samples.api_key(shop.project_id), now=NOW)
    assert _ids(await shop.store.journal.since(place, FeedFilter(keys=False), limit=10)) == []
    assert len(_ids(await shop.store.journal.since(place, FeedFilter(), limit=10))) == 1


async def test_one_reading_looks_at_a_stretch_and_no_further(shop: Shop) -> None:
    place = await shop.store.journal.head()

    def fill(connection: sqlite3.Connection) -> None:
        rows = [(NOW, "channel.changed", shop.project_id, shop.team)] * journal.STRETCH
        connection.executemany(
            "insert into journal (at, kind, project_id, subject_id) values (?, ?, ?, ?)", rows
        )

    await shop.store._writer.run(fill)
    event = await _told_event(shop)
    which = FeedFilter(categories=("sale",))
    page = await shop.store.journal.since(place, which, limit=10)
    assert (page.entries, page.more) == ((), True)
    page = await shop.store.journal.since(page.cursor, which, limit=10)
    assert (_ids(page), page.more) == ([event], False)


async def test_a_listener_is_called_once_for_all_that_is_written_together(shop: Shop) -> None:
    rung: list[str] = []
    shop.store.journal.listen(lambda: rung.append("rang"))
    async with shop.one_batch():
        accepting = [asyncio.ensure_future(shop.store.inbox.accept(shop.entry())) for _ in "abc"]
    await asyncio.gather(*accepting)
    assert len(rung) == 2  # the one that held the writer, and the three together


async def _told_event(shop: Shop) -> str:
    entry = shop.entry()
    await shop.store.inbox.accept(entry)
    return ids.encode(ids.EVENT, entry.events[0].id)


async def _recolor(shop: Shop, color: int) -> None:
    change = CategoryChange(color=color)
    await shop.store.directory.change_category(shop.category_id, change, now=NOW)


async def _trim(shop: Shop, cursor: str) -> None:
    """Forget what came up to a place."""

    def deed(connection: sqlite3.Connection) -> None:
        connection.execute("delete from journal where seq <= ?", (cursor.partition("-")[2],))

    await shop.store._writer.run(deed)


def _ids(page: FeedPage) -> list[str]:
    return [entry.item.id for entry in page.entries]


def _projects(item: FeedItem) -> set[str]:
    match item:
        case EventAccepted():
            return {item.event.project}
        case CategoryChanged(category=category) if category is not None:
            return {category.project}
        case ProjectChanged(project=project) if project is not None:
            return {project.name}
    raise AssertionError(item)


# How it is found -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (pages.NEWEST, "event USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        (pages.NEWEST_OF_PROJECTS, "event_project (project_id=? AND id>? AND id<?)"),
        (pages.NEWEST_OF_CATEGORY, "event_category (category_id=? AND id>? AND id<?)"),
        (pages.NEWEST_OF_SOURCE, "event_source (project_id=? AND source=? AND id>? AND id<?)"),
        (pages.MATCHING, "event USING INTEGER PRIMARY KEY (rowid=?)"),
        (subjects.EVENTS, "event USING INTEGER PRIMARY KEY (rowid=?)"),
        (subjects.EVENTS, "delivery_event (event_id=?)"),
        (journal.TOTAL, "journal_project (project_id=? AND seq>?)"),
        (journal.TOTAL, "counted USING PRIMARY KEY (category_id=? AND span=?)"),
        (journal.ON_DAYS, "journal_project (project_id=? AND seq>?)"),
        (journal.ON_DAYS, "counted USING PRIMARY KEY (category_id=? AND span=? AND start=?)"),
        (journal.VISITORS, "metric_project (project_id=?)"),
        (journal.SINCE, "journal USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
    ],
)
@pytest.mark.parametrize("measured", [False, True])
async def test_an_index_serves_every_query(
    store: SqliteStore, statement: str, index: str, measured: bool
) -> None:
    plan = _plan(store.path, statement, _A_MILLION if measured else ())
    assert any(index in step for step in plan)
    assert not [
        step
        for step in plan
        if re.fullmatch("SCAN (event|own|delivery|metric|journal|counted).*", step)
    ]


_A_MILLION = (
    ("event", "event_project", "1000000 100000 1"),
    ("event", "event_category", "1000000 10000 1"),
    ("delivery", "delivery_event", "2000000 2 1"),
    ("metric", "metric_project", "1000000 100000 1"),
    ("journal", "journal_project", "9000000 900000 1"),
    ("category", None, "100"),
    ("project", None, "10"),
)
"""What `analyze` writes down about a busy server's tables."""


def _plan(
    path: pathlib.Path, statement: str, statistics: Sequence[tuple[str, str | None, str]]
) -> list[str]:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("analyze")
        connection.executemany("insert into sqlite_stat1 values (?, ?, ?)", statistics)
        connection.execute("analyze sqlite_schema")  # reads what was just written
        names = dict.fromkeys(re.findall(":([a-z]+)", statement))
        found = connection.execute(f"explain query plan {statement}", names)
        return [step for *_, step in found]
    finally:
        connection.close()


async def _listed(
    store: Store, which: EventFilter, *, before: int | None = None, limit: int = 10, skip: int = 0
) -> str:
    """The sources of the listed events, which are their names."""
    events = await store.journal.list_events(which, before=before, limit=limit, skip=skip)
    return "".join(event.source or "?" for event in events).lower()


async def _category(store: Store, project_id: int, name: str) -> int:
    category = await store.directory.create_category(project_id, NewCategory(name=name), now=NOW)
    return ids.decode(ids.CATEGORY, category.id)


async def _channel(store: Store, project_id: int, name: str) -> int:
    channel = await store.directory.create_channel(project_id, samples.channel(name), now=NOW)
    return ids.decode(ids.CHANNEL, channel.id)
