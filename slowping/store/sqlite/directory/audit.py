"""Write administrative acts down in the transaction that does them, and list them."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import msgspec

from slowping.core import audit, ids
from slowping.core.audit import Act, ActFilter, ActKind, Author, Subject
from slowping.store.port import ActRecord, StepwiseAct
from slowping.store.sqlite import rows
from slowping.store.sqlite.directory import desk
from slowping.store.sqlite.directory.desk import Desk

ACTS: Final = """
select audit.id,
       audit.at,
       audit.act,
       audit.api_key_id,
       audit.author,
       audit.address,
       project.name as project,
       audit.subject,
       audit.name,
       audit.before,
       audit.after
  from audit
  left join project on project.id = audit.project_id
 where audit.id < :before
   and (:project is null or audit.project_id = :project)
   and (:act is null or audit.act = :act or instr(audit.act, :act || '.') = 1)
   and (:key is null or audit.api_key_id = :key)
   and (:since is null or audit.at >= :since)
   and (:until is null or audit.at < :until)
 order by audit.id desc
 limit :limit
"""

_WRITE: Final = """
insert into audit (id, at, act, api_key_id, author, address, project_id, subject, name, before,
                   after)
values (:id, :at, :act, :key, :author, :address, :project, :subject, :name, :before, :after)
"""

_COUNT: Final = """
update audit
   set after = json_set(after, :place, coalesce(after ->> :place, 0) + :count)
 where id = :id
"""


class Pen(msgspec.Struct, frozen=True, kw_only=True):
    """Writes one act down, whose author and id are known before it is done."""

    id: int
    by: Author | None
    """None where it is no act of administration: then nothing is written."""
    at: int

    def created(
        self, connection: sqlite3.Connection, kind: ActKind, project_id: int, thing: Subject
    ) -> None:
        """There is something new."""
        self._write(connection, kind, project_id, thing, None, audit.told(thing))

    def removed(
        self,
        connection: sqlite3.Connection,
        kind: ActKind,
        project_id: int,
        thing: Subject,
        **lost: Any,  # what went with it, as JSON values
    ) -> None:
        """Something is gone."""
        self._write(connection, kind, project_id, thing, audit.told(thing) | lost, None)

    def changed(
        self,
        connection: sqlite3.Connection,
        kind: ActKind,
        project_id: int,
        before: Subject,
        after: Subject,
        touched: Collection[str] = (),
    ) -> None:
        """Something is different, unless it is as it was."""
        was, now = audit.difference(audit.told(before), audit.told(after), touched)
        if was or now:
            self._write(connection, kind, project_id, after, was, now)

    def _write(
        self,
        connection: sqlite3.Connection,
        kind: ActKind,
        project_id: int,
        thing: Subject,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
    ) -> None:
        if self.by is None:
            return
        record = ActRecord(
            kind=kind,
            by=self.by,
            project_id=project_id,
            subject=thing.id,
            name=thing.name,
            before=before,
            after=after,
        )
        write(connection, self.id, record, at=self.at)


class Acts(Desk):
    """The acts of the directory."""

    async def list_acts(self, which: ActFilter, *, before: int | None, limit: int) -> Sequence[Act]:
        """Acts that match, newest first."""
        wanted = {
            "before": ids.LARGEST if before is None else before,
            "limit": limit,
            "project": which.project_id,
            "act": which.act,
            "key": which.key_id,
            "since": which.since,
            "until": which.until,
        }
        return [rows.act(row) for row in await self._readers.fetch(ACTS, wanted)]

    async def note_act(self, record: ActRecord, *, now: int) -> None:
        """Write an act down, in a transaction of its own."""
        act_id = self._ids.take(now)

        def deed(connection: sqlite3.Connection) -> None:
            write(connection, act_id, record, at=now)

        await self._writer.run(deed)


def write(connection: sqlite3.Connection, act_id: int, record: ActRecord, *, at: int) -> None:
    """Write an act down, for a deed that does it."""
    connection.execute(
        _WRITE,
        {
            "id": act_id,
            "at": at,
            "act": record.kind,
            "key": record.by.key_id,
            "author": record.by.name,
            "address": record.by.address,
            "project": record.project_id,
            "subject": record.subject,
            "name": record.name,
            "before": None if record.before is None else desk.json_text(record.before),
            "after": None if record.after is None else desk.json_text(record.after),
        },
    )


def count(connection: sqlite3.Connection, act: StepwiseAct | None, done: int, *, at: int) -> None:
    """Add what a step has done to its act, for the deed that does the step."""
    if act is None or not done:
        return
    values = {"id": act.id, "place": f"$.{act.counted}", "count": done}
    if connection.execute(_COUNT, values).rowcount:
        return
    after = {**(act.record.after or {}), act.counted: done}
    write(connection, act.id, msgspec.structs.replace(act.record, after=after), at=at)
