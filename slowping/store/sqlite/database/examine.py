"""Look a database over while a server may be at work on it, and write nothing."""

import contextlib
import pathlib
import sqlite3
from collections.abc import Mapping
from typing import Final

from slowping.store.port.database import ChannelState, Examination, ProviderState
from slowping.store.sqlite import migrate
from slowping.store.sqlite.database import backup
from slowping.store.sqlite.store import RESTORE, explained

_CHANNELS: Final = """
select channel.name,
       project.name as project,
       channel.paused_at,
       channel.paused_reason,
       {paused_by_hand} as paused_by_hand,
       (select count(*)
          from delivery
         where delivery.channel_id = channel.id and delivery.state = 'pending') as waiting,
       (select count(*)
          from delivery
         where delivery.channel_id = channel.id and delivery.state = 'failed') as failed,
       (select min(delivery.created_at)
          from delivery
         where delivery.channel_id = channel.id
           and delivery.state = 'pending') as oldest_waiting_at,
       channel.secrets as sealed,
       hold.until as held_until,
       hold.why as held_reason
  from channel
  join project on project.id = channel.project_id
  left join hold on hold.scope = 'breaker:channel:' || channel.id
 where channel.removed_at is null
 order by project.name, channel.name
"""

_PROVIDERS: Final = """
select substr(scope, 1 + length('breaker:')) as scope, until as held_until, why as held_reason
  from hold
 where scope glob 'breaker:*' and scope not glob 'breaker:channel:*'
 order by scope
"""

# Commits of one process follow each other, so that a line which is older than the one before it
# was written after the clock had been set back.
_CLOCK: Final = """
select count(*) filter (where back > 1000) as steps,
       coalesce(max(back), 0) as largest,
       max(at) as last_at
  from (select at, lag(at) over (order by seq) - at as back from journal)
"""

_DIGESTS: Final = """
select digest,
       revoked_at is null and (expires_at is null or expires_at > unixepoch() * 1000) as live
  from api_key
"""

_RESET_FIXED: Final = ((3, 44, 6), (3, 50, 7), (3, 51, 3))
"""From these on, each within its series and the last for all that came after it."""

_RESET_SINCE: Final = (3, 7, 0)


def examine(path: pathlib.Path, *, thorough: bool) -> Examination:
    """What is found.

    Raises:
        StoreUnusable: it cannot be read.
    """
    log = path.with_name(f"{path.name}-wal")
    with explained(path, remedy=RESTORE), contextlib.closing(backup.reading(path)) as connection:
        newest = len(migrate.scripts())
        migrate.check(connection, newest=newest)
        connection.execute("begin")
        [clock] = connection.execute(_CLOCK).fetchall()
        return Examination(
            contents=backup.contents(connection),
            newest_schema=newest,
            is_thorough=thorough,
            damage=backup.damage_of(connection, thorough=thorough),
            log_bytes=log.stat().st_size if log.exists() else 0,
            version=sqlite3.sqlite_version,
            faults=known_faults(sqlite3.sqlite_version_info),
            channels=_channels(connection),
            held_providers=tuple(
                ProviderState(**dict(row)) for row in connection.execute(_PROVIDERS)
            ),
            clock_steps=clock["steps"],
            largest_step_ms=clock["largest"],
            last_journal_at=clock["last_at"],
            key_digests=_digests(connection),
        )


def known_faults(version: tuple[int, ...]) -> tuple[str, ...]:
    """What is known to be wrong with an SQLite that could touch what we keep in it."""
    # https://www.sqlite.org/releaselog/3_51_3.html: two connections that fold the log back at the
    # same moment can lose pages.
    series = [fixed for fixed in _RESET_FIXED if fixed[:2] == version[:2]]
    is_fixed = version >= (series or _RESET_FIXED[-1:])[0]
    if version < _RESET_SINCE or is_fixed:
        return ()
    return (
        "it can lose pages where two programs fold its log back at once (fixed in 3.44.6, 3.50.7 "
        "and 3.51.3). slowping writes and folds back by one connection alone, so it does no harm: "
        "keep other programs from writing to the file, and Litestream to a build that is fixed",
    )


def _channels(connection: sqlite3.Connection) -> tuple[ChannelState, ...]:
    columns = [row["name"] for row in connection.execute("pragma table_info(channel)")]
    # The first schema has no such column.
    by_hand = "channel.paused_by_hand" if "paused_by_hand" in columns else "0"
    found = connection.execute(_CHANNELS.format(paused_by_hand=by_hand))
    return tuple(
        ChannelState(**{**dict(row), "paused_by_hand": bool(row["paused_by_hand"])})
        for row in found
    )


def _digests(connection: sqlite3.Connection) -> Mapping[bytes, bool]:
    return {row["digest"]: bool(row["live"]) for row in connection.execute(_DIGESTS)}
