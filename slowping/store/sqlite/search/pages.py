"""Find the events of a page, newest first: by project, category, source, time and words."""

import sqlite3
from collections.abc import Sequence
from typing import Final

import msgspec

from slowping.core import ids
from slowping.core.event import EventFilter
from slowping.core.search import Phrase
from slowping.store.sqlite.readers import Readers

# Ids are in the order of time, so a time span is a span of ids. Where several projects or
# categories are asked for, each gives its newest from its own index, and the newest of these
# are the page: SQLite would rather sort everything that all of them have.

NEWEST: Final = """
select id, size
  from event
 where id >= :first
   and id < :before
   and project_id not in (select id from project where removed_at is not null)
 order by id desc
 limit :limit
offset :skip
"""

NEWEST_OF_PROJECTS: Final = """
select event.id, event.size
  from json_each(:projects) as wanted
 cross join event
    on event.id in (select own.id
                      from event as own
                     where own.project_id = wanted.value
                       and own.id >= :first
                       and own.id < :before
                     order by own.id desc
                     limit :limit + :skip)
 order by event.id desc
 limit :limit
offset :skip
"""

NEWEST_OF_CATEGORY: Final = """
select event.id, event.size
  from category
 cross join event
    on event.id in (select own.id
                      from event as own
                     where own.category_id = category.id
                       and own.id >= :first
                       and own.id < :before
                     order by own.id desc
                     limit :limit + :skip)
 where category.name = :category
   and (:projects is null or category.project_id in (select value from json_each(:projects)))
   and category.project_id not in (select id from project where removed_at is not null)
 order by event.id desc
 limit :limit
offset :skip
"""

NEWEST_OF_SOURCE: Final = """
select event.id, event.size
  from project
 cross join event
    on event.id in (select own.id
                      from event as own
                     where own.project_id = project.id
                       and own.source = :source
                       and own.id >= :first
                       and own.id < :before
                       and (:category is null
                            or own.category_id in (select id from category where name = :category))
                     order by own.id desc
                     limit :limit + :skip)
 where project.removed_at is null
   and (:projects is null or project.id in (select value from json_each(:projects)))
 order by event.id desc
 limit :limit
offset :skip
"""

# The index knows the category of each event, so that what is rare among what is common is found
# without looking at all that is common. A project is the categories that it has or had.
MATCHING: Final = """
select event.id, event.size
  from event_text as found
 cross join event on event.id = found.rowid
 where found.event_text match :words || iif(
           :projects is null and :category is null,
           '',
           ' AND category : ' || (
               select '(' || coalesce(group_concat('c' || id, ' OR '), 'none') || ')'
                 from category
                where (:category is null or name = :category)
                  and (:projects is null
                       or project_id in (select value from json_each(:projects)))))
   and found.rowid >= :first
   and found.rowid < :before
   and (:source is null or event.source = :source)
   and event.project_id not in (select id from project where removed_at is not null)
 order by found.rowid desc
 limit :limit
offset :skip
"""

_encode = msgspec.json.Encoder().encode


async def find(
    readers: Readers, which: EventFilter, *, before: int | None, limit: int, skip: int
) -> Sequence[sqlite3.Row]:
    """`id` and `size` of the events of a page."""
    wanted = _wanted(which, before) | {"limit": limit, "skip": skip}
    fetch = readers.fetch_alone if which.text else readers.fetch
    return await fetch(_statement(which), wanted)


def _statement(which: EventFilter) -> str:
    if which.text:
        return MATCHING
    if which.source is not None:
        return NEWEST_OF_SOURCE
    if which.category is not None:
        return NEWEST_OF_CATEGORY
    return NEWEST if which.project_ids is None else NEWEST_OF_PROJECTS


def _wanted(which: EventFilter, before: int | None) -> dict[str, object]:
    end = ids.LARGEST if before is None else before
    return {
        "projects": None if which.project_ids is None else _encode(which.project_ids).decode(),
        "category": which.category,
        "source": which.source,
        "words": f"words : ({' AND '.join(map(_quoted, which.text))})",
        "first": 0 if which.since is None else ids.floor(which.since),
        "before": end if which.until is None else min(end, ids.floor(which.until)),
    }


def _quoted(phrase: Phrase) -> str:
    """A phrase as the index takes it, whatever signs it has: between quotes none means a thing."""
    words = phrase.words.replace('"', '""')
    return f'"{words}"{" *" if phrase.is_beginning else ""}'
