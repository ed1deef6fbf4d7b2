"""Administer API keys."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final

from slowping.core import errors, ids, times
from slowping.core.api_key import ApiKey, ApiKeyFilter, Principal
from slowping.core.audit import ITSELF, ActKind, Author
from slowping.core.feed import JournalKind
from slowping.store.port import ApiKeyRecord, ApiKeyUse
from slowping.store.sqlite import rows
from slowping.store.sqlite.directory import audit, desk
from slowping.store.sqlite.directory.desk import Desk

API_KEYS: Final = """
select api_key.id,
       api_key.name,
       api_key.prefix,
       api_key.kind,
       api_key.scopes,
       api_key.home_project_id,
       project.name as project,
       (select json_group_array(further.name)
          from api_key_project
          join project as further on further.id = api_key_project.project_id
         where api_key_project.api_key_id = api_key.id
           and further.removed_at is null) as projects,
       api_key.all_projects,
       api_key.rate_limit,
       api_key.origins,
       api_key.created_at,
       api_key.expires_at,
       api_key.revoked_at,
       api_key.last_used_at,
       api_key.last_used_from,
       api_key.rotated_to
  from api_key
  join project on project.id = api_key.home_project_id
 where api_key.id >= :first
   and api_key.id < :before
   and (:ids is null or api_key.id in (select value from json_each(:ids)))
   and (:projects is null
        or api_key.home_project_id in (select value from json_each(:projects))
        or exists (select 1
                     from api_key_project
                    where api_key_id = api_key.id
                      and project_id in (select value from json_each(:projects))))
   and (:name is null or api_key.name = :name)
   and (:revoked is null or (api_key.revoked_at is not null) = :revoked)
 order by api_key.id desc
 limit :limit
"""

_LIVE: Final = """
select id,
       digest,
       name,
       scopes,
       home_project_id,
       (select json_group_array(project.id)
          from api_key_project
          join project on project.id = api_key_project.project_id
         where api_key_project.api_key_id = api_key.id
           and project.removed_at is null) as project_ids,
       all_projects,
       rate_limit,
       origins,
       expires_at
  from api_key
 where revoked_at is null
"""

_SAME_VALUE: Final = "select name, revoked_at from api_key where digest = ?"

_CREATE: Final = """
insert into api_key (id, digest, prefix, name, kind, scopes, home_project_id, all_projects,
                     rate_limit, origins, created_at, expires_at)
values (:id, :digest, :prefix, :name, :kind, :scopes, :home_project_id, :all_projects,
        :rate_limit, :origins, :now, :expires_at)
"""

_ALLOW: Final = "insert into api_key_project (api_key_id, project_id) values (?, ?)"

_REVOKE: Final = "update api_key set revoked_at = :now where id = :id and revoked_at is null"

_SUCCEED: Final = """
insert into api_key (id, digest, prefix, name, kind, scopes, home_project_id, all_projects,
                     rate_limit, origins, created_at, expires_at)
select :id, :digest, :prefix, name, kind, scopes, home_project_id, all_projects,
       rate_limit, origins, :now, expires_at
  from api_key
 where id = :old
"""

_ALLOW_LIKEWISE: Final = """
insert into api_key_project (api_key_id, project_id)
select :id, project_id
  from api_key_project
 where api_key_id = :old
"""

_GIVE_WAY: Final = "update api_key set rotated_to = :id where id = :old"

_SHORTEN: Final = """
update api_key
   set expires_at = min(coalesce(expires_at, :until), :until)
 where id = :id
"""

_TOUCH: Final = """
update api_key
   set last_used_at = used.value ->> 1,
       last_used_from = coalesce(used.value ->> 2, last_used_from)
  from json_each(?) as used
 where api_key.id = used.value ->> 0
   and (last_used_at is null or last_used_at <= used.value ->> 1)
