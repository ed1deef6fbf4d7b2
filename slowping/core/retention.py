"""Decide what is old enough to go, and when nothing goes because the clock may be wrong."""

import enum
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Final

import msgspec

from slowping.core import ids

DAY_MS: Final = 86_400_000
MEGABYTE: Final = 1_000_000

FOR_EVER: Final = 0
"""As a number of days, or of megabytes: nothing goes."""

YOUNGEST_MS: Final = 3_600_000
"""Nothing younger goes, whatever room is asked for: the figures have to count it first."""

STEPPED_MS: Final = 300_000
"""A clock that is further from where it should be was set."""

REST_MS: Final = 3_600_000
"""After a start, or a clock that was set, nothing goes by its age for so long."""

LONG_REST_MS: Final = DAY_MS
"""The same where the clock was set by more than this: a person may have to notice."""

FIGURES_MS: Final = 400 * DAY_MS
"""Figures by the hour are kept for so long: the overview goes back a year."""

WARN_AT: Final = 0.8
"""A database that has this share of what it may take is told of."""

KeepDays = Annotated[
    int, msgspec.Meta(ge=0, le=36_500, description="a number of days, 0 (for ever) to 36500")
]
KeepMegabytes = Annotated[
    int,
    msgspec.Meta(
        ge=0, le=10_000_000, description="a number of megabytes, 0 (no limit) to 10000000"
    ),
]


class What(enum.StrEnum):
    """What goes by itself."""

    EVENTS = "events"
    """With their deliveries, attempts and idempotency keys."""
    METRICS = "metrics"
    ATTEMPTS = "attempts"
    """At deliveries that have arrived."""
    JOURNAL = "journal"
    AUDIT = "audit"


class Keeping(msgspec.Struct, frozen=True, kw_only=True):
    """For how many days things are kept where nothing else is said; 0 is for ever."""

    events_days: KeepDays = 400
    attempts_days: KeepDays = 90
    journal_days: KeepDays = 30
    audit_days: KeepDays = 730


class Stock(msgspec.Struct, frozen=True, kw_only=True):
    """A category that has events, as far as it matters for how long they are kept."""

    category_id: int
    keep_days: int | None
    """Its own; None where it says nothing."""
    keep_mb: int | None
    """Its own: that of a project is for all of its categories together."""
    oldest_id: int


class ProjectStock(msgspec.Struct, frozen=True, kw_only=True):
    """A project, as far as it matters for how long its events and metrics are kept."""

    id: int
    name: str
    keep_days: int | None
    keep_mb: int | None
    categories: tuple[Stock, ...]
    """Those that have events; metrics need none."""


class Sweep(msgspec.Struct, frozen=True, kw_only=True):
    """Things of one kind that go: what came before a moment, of a category where there is one."""

    what: What
    before: int
    """UTC milliseconds."""
    before_id: int
    """Ids from this one on stay. Where a clock has stepped, it is not of the same moment."""
    after: int = 0
    """Ids up to this one are another sweep's."""
    project_id: int | None = None
    category_id: int | None = None


class PrunedPart(msgspec.Struct, frozen=True, kw_only=True):
    """How much of one kind went, or would go."""

    project: str | None
    """None where it belongs to none."""
    what: What
    number: int
    deliveries: int
    """That went with the events."""
    bytes: int
    """About so many: what it takes in the database, without indexes."""


class Pruned(msgspec.Struct, frozen=True, kw_only=True):
    """What went, or would go."""

    parts: tuple[PrunedPart, ...]
    is_complete: bool
    """Whether there is no more: a server that has much to remove does so in several requests."""


