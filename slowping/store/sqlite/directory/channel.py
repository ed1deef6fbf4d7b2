"""Administer channels, whose secrets are stored sealed."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final

from slowping.core import audit as acts
from slowping.core import errors, ids
from slowping.core.audit import ITSELF, ActKind, Author
from slowping.core.channel import MAX_AD_HOC, Channel, ChannelFilter, StoredChannel
from slowping.core.feed import JournalKind
from slowping.store.port import ChannelRecord
from slowping.store.sqlite import rows
from slowping.store.sqlite.directory import audit, desk
from slowping.store.sqlite.directory.desk import Desk

CHANNELS: Final = """
select channel.id,
       channel.project_id,
       project.name as project,
       channel.name,
       channel.kind,
       channel.settings,
       channel.secrets,
       channel.learned,
       channel.ad_hoc,
       channel.target,
       channel.paused_at,
       channel.paused_reason,
       channel.created_at,
       hold.until as held_until,
       hold.why as held_reason
  from channel
  join project on project.id = channel.project_id
  left join hold on hold.scope = 'breaker:channel:' || channel.id
 where channel.id >= :first
   and channel.id < :before
   and (:ids is null or channel.id in (select value from json_each(:ids)))
   and channel.removed_at is null
   and (:projects is null or channel.project_id in (select value from json_each(:projects)))
   and (:name is null or channel.name = :name)
   and (:kind is null or channel.kind = :kind)
 order by channel.id desc
 limit :limit
"""

_CREATE: Final = """
insert into channel (id, project_id, name, kind, settings, secrets, ad_hoc, target, created_at)
values (:id, :project, :name, :kind, :settings, :secrets, :ad_hoc, :target, :now)
"""

_CHANGE: Final = """
update channel
   set name = :name, settings = :settings, secrets = :secrets, target = :target, learned = '{}'
 where id = :id
"""

_AD_HOC: Final = """
select id, secrets
  from channel
 where project_id = :project
   and kind = :kind
   and target = :target
   and ad_hoc = 1
   and removed_at is null
"""

_COUNT_AD_HOC: Final = """
select count(*)
  from channel
 where project_id = ?
   and ad_hoc = 1
   and removed_at is null
"""

_PAUSE: Final = """
update channel
   set paused_at = coalesce(paused_at, :now),
       paused_reason = coalesce(paused_reason, :reason),
       paused_by_hand = max(paused_by_hand, :by_hand)
 where id = :id and (paused_at is null or paused_by_hand < :by_hand)
"""

_RESUME: Final = """
update channel
   set paused_at = null, paused_reason = null, paused_by_hand = 0
 where id = :id and paused_at is not null
"""

_RESUME_FOR_NEW_ADDRESS: Final = f"{_RESUME} and not paused_by_hand"

_LEARN: Final = "update channel set learned = :learned where id = :id"

_TELL_DISCARDED: Final = """
insert into journal (at, kind, project_id, subject_id)
select :now, 'delivery.changed', project_id, id
  from delivery
 where channel_id = :id and state = 'pending'
"""

_DISCARD: Final = """
update delivery
   set state = 'discarded', ended_at = :now
 where channel_id = :id and state = 'pending'
"""

# A category's last route stays: without any it would go to all channels.
_UNROUTE: Final = """
delete from route
 where channel_id = :id
   and exists (select 1
                 from route as other
                where other.category_id = route.category_id
                  and other.channel_id <> route.channel_id)
"""

_REMOVE: Final = """
update channel
   set removed_at = :now, secrets = null, learned = '{}'
 where id = :id
"""

# What it did before does not count for what it is now.
_BEGIN_ANEW: Final = "delete from hold where scope = 'breaker:channel:' || :id"

_TAKE_OVER: Final = """
update route
   set channel_id = :id
 where channel_id in (select id
                        from channel
                       where project_id = :project
                         and name = :name
                         and removed_at is not null)
