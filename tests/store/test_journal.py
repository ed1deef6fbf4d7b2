import pathlib
import re
import sqlite3
from collections.abc import Callable, Sequence

import pytest

from slowping.core import errors, ids, times
from slowping.core.category import NewCategory
from slowping.core.event import EventFilter
from slowping.core.project import NewProject
from slowping.store.port import DayCount, Store
from slowping.store.sqlite import journal
from slowping.store.sqlite.store import SqliteStore
from tests.store import samples
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
    event = await store.journal.event(event_id)
    assert event.id == ids.encode(ids.EVENT, event_id)
    assert (event.project, event.category, event.source) == ("shop", "sale", "till")
    assert (event.description, event.color) == ("It happened.", 0xFF0000)
    assert event.fields == {"amount": 49.5, "nested": {"a": [1]}}
    assert (event.dialect, event.notify, event.deliveries) == ("slowping", True, {})
    assert event.occurred_at == times.to_datetime(NOW - 1_000)
    assert event.received_at == times.to_datetime(NOW)


async def test_an_event_that_is_not_there_is_not_found(store: Store) -> None:
    with pytest.raises(errors.NotFound, match="There is no event 'evt_0000000000007'"):
        await store.journal.event(7)


async def test_an_event_counts_its_deliveries_by_state(
    store: Store, project_id: int, category_id: int
) -> None:
    channels = [await _channel(store, project_id, name) for name in ("a", "b", "c")]
    event_id = await accept(store, project_id, category_id, channel_ids=tuple(channels))
    await store.directory.remove_channel(channels[0], now=NOW)
    event = await store.journal.event(event_id)
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


async def test_an_event_of_a_removed_project_is_still_read_by_its_id(
    store: Store, six: dict[str, int]
) -> None:
    await store.directory.remove_project(six["other"], now=NOW)
    assert (await store.journal.event(six["b"])).project == "other"


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


# How it is found -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (journal.NEWEST, "event USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        (journal.NEWEST_OF_PROJECTS, "event_project (project_id=? AND id>? AND id<?)"),
        (journal.NEWEST_OF_CATEGORY, "event_category (category_id=? AND id>? AND id<?)"),
        (journal.EVENTS, "event USING INTEGER PRIMARY KEY (rowid=?)"),
        (journal.DELIVERIES, "delivery_event (event_id=?)"),
        (journal.TOTAL, "COVERING INDEX event_project (project_id=?)"),
        (journal.ON_DAYS, "COVERING INDEX event_project (project_id=? AND id>? AND id<?)"),
        (journal.VISITORS, "metric_project (project_id=?)"),
    ],
)
@pytest.mark.parametrize("measured", [False, True])
async def test_an_index_serves_every_query(
    store: SqliteStore, statement: str, index: str, measured: bool
) -> None:
    plan = _plan(store.path, statement, _A_MILLION if measured else ())
    assert any(index in step for step in plan)
    assert not [step for step in plan if re.fullmatch("SCAN (event|own|delivery|metric).*", step)]


_A_MILLION = (
    ("event", "event_project", "1000000 100000 1"),
    ("event", "event_category", "1000000 10000 1"),
    ("delivery", "delivery_event", "2000000 2 1"),
    ("metric", "metric_project", "1000000 100000 1"),
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
