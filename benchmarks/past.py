"""State the rows of a server's past in SQL: events, what became of them, and what was counted.

They are those that the server would have written, had the events come one by one: that is tested
by having the server count them itself. What looks like chance is a matter of the row's number, so
that every filling of a size is the same.
"""

import random
from collections.abc import Iterator, Mapping
from typing import Final

from slowping.store.sqlite import rollups

SHARES: Final[Mapping[str, Mapping[str, int]]] = {
    "shop": {"sale": 6, "signup": 3, "visit": 3, "error": 1},
    "lab": {"run": 3},
}
"""Which categories get how many of 16 events, by project."""

SPAN_MS: Final = 30 * 86_400_000
"""So long ago the first event came: for no longer a server keeps its journal by itself."""

COMMON: Final = "order"
"""A word that about every third event holds."""

RARE: Final = "quokka"
"""A word of `RARE_EVENTS` events, which are spread over all the time."""

RARE_EVENTS: Final = 10

SELDOM: Final = "kiosk"
"""The source of those same events."""

WAITING: Final = 20
"""So many of the newest events have not been delivered yet."""

_PHRASES: Final = 4_096

_RETRY_MS: Final = 250
"""Between two attempts: so little that the journal is in the order of time, to a second."""

# Places: how often a category gets an event, of 16 times. Seats: which channels it goes to. Lines:
# what the journal may tell of an event, in its order: first the event, then tries of each seat.
TABLES: Final = (
    "create temp table place (no integer primary key, category_id integer, project_id integer)",
    """
insert into place (no, category_id, project_id)
select row_number() over (order by category.id) - 1, category.id, category.project_id
  from project
  join json_each(:shares) as own on own.key = project.name
 cross join json_each(own.value) as share
  join category on category.project_id = project.id and category.name = share.key
 cross join json_each(:sixteenths) as times
 where times.value < share.value
""",
    """
create temp table seat (
    category_id integer, no integer, channel_id integer, primary key (category_id, no)
) without rowid
""",
    """
insert into seat (category_id, no, channel_id)
select category.id, row_number() over (partition by category.id order by channel.id) - 1, channel.id
  from category
  join channel on channel.project_id = category.project_id
 where category.id in (select category_id from place)
   and (not exists (select 1 from route where route.category_id = category.id)
        or channel.id in (select channel_id from route where route.category_id = category.id))
""",
    "create temp table line (no integer primary key, seat integer, attempt integer)",
    """
insert into line (seat, attempt)
values (null, 0), (0, 1), (1, 1), (0, 2), (1, 2), (0, 3), (1, 3)
""",
    "create temp table phrase (no integer primary key, text text)",
)
BEGINNING: Final = "update journal set at = min(at, :first_at)"
"""What the events are for was there before them."""

PHRASES: Final = "insert into phrase (no, text) values (?, ?)"

# An event is its number; its deliveries have the ids after its own. `ended` is how many
# milliseconds after it they ended, had they been tried once.
_MADE: Final = f"""
with recursive number (n) as (
    values (:first) union all select n + 1 from number where n < :last
), scattered as (
    select n, n * 2654435761 & 4294967295 as chance from number
), made as (
    select n,
           :first_id + n * :id_step as id,
           :first_at + n * :step_ms as at,
           chance >> 8 as chance,
           place.project_id,
           place.category_id,
           n % :every = :every / 2 as is_rare,
           case when n >= :count - {WAITING} then 'pending'
                when chance >> 8 & 1023 = 1 then 'failed'
                when chance >> 8 & 1023 = 2 then 'discarded'
                else 'delivered' end as state,
           case when n >= :count - {WAITING} then 0
                when chance >> 8 & 1023 in (1, 2) then 3
                when chance >> 8 & 63 = 3 then 2
                else 1 end as attempts,
           20 + (chance >> 9) % 400 as ended
      from scattered
      join place on place.no = chance >> 28
)
"""

_EVENTS: Final = f"""
insert into event (id, project_id, category_id, api_key_id, dialect, source, description, fields,
                   received_at, notify, size)
{_MADE}, told as (
    select made.*,
           first.text || ', ' || second.text || iif(is_rare, ' {RARE}', '') as description,
           '{{"amount":' || ((chance >> 3) % 40000 / 4.0) || ',"customer":"c' || (chance >> 6)
               || '@example.com","plan":"' || iif(chance & 4, 'PRO', 'FREE') || '"}}' as fields
      from made
      join phrase as first on first.no = chance >> 5 & {_PHRASES - 1}
      join phrase as second on second.no = chance >> 11 & {_PHRASES - 1}
)
select id, project_id, category_id, :key_id, 'slowping',
       iif(is_rare, '{SELDOM}', iif(chance & 1, 'web', null)), description, fields, at, 1,
       length(fields) + length(description)
  from told
"""

_DELIVERIES: Final = f"""
insert into delivery (id, event_id, project_id, channel_id, state, due_at, attempts, tries,
                      last_error, created_at, ended_at)
{_MADE}
select id + 1 + seat.no, id, project_id, seat.channel_id, state,
       at + max(attempts - 1, 0) * {_RETRY_MS}, attempts, attempts,
       iif(state in ('failed', 'discarded'), 'HTTP 503', null), at,
       iif(attempts, at + (attempts - 1) * {_RETRY_MS} + ended, null)
  from made
 cross join seat on seat.category_id = made.category_id
"""

_ATTEMPTS: Final = f"""
insert into attempt (delivery_id, no, started_at, duration_ms, outcome, status, reason)
{_MADE}
select id + 1 + seat.no, tried.attempt, at + (tried.attempt - 1) * {_RETRY_MS} + 10, ended - 10,
       iif(is_good, 'delivered', 'retry'), iif(is_good, 204, 503), iif(is_good, null, 'HTTP 503')
  from (select *, state = 'delivered' and attempt = attempts as is_good
          from made
         cross join (select attempt from line where seat = 0) as tried
         where attempt <= attempts) as tried
 cross join seat on seat.category_id = tried.category_id
"""

