"""Tell readers what happens, as it happens: the journal is the only memory, this only wakes."""

import asyncio
import collections
import contextlib
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Final

from slowping.core import errors
from slowping.core.feed import FeedFilter
from slowping.server.clock import Clock
from slowping.store.port import FeedPage, Journal

HEARTBEAT_S: Final = 15.0
"""How long a reader hears nothing at most."""

GATHER_S: Final = 0.1
"""After readers were woken, what comes within this time wakes them once."""

PAGE: Final = 200
"""Most lines of the journal that are held in memory for one reader."""

MAX_READERS: Final = 200
"""They share two connections to the database with everyone else who lists things."""

MAX_READERS_OF_KEY: Final = 50
"""So that no single key leaves nothing to the others."""


class Feed:
    """Wakes its readers, each of which reads the journal from where it stands."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._alarms: set[asyncio.Event] = set()
        self._readers: collections.Counter[int] = collections.Counter()
        """How many there are, by the id of the key."""
        self._gathering: asyncio.TimerHandle | None = None
        self._rung = False
        self.closed = asyncio.Event()
        """Set when the server stops."""
        journal.listen(self.wake)

    def wake(self) -> None:
        """There may be news; where nobody reads, this costs next to nothing."""
        if not self._alarms:
            return
        if self._gathering is None:
            self._ring()
        else:
            self._rung = True

    def close(self) -> None:
        """End every reading, and begin no other."""
        self.closed.set()
        for alarm in self._alarms:
            alarm.set()

    def follow(
        self, cursor: str | None, view: Callable[[], FeedFilter], *, key_id: int
    ) -> AsyncGenerator[FeedPage, None]:
        """What happens after a place, or from now on, until the server stops.

        The first page comes at once, and one comes at least every `HEARTBEAT_S`, if need be
        without an entry. `view` is asked before each what the reader may see; what it raises
        ends the reading. `key_id` is whose reading it is.

        Raises:
            Unavailable: too many read already, or the server stops; the first page raises it too,
                where many came at the same moment.
        """
        self._admit(key_id)
        return self._follow(cursor, view, key_id)

    def _admit(self, key_id: int) -> None:
        if self.closed.is_set():
            raise errors.Unavailable("The server is stopping.")
        if len(self._alarms) >= MAX_READERS:
            raise errors.Unavailable(f"{MAX_READERS} readers follow the feed already.")
        if self._readers[key_id] >= MAX_READERS_OF_KEY:
            raise errors.Unavailable(
                f"{MAX_READERS_OF_KEY} readers follow the feed with this API key already."
            )

    async def _follow(
        self, cursor: str | None, view: Callable[[], FeedFilter], key_id: int
    ) -> AsyncGenerator[FeedPage, None]:
        with self._listening(key_id) as alarm:
            place = await self._journal.head() if cursor is None else cursor
            told_at: int | None = None
            while not self.closed.is_set():
                alarm.clear()
                page = await self._journal.since(place, view(), limit=PAGE)
                place = page.cursor
                if page.entries or page.reset or not self._rest_s(told_at):
                    yield page
                    told_at = self._clock.now_ms()
                if page.more:
                    # A client that has left takes everything at once, and others want their turn.
                    await asyncio.sleep(0)
                else:
                    await self._clock.wait(alarm, self._rest_s(told_at))

    def _rest_s(self, told_at: int | None) -> float:
        """How long a reader may go on without hearing anything; a clock may have been set."""
        if told_at is None:
            return 0.0
        quiet_s = (self._clock.now_ms() - told_at) / 1000
        return HEARTBEAT_S - quiet_s if 0 <= quiet_s < HEARTBEAT_S else 0.0

    @contextlib.contextmanager
    def _listening(self, key_id: int) -> Iterator[asyncio.Event]:
        # Who was let in and did not begin yet was not counted.
        self._admit(key_id)
        alarm = asyncio.Event()
        self._alarms.add(alarm)
        self._readers[key_id] += 1
        try:
            yield alarm
        finally:
            self._alarms.remove(alarm)
            self._readers[key_id] -= 1
            if not self._readers[key_id]:
                del self._readers[key_id]

    def _ring(self) -> None:
        self._rung = False
        for alarm in self._alarms:
            alarm.set()
        loop = asyncio.get_running_loop()
        self._gathering = loop.call_later(GATHER_S, self._gathered)

    def _gathered(self) -> None:
        self._gathering = None
        if self._rung:
            self._ring()
