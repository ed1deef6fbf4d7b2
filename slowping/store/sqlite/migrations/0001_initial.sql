-- The first schema. Times are UTC milliseconds; ids are those of slowping/core/ids.py.
-- What a person removes is kept with removed_at set, so that nothing that refers to it breaks.

create table meta (
    key   text primary key,
    value text not null
) strict, without rowid;

create table project (
    id                  integer primary key,
    name                text not null,
    strict_destinations integer not null default 0,
    allowed_origins     text not null default '[]',   -- a JSON array
    monthly_quota       integer,
    settings            text not null default '{}',
    created_at          integer not null,
    removed_at          integer
) strict;

create unique index project_name on project (name) where removed_at is null;

create table category (
    id         integer primary key,
    project_id integer not null references project (id),
    name       text not null,
    emoji      text not null,
    color      integer not null,
    priority   integer not null default 0,
    settings   text not null default '{}',
    created_at integer not null,
    removed_at integer
) strict;

create unique index category_name on category (project_id, name) where removed_at is null;

create table channel (
    id            integer primary key,
    project_id    integer not null references project (id),
    name          text not null,
    kind          text not null,
    settings      text not null default '{}',          -- without secrets
    secrets       blob,                                -- encrypted; the key lies outside the file
    learned       text not null default '{}',
    ad_hoc        integer not null default 0,
    target        text,
    paused_at     integer,
    paused_reason text,
    created_at    integer not null,
    removed_at    integer
) strict;

create unique index channel_name on channel (project_id, name) where removed_at is null;

create unique index channel_ad_hoc_target on channel (project_id, kind, target)
    where ad_hoc = 1 and removed_at is null;

create table route (
    id          integer primary key,
    project_id  integer not null references project (id),
    category_id integer not null references category (id),
    channel_id  integer not null references channel (id),
    position    integer not null default 0,
    match       text
) strict;

create unique index route_pair on route (category_id, channel_id);
create index route_channel on route (channel_id);

create table api_key (
    id              integer primary key,
    digest          blob not null unique,              -- SHA-256 of the key
    prefix          text not null,
    name            text not null,
    kind            text not null,
    scopes          text not null,                     -- a JSON array
    home_project_id integer not null references project (id),
    all_projects    integer not null default 0,
    rate_limit      integer not null,
    origins         text not null default '[]',        -- a JSON array
    created_at      integer not null,
    expires_at      integer,
    revoked_at      integer,
    last_used_at    integer
) strict;

create index api_key_home on api_key (home_project_id);

create table api_key_project (
    api_key_id integer not null references api_key (id),
    project_id integer not null references project (id),
    primary key (api_key_id, project_id)
) strict, without rowid;

create table event (
    id          integer primary key,
    project_id  integer not null references project (id),
    category_id integer not null references category (id),
    api_key_id  integer references api_key (id),
    dialect     text not null,
    source      text,
    description text,
    color       integer,
    fields      text not null,
    occurred_at integer,
    received_at integer not null,
    notify      integer not null,
    size        integer not null
) strict;

create index event_project on event (project_id, id);
create index event_category on event (category_id, id);

create table idempotency (
    project_id     integer not null,
    key            text not null,
    fingerprint    text not null,
    first_event_id integer not null
        references event (id) on delete cascade deferrable initially deferred,
    event_count    integer not null,
    primary key (project_id, key)
) strict, without rowid;

create index idempotency_event on idempotency (first_event_id);

create table delivery (
    id           integer primary key,
    event_id     integer not null references event (id) on delete cascade,
    project_id   integer not null references project (id),
    channel_id   integer not null references channel (id),
    state        text not null,
    due_at       integer not null,
    expires_at   integer,
    attempts     integer not null default 0,           -- in all, as people count
    tries        integer not null default 0,           -- in the present round of the schedule
    leased_until integer,
    lease_owner  text,
    group_id     integer,
    reference    text,
    last_error   text,
    overrides    text,
    created_at   integer not null,
    ended_at     integer
) strict;

create unique index delivery_event on delivery (event_id, channel_id);
create index delivery_due on delivery (channel_id, due_at, id) where state = 'pending';
create index delivery_leased on delivery (leased_until) where state = 'leased';
create index delivery_expiry on delivery (expires_at)
    where state = 'pending' and expires_at is not null;
create index delivery_state on delivery (project_id, state, id);

create table attempt (
    delivery_id integer not null references delivery (id) on delete cascade,
    no          integer not null,
    started_at  integer not null,
    duration_ms integer not null,
    outcome     text not null,
    status      integer,
    reason      text,
    excerpt     text,
    primary key (delivery_id, no)
) strict, without rowid;

create table hold (
    scope    text primary key,
    until    integer not null,
    why      text not null,
    failures integer not null default 0
) strict, without rowid;

create table journal (
    seq         integer primary key autoincrement,
    at          integer not null,
    kind        text not null,
    project_id  integer,
    category_id integer,
    subject_id  integer,
    data        text
) strict;

create index journal_project on journal (project_id, seq);

create table usage (
    project_id integer not null,
    month      integer not null,                       -- such as 202611, in UTC
    events     integer not null,
    primary key (project_id, month)
) strict, without rowid;

create table metric (
    id          integer primary key,
    project_id  integer not null references project (id),
    payload     text not null,
    received_at integer not null
) strict;

create index metric_project on metric (project_id, id);
