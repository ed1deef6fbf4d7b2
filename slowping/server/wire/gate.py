"""Decide how many may be connected at once, how long each is waited for, and who goes first."""

import asyncio
import resource
from collections.abc import Callable
from typing import Final, Protocol

from slowping.server.http import STALL_S

HEAD_TIMEOUT_S: Final = 10.0
"""From the opening of a connection, or the start of a later request, to the end of its head."""

REST_S: Final = 75.0
"""How long a connection may rest between two requests."""

LEAVE_S: Final = 0.5
"""How long a client may take to hear that a connection ends."""

HEADS_BYTES: Final = 16_777_216
"""Most bytes of all heads that are not complete, as far as they are large."""

_MOST_CONNECTIONS: Final = 8_192
"""Each takes some 8 KiB, and whoever rests makes room for who comes."""

_KEPT_DESCRIPTORS: Final = 128
"""For the database, for deliveries, and for whatever the process opens besides."""

_LEAVING_SHARE: Final = 8
"""For each so many connections there is room for one more that is about to end."""

_LOOK_EVERY_S: Final = 0.25
"""At most: a shorter patience is looked after as often as it is short."""


class Waited(Protocol):
    """A connection that is waited for."""

    def unsent(self) -> int:
        """How many bytes of answers it has not taken yet."""
        ...

    def end(self) -> None:
        """Say that no answer follows, and close."""
        ...

    def show_out(self) -> None:
        """Say that there is no room, and close."""
        ...

    def give_up(self) -> None:
        """Cut off: what was to happen has not happened in time."""
        ...


