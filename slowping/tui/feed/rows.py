"""Keep the events that the feed shows: the newest few thousand, as they pass the filter."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from textual.strip import Strip

from slowping.core.delivery import Delivery, DeliveryState
from slowping.core.event import Event
from slowping.tui.sifting import query
from slowping.tui.sifting.query import Counts, Query

CAPACITY: Final = 5_000


class Row:
    """An event with the states of its deliveries, as far as they are known."""

    __slots__ = ("drawn", "event", "haystack", "heard", "states")

    def __init__(self, event: Event, *, heard: bool) -> None:
        """`heard`: the feed told of it, so that every change since is known."""
        self.event = event
        self.heard = heard
        self.states: dict[str, DeliveryState] = {}
        """The latest state of each delivery that has changed, by id."""
        self.haystack: str | None = None
        self.drawn: tuple[object, Strip] | None = None

    @property
    def counts(self) -> Counts:
        """How many deliveries are in each state.

        A delivery that has not changed since its event was heard of is pending.
        """
        if not self.states:
            return self.event.deliveries
        counts: Counts = {}
        for state in self.states.values():
            counts[state] = counts.get(state, 0) + 1
        unknown = sum(self.event.deliveries.values()) - len(self.states)
        if unknown > 0:
            counts[DeliveryState.PENDING] = counts.get(DeliveryState.PENDING, 0) + unknown
        return counts

    @property
    def is_certain(self) -> bool:
        """Whether the counts are right: of old events a change tells only half of it."""
        known = len(self.states)
        return not known or self.heard or known >= sum(self.event.deliveries.values())


class Rows:
    """All rows, oldest first, and those of them that pass the filter."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.shown: list[Row] = []
        self.query = Query()
        self.held = False
        """Nothing goes as long as this is set, so that nothing moves under the reader's eye."""
        self.lost = 0
        """How many came while held and had to be let go: reload to see them."""
        self._capacity = capacity
        self._all: list[Row] = []
        self._by_id: dict[str, Row] = {}
        self._since: set[str] | None = None
        """What was heard while a page is being loaded."""
        self._strays: dict[str, dict[str, DeliveryState]] = {}
        """Changes of that time, to events that are perhaps in the page."""

    def __len__(self) -> int:
        return len(self._all)

    @property
    def newest(self) -> str:
        """The id of the last one that is kept, shown or not; empty where there is none."""
        return self._all[-1].event.id if self._all else ""

    def shown_since(self, event_id: str) -> int:
        """How many of those that are shown came after this one."""
        newer = itertools.takewhile(lambda row: row.event.id > event_id, reversed(self.shown))
        return sum(1 for _ in newer)

    def get(self, event_id: str) -> Row | None:
        """The row of an event, if it is kept."""
        return self._by_id.get(event_id)

    def expect(self) -> None:
        """A page is being loaded that will take the place of what is here."""
        self._since = set()
        self._strays = {}

    def give_up(self) -> None:
        """The page could not be loaded."""
        self._since, self._strays = None, {}

    def load(self, events: Iterable[Event]) -> None:
        """Put the page in; what was heard meanwhile stays."""
        since, strays = self._since or set(), self._strays
        self.give_up()
        self.lost = 0
        rows = {event.id: Row(event, heard=False) for event in events}
        rows |= {row.event.id: row for row in self._all if row.event.id in since}
        for event_id, states in strays.items():
            if event_id in rows:
                rows[event_id].states |= states
        self._all = [rows[event_id] for event_id in sorted(rows)][-self._capacity :]
        self._by_id = {row.event.id: row for row in self._all}
        self._sift()

    def put_among(self, events: Iterable[Event]) -> int:
        """Put older events where they belong by their time; how many were not here."""
        missing = [event for event in events if event.id not in self._by_id]
        self._by_id |= {event.id: Row(event, heard=False) for event in missing}
        self._all = [self._by_id[event_id] for event_id in sorted(self._by_id)]
        self._sift()
        return len(missing)

    def add(self, events: Sequence[Event]) -> int:
        """Put new events at the end; how many of them are shown."""
        before = len(self.shown)
        for event in events:
            if self.held and len(self._all) >= 2 * self._capacity:
                self.lost += 1
            elif event.id not in self._by_id or self._since is not None:
                self._append(Row(event, heard=True))
        added = len(self.shown) - before
        if not self.held:
            self.trim()
        return added

    def trim(self) -> int:
        """Let the oldest go that are over capacity; how many of them were shown."""
        over = len(self._all) - self._capacity
        if over <= 0:
            return 0
        gone = self._all[:over]
        del self._all[:over]
        for row in gone:
            self._by_id.pop(row.event.id, None)
        leaving = {id(row) for row in gone}
        count = 0
        while count < len(self.shown) and id(self.shown[count]) in leaving:
            count += 1
        del self.shown[:count]
        return count

    def change(self, delivery: Delivery) -> Row | None:
        """A delivery has changed: the row that it belongs to, if that is kept."""
        row = self._by_id.get(delivery.event_id)
        if self._since is not None and (row is None or not row.heard):
            self._strays.setdefault(delivery.event_id, {})[delivery.id] = delivery.state
        if row is not None:
            row.states[delivery.id] = delivery.state
            row.drawn = None
        return row

    def settle(self, event_id: str, states: Mapping[str, DeliveryState]) -> None:
        """All deliveries of an event, as the server knows them; what was heard is newer."""
        if row := self._by_id.get(event_id):
            row.states = {**states, **row.states}
            row.heard = True
            row.drawn = None

    def sift(self, query: Query) -> None:
        """Show what passes this filter."""
        self.query = query
        self._sift()

    def _append(self, row: Row) -> None:
        known = self._by_id.get(row.event.id)
        if known is not None:  # it is in the page that is about to be replaced
            known.event, known.heard, known.states, known.drawn = row.event, True, {}, None
            row = known
        else:
            self._all.append(row)
            self._by_id[row.event.id] = row
            if self._passes(row):
                self.shown.append(row)
        if self._since is not None:
            self._since.add(row.event.id)

    def _sift(self) -> None:
        self.shown = [row for row in self._all if self._passes(row)]

    def _passes(self, row: Row) -> bool:
        if not self.query.is_on:
            return True
        if row.haystack is None:
            row.haystack = query.haystack(row.event)
        return self.query.matches(row.event, row.counts, row.haystack)