"""


class Channels(Desk):
    """The channels of the directory."""

    async def list_channels(
        self, which: ChannelFilter, *, before: int | None, limit: int
    ) -> Sequence[Channel]:
        """Live channels that match, secrets redacted."""
        window = desk.page(which.project_ids, before, limit)
        wanted = {**window, "name": which.name, "kind": which.kind}
        return [self._shown(row) for row in await self._readers.fetch(CHANNELS, wanted)]

    async def channel(self, channel_id: int) -> Channel:
        """One live channel, secrets redacted."""
        return self._shown(await self._fetch(channel_id))

    async def stored_channel(self, channel_id: int) -> StoredChannel:
        """One live channel with its secrets, for the engine."""
        row = await self._fetch(channel_id)
        return rows.stored_channel(row, self._secrets(row))

    async def create_channel(
        self, project_id: int, record: ChannelRecord, *, now: int, by: Author | None = ITSELF
    ) -> Channel:
        """Create a channel.

        Where a category still names a removed channel of this name, it goes to this one now. An
        ad hoc channel that is there already is returned; other secrets than it had are taken
        over, and it is resumed unless a person has paused it.
        """
        channel_id = self._ids.take(now)
        new = {**self._columns(record), "id": channel_id, "project": project_id, "now": now}
        pen = audit.Pen(id=self._ids.take(now), by=by, at=now)

        def deed(connection: sqlite3.Connection) -> sqlite3.Row:
            desk.require_project(connection, project_id)
            if record.ad_hoc:
                known = connection.execute(_AD_HOC, new).fetchone()
                if known is not None:
                    return self._name_again(connection, known, record, now)
                _require_room(connection, project_id)
            with desk.unique("channel", record.name):
                connection.execute(_CREATE, new)
            if not record.ad_hoc:
                connection.execute(_TAKE_OVER, new)
            row = _changed(connection, channel_id, now)
            pen.created(connection, ActKind.CHANNEL_CREATED, project_id, self._shown(row))
            return row

        return self._shown(await self._writer.run(deed))

    async def change_channel(
        self, channel_id: int, record: ChannelRecord, *, now: int, by: Author | None = ITSELF
    ) -> Channel:
        """Replace a channel's name, settings and secrets; what it had learned is forgotten.

        Its kind stays, and whether it is ad hoc; a paused one stays paused.
        """
        columns = {**self._columns(record), "id": channel_id}
        pen = audit.Pen(id=self._ids.take(now), by=by, at=now)

        def deed(connection: sqlite3.Connection) -> sqlite3.Row:
            row = _read(connection, channel_id)
            before, touched = self._shown(row), _touched(self._secrets(row), record.secrets)
            with desk.unique("channel", record.name):
                connection.execute(_CHANGE, columns)
            if not row["ad_hoc"]:
                connection.execute(_TAKE_OVER, {**columns, "project": row["project_id"]})
            row = _changed(connection, channel_id, now)
            kind, project_id = ActKind.CHANNEL_CHANGED, row["project_id"]
            pen.changed(connection, kind, project_id, before, self._shown(row), touched)
            return row

        return self._shown(await self._writer.run(deed))

    async def pause_channel(
        self,
        channel_id: int,
        reason: str,
        *,
        now: int,
        by_hand: bool = True,
        by: Author | None = ITSELF,
    ) -> Channel:
        """Stop sending. A paused one keeps its reason."""
        values = {"id": channel_id, "reason": reason, "now": now, "by_hand": by_hand}
        return await self._set_pause(_PAUSE, ActKind.CHANNEL_PAUSED, values, by)

    async def resume_channel(
        self, channel_id: int, *, now: int, by: Author | None = ITSELF
    ) -> Channel:
        """Send again."""
        values = {"id": channel_id, "now": now}
        return await self._set_pause(_RESUME, ActKind.CHANNEL_RESUMED, values, by)

    async def learn(self, channel_id: int, facts: Mapping[str, Any], *, now: int) -> None:
        """Keep facts with a channel; one that is gone has nothing to learn."""

        def deed(connection: sqlite3.Connection) -> None:
            for row in connection.execute(CHANNELS, _one(channel_id)).fetchall():
                known = rows.stored_channel(row, {}).learned
                learned = {**known, **facts}
                if learned != known:
                    values = {"id": channel_id, "learned": desk.json_text(learned)}
                    connection.execute(_LEARN, values)
                    _note(connection, row, now)

        await self._writer.run(deed)

    async def remove_channel(
        self, channel_id: int, *, now: int, by: Author | None = ITSELF
    ) -> None:
        """Remove a channel, erase its secrets and discard its pending deliveries.

        A category that went to this channel alone must not turn to all the others: it goes on
        naming the channel, and its events go nowhere until it is given other channels, or until
        another channel gets the name.
        """
        pen = audit.Pen(id=self._ids.take(now), by=by, at=now)

        def deed(connection: sqlite3.Connection) -> None:
            row = _read(connection, channel_id)
            removed, project_id = self._shown(row), row["project_id"]
            pen.removed(connection, ActKind.CHANNEL_REMOVED, project_id, removed)
            for statement in (_TELL_DISCARDED, _DISCARD, _UNROUTE, _BEGIN_ANEW, _REMOVE):
                connection.execute(statement, {"id": channel_id, "now": now})
            _note(connection, row, now)

        await self._writer.run(deed)

    async def _fetch(self, channel_id: int) -> sqlite3.Row:
        found = await self._readers.fetch_at_once(CHANNELS, _one(channel_id))
        return desk.found(found, ids.CHANNEL, channel_id)

    async def _set_pause(
        self, statement: str, kind: ActKind, values: Mapping[str, Any], by: Author | None
    ) -> Channel:
        channel_id, now = values["id"], values["now"]
        pen = audit.Pen(id=self._ids.take(now), by=by, at=now)

        def deed(connection: sqlite3.Connection) -> sqlite3.Row:
            before = _read(connection, channel_id)
            if not connection.execute(statement, values).rowcount:
                return before
            row = _changed(connection, channel_id, now)
            # A person may pause what is paused already: then nobody else resumes it.
            was, now_is, project_id = self._shown(before), self._shown(row), row["project_id"]
            pen.changed(connection, kind, project_id, was, now_is, {"paused_reason"})
            return row

        return self._shown(await self._writer.run(deed))

    def _name_again(
        self, connection: sqlite3.Connection, known: sqlite3.Row, record: ChannelRecord, now: int
    ) -> sqlite3.Row:
        """Give a known ad hoc channel the secrets of a request that names it once more."""
        channel_id = known["id"]
        if self._secrets(known) == record.secrets:
            return _read(connection, channel_id)
        row = _read(connection, channel_id)
        columns = {**self._columns(record), "id": channel_id, "name": row["name"]}
        connection.execute(_CHANGE, columns)
        connection.execute(_RESUME_FOR_NEW_ADDRESS, {"id": channel_id})
        return _changed(connection, channel_id, now)

    def _columns(self, record: ChannelRecord) -> dict[str, object]:
        return {
            "name": record.name,
            "kind": record.kind,
            "settings": desk.json_text(record.settings),
            "secrets": self._vault.seal(record.secrets) if record.secrets else None,
            "ad_hoc": record.ad_hoc,
            "target": record.target,
        }

    def _shown(self, row: sqlite3.Row) -> Channel:
        return rows.channel(row, self._secrets(row))


def _require_room(connection: sqlite3.Connection, project_id: int) -> None:
    [(count,)] = connection.execute(_COUNT_AD_HOC, (project_id,)).fetchall()
    if count >= MAX_AD_HOC:
        raise errors.InvalidInput(
            f"A project has at most {MAX_AD_HOC} channels that requests have named."
        )


def _touched(before: Mapping[str, Any], after: Mapping[str, Any]) -> frozenset[str]:
    """The secret settings that are not what they were, as an act names them."""
    names = {name for name in (*before, *after) if before.get(name) != after.get(name)}
    return frozenset(map(acts.setting, names))


def _one(channel_id: int) -> dict[str, object]:
    return {**desk.one(channel_id), "name": None, "kind": None}


def _read(connection: sqlite3.Connection, channel_id: int) -> sqlite3.Row:
    found = connection.execute(CHANNELS, _one(channel_id)).fetchall()
    return desk.found(found, ids.CHANNEL, channel_id)


def _changed(connection: sqlite3.Connection, channel_id: int, now: int) -> sqlite3.Row:
    connection.execute(_BEGIN_ANEW, {"id": channel_id})
    row = _read(connection, channel_id)
    _note(connection, row, now)
    return row


def _note(connection: sqlite3.Connection, row: sqlite3.Row, now: int) -> None:
    desk.note(
        connection,
        JournalKind.CHANNEL_CHANGED,
        at=now,
        project_id=row["project_id"],
        subject_id=row["id"],
    )
