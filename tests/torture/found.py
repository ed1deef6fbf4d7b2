"""Look into the database of a server that is gone: what is there, and what should be."""

import collections
import contextlib
import sqlite3
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

import msgspec

from slowping.core import ids
from tests.torture.clients import MARK

DATABASE: Final = "slowping.db"


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a database holds."""

    is_sound: bool
    """Whether SQLite finds nothing wrong with it, foreign keys included."""
    events: Mapping[str, int]
    """How many there are of each mark."""
    ill_delivered: int
    """Events that have not exactly one delivery for each channel."""
    states: Mapping[str, str]
    """Of each delivery, by its id."""
    failed_attempts: int
    """Attempts that did not deliver."""
    cut_off: Mapping[str, int]
    """Of a delivery, how many attempts the server's end cut off."""

    def lost(self, acknowledged: Collection[str]) -> int:
        """How many acknowledged events are not there."""
        return sum(mark not in self.events for mark in acknowledged)

    def doubled(self, marks: Collection[str]) -> int:
        """How many of these events are there more than once."""
        return sum(self.events.get(mark, 0) > 1 for mark in marks)

    def unaccounted(self, arrived: Collection[str]) -> int:
        """Deliveries that are over, but have not arrived."""
        open_states = {"pending", "leased"}
        return sum(
            state not in open_states and delivery not in arrived
            for delivery, state in self.states.items()
        )

    def needlessly_repeated(self, arrived: Mapping[str, int]) -> int:
        """Arrivals beyond the first that no end of the server explains."""
        return sum(
            max(0, times - 1 - self.cut_off.get(delivery, 0)) for delivery, times in arrived.items()
        )


NOTHING: Final = Found(
    is_sound=False, events={}, ill_delivered=0, states={}, failed_attempts=0, cut_off={}
)


def look(folder: Path, channels: int) -> Found:
    """Look into the database of a data folder; `channels` is how many each event goes to."""
    try:
        return _seen(folder, channels)
    except sqlite3.DatabaseError:
        return NOTHING


def _seen(folder: Path, channels: int) -> Found:
    with contextlib.closing(sqlite3.connect(folder / DATABASE)) as database:
        return Found(
            is_sound=_is_sound(database),
            events=dict(
                database.execute(
                    "select coalesce(json_extract(fields, ?), ''), count(*) from event group by 1",
                    (f"$.{MARK}",),
                )
            ),
            ill_delivered=_ill_delivered(database, channels),
            states={
                ids.encode(ids.DELIVERY, number): state
                for number, state in database.execute("select id, state from delivery")
            },
            failed_attempts=_count(
                database, "select count(*) from attempt where outcome <> 'delivered'"
            ),
            cut_off=collections.Counter(
                ids.encode(ids.DELIVERY, number)
                for (number,) in database.execute(
                    "select delivery_id from attempt where outcome = 'lost'"
                )
            ),
        )


def _is_sound(database: sqlite3.Connection) -> bool:
    checked = database.execute("pragma integrity_check").fetchall()
    return checked == [("ok",)] and not database.execute("pragma foreign_key_check").fetchall()


def _ill_delivered(database: sqlite3.Connection, channels: int) -> int:
    return _count(
        database,
        """
        select count(*)
          from (select e.id
                  from event e
                  left join delivery d on d.event_id = e.id
                 where e.dialect <> 'notice'
                 group by e.id
                having count(d.id) <> ?)
        """,
        channels,
    )


def _count(database: sqlite3.Connection, query: str, *values: int) -> int:
    [(count,)] = database.execute(query, values).fetchall()
    return int(count)
