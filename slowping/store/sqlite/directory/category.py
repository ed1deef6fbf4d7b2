"""Administer categories, and the routes to the channels that they name."""

import sqlite3
from collections.abc import Sequence
from typing import Final

import msgspec

from slowping.core import errors, ids
from slowping.core.audit import ITSELF, ActKind, Author
from slowping.core.category import Category, CategoryChange, NewCategory, check_room
from slowping.core.feed import JournalKind
from slowping.store.sqlite import rows
from slowping.store.sqlite.directory import audit, desk
from slowping.store.sqlite.directory.desk import Desk

CATEGORIES: Final = """
select category.id,
       category.project_id,
       project.name as project,
       category.name,
       category.emoji,
       category.color,
       category.priority,
       (select json_group_array(name)
          from (select channel.name
                  from route
                  join channel on channel.id = route.channel_id
                 where route.category_id = category.id
                 order by route.position)) as channels,
       category.created_at,
       category.settings ->> 'keep_days' as keep_days,
       category.settings ->> 'keep_mb' as keep_mb
  from category
  join project on project.id = category.project_id
 where category.id >= :first
   and category.id < :before
   and (:ids is null or category.id in (select value from json_each(:ids)))
   and category.removed_at is null
   and (:projects is null or category.project_id in (select value from json_each(:projects)))
   and (:name is null or category.name = :name)
 order by category.id desc
 limit :limit
"""

_COUNT: Final = "select count(*) from category where project_id = ? and removed_at is null"

_CREATE: Final = """
insert into category (id, project_id, name, emoji, color, priority, settings, created_at)
values (:id, :project, :name, :emoji, :color, :priority, json_patch('{}', :settings), :now)
"""

_CHANGE: Final = """
update category
   set name = :name, emoji = :emoji, color = :color, priority = :priority,
       settings = json_patch(settings, :settings)
 where id = :id
"""

_REMOVE: Final = "update category set removed_at = :now where id = :id"

_CONFIGURED: Final = """
select id, name
  from channel
 where project_id = :project
   and name in (select value from json_each(:names))
   and ad_hoc = 0
   and removed_at is null
"""

_UNROUTE: Final = "delete from route where category_id = ?"

_ROUTE: Final = """
insert into route (id, project_id, category_id, channel_id, position)
values (:id, :project, :category, :channel, :position)
"""


class Categories(Desk):
    """The categories of the directory."""

    async def list_categories(
        self,
        project_ids: Sequence[int] | None,
        name: str | None,
        *,
        before: int | None,
        limit: int,
    ) -> Sequence[Category]:
        """Live categories that match."""
        which = {**desk.page(project_ids, before, limit), "name": name}
        return [rows.category(row) for row in await self._readers.fetch(CATEGORIES, which)]

    async def category(self, category_id: int) -> Category:
        """One live category."""
        found = await self._readers.fetch(CATEGORIES, _one(category_id))
        return rows.category(desk.found(found, ids.CATEGORY, category_id))

    async def create_category(
        self, project_id: int, new: NewCategory, *, now: int, by: Author | None = ITSELF
    ) -> Category:
        """Create a category."""
        category_id = self._ids.take(now)
        route_id = self._ids.take(now, len(new.channels))
        pen = audit.Pen(id=self._ids.take(now), by=by, at=now)

        def deed(connection: sqlite3.Connection) -> Category:
            desk.require_project(connection, project_id)
            _require_room(connection, project_id)
            row = {**_columns(new), "id": category_id, "project": project_id, "now": now}
            with desk.unique("category", new.name):
                connection.execute(_CREATE, row)
            routed = _read(connection, category_id)
            _route(connection, routed, new.channels, route_id)
            created = _changed(connection, routed, now)
            pen.created(connection, ActKind.CATEGORY_CREATED, project_id, created)
            return created

        return await self._writer.run(deed)

    async def change_category(
        self,
        category_id: int,
        change: CategoryChange,
        *,
        now: int,
        by: Author | None = ITSELF,
    ) -> Category:
        """Change a category."""
        channels = None if change.channels is msgspec.UNSET else change.channels
        route_id = self._ids.take(now, len(channels or ()))
        pen = audit.Pen(id=self._ids.take(now), by=by, at=now)

        def deed(connection: sqlite3.Connection) -> Category:
            row = _read(connection, category_id)
            before = rows.category(row)
            after = msgspec.structs.replace(before, **desk.given(change))
            with desk.unique("category", after.name):
                connection.execute(_CHANGE, {**_columns(after), "id": category_id})
            if channels is not None:
                _route(connection, row, channels, route_id)
            changed = _changed(connection, row, now)
            kind, project_id = ActKind.CATEGORY_CHANGED, row["project_id"]
            pen.changed(connection, kind, project_id, before, changed)
            return changed

        return await self._writer.run(deed)

    async def remove_category(
        self, category_id: int, *, now: int, by: Author | None = ITSELF
    ) -> None:
        """Remove a category; its events stay."""
        pen = audit.Pen(id=self._ids.take(now), by=by, at=now)

        def deed(connection: sqlite3.Connection) -> None:
            row = _read(connection, category_id)
            removed, project_id = rows.category(row), row["project_id"]
            pen.removed(connection, ActKind.CATEGORY_REMOVED, project_id, removed)
            connection.execute(_UNROUTE, (category_id,))
            connection.execute(_REMOVE, {"id": category_id, "now": now})
            _note(connection, row, now)

        await self._writer.run(deed)


def _columns(category: Category | NewCategory) -> dict[str, object]:
    return {
        "name": category.name,
        "emoji": category.emoji,
        "color": category.color,
        "priority": category.priority,
        "settings": desk.json_text({"keep_days": category.keep_days, "keep_mb": category.keep_mb}),
    }


def _require_room(connection: sqlite3.Connection, project_id: int) -> None:
    [(count,)] = connection.execute(_COUNT, (project_id,)).fetchall()
    check_room(count + 1)


def _route(
    connection: sqlite3.Connection, category: sqlite3.Row, names: Sequence[str], first_id: int
) -> None:
    """Route a category to the channels of these names, in this order, and to no others."""
    names = tuple(dict.fromkeys(names))
    project_id = category["project_id"]
    wanted = {"project": project_id, "names": desk.json_text(names)}
    channels = {row["name"]: row["id"] for row in connection.execute(_CONFIGURED, wanted)}
    connection.execute(_UNROUTE, (category["id"],))
    for position, name in enumerate(names):
        if name not in channels:
            raise errors.NotFound("channel", name)
        row = {"id": first_id + position, "project": project_id, "category": category["id"]}
        connection.execute(_ROUTE, {**row, "channel": channels[name], "position": position})


def _one(category_id: int) -> dict[str, object]:
    return {**desk.one(category_id), "name": None}


def _read(connection: sqlite3.Connection, category_id: int) -> sqlite3.Row:
    found = connection.execute(CATEGORIES, _one(category_id)).fetchall()
    return desk.found(found, ids.CATEGORY, category_id)


def _changed(connection: sqlite3.Connection, row: sqlite3.Row, now: int) -> Category:
    _note(connection, row, now)
    return rows.category(_read(connection, row["id"]))


def _note(connection: sqlite3.Connection, row: sqlite3.Row, now: int) -> None:
    desk.note(
        connection,
        JournalKind.CATEGORY_CHANGED,
        at=now,
        project_id=row["project_id"],
        subject_id=row["id"],
    )
