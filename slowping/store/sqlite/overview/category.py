"""Read how much came into each category, in the periods and hours that are asked for."""

import collections
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from slowping.core import times
from slowping.core.overview import CategoryFigures, Counts, FieldSum, Periods
from slowping.store.sqlite.readers import Readers
from slowping.store.sqlite.rollups import ALWAYS_MS, DAY_MS, HOUR_MS, QUARTER_MS

# A category's name covers those that had it before as well, and looks like the newest.
CATEGORIES: Final = """
select category.project_id,
       category.name,
       project.name as project,
       category.emoji,
       category.color,
       count(*) > count(category.removed_at) as is_live,
       max(category.id) as newest
  from category
  join project on project.id = category.project_id
 where project.removed_at is null
   and (:projects is null or project.id in (select value from json_each(:projects)))
 group by category.project_id, category.name
"""

# Of each category a few spans at each end of a period, and longer ones between.
_WANTED: Final = """
with wanted as materialized (
    select id, project_id, name
      from category
     where project_id in (select id from project where removed_at is null)
       and (:projects is null or project_id in (select value from json_each(:projects)))
), piece as materialized (
    select value ->> 0 as name, value ->> 1 as span, value ->> 2 as first, value ->> 3 as after
      from json_each(:pieces)
)
"""

EVENTS: Final = f"""
{_WANTED}
select wanted.project_id, wanted.name, piece.name as piece, sum(counted.events) as events
  from wanted
 cross join piece
 cross join event_rollup as counted
    on counted.category_id = wanted.id
   and counted.span = piece.span
   and counted.start >= piece.first
   and counted.start < piece.after
 group by 1, 2, 3
"""  # noqa: S608 - both are ours

NUMBERS: Final = f"""
{_WANTED}
select wanted.project_id,
       wanted.name,
       field.name as field,
       piece.name as piece,
       total(counted.total) as total
  from wanted
 cross join number_field as field on field.category_id = wanted.id
 cross join piece
 cross join field_rollup as counted
    on counted.field_id = field.id
   and counted.span = piece.span
   and counted.start >= piece.first
   and counted.start < piece.after
 group by 1, 2, 3, 4
"""  # noqa: S608 - both are ours

_DIGITS: Final = 13

_Piece = tuple[str | int, int, int, int]
"""What is summed up (a period or the start of an hour), and which figures that takes: their span,
the first of them, and the first after them."""

_Place = tuple[int, str]
"""A project's id, and the name of a category in it."""

Events = Mapping[_Place, collections.Counter[Any]]
"""How many events each category had, by period and by the start of an hour."""

_encode = msgspec.json.Encoder().encode


async def events(readers: Readers, projects: str | None, periods: Periods, hours: range) -> Events:
    """How many events there were, in all, in each period and in each hour."""
    pieces: list[_Piece] = [("total", ALWAYS_MS, 0, ALWAYS_MS)]
    pieces += [(hour, HOUR_MS, hour, hour + HOUR_MS) for hour in hours]
    pieces += _pieces(periods)
    found: dict[_Place, collections.Counter[Any]] = collections.defaultdict(collections.Counter)
    for row in await readers.fetch(EVENTS, _asked(projects, pieces)):
        found[row["project_id"], row["name"]][row["piece"]] = row["events"]
    return found


async def figures(
    readers: Readers, projects: str | None, periods: Periods, events: Events, hours: range
) -> tuple[CategoryFigures, ...]:
    """Live categories, and those that had events in one of the periods."""
    totals = await _totals(readers, projects, periods)
    shown = []
    for row in await readers.fetch(CATEGORIES, {"projects": projects}):
        place = (row["project_id"], row["name"])
        had = events.get(place, collections.Counter())
        if row["is_live"] or any(had[name] for name in Periods.__struct_fields__):
            one = CategoryFigures(
                project=row["project"],
                category=row["name"],
                emoji=row["emoji"],
                color=row["color"],
                events=counts(had),
                hours=tuple(had[hour] for hour in hours),
                sums=_sums(totals.get(place, {})),
            )
            shown.append(one)
    return tuple(sorted(shown, key=lambda one: (-one.events.month, one.category, one.project)))


def counts(events: Mapping[Any, int]) -> Counts:
    """The numbers of the periods."""
    return Counts(**{name: events.get(name, 0) for name in Counts.__struct_fields__})


async def _totals(
    readers: Readers, projects: str | None, periods: Periods
) -> Mapping[_Place, Mapping[str, Mapping[str, float]]]:
    """What numbers add up to: by place, field and period, as far as there were any."""
    found: dict[_Place, dict[str, dict[str, float]]] = collections.defaultdict(dict)
    for row in await readers.fetch(NUMBERS, _asked(projects, list(_pieces(periods)))):
        fields = found[row["project_id"], row["name"]]
        fields.setdefault(row["field"], {})[row["piece"]] = _tidy(row["total"])
    return found


def _asked(projects: str | None, pieces: list[_Piece]) -> Mapping[str, object]:
    return {"projects": projects, "pieces": _encode(pieces).decode()}


def _pieces(periods: Periods) -> Iterator[_Piece]:
    """Each period as quarters up to the next full hour, hours up to the next day, and days."""
    for name in Periods.__struct_fields__:
        start = times.to_ms(getattr(periods, name))
        hour = -(-start // HOUR_MS) * HOUR_MS
        day = -(-hour // DAY_MS) * DAY_MS
        yield name, QUARTER_MS, start, hour
        yield name, HOUR_MS, hour, day
        yield name, DAY_MS, day, ALWAYS_MS


def _sums(totals: Mapping[str, Mapping[str, float]]) -> tuple[FieldSum, ...]:
    return tuple(FieldSum(field=field, **totals[field]) for field in sorted(totals))


def _tidy(total: float) -> float:
    """A sum without what adding up fractions leaves in its last digits."""
    return total if total.is_integer() else float(f"{total:.{_DIGITS}g}")
