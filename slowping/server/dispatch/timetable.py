"""Remember when each channel is to be looked at next; one that is not due costs nothing."""

import heapq
from typing import Final

_SLACK: Final = 64


class Timetable:
    """When each channel's turn comes. A channel whose turn is on has its next one when it ends."""

    def __init__(self) -> None:
        self._due: dict[int, int] = {}
        # A heap. What it says counts where `_due` says the same: entries are never taken out of
        # the middle.
        self._entries: list[tuple[int, int]] = []
        self._taken: set[int] = set()

    def plan(self, channel_id: int, due_at: int) -> None:
        """Give a channel its turn at this moment, or earlier where that is planned already."""
        planned = self._due.get(channel_id)
        if planned is None or due_at < planned:
            self._due[channel_id] = due_at
            if channel_id not in self._taken:
                self._enter(channel_id, due_at)

    def take(self, now: int) -> list[int]:
        """The channels whose turn has come; each keeps it until `give_back`."""
        taken = []
        while self._entries and self._entries[0][0] <= now:
            due_at, channel_id = heapq.heappop(self._entries)
            if channel_id not in self._taken and self._due.get(channel_id) == due_at:
                del self._due[channel_id]
                self._taken.add(channel_id)
                taken.append(channel_id)
        return taken

    def give_back(self, channel_id: int) -> None:
        """A channel's turn is over; what was planned meanwhile counts from now on."""
        self._taken.discard(channel_id)
        if channel_id in self._due:
            self._enter(channel_id, self._due[channel_id])

    def next_due(self) -> int | None:
        """When to look again: no turn comes before, though this one may have been moved."""
        return self._entries[0][0] if self._entries else None

    def _enter(self, channel_id: int, due_at: int) -> None:
        heapq.heappush(self._entries, (due_at, channel_id))
        if len(self._entries) > 2 * len(self._due) + _SLACK:
            # A busy channel with one late delivery leaves an entry for it at every turn.
            self._entries = [
                (planned, waiting)
                for waiting, planned in self._due.items()
                if waiting not in self._taken
            ]
            heapq.heapify(self._entries)
