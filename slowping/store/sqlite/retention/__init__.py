"""Let go of what is old, and give its room back: steps that hold nobody up.

`sweeps` has the statements, `figures` those of what is counted. What goes is looked up beside the
writer, and looked at again by the step that removes it.
"""

import collections
import functools
import pathlib
import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from slowping.core import ids
from slowping.core.retention import ProjectStock, Stock, Sweep, What
from slowping.store.port import Portion, Space
from slowping.store.sqlite.inbox import keys
from slowping.store.sqlite.readers import Readers
from slowping.store.sqlite.retention import figures, sweeps
from slowping.store.sqlite.search import text_index
from slowping.store.sqlite.writer import Writer

STEP: Final = 50
"""Most things that are removed in one transaction: whoever sends an event waits so long."""

LOOK: Final = 2_000
"""Most things that are counted at once."""

PAGES: Final = 100
"""Pages of the file that are given back in one transaction."""

PATIENCE_MS: Final = 5_000
"""How long the writer's connection waits for a lock, except where it empties the log."""

STOCKS: Final = """
select category.project_id,
       category.id as category_id,
       category.settings ->> 'keep_days' as keep_days,
       category.settings ->> 'keep_mb' as keep_mb,
       (select min(event.id) from event where event.category_id = category.id) as oldest_id
  from category
 where oldest_id is not null
 order by category.id
"""

PROJECTS: Final = """
select id, name, settings ->> 'keep_days' as keep_days, settings ->> 'keep_mb' as keep_mb
  from project
 order by id
"""

EDGE: Final = """
with looked as materialized (
    select id, size
      from event
     where {which}
       and id < :before
     order by id desc
     limit :most
), summed as materialized (
    select id, sum(size + :event_bytes) over (order by id desc) as bytes
      from looked
)
select (select max(id) from summed where bytes > :room) as edge,
       (select max(bytes) from summed) as bytes,
       iif(count(*) = :most, min(id), null) as last
  from summed
"""

_TRIAL: Final = """
insert into meta (key, value) values ('probed', '')
    on conflict do update set value = excluded.value
"""