_JOURNAL: Final = f"""
insert into journal (at, kind, project_id, category_id, subject_id)
{_MADE}
select iif(seat is null, at, at + (attempt - 1) * {_RETRY_MS} + ended),
       iif(seat is null, 'event.accepted', 'delivery.changed'),
       project_id,
       iif(seat is null, made.category_id, null),
       iif(seat is null, id, id + 1 + seat)
  from made
 cross join line
 where seat is null
    or attempt <= attempts
       and exists (select 1 from seat as own
                    where own.category_id = made.category_id and own.no = line.seat)
 order by 1, made.n, line.no
"""

# Keys are scattered, as those of most clients are.
_IDEMPOTENCY: Final = f"""
insert into idempotency (project_id, key, fingerprint, first_event_id, event_count)
{_MADE}
select project_id, printf('%08x%024x', n * 2654435761 & 4294967295, n), printf('%064x', n), id, 1
  from made
 order by 1, 2
"""

_EVENT_FIGURES: Final = f"""
insert into event_rollup (category_id, span, start, events)
select category_id, {rollups.QUARTER_MS}, received_at / {rollups.QUARTER_MS} * {rollups.QUARTER_MS},
       count(*)
  from event
 group by 1, 3;

insert into event_rollup (category_id, span, start, events)
select category_id, longer.value, start / longer.value * longer.value, sum(events)
  from event_rollup
 cross join json_each('{list(rollups.SPANS_MS[1:])}') as longer
 where span = {rollups.QUARTER_MS}
 group by 1, 2, 3;

insert into usage (project_id, month, events)
select project_id, strftime('%Y%m', start / 1000, 'unixepoch'), sum(events)
  from event_rollup
  join category on category.id = category_id
 where span = {rollups.DAY_MS}
 group by 1, 2;
"""

_NUMBER_FIGURES: Final = f"""
insert into number_field (category_id, name) select distinct category_id, 'amount' from place;

insert into field_rollup (field_id, span, start, numbers, total)
select number_field.id, {rollups.QUARTER_MS},
       received_at / {rollups.QUARTER_MS} * {rollups.QUARTER_MS}, count(*),
       total(event.fields ->> 'amount')
  from event
  join number_field on number_field.category_id = event.category_id
 group by 1, 3;

insert into field_rollup (field_id, span, start, numbers, total)
select field_id, longer.value, start / longer.value * longer.value, sum(numbers), total(total)
  from field_rollup
 cross join json_each('{list(rollups.SPANS_MS[1:-1])}') as longer
 where span = {rollups.QUARTER_MS}
 group by 1, 2, 3;
"""

_CHANNEL_FIGURES: Final = f"""
insert into channel_rollup (channel_id, start, delivered, troubled)
select channel_id, (started_at + duration_ms) / {rollups.QUARTER_MS} * {rollups.QUARTER_MS},
       sum(outcome = 'delivered'), sum(outcome <> 'delivered')
  from attempt
 cross join delivery on delivery.id = attempt.delivery_id
 group by 1, 2;

insert into latency_rollup (channel_id, start, bucket, delivered)
select channel_id, hour, latency_bucket(latency), sum(delivered)
  from (select channel_id, ended_at / {rollups.HOUR_MS} * {rollups.HOUR_MS} as hour,
               ended_at - created_at as latency, count(*) as delivered
          from delivery
         where state = 'delivered'
         group by 1, 2, 3)
 group by 1, 2, 3;

insert into channel_error (channel_id, reason, at, mended_at)
select channel_id, last_error, max(ended_at),
       (select max(ended_at) from delivery as good
         where good.channel_id = delivery.channel_id and good.state = 'delivered')
  from delivery
 where state = 'failed'
 group by channel_id;

insert into channel_failed (channel_id, deliveries)
select channel_id, count(*) from delivery where state = 'failed' group by channel_id;
"""

# Merged as often as a server would have.
_TEXT_INDEX: Final = """
insert into event_text (rowid, category, words)
select id, category, words from event_words order by id;

insert into event_text (event_text, rank) values ('merge', 1000000);
"""

_FOLLOWED: Final = """
update meta set value = (select max(seq) from journal) where key in ('rolled_up', 'searchable');
"""

ROWS: Final[Mapping[str, str]] = {
    "events": _EVENTS,
    "deliveries": _DELIVERIES,
    "attempts": _ATTEMPTS,
    "journal": _JOURNAL,
}
"""Statements for the events from a number to a number."""

KEYS: Final[Mapping[str, str]] = {"idempotency keys": _IDEMPOTENCY}
"""The same, in an order that is not that of time: best for all events at once."""

FIGURES: Final[Mapping[str, str]] = {
    "figures of events": _EVENT_FIGURES,
    "figures of numbers": _NUMBER_FIGURES,
    "figures of channels": _CHANNEL_FIGURES,
    "text index": _TEXT_INDEX + _FOLLOWED,
}
"""Scripts for all that is there by then."""


def phrases() -> Iterator[tuple[int, str]]:
    """Texts that descriptions are made of, of words of which few are frequent."""
    chance = random.Random(1)  # always the same
    letters = "aeioubcdfghklmnprstvw"
    words = ["".join(chance.choices(letters, k=chance.randint(3, 9))) for _ in range(3_000)]
    weights = [1 / place for place in range(1, len(words) + 1)]
    for number in range(_PHRASES):
        chosen = chance.choices(words, weights, k=5)
        if number % 6 == 0:
            chosen[0] = COMMON
        yield number, " ".join(chosen)
