"""Read what lines of the journal are about, as it is now: a query or two for each noun."""

import collections
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec

from slowping.core import ids
from slowping.core.event import Event
from slowping.core.feed import (
    CategoryChanged,
    ChannelChanged,
    DeliveryChanged,
    EventAccepted,
    FeedItem,
    JournalKind,
    KeyChanged,
    ProjectChanged,
)
from slowping.store.sqlite import delivery, rows
from slowping.store.sqlite.directory import desk
from slowping.store.sqlite.directory.api_key import API_KEYS
from slowping.store.sqlite.directory.category import CATEGORIES
from slowping.store.sqlite.directory.channel import CHANNELS
from slowping.store.sqlite.directory.project import PROJECTS
from slowping.store.sqlite.readers import Readers
from slowping.store.vault import Vault

T = TypeVar("T")

Line = tuple[JournalKind, int]
"""What happened, and the id of what it happened to."""

# One row for all of them: whoever follows the feed reads hundreds at a time, and each step of a
# statement gives Python's lock away and has to win it back.
EVENTS: Final = """
select '[' || group_concat(told, ',') || ']' as events
  from (select json_array(
                   event.id, project.name, category.name, event.description, json(event.fields),
                   event.source, event.color, event.dialect, event.occurred_at, event.received_at,
                   event.notify,
                   json((select json_group_object(state, number)
                           from (select delivery.state, count(*) as number
                                   from delivery
                                  where delivery.event_id = event.id
                                  group by delivery.state)))) as told
          from event
          join project on project.id = event.project_id
          join category on category.id = event.category_id
         where event.id in (select value from json_each(:ids))
         order by event.id desc)
"""

_encode = msgspec.json.Encoder().encode
_events: Final = msgspec.json.Decoder(list[rows.EventRow]).decode


class Subjects:
    """Whatever the journal names, by its id."""

    def __init__(self, readers: Readers, vault: Vault) -> None:
        self._readers = readers
        self._vault = vault
        self._read = {
            JournalKind.EVENT_ACCEPTED: self._accepted,
            JournalKind.DELIVERY_CHANGED: self._deliveries,
            JournalKind.CHANNEL_CHANGED: self._channels,
            JournalKind.CATEGORY_CHANGED: self._categories,
            JournalKind.KEY_CHANGED: self._api_keys,
            JournalKind.PROJECT_CHANGED: self._projects,
        }

    async def items(self, lines: Collection[Line]) -> Mapping[Line, FeedItem]:
        """What to tell of each line; nothing of an event or a delivery that is gone for good."""
        numbers: dict[JournalKind, list[int]] = collections.defaultdict(list)
        for kind, number in lines:
            numbers[kind].append(number)
        return {
            (kind, number): item
            for kind, asked in numbers.items()
            for number, item in (await self._read[kind](asked)).items()
        }

    async def events(self, numbers: Sequence[int]) -> list[Event]:
        """These events, newest first, with the states of their deliveries."""
        return [rows.event(row) for row in await self._event_rows(numbers)]

    async def _accepted(self, numbers: Sequence[int]) -> Mapping[int, FeedItem]:
        found = {row.id: rows.event(row) for row in await self._event_rows(numbers)}
        return {number: EventAccepted(id=event.id, event=event) for number, event in found.items()}

    async def _event_rows(self, numbers: Sequence[int]) -> Sequence[rows.EventRow]:
        [row] = await self._readers.fetch(EVENTS, {"ids": _encode(numbers).decode()})
        return _events(row["events"] or "[]")

    async def _deliveries(self, numbers: Sequence[int]) -> Mapping[int, FeedItem]:
        found = await self._readers.fetch(delivery.SHOW, {"ids": delivery.json_list(numbers)})
        shown = {row["id"]: rows.delivery(row) for row in found}
        return {
            number: DeliveryChanged(id=told.id, delivery=told) for number, told in shown.items()
        }

    async def _channels(self, numbers: Sequence[int]) -> Mapping[int, FeedItem]:
        found = await self._live(CHANNELS, numbers, name=None, kind=None)
        return {
            number: ChannelChanged(
                id=ids.encode(ids.CHANNEL, number),
                channel=_of(found, number, lambda row: rows.channel(row, self._secrets(row))),
            )
            for number in numbers
        }

    async def _categories(self, numbers: Sequence[int]) -> Mapping[int, FeedItem]:
        found = await self._live(CATEGORIES, numbers, name=None)
        return {
            number: CategoryChanged(
                id=ids.encode(ids.CATEGORY, number), category=_of(found, number, rows.category)
            )
            for number in numbers
        }

    async def _api_keys(self, numbers: Sequence[int]) -> Mapping[int, FeedItem]:
        found = await self._live(API_KEYS, numbers, name=None, revoked=None)
        return {
            number: KeyChanged(
                id=ids.encode(ids.API_KEY, number), api_key=_of(found, number, rows.api_key)
            )
            for number in numbers
        }

    async def _projects(self, numbers: Sequence[int]) -> Mapping[int, FeedItem]:
        found = await self._live(PROJECTS, numbers)
        return {
            number: ProjectChanged(
                id=ids.encode(ids.PROJECT, number), project=_of(found, number, rows.project)
            )
            for number in numbers
        }

    async def _live(
        self, statement: str, numbers: Sequence[int], **which: object
    ) -> Mapping[int, Any]:
        """Rows of the directory by id, without those of what was removed."""
        found = await self._readers.fetch(statement, {**desk.these(numbers), **which})
        return {row["id"]: row for row in found}

    def _secrets(self, row: Any) -> dict[str, Any]:
        return self._vault.open(row["secrets"]) if row["secrets"] else {}


def _of(found: Mapping[int, Any], number: int, read: Callable[[Any], T]) -> T | None:
    return read(found[number]) if number in found else None
