from collections.abc import Mapping

import msgspec
import pytest

from slowping.core import ids, retention
from slowping.core.retention import DAY_MS, Keeping, ProjectStock, Stock, Sweep, What

NOW = 1_795_000_000_000
FOR_EVER = Keeping(events_days=0, attempts_days=0, journal_days=0, audit_days=0)
HOUR_MS = 3_600_000


def stock(
    category_id: int = 1,
    *,
    age_days: float = 1000,
    keep_days: int | None = None,
    keep_mb: int | None = None,
) -> Stock:
    return Stock(
        category_id=category_id,
        keep_days=keep_days,
        keep_mb=keep_mb,
        oldest_id=ids.floor(NOW - round(age_days * DAY_MS)),
    )


def shop(
    *stocks: Stock, keep_days: int | None = None, keep_mb: int | None = None
) -> list[ProjectStock]:
    return [
        ProjectStock(id=7, name="shop", keep_days=keep_days, keep_mb=keep_mb, categories=stocks)
    ]


def swept(
    *stocks: Stock,
    keeping: Keeping = FOR_EVER,
    edges: Mapping[tuple[int, int | None], int] | None = None,
    of_project: int | None = None,
) -> list[Sweep]:
    projects = shop(*stocks, keep_days=of_project)
    return list(retention.sweeps(projects, edges or {}, keeping, NOW))


def events(sweeps: list[Sweep]) -> list[Sweep]:
    return [sweep for sweep in sweeps if sweep.what is What.EVENTS]


def test_where_everything_is_kept_for_ever_nothing_goes() -> None:
    assert swept(stock()) == []


@pytest.mark.parametrize(
    ("own", "of_project", "usual", "days"),
    [
        (None, None, 400, 400),
        (None, 30, 400, 30),
        (7, 30, 400, 7),
        (0, 30, 400, None),
        (None, 0, 400, None),
        (7, None, 0, 7),
        (None, None, 0, None),
    ],
)
def test_a_category_has_its_own_days_else_its_projects_else_the_servers(
    own: int | None, of_project: int | None, usual: int, days: int | None
) -> None:
    keeping = msgspec.structs.replace(FOR_EVER, events_days=usual)
    found = events(swept(stock(keep_days=own), keeping=keeping, of_project=of_project))
    assert [(NOW - sweep.before) / DAY_MS for sweep in found] == ([] if days is None else [days])


def test_a_category_without_an_old_event_is_not_looked_at() -> None:
    keeping = msgspec.structs.replace(FOR_EVER, events_days=400)
    assert events(swept(stock(age_days=399), keeping=keeping)) == []
    assert len(events(swept(stock(age_days=401), keeping=keeping))) == 1


@pytest.mark.parametrize("categories", [0, 1, 2])
def test_metrics_go_by_the_days_of_their_project_once(categories: int) -> None:
    found = swept(*[stock(number) for number in range(categories)], of_project=3)
    metrics = [sweep for sweep in found if sweep.what is What.METRICS]
    assert [(sweep.project_id, sweep.before) for sweep in metrics] == [(7, NOW - 3 * DAY_MS)]


def test_attempts_journal_and_audit_have_days_of_their_own() -> None:
    keeping = Keeping(events_days=0, attempts_days=90, journal_days=30, audit_days=730)
    found = {sweep.what: (NOW - sweep.before) // DAY_MS for sweep in swept(keeping=keeping)}
    assert found == {What.ATTEMPTS: 90, What.JOURNAL: 30, What.AUDIT: 730}


def test_what_is_beyond_a_size_goes_after_what_is_too_old_and_counts_once() -> None:
    edge = ids.floor(NOW - 100 * DAY_MS)
    old, large = events(swept(stock(keep_days=400), edges={(7, 1): edge}))
    assert (old.before_id, old.after) == (ids.floor(NOW - 400 * DAY_MS), 0)
    assert (large.before_id, large.after) == (edge, old.before_id - 1)
    aged = stock(keep_days=50)
    assert events(swept(aged, edges={(7, 1): edge})) == events(swept(aged))


def test_the_narrower_of_two_sizes_counts() -> None:
    near, far = ids.floor(NOW - 10 * DAY_MS), ids.floor(NOW - 20 * DAY_MS)
    for edges in ({(7, 1): near, (7, None): far}, {(7, 1): far, (7, None): near}):
        assert [sweep.before_id for sweep in events(swept(stock(), edges=edges))] == [near]


def test_nothing_of_the_last_hour_goes_however_small_the_room() -> None:
    [sweep] = events(swept(stock(), edges={(7, 1): ids.floor(NOW)}))
    assert sweep.before_id == ids.floor(NOW - HOUR_MS)
    assert all(sweep.before_id <= ids.floor(NOW - HOUR_MS) for sweep in retention.for_room(NOW))


def test_limits_by_size_are_those_of_categories_and_of_projects_as_a_whole() -> None:
    projects = shop(stock(1, keep_mb=5), stock(2, keep_mb=0), keep_mb=9)
    assert list(retention.limits(projects)) == [(7, 1, 5_000_000), (7, None, 9_000_000)]


@pytest.mark.parametrize(
    ("stepped_ms", "rest_ms"),
    [
        (0, 0),
        (-200_000, 0),
        (299_000, 0),
        (HOUR_MS, HOUR_MS),
        (-HOUR_MS, HOUR_MS),
        (3 * DAY_MS, DAY_MS),
        (-3 * DAY_MS, DAY_MS),
    ],
)
def test_nothing_goes_by_age_for_a_while_after_a_clock_was_set(
    stepped_ms: int, rest_ms: int
) -> None:
    assert retention.rest_after(stepped_ms) == rest_ms


@pytest.mark.parametrize(
    ("keep_days", "keep_mb", "told"),
    [
        (None, None, ""),
        (None, 0, ""),
        (0, None, "for ever"),
        (1, None, "1 day"),
        (90, 1_000, "90 days, 1 GB"),
        (None, 200, "200 MB"),
        (0, 1_500, "for ever, 1.5 GB"),
    ],
)
def test_what_is_kept_is_told_where_somebody_said_so(
    keep_days: int | None, keep_mb: int | None, told: str
) -> None:
    assert retention.told(keep_days, keep_mb) == told
