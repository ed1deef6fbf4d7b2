-- Figures that the overview is read from. They are kept by quarter-hours of UTC, so that a day sums
-- right in any time zone; those of events by longer spans as well, so that a month is few rows.
-- A span is so many milliseconds, and `start` a multiple of it in UTC milliseconds.

create table event_rollup (
    category_id integer not null references category (id),
    span        integer not null,
    start       integer not null,
    events      integer not null,
    primary key (category_id, span, start)
) strict, without rowid;

create table number_field (                            -- as many of a category as are kept
    id          integer primary key,
    category_id integer not null references category (id),
    name        text not null
) strict;

create unique index number_field_name on number_field (category_id, name);

create table field_rollup (
    field_id integer not null references number_field (id),
    span     integer not null,
    start    integer not null,
    numbers  integer not null,
    total    real not null,
    primary key (field_id, span, start)
) strict, without rowid;

create table channel_rollup (
    channel_id integer not null references channel (id),
    start      integer not null,                       -- of a quarter-hour
    delivered  integer not null,
    troubled   integer not null,
    primary key (channel_id, start)
) strict, without rowid;

create table latency_rollup (                          -- from acceptance to delivery
    channel_id integer not null references channel (id),
    start      integer not null,                       -- of an hour
    bucket     integer not null,                       -- four to a doubling: see rollups.py
    delivered  integer not null,
    primary key (channel_id, start, bucket)
) strict, without rowid;

create table channel_error (
    channel_id integer primary key references channel (id),
    reason     text,
    at         integer not null,
    mended_at  integer                                 -- when something was delivered after it
) strict;

create index delivery_failed on delivery (channel_id) where state = 'failed';

-- The place in the journal up to which events are counted. It lies beside what it speaks of, so
-- that a copy of the file that is put back is whole.
insert into meta (key, value) values ('rolled_up', '0');

-- What a day showed of the channels before this version. An id is its moment, and 22 bits.
insert into channel_rollup (channel_id, start, delivered, troubled)
select delivery.channel_id,
       (attempt.started_at + attempt.duration_ms) / 900000 * 900000,
       sum(attempt.outcome = 'delivered'),
       sum(attempt.outcome <> 'delivered')
  from delivery
  join attempt on attempt.delivery_id = delivery.id
 where delivery.id > (select max(id) from delivery) - (86400000 << 22)
 group by 1, 2;

insert into channel_error (channel_id, reason, at)
select delivery.channel_id, attempt.reason, max(attempt.started_at + attempt.duration_ms)
  from delivery
  join attempt on attempt.delivery_id = delivery.id
 where delivery.id > (select max(id) from delivery) - (86400000 << 22)
   and attempt.outcome <> 'delivered'
 group by 1;

update channel_error
   set mended_at = good.at
  from (select delivery.channel_id, max(attempt.started_at + attempt.duration_ms) as at
          from delivery
          join attempt on attempt.delivery_id = delivery.id
         where delivery.id > (select max(id) from delivery) - (86400000 << 22)
           and attempt.outcome = 'delivered'
         group by 1) as good
 where good.channel_id = channel_error.channel_id
   and good.at > channel_error.at;
