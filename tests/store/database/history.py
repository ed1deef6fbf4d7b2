"""Databases as earlier versions of slowping have left them, with data in them."""

import contextlib
import pathlib
import sqlite3
from typing import Final

from slowping.store.sqlite import migrate

SCHEMAS: Final = range(1, len(migrate.scripts()) + 1)
"""Every schema that there ever was, the newest included."""

_START_MS: Final = 1_795_000_000_000  # 2026-11-18
_IDS_SINCE_MS: Final = 1_735_689_600_000  # as in slowping/core/ids.py
_GAP_MS: Final = 700

# In the words of the first schema, which every later one understands.
_FURNISH: Final = """
insert into meta (key, value) values ('epoch', 'a1b2c3d4e5f60718');
insert into project (id, name, created_at) values (1, 'shop', 1), (2, 'blog', 2);
insert into category (id, project_id, name, emoji, color, created_at)
values (1, 1, 'sale', '💰', 3, 1), (2, 1, 'bug', '🐛', 4, 2), (3, 2, 'comment', '💬', 5, 3);
insert into channel (id, project_id, name, kind, paused_at, paused_reason, created_at)
values (1, 1, 'team', 'console', null, null, 1),
       (2, 1, 'boss', 'console', 7, 'Paused by hand on Monday.', 2),
       (3, 2, 'blog', 'console', null, null, 3);
insert into route (id, project_id, category_id, channel_id) values (1, 1, 2, 2);
insert into api_key (id, digest, prefix, name, kind, scopes, home_project_id, rate_limit,
                     created_at)
values (1, x'0123', 'slp_abcd', 'first', 'secret', '["ingest"]', 1, 1000, 1);
insert into api_key_project (api_key_id, project_id) values (1, 2);
insert into usage (project_id, month, events) values (1, 202611, 42);
insert into metric (id, project_id, payload, received_at) values (1, 1, '{"visitorId":"a"}', 1);
insert into hold (scope, until, why) values ('discord', 7, 'HTTP 429');
"""

_FILL: Final = f"""
create temporary table n as
with recursive counting (i) as (select 0 union all select i + 1 from counting where i < :last)
select i,
       ({_START_MS - _IDS_SINCE_MS} + i * {_GAP_MS}) << 22 as id,
       {_START_MS} + i * {_GAP_MS} as at,
       i % 3 + 1 as category_id,
       iif(i % 3 = 2, 2, 1) as project_id,
       iif(i % 3 = 2, 3, 1) as channel_id,
       case when i % 20 < 16 then 'delivered' when i % 20 < 18 then 'pending'
            when i % 20 < 19 then 'failed' else 'leased' end as state
  from counting;

insert into event (id, project_id, category_id, api_key_id, dialect, description, fields,
                   received_at, notify, size)
select id, project_id, category_id, 1, 'slowping', 'No. ' || i || ': ä€😀',
       json_object('amount', i / 4.0, 'plan', 'pro'), at, 1, 40
  from n;

insert into delivery (id, event_id, project_id, channel_id, state, due_at, attempts, tries,
                      last_error, created_at, ended_at)
select id + 1, id, project_id, channel_id, state, at, 1, 1,
       iif(state in ('failed', 'pending'), 'HTTP 503', null), at,
       iif(state in ('failed', 'delivered'), at + 90, null)
  from n;

insert into attempt (delivery_id, no, started_at, duration_ms, outcome, status)
select id + 1, 1, at + 10, 80, iif(state = 'delivered', 'delivered', 'retry'),
       iif(state = 'delivered', 200, 503)
  from n
 where state <> 'leased';

insert into journal (at, kind, project_id, category_id, subject_id)
select at, 'event.accepted', project_id, category_id, id from n;

insert into idempotency (project_id, key, fingerprint, first_event_id, event_count)
select project_id, 'key ' || i, 'f', id, 1 from n where i % 100 = 0;

drop table n;
"""  # noqa: S608 - it is ours

_TABLES: Final = ("event", "delivery", "attempt", "idempotency", "usage", "metric", "journal")
"""What is counted in the fingerprint: no later schema has a reason to change these rows."""


def build(path: pathlib.Path, schema: int, events: int) -> None:
    """Make a database as the version with this schema would have it, after so many events."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as made:
        made.execute("pragma auto_vacuum = incremental")
        made.execute(f"pragma application_id = {migrate.APPLICATION_ID}")
        made.execute("pragma journal_mode = wal")
        migrate.migrate(made, migrate.scripts()[:1])
        made.executescript(f"begin;{_FURNISH}commit;")
        made.execute("begin")
        for statement in _FILL.replace(":last", str(events - 1)).split(";\n"):
            made.execute(statement)
        made.execute("commit")
        migrate.migrate(made, migrate.scripts()[:schema])


def fingerprint(path: pathlib.Path) -> dict[str, tuple[object, ...]]:
    """Count and sums of every table, over the columns that the first schema has."""
    with contextlib.closing(_first_schema()) as first:
        columns = {table: _columns(first, table) for table in _TABLES}
    with contextlib.closing(sqlite3.connect(path)) as found:
        return {table: _sums(found, table, names) for table, names in columns.items()}


def schema_of(path: pathlib.Path) -> int:
    """The schema that a database has."""
    with contextlib.closing(sqlite3.connect(path)) as found:
        [(version,)] = found.execute("pragma user_version").fetchall()
    return int(version)


def _first_schema() -> sqlite3.Connection:
    first = sqlite3.connect(":memory:")
    first.executescript(migrate.scripts()[0])
    return first


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"pragma table_info({table})")]


def _sums(connection: sqlite3.Connection, table: str, columns: list[str]) -> tuple[object, ...]:
    # Numbers modulo a prime, so that no sum leaves 64 bits; texts by length and first letters.
    wanted = [
        f"sum(iif(typeof({name}) = 'integer', {name} % 1000003,"
        f" length({name}) * 31 + coalesce(unicode(substr({name}, -3)), 0)))"
        for name in columns
    ]
    counted = f"select count(*), {', '.join(wanted)} from {table}"  # noqa: S608 - it is ours
    [row] = connection.execute(counted).fetchall()
    return tuple(row)