class Gate:
    """What all connections of a server share.

    A whole request is nearly always there at once, so a timer for each would cost more than the
    reading. A look around now and then does for all that are waited for: whoever is waited for
    longest stands first.
    """

    def __init__(
        self,
        *,
        most: int,
        head_timeout_s: float = HEAD_TIMEOUT_S,
        stall_s: float = STALL_S,
        rest_s: float = REST_S,
        heads_bytes: int = HEADS_BYTES,
    ) -> None:
        self.is_closing = False
        """Whether each answer is the last of its connection, because the server stops."""
        self._coming = 0
        """How many have been accepted, and have no protocol yet."""
        self._connected = 0
        self._most = most
        self.on_eased: Callable[[], None] = lambda: None
        """Called when there may be room for another one."""
        self._head_timeout_s = head_timeout_s
        self._stall_s = stall_s
        self._rest_s = rest_s
        self._heads_bytes = heads_bytes
        self._look_every_s = min(_LOOK_EVERY_S, head_timeout_s, stall_s, rest_s)
        self._asking: dict[Waited, float] = {}
        """Since when each owes a head."""
        self._resting: dict[Waited, float] = {}
        """Since when each has nothing to ask."""
        self._taking: dict[Waited, tuple[int, float]] = {}
        """How much each has not taken, and since when it is so much."""
        self._leaving: dict[Waited, float] = {}
        """Since when each has been told everything, and is to close its end as well."""
        self._large: dict[Waited, int] = {}
        """How large each head is by now that is not complete, where it is large."""
        self._large_bytes = 0
        self._looking: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        """The one that runs: asking for it each time asks the system whose process this is."""

    # Room ------------------------------------------------------------------------------------

    def lets_in(self) -> bool:
        """Whether one more can be accepted, be it to be told that there is no room."""
        most = self._most + self._most // _LEAVING_SHARE + 1
        return self._connected + self._coming < most

    def begins_to_come(self) -> None:
        """One was accepted."""
        self._coming += 1

    def has_come(self) -> None:
        """Whoever was accepted has a protocol, or has left again."""
        self._coming -= 1
        self.on_eased()

    def comes_in(self) -> bool:
        """Whether there is room for one more; whoever was silent longest goes where it is full."""
        self._connected += 1
        if self._connected - len(self._leaving) <= self._most:
            return True
        first = [next(iter(ones.items())) for ones in (self._asking, self._resting) if ones]
        if not first:
            return False
        longest, _ = min(first, key=lambda silent: silent[1])
        self.is_gone(longest)
        longest.show_out()
        return True

    def is_silent(self) -> bool:
        """Whether anybody is connected who has asked for nothing."""
        return bool(self._asking or self._resting)

    def grows(self, connection: Waited, head_bytes: int) -> None:
        """A head is large and goes on; where all of them are too large, the oldest has to go."""
        self._large_bytes += head_bytes - self._large.get(connection, 0)
        self._large[connection] = head_bytes
        if self._large_bytes > self._heads_bytes:
            oldest = next(iter(self._large))
            self.is_gone(oldest)
            oldest.give_up()

    # Waiting ---------------------------------------------------------------------------------

    def wait_for_head(self, connection: Waited) -> None:
        """Begin to wait; who is waited for already wins no time."""
        if connection not in self._asking:
            self._asking[connection] = self._begin()

    def has_head(self, connection: Waited) -> None:
        """Wait for it no longer."""
        self._asking.pop(connection, None)
        if self._large:
            self._large_bytes -= self._large.pop(connection, 0)

    def rests(self, connection: Waited) -> None:
        """It has its answers, and may ask for more."""
        self._resting[connection] = self._begin()

    def has_rested(self, connection: Waited) -> None:
        """It asks for more."""
        self._resting.pop(connection, None)

    def wait_for_taking(self, connection: Waited) -> None:
        """Begin to wait until it has taken its answers."""
        if connection not in self._taking:
            self._taking[connection] = (connection.unsent(), self._begin())

    def wait_for_leaving(self, connection: Waited) -> None:
        """It was told everything: wait until it closes its end."""
        self.has_head(connection)
        self.has_rested(connection)
        self._leaving[connection] = self._begin()

    def goes(self, connection: Waited) -> None:
        """It is closed."""
        self._connected -= 1
        self.on_eased()
        self.is_gone(connection)

    def is_gone(self, connection: Waited) -> None:
        """Wait for nothing any longer."""
        self.has_head(connection)
        self.has_rested(connection)
        self._taking.pop(connection, None)
        self._leaving.pop(connection, None)

    # Looking around --------------------------------------------------------------------------

    def _begin(self) -> float:
        loop = self._loop = self._loop or asyncio.get_running_loop()
        if self._looking is None:
            self._looking = loop.call_later(self._look_every_s, self._look, loop)
        return loop.time()

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for connection in _longer(self._resting, now - self._rest_s):
            self.is_gone(connection)
            connection.end()
        for connection in [
            *_longer(self._asking, now - self._head_timeout_s),
            *self._late_to_take(now),
            *_longer(self._leaving, now - LEAVE_S),
        ]:
            self.is_gone(connection)
            connection.give_up()
        waits = self._asking or self._resting or self._taking or self._leaving
        self._looking = loop.call_later(self._look_every_s, self._look, loop) if waits else None

    def _late_to_take(self, now: float) -> list[Waited]:
        late = []
        for connection, (before, since) in list(self._taking.items()):
            unsent = connection.unsent()
            if unsent == 0:
                del self._taking[connection]
            elif unsent < before:
                self._taking[connection] = (unsent, now)
            elif now - since > self._stall_s:
                late.append(connection)
        return late


def _longer(waited: dict[Waited, float], than: float) -> list[Waited]:
    """Those who are waited for since before a moment."""
    late = []
    for connection, since in waited.items():
        if since >= than:
            break
        late.append(connection)
    return late


def open_wide() -> int:
    """Let this process have as many descriptors as it needs, and say how many may connect."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _descriptors(_MOST_CONNECTIONS)
    if hard != resource.RLIM_INFINITY:
        wanted = min(hard, wanted)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return room_for(soft)


def room_for(descriptors: int) -> int:
    """How many connections a limit on descriptors leaves room for."""
    if descriptors == resource.RLIM_INFINITY or descriptors > _descriptors(_MOST_CONNECTIONS):
        return _MOST_CONNECTIONS
    left = descriptors - _KEPT_DESCRIPTORS
    return max(1, left * _LEAVING_SHARE // (_LEAVING_SHARE + 1))


def _descriptors(connections: int) -> int:
    return _KEPT_DESCRIPTORS + connections + connections // _LEAVING_SHARE
