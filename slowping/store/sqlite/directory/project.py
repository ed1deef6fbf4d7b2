"""Administer projects."""

import sqlite3
from collections.abc import Sequence
from typing import Final

import msgspec

from slowping.core import ids
from slowping.core.audit import ITSELF, ActKind, Author
from slowping.core.feed import JournalKind
from slowping.core.project import NewProject, Project, ProjectChange
from slowping.store.sqlite import rows
from slowping.store.sqlite.directory import audit, desk
from slowping.store.sqlite.directory.desk import Desk

PROJECTS: Final = """
select id, name, strict_destinations, allowed_origins, monthly_quota, created_at,
       settings ->> 'keep_days' as keep_days, settings ->> 'keep_mb' as keep_mb
  from project
 where id >= :first
   and id < :before
   and (:ids is null or id in (select value from json_each(:ids)))
   and removed_at is null
   and (:projects is null or id in (select value from json_each(:projects)))
 order by id desc
 limit :limit
"""

_CREATE: Final = """
insert into project (id, name, strict_destinations, allowed_origins, monthly_quota, settings,
                     created_at)
values (:id, :name, :strict_destinations, :allowed_origins, :monthly_quota,
        json_patch('{}', :settings), :now)
"""

_CHANGE: Final = """
update project
   set name = :name,
       strict_destinations = :strict_destinations,
       allowed_origins = :allowed_origins,
       monthly_quota = :monthly_quota,
       settings = json_patch(settings, :settings)
 where id = :id
"""

# What goes with a project. Each line of the journal is written while what it tells of can still
# be told from what ended earlier. The secrets go for good.
_REMOVE: Final = (
    """
    insert into journal (at, kind, project_id, subject_id)
    select :now, 'delivery.changed', project_id, id
      from delivery
     where project_id = :id and state = 'pending'
    """,
    """
    update delivery
       set state = 'discarded', ended_at = :now
     where project_id = :id and state = 'pending'
    """,
    """
    insert into journal (at, kind, project_id, subject_id)
    select :now, 'key.changed', home_project_id, id
      from api_key
     where home_project_id = :id and all_projects = 0 and revoked_at is null
    """,
    """
    update api_key
       set revoked_at = :now
     where home_project_id = :id and all_projects = 0 and revoked_at is null
    """,
    """
    insert into journal (at, kind, project_id, subject_id)
    select :now, 'channel.changed', project_id, id
      from channel
     where project_id = :id and removed_at is null
    """,
    """
    update channel
       set removed_at = :now, secrets = null, learned = '{}'
     where project_id = :id and removed_at is null
    """,
    """
    insert into journal (at, kind, project_id, category_id, subject_id)
    select :now, 'category.changed', project_id, id, id
      from category
     where project_id = :id and removed_at is null
    """,
    """
    delete from route
     where category_id in (select id from category where project_id = :id and removed_at is null)
    """,
    """
    update category
       set removed_at = :now
     where project_id = :id and removed_at is null
    """,
    "update project set removed_at = :now where id = :id",
)

_NAMES_WITHIN: Final = {
    "categories": """
    select name
      from category
     where project_id = ? and removed_at is null
    """,
    "channels": """
    select name
      from channel
     where project_id = ? and removed_at is null
    """,
    "keys": """
    select name
      from api_key
     where home_project_id = ? and all_projects = 0 and revoked_at is null
    """,
}


class Projects(Desk):
    """The projects of the directory."""

    async def list_projects(
        self, project_ids: Sequence[int] | None, *, before: int | None, limit: int
    ) -> Sequence[Project]:
        """Live projects; those of `project_ids` where given."""
        window = desk.page(project_ids, before, limit)
        # There are few, and whoever asks whether the server works asks for one.
        found = await self._readers.fetch_at_once(PROJECTS, window)
        return [rows.project(row) for row in found]

    async def project(self, project_id: int) -> Project:
        """One live project."""
        window = desk.one(project_id)
        found = await self._readers.fetch(PROJECTS, window)
        return rows.project(desk.found(found, ids.PROJECT, project_id))

    async def create_project(
        self, new: NewProject, *, now: int, by: Author | None = ITSELF
    ) -> Project:
        """Create a project."""
        project_id = self._ids.take(now)
        pen = audit.Pen(id=self._ids.take(now), by=by, at=now)

        def deed(connection: sqlite3.Connection) -> Project:
            with desk.unique("project", new.name):
                connection.execute(_CREATE, {**_columns(new), "id": project_id, "now": now})
            created = _changed(connection, project_id, now)
            pen.created(connection, ActKind.PROJECT_CREATED, project_id, created)
            return created

        return await self._writer.run(deed)

    async def change_project(
        self,
        project_id: int,
        change: ProjectChange,
        *,
        now: int,
        by: Author | None = ITSELF,
    ) -> Project:
        """Change a project."""
        pen = audit.Pen(id=self._ids.take(now), by=by, at=now)

        def deed(connection: sqlite3.Connection) -> Project:
            before = _read(connection, project_id)
            after = msgspec.structs.replace(before, **desk.given(change))
            with desk.unique("project", after.name):
                connection.execute(_CHANGE, {**_columns(after), "id": project_id})
            changed = _changed(connection, project_id, now)
            pen.changed(connection, ActKind.PROJECT_CHANGED, project_id, before, changed)
            return changed

        return await self._writer.run(deed)

    async def remove_project(
        self, project_id: int, *, now: int, by: Author | None = ITSELF
    ) -> None:
        """Remove a project with its categories and channels, and revoke the keys at home in it.

        Its pending deliveries are discarded, and the channels' secrets are erased.
        """
        pen = audit.Pen(id=self._ids.take(now), by=by, at=now)

        def deed(connection: sqlite3.Connection) -> None:
            removed = _read(connection, project_id)
            lost = _names_within(connection, project_id)
            pen.removed(connection, ActKind.PROJECT_REMOVED, project_id, removed, **lost)
            for statement in _REMOVE:
                connection.execute(statement, {"id": project_id, "now": now})
            _note(connection, project_id, now)

        await self._writer.run(deed)


def _columns(project: Project | NewProject) -> dict[str, object]:
    return {
        "name": project.name,
        "strict_destinations": project.strict_destinations,
        "allowed_origins": desk.json_text(project.allowed_origins),
        "monthly_quota": project.monthly_quota,
        "settings": desk.json_text({"keep_days": project.keep_days, "keep_mb": project.keep_mb}),
    }


def _names_within(connection: sqlite3.Connection, project_id: int) -> dict[str, list[str]]:
    """What goes with a project, by name."""
    return {
        noun: [name for (name,) in connection.execute(names, (project_id,)).fetchall()]
        for noun, names in _NAMES_WITHIN.items()
    }


def _read(connection: sqlite3.Connection, project_id: int) -> Project:
    found = connection.execute(PROJECTS, desk.one(project_id)).fetchall()
    return rows.project(desk.found(found, ids.PROJECT, project_id))


def _changed(connection: sqlite3.Connection, project_id: int, now: int) -> Project:
    _note(connection, project_id, now)
    return _read(connection, project_id)


def _note(connection: sqlite3.Connection, project_id: int, now: int) -> None:
    desk.note(
        connection,
        JournalKind.PROJECT_CHANGED,
        at=now,
        project_id=project_id,
        subject_id=project_id,
    )