class Retention:
    """How the store becomes smaller."""

    # A writer's entries are the inbox's alone; here it runs deeds.
    def __init__(self, path: pathlib.Path, writer: Writer[Any, Any], readers: Readers) -> None:
        self._path = path
        self._identity = _identity(path)
        """Of the file that is open."""
        self._log = path.with_name(f"{path.name}-wal")
        self._writer = writer
        self._readers = readers

    @property
    def trouble(self) -> str | None:
        """Why the last thing that was to be written was not."""
        return self._writer.trouble

    def is_in_place(self) -> bool:
        """Whether the file of the database's name is the one that is open."""
        return _identity(self._path) == self._identity

    @property
    def failures(self) -> int:
        """How often something could not be written so far."""
        return self._writer.failures

    async def stocks(self) -> Sequence[ProjectStock]:
        """Every project with its categories that have events."""
        stocks = collections.defaultdict[int, list[Stock]](list)
        for row in await self._readers.fetch(STOCKS):
            own = dict(row)
            stocks[own.pop("project_id")].append(Stock(**own))
        return [
            ProjectStock(**dict(row), categories=tuple(stocks[row["id"]]))
            for row in await self._readers.fetch(PROJECTS)
        ]

    async def edge(self, project_id: int, category_id: int | None, room: int) -> int | None:
        """The id before which events go so that the rest has `room` bytes."""
        which = "category_id = :category_id" if category_id else "project_id = :project_id"
        values: dict[str, object] = {
            "project_id": project_id,
            "category_id": category_id,
            "most": LOOK,
            "event_bytes": sweeps.EVENT_BYTES,
        }
        before: int | None = ids.LARGEST
        while before is not None:
            values |= {"before": before, "room": room}
            [row] = await self._readers.fetch(EDGE.format(which=which), values)
            if row["edge"] is not None:
                return int(row["edge"]) + 1
            before, room = row["last"], room - (row["bytes"] or 0)
        return None

    async def count(self, sweep: Sweep, *, after: int = 0) -> Portion:
        """How much a step would remove."""
        return _portion(await self._look(sweep, after, LOOK))

    async def remove(self, sweep: Sweep, *, after: int = 0) -> Portion:
        """Remove some of what a sweep is about."""
        found = await self._look(sweep, after, STEP)
        if not found["number"]:
            return Portion(last=await self._pass_by(sweep, found["last"]))
        await self._writer.run(functools.partial(_remove, sweep.what, found["ids"]))
        return _portion(found)

    async def thin_figures(self, *, before: int) -> bool:
        """Forget some figures by the hour."""
        return await figures.thin(self._writer, self._readers, before)

    async def space(self) -> Space:
        """What the database takes of the disk."""
        [row] = await self._readers.fetch(
            "select page_size, page_count, freelist_count"
            "  from pragma_page_size, pragma_page_count, pragma_freelist_count"
        )
        free = row["freelist_count"] * row["page_size"]
        used = row["page_count"] * row["page_size"] - free
        return Space(used=used, free=free, log=self._log_size())

    async def newest_at(self) -> int | None:
        """When the last thing happened."""
        rows = await self._readers.fetch("select at from journal order by seq desc limit 1")
        return int(rows[0]["at"]) if rows else None

    async def give_back(self) -> bool:
        """Give free pages of the file back to the disk."""
        return await self._writer.run_between(_give_back)

    async def fold(self) -> bool:
        """Fold the write-ahead log back into the file and empty it."""
        return await self._writer.run_between(_fold)

    async def try_writing(self) -> None:
        """Write something that means nothing."""
        await self._writer.run(_try_writing)

    def note_well(self) -> None:
        """Log that what has failed is over."""
        self._writer.note_well()

    async def _pass_by(self, sweep: Sweep, last: int | None) -> int | None:
        """Go on in long stretches as long as all of them stays, as events that wait do."""
        while last is not None:
            found = await self._look(sweep, last, LOOK)
            if found["number"]:
                return last
            last = found["last"]
        return None

    async def _look(self, sweep: Sweep, after: int, most: int) -> sqlite3.Row:
        values = sweeps.values(sweep, after, most)
        [row] = await self._readers.fetch(sweeps.found(sweep), values)
        return row

    def _log_size(self) -> int:
        try:
            return self._log.stat().st_size
        except FileNotFoundError:
            return 0


def _portion(row: sqlite3.Row) -> Portion:
    return Portion(
        number=row["number"], deliveries=row["deliveries"], bytes=row["bytes"], last=row["last"]
    )


# In the writer's thread ----------------------------------------------------------------------


def _remove(what: What, numbers: str, connection: sqlite3.Connection) -> None:
    if what is What.EVENTS:
        [(numbers,)] = connection.execute(sweeps.STILL_GO, {"ids": numbers}).fetchall()
        text_index.take_out(connection, numbers)
        keys.forget(connection, numbers)
    connection.execute(sweeps.remove(what), {"ids": numbers})


def _give_back(connection: sqlite3.Connection) -> bool:
    """Give back some of the spare pages."""
    [(pages,)] = connection.execute("pragma page_count").fetchall()
    [(free,)] = connection.execute("pragma freelist_count").fetchall()
    spare = Space(used=pages - free, free=free, log=0).spare
    if spare <= 0:
        return False
    # One step of the statement gives back one page, and only a script goes to its end.
    connection.executescript(f"pragma incremental_vacuum({min(spare, PAGES)})")
    return bool(spare > PAGES)


def _fold(connection: sqlite3.Connection) -> bool:
    """Empty the log if nobody reads from it now; whoever writes does not wait for readers."""
    connection.execute("pragma busy_timeout = 0")
    try:
        [(busy, *_)] = connection.execute("pragma wal_checkpoint(truncate)").fetchall()
    finally:
        connection.execute(f"pragma busy_timeout = {PATIENCE_MS}")
    return not busy


def _identity(path: pathlib.Path) -> tuple[int, int] | None:
    """What tells a file from others, without opening it: closing it would end SQLite's locks."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino


def _try_writing(connection: sqlite3.Connection) -> None:
    connection.execute(_TRIAL)
