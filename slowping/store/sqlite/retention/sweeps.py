"""Which rows a sweep is about: a statement for each kind that looks at a stretch of them.

Each gives the stretch by its ids with `goes`, whether that row goes; `number` and `deliveries`,
how many that are; and `bytes`, about what they take without indexes.
"""

from collections.abc import Mapping
from typing import Final

from slowping.core.retention import Sweep, What

# What a row takes beside its texts.
EVENT_BYTES: Final = 160
DELIVERY_BYTES: Final = 160
ATTEMPT_BYTES: Final = 60
LINE_BYTES: Final = 50

_WAITS: Final = """
exists (select 1
          from delivery
         where delivery.event_id = event.id
           and delivery.state in ('pending', 'leased'))
"""

# The id is of the moment at which the event came, or of a later one where the clock had stepped
# back: what goes is old by both.
_EVENTS: Final = f"""
select event.id,
       1 as number,
       (select count(*) from delivery where delivery.event_id = event.id) as deliveries,
       event.size + {EVENT_BYTES} as bytes,
       event.received_at < :before and not {_WAITS} as goes
  from event
 where {{which}}
   and event.id > :after
   and event.id < :before_id
 order by event.id
 limit :most
"""  # noqa: S608 - it is ours

_METRICS: Final = f"""
select id, 1 as number, 0 as deliveries, length(payload) + {LINE_BYTES} as bytes,
       received_at < :before as goes
  from metric
 where project_id = :project_id
   and id > :after
   and id < :before_id
 order by id
 limit :most
"""  # noqa: S608 - it is ours

_ATTEMPTS: Final = f"""
select tried.delivery_id as id,
       tried.number,
       0 as deliveries,
       tried.bytes,
       delivery.state = 'delivered' and delivery.ended_at < :before as goes
  from (select delivery_id,
               count(*) as number,
               sum({ATTEMPT_BYTES} + coalesce(length(reason), 0) + coalesce(length(excerpt), 0))
                   as bytes
          from attempt
         where delivery_id > :after
           and delivery_id < :before_id
         group by delivery_id
         order by delivery_id
         limit :most) as tried
  join delivery on delivery.id = tried.delivery_id
"""  # noqa: S608 - it is ours

_JOURNAL: Final = f"""
select seq as id, 1 as number, 0 as deliveries, {LINE_BYTES} as bytes, at < :before as goes
  from journal
 where seq > :after
   and seq <= (select min(cast(value as integer))
                 from meta
                where key in ('rolled_up', 'searchable'))
 order by seq
 limit :most
"""  # noqa: S608 - it is ours

_AUDIT: Final = f"""
select id,
       1 as number,
       0 as deliveries,
       {LINE_BYTES} + coalesce(length(before), 0) + coalesce(length(after), 0) as bytes,
       at < :before as goes
  from audit
 where id > :after
   and id < :before_id
 order by id
 limit :most
"""  # noqa: S608 - it is ours

_OF_A_CATEGORY: Final = "event.category_id = :category_id"
_OF_A_PROJECT: Final = "event.project_id = :project_id"

_OF_NO_CATEGORY: Final[Mapping[What, str]] = {
    What.METRICS: _METRICS,
    What.ATTEMPTS: _ATTEMPTS,
    What.JOURNAL: _JOURNAL,
    What.AUDIT: _AUDIT,
}

# The journal is read from a place on, so that nothing goes from its middle.
_FOUND: Final = """
with looked as materialized ({look})
select coalesce(sum(number) filter (where goes), 0) as number,
       coalesce(sum(deliveries) filter (where goes), 0) as deliveries,
       coalesce(sum(bytes + deliveries * :delivery_bytes) filter (where goes), 0) as bytes,
       json_group_array(id) filter (where goes) as ids,
       iif(count(*) = :most, max(id), null) as last
  from looked
 where not :in_order
    or id < coalesce((select min(id) from looked where not goes), 9223372036854775807)
"""

# A replay may have made a delivery wait since it was looked at.
STILL_GO: Final = f"""
select json_group_array(event.id)
  from event
 where id in (select value from json_each(:ids))
   and not {_WAITS}
"""  # noqa: S608 - it is ours

_REMOVE: Final[Mapping[What, str]] = {
    What.EVENTS: "delete from event where id in (select value from json_each(:ids))",
    What.METRICS: "delete from metric where id in (select value from json_each(:ids))",
    What.ATTEMPTS: """
delete from attempt
 where delivery_id in (select id
                         from delivery
                        where id in (select value from json_each(:ids))
                          and state = 'delivered')
""",
    What.JOURNAL: "delete from journal where seq in (select value from json_each(:ids))",
    What.AUDIT: "delete from audit where id in (select value from json_each(:ids))",
}


def found(sweep: Sweep) -> str:
    """The statement that gives what goes of a stretch: counts, ids as JSON, and the last id."""
    return _FOUND.format(look=_look(sweep))


def remove(what: What) -> str:
    """The statement that removes what still goes of `:ids`."""
    return _REMOVE[what]


def values(sweep: Sweep, after: int, most: int) -> dict[str, object]:
    """The values that `found` takes."""
    return {
        "before": sweep.before,
        "before_id": sweep.before_id,
        "project_id": sweep.project_id,
        "category_id": sweep.category_id,
        "after": after,
        "most": most,
        "in_order": sweep.what is What.JOURNAL,
        "delivery_bytes": DELIVERY_BYTES,
    }


def _look(sweep: Sweep) -> str:
    if sweep.what in _OF_NO_CATEGORY:
        return _OF_NO_CATEGORY[sweep.what]
    if sweep.category_id is not None:
        return _EVENTS.format(which=_OF_A_CATEGORY)
    return _EVENTS.format(which="true" if sweep.project_id is None else _OF_A_PROJECT)
