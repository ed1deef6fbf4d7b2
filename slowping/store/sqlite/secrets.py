"""Seal the secrets of all channels anew, find those that no key opens, and give them up."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from slowping.core import errors
from slowping.core.audit import ActKind, Author
from slowping.core.feed import JournalKind
from slowping.core.ids import IdSource
from slowping.store.port import ActRecord
from slowping.store.sqlite.directory import audit, desk
from slowping.store.sqlite.readers import Readers
from slowping.store.sqlite.writer import Writer
from slowping.store.vault import Vault

_CHANNELS: Final = """
select channel.id,
       channel.project_id,
       project.name || '/' || channel.name as name,
       channel.kind,
       channel.settings,
       channel.secrets
  from channel
  join project on project.id = channel.project_id
 where channel.removed_at is null
 order by channel.id
"""

_KINDS: Final = """
select distinct kind
  from channel
 where removed_at is null
   and settings <> '{}'
   and :version is not (select value from meta where key = 'secrets_apart')
 order by kind
"""

_SEAL: Final = "update channel set settings = :settings, secrets = :secrets where id = :id"

_FORGET: Final = """
update channel
   set secrets = null,
       paused_at = coalesce(paused_at, :now),
       paused_reason = :reason
 where id = :id
"""

_READ: Final = "select value from meta where key = :key"
_KEEP: Final = """
insert into meta (key, value) values (:key, :value)
on conflict (key) do update set value = excluded.value where value <> excluded.value
"""

_APART: Final = "secrets_apart"
_SOURCE: Final = "secret_key_source"


class Secrets:
    """The secrets of the port, on SQLite."""

    def __init__(
        self, writer: Writer[Any, Any], readers: Readers, ids: IdSource, vault: Vault
    ) -> None:
        self._writer = writer
        self._readers = readers
        self._ids = ids
        self._vault = vault

    async def kinds_to_look_at(self, version: str) -> Sequence[str]:
        """Kinds of channels that have settings in the clear which `version` has not looked at."""
        return [row["kind"] for row in await self._readers.fetch(_KINDS, {"version": version})]

    async def seal_anew(
        self, names: Mapping[str, frozenset[str]] | None = None, *, version: str | None = None
    ) -> int:
        """Seal with the newest key what an older one has sealed, and what stands in the clear."""

        def deed(connection: sqlite3.Connection) -> int:
            rows = connection.execute(_CHANNELS).fetchall()
            sealed = [done for row in rows if (done := self._sealed(row, names or {})) is not None]
            connection.executemany(_SEAL, sealed)
            if version is not None:
                connection.execute(_KEEP, {"key": _APART, "value": version})
            return len(sealed)

        return await self._writer.run(deed)

    async def lost(self) -> Sequence[str]:
        """The names of channels whose secrets none of the keys opens."""
        rows = await self._readers.fetch(_CHANNELS)
        return [row["name"] for row in rows if self._is_lost(row)]

    async def forget_lost(self, reason: str, *, now: int, by: Author) -> Sequence[str]:
        """Give up the secrets that none of the keys opens, and pause their channels."""
        act_id = self._ids.take(now)

        def deed(connection: sqlite3.Connection) -> list[str]:
            lost = list(filter(self._is_lost, connection.execute(_CHANNELS).fetchall()))
            for row in lost:
                connection.execute(_FORGET, {"id": row["id"], "reason": reason, "now": now})
                desk.note(
                    connection,
                    JournalKind.CHANNEL_CHANGED,
                    at=now,
                    project_id=row["project_id"],
                    subject_id=row["id"],
                )
            names = [row["name"] for row in lost]
            if names:
                act = ActRecord(kind=ActKind.SECRETS_FORGOTTEN, by=by, after={"channels": names})
                audit.write(connection, act_id, act, at=now)
            return names

        return await self._writer.run(deed)

    async def key_source(self) -> str | None:
        """Where the newest key stood when a server last started."""
        rows = await self._readers.fetch(_READ, {"key": _SOURCE})
        return rows[0]["value"] if rows else None

    async def note_key_source(self, source: str) -> None:
        """Keep where the newest key stands."""
        if source != await self.key_source():
            kept = {"key": _SOURCE, "value": source}
            await self._writer.run(lambda connection: connection.execute(_KEEP, kept).rowcount)

    def _sealed(
        self, row: sqlite3.Row, names: Mapping[str, frozenset[str]]
    ) -> dict[str, object] | None:
        """The columns of a channel, sealed as they should be; None where they are."""
        settings: dict[str, Any] = msgspec.json.decode(row["settings"])
        clear = {
            name: settings.pop(name)
            for name in names.get(row["kind"], frozenset()) & settings.keys()
        }
        known, is_newest = self._opened(row["secrets"])
        if is_newest and not clear:
            return None
        return {
            "id": row["id"],
            "settings": desk.json_text(settings),
            "secrets": self._vault.seal({**known, **clear}),
        }

    def _opened(self, blob: bytes | None) -> tuple[dict[str, Any], bool]:
        """The secrets, and whether the newest key has sealed them."""
        return ({}, True) if blob is None else self._vault.open_for_newest(blob)

    def _is_lost(self, row: sqlite3.Row) -> bool:
        try:
            self._opened(row["secrets"])
        except errors.StoreUnusable:
            return True
        return False