"""


class ApiKeys(Desk):
    """The API keys of the directory."""

    async def live_api_keys(self) -> Mapping[bytes, Principal]:
        """The principals of all keys that are not revoked, by the digest of the key.

        Those that have expired are among them: whoever asks has the clock.
        """
        found = await self._readers.fetch_at_once(_LIVE)
        return {row["digest"]: rows.principal(row) for row in found}

    async def list_api_keys(
        self, which: ApiKeyFilter, *, before: int | None, limit: int
    ) -> Sequence[ApiKey]:
        """Keys that match; a project's are those that name it, as their home or further on."""
        window = desk.page(which.project_ids, before, limit)
        wanted = {**window, "name": which.name, "revoked": which.revoked}
        return [rows.api_key(row) for row in await self._readers.fetch(API_KEYS, wanted)]

    async def api_key(self, key_id: int) -> ApiKey:
        """One key."""
        found = await self._readers.fetch(API_KEYS, _one(key_id))
        return rows.api_key(desk.found(found, ids.API_KEY, key_id))

    async def create_api_key(
        self, record: ApiKeyRecord, *, now: int, by: Author | None = ITSELF
    ) -> ApiKey:
        """Store a key.

        Raises:
            WrongState: this value is a key already.
        """
        key_id = self._ids.take(now)
        new = {**_columns(record), "id": key_id, "now": now}
        pen = audit.Pen(id=self._ids.take(now), by=by, at=now)

        def deed(connection: sqlite3.Connection) -> ApiKey:
            further = dict.fromkeys(record.project_ids)
            for project_id in (record.home_project_id, *further):
                desk.require_project(connection, project_id)
            _require_new(connection, record)
            connection.execute(_CREATE, new)
            allowed = [(key_id, number) for number in further if number != record.home_project_id]
            connection.executemany(_ALLOW, allowed)
            created = _changed(connection, key_id, now)
            pen.created(connection, ActKind.KEY_ISSUED, record.home_project_id, created)
            return created

        return await self._writer.run(deed)

    async def revoke_api_key(self, key_id: int, *, now: int, by: Author | None = ITSELF) -> ApiKey:
        """End a key; one that has ended keeps its date."""
        pen = audit.Pen(id=self._ids.take(now), by=by, at=now)

        def deed(connection: sqlite3.Connection) -> ApiKey:
            row = _read(connection, key_id)
            before, home = rows.api_key(row), row["home_project_id"]
            if not connection.execute(_REVOKE, {"id": key_id, "now": now}).rowcount:
                return before
            revoked = _changed(connection, key_id, now)
            pen.changed(connection, ActKind.KEY_REVOKED, home, before, revoked)
            return revoked

        return await self._writer.run(deed)

    async def rotate_api_key(
        self,
        key_id: int,
        digest: bytes,
        prefix: str,
        *,
        overlap_ms: int,
        now: int,
        by: Author | None = ITSELF,
    ) -> ApiKey:
        """Store a key that may do the same, and let the old one end with the overlap."""
        new_id = self._ids.take(now)
        new = {"id": new_id, "old": key_id, "digest": digest, "prefix": prefix, "now": now}
        pen = audit.Pen(id=self._ids.take(now), by=by, at=now)

        def deed(connection: sqlite3.Connection) -> ApiKey:
            row = _read(connection, key_id)
            before, home = rows.api_key(row), row["home_project_id"]
            _require_rotatable(row, now)
            connection.execute(_SUCCEED, new)
            connection.execute(_ALLOW_LIKEWISE, new)
            connection.execute(_GIVE_WAY, new)
            if overlap_ms:
                connection.execute(_SHORTEN, {"id": key_id, "until": now + overlap_ms})
            else:
                connection.execute(_REVOKE, {"id": key_id, "now": now})
            rotated = _changed(connection, key_id, now)
            pen.changed(connection, ActKind.KEY_ROTATED, home, before, rotated)
            return _changed(connection, new_id, now)

        return await self._writer.run(deed)

    async def touch_api_keys(self, uses: Mapping[int, ApiKeyUse]) -> None:
        """Write down how keys were used last; this alone is no line in the journal."""
        told = desk.json_text([(number, use.at, use.address) for number, use in uses.items()])

        def deed(connection: sqlite3.Connection) -> None:
            connection.execute(_TOUCH, (told,))

        await self._writer.run(deed)


def _require_new(connection: sqlite3.Connection, record: ApiKeyRecord) -> None:
    known = connection.execute(_SAME_VALUE, (record.digest,)).fetchone()
    if known is not None:
        ended = " (revoked)" if known["revoked_at"] is not None else ""
        raise errors.WrongState(f"This value is a key already: {known['name']}{ended}.")


def _require_rotatable(row: sqlite3.Row, now: int) -> None:
    if row["rotated_to"] is not None:
        successor = ids.encode(ids.API_KEY, row["rotated_to"])
        raise errors.WrongState(
            f"The key {row['name']} was rotated already, and {successor} takes its place: rotate "
            "that one."
        )
    expires_at = row["expires_at"]
    if row["revoked_at"] is not None:
        ended = "was revoked"
    elif expires_at is not None and expires_at <= now:
        ended = f"expired at {times.iso_s(expires_at)}"
    else:
        return
    raise errors.WrongState(
        f"The key {row['name']} {ended}, so nothing can take its place: issue a new key."
    )


def _columns(record: ApiKeyRecord) -> dict[str, object]:
    return {
        "digest": record.digest,
        "prefix": record.prefix,
        "name": record.name,
        "kind": record.kind,
        "scopes": desk.json_text(record.scopes),
        "home_project_id": record.home_project_id,
        "all_projects": record.all_projects,
        "rate_limit": record.rate_limit,
        "origins": desk.json_text(record.origins),
        "expires_at": record.expires_at,
    }


def _one(key_id: int) -> dict[str, object]:
    return {**desk.one(key_id), "name": None, "revoked": None}


def _read(connection: sqlite3.Connection, key_id: int) -> sqlite3.Row:
    found = connection.execute(API_KEYS, _one(key_id)).fetchall()
    return desk.found(found, ids.API_KEY, key_id)


def _changed(connection: sqlite3.Connection, key_id: int, now: int) -> ApiKey:
    row = _read(connection, key_id)
    desk.note(
        connection,
        JournalKind.KEY_CHANGED,
        at=now,
        project_id=row["home_project_id"],
        subject_id=key_id,
    )
    return rows.api_key(row)