class Prune(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Remove what is older than it is kept."""

    dry_run: bool = False
    """Only tell what would go."""


Edges = Mapping[tuple[int, int | None], int]
"""By project, and category or None for all of it: the id before which events are too many."""


def sweeps(
    projects: Sequence[ProjectStock], edges: Edges, keeping: Keeping, now: int
) -> Iterator[Sweep]:
    """All that goes at a UTC moment: what is too old, and what there is too much of."""
    for project in projects:
        days = keeping.events_days if project.keep_days is None else project.keep_days
        for stock in project.categories:
            yield from _of_category(project.id, stock, edges, days, now)
        yield from _older(What.METRICS, days, now, project_id=project.id)
    yield from _older(What.ATTEMPTS, keeping.attempts_days, now)
    yield from _older(What.JOURNAL, keeping.journal_days, now)
    yield from _older(What.AUDIT, keeping.audit_days, now)


def limits(projects: Sequence[ProjectStock]) -> Iterator[tuple[int, int | None, int]]:
    """Project, category or None for all of it, and bytes, wherever there is a limit by size."""
    for project in projects:
        for stock in project.categories:
            if stock.keep_mb:
                yield project.id, stock.category_id, stock.keep_mb * MEGABYTE
        if project.keep_mb:
            yield project.id, None, project.keep_mb * MEGABYTE


def for_room(now: int) -> tuple[Sweep, Sweep]:
    """What goes, the oldest first, until a database that is too large is no more.

    Of the journal a day is kept: readers that were away for longer begin anew.
    """
    day, youngest = now - DAY_MS, now - YOUNGEST_MS
    return (
        Sweep(what=What.JOURNAL, before=day, before_id=ids.floor(day)),
        Sweep(what=What.EVENTS, before=youngest, before_id=ids.floor(youngest)),
    )


def warning(used: int, most: int) -> str:
    """What is told of a database that will soon take all that it may."""
    return (
        f"The database takes {used // MEGABYTE:,} MB of the {most // MEGABYTE:,} MB that it may. "
        "Beyond that the oldest events go. Keep events for fewer days "
        "(slowping project change --keep-days), or let it have more "
        "(retention.max_disk_percent)."
    )


def told(keep_days: int | None, keep_mb: int | None) -> str:
    """What somebody said of how long events are kept: `90 days, 1 GB`; empty where nobody did."""
    said = []
    if keep_days is not None:
        days = "1 day" if keep_days == 1 else f"{keep_days} days"
        said.append("for ever" if keep_days == FOR_EVER else days)
    if keep_mb:
        said.append(f"{keep_mb} MB" if keep_mb < 1_000 else f"{keep_mb / 1_000:g} GB")
    return ", ".join(said)


def rest_after(stepped_ms: int) -> int:
    """For how many milliseconds nothing goes by age, after a clock was set by so many."""
    far = abs(stepped_ms)
    if far <= STEPPED_MS:
        return 0
    return LONG_REST_MS if far > LONG_REST_MS else REST_MS


def _of_category(
    project_id: int, stock: Stock, edges: Edges, days_of_project: int, now: int
) -> Iterator[Sweep]:
    days = days_of_project if stock.keep_days is None else stock.keep_days
    old_until = 0
    for sweep in _older(
        What.EVENTS, days, now, project_id=project_id, category_id=stock.category_id
    ):
        # Most categories hold nothing that old, as their oldest event tells.
        if stock.oldest_id < sweep.before_id:
            old_until = sweep.before_id
            yield sweep
    edge = max(
        edges.get((project_id, stock.category_id), 0),
        edges.get((project_id, None), 0),
    )
    # Nobody's limit is so small that an event goes before the figures have counted it.
    edge = min(edge, ids.floor(now - YOUNGEST_MS))
    if edge > max(old_until, stock.oldest_id):
        yield Sweep(
            what=What.EVENTS,
            before=now,
            before_id=edge,
            after=max(0, old_until - 1),
            project_id=project_id,
            category_id=stock.category_id,
        )


def _older(
    what: What,
    days: int,
    now: int,
    *,
    project_id: int | None = None,
    category_id: int | None = None,
) -> Iterator[Sweep]:
    if days == FOR_EVER:
        return
    before = now - days * DAY_MS
    yield Sweep(
        what=what,
        before=before,
        before_id=ids.floor(before),
        project_id=project_id,
        category_id=category_id,
    )
