"""Keep the number of each channel's failed deliveries, as they fail, move on and go.

By triggers of the writer's connection, so that nothing that changes a delivery can forget it. They
are not in the file: a copy with triggers in it is not put back, because they might be anybody's.
"""

import sqlite3
from typing import Final

# None is written as failed at first, so that what comes in does not pay for this.
_TRIGGERS: Final = """
create temp trigger delivery_fails after update of state on main.delivery
    when new.state = 'failed' and old.state <> 'failed'
begin
    insert into channel_failed (channel_id, deliveries) values (new.channel_id, 1)
        on conflict do update set deliveries = deliveries + 1;
end;

create temp trigger delivery_moves_on after update of state on main.delivery
    when old.state = 'failed' and new.state <> 'failed'
begin
    update channel_failed set deliveries = deliveries - 1 where channel_id = old.channel_id;
end;

create temp trigger delivery_goes after delete on main.delivery
    when old.state = 'failed'
begin
    update channel_failed set deliveries = deliveries - 1 where channel_id = old.channel_id;
end;
"""


def begin(connection: sqlite3.Connection) -> None:
    """Have the connection count from now on, as the only one that writes."""
    connection.executescript(_TRIGGERS)
