"""Keep the text index: events follow the journal into it, a stretch at a time.

Accepting an event does not pay for it. The place up to which the journal was followed is written
together with what was put in, so every event is put in once, whenever the server is killed; it
lies in the same file, so a copy of the file that is put back is whole. What is removed leaves the
index in the same transaction.
"""

import sqlite3
from typing import Any, Final

from slowping.store.sqlite.readers import Readers
from slowping.store.sqlite.writer import Writer

EVENTS: Final = 128
"""Most events that are put in at once: senders wait for a few milliseconds."""

BYTES: Final = 131_072
"""The same of their texts. One event may have more."""

LINES: Final = 5_000
"""Most lines of the journal that are looked at for them."""

MERGED_PAGES: Final = 32
"""Pages of the index that are merged each time. Ten million events, sixteen to one, four times over
are some twenty pages for what is put in at once, so it never falls behind."""

PLACES: Final = """
select (select value from meta where key = 'searchable') as place,
       coalesce((select seq from sqlite_sequence where name = 'journal'), 0) as head
"""

_ACCEPTED: Final = """
       journal.seq > :place
   and journal.seq <= :until
   and journal.kind in ('event.accepted', 'event.imported')
"""

REACHED: Final = f"""
select min(seq) as reached
  from (select seq,
               count(*) over (order by seq) as events,
               sum(size) over (order by seq) as bytes
          from (select journal.seq, event.size
                  from journal
                  join event on event.id = journal.subject_id
                 where {_ACCEPTED}
                 order by journal.seq
                 limit :events))
 where events >= :events
    or bytes >= :bytes
"""  # noqa: S608 - it is ours

# In the order of their ids: the index begins anew with each id that is smaller than the last. An
# event that was removed and imported again may be meant by two lines.
PUT_IN: Final = f"""
insert into event_text (rowid, category, words)
select id, category, words
  from event_words
 where id in (select journal.subject_id from journal where {_ACCEPTED})
   and not exists (select 1 from event_text_docsize as known where known.id = event_words.id)
 order by id
"""  # noqa: S608 - it is ours

# The index keeps no text, so it has to be told again what was put in.
TAKE_OUT: Final = """
insert into event_text (event_text, rowid, category, words)
select 'delete', id, category, words
  from event_words
 where id in (select value from json_each(:ids))
   and exists (select 1 from event_text_docsize as known where known.id = event_words.id)
"""

_MERGE: Final = "insert into event_text (event_text, rank) values ('merge', ?)"

_MOVE: Final = "update meta set value = ? where key = 'searchable'"


class TextIndex:
    """Follows the journal."""

    # A writer's entries are the inbox's alone; here it runs deeds.
    def __init__(self, writer: Writer[Any, Any], readers: Readers) -> None:
        self._writer = writer
        self._readers = readers
        self._is_behind = False
        """Whether there may be more than was put in: it is looked up only where nobody knows."""

    async def follow_on(self) -> bool:
        """Put in the events of the next stretch; whether there are more already.

        Raises:
            Unavailable: they could not be written.
        """
        if not self._is_behind:
            [places] = await self._readers.fetch(PLACES)
            if int(places["place"]) == places["head"]:
                return False
        self._is_behind = await self._writer.run(_follow_on)
        return self._is_behind


def take_out(connection: sqlite3.Connection, event_ids: str) -> None:
    """Make events unsearchable that are removed in this transaction; ids as `json_each` takes them.

    Those that were not put in yet never will be.
    """
    connection.execute(TAKE_OUT, {"ids": event_ids})


def _follow_on(connection: sqlite3.Connection) -> bool:
    [(value, head)] = connection.execute(PLACES).fetchall()
    # A place beyond the end is one of another journal.
    place = min(int(value), head)
    until = min(head, place + LINES)
    stretch = {"place": place, "until": until, "events": EVENTS, "bytes": BYTES}
    [(reached,)] = connection.execute(REACHED, stretch).fetchall()
    stretch["until"] = reached or until
    connection.execute(PUT_IN, stretch)
    connection.execute(_MERGE, (MERGED_PAGES,))
    connection.execute(_MOVE, (str(stretch["until"]),))
    return bool(stretch["until"] < head)
