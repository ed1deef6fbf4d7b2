"""Decide how many may be connected at once, and how long each is waited for."""

import asyncio
import resource
from typing import Final, Protocol

from slowping.server.http import STALL_S

HEAD_TIMEOUT_S: Final = 10.0
"""From the opening of a connection, or the start of a later request, to the end of its head."""

_MOST_DESCRIPTORS: Final = 65_536
_KEPT_DESCRIPTORS: Final = 64
"""For the database, for deliveries, and for whatever the process opens besides."""

_LOOK_EVERY_S: Final = 1.0
"""At most: a shorter patience is looked after as often as it is short."""


class Waited(Protocol):
    """A connection that is waited for."""

    def unsent(self) -> int:
        """How many bytes of answers it has not taken yet."""
        ...

    def give_up(self) -> None:
        """Cut off: what was to happen has not happened in time."""
        ...


class Gate:
    """What all connections of a server share.

    A whole request is nearly always there at once, so a timer for each would cost more than the
    reading. One look around a second does for all that are waited for.
    """

    def __init__(
        self, *, most: int, head_timeout_s: float = HEAD_TIMEOUT_S, stall_s: float = STALL_S
    ) -> None:
        self.most = most
        """How many may be connected at once."""
        self._head_timeout_s = head_timeout_s
        self._stall_s = stall_s
        self._look_every_s = min(_LOOK_EVERY_S, head_timeout_s, stall_s)
        self._asking: dict[Waited, float] = {}
        """Since when each owes a head."""
        self._taking: dict[Waited, tuple[int, float]] = {}
        """How much each has not taken, and since when it is so much."""
        self._looking: asyncio.TimerHandle | None = None

    def wait_for_head(self, connection: Waited) -> None:
        """Begin to wait; who is waited for already wins no time."""
        if connection not in self._asking:
            self._asking[connection] = self._begin()

    def has_head(self, connection: Waited) -> None:
        """Wait for it no longer."""
        self._asking.pop(connection, None)

    def wait_for_taking(self, connection: Waited) -> None:
        """Begin to wait until it has taken its answers."""
        if connection not in self._taking:
            self._taking[connection] = (connection.unsent(), self._begin())

    def is_gone(self, connection: Waited) -> None:
        """Wait for nothing any longer."""
        self._asking.pop(connection, None)
        self._taking.pop(connection, None)

    def _begin(self) -> float:
        loop = asyncio.get_running_loop()
        if self._looking is None:
            self._looking = loop.call_later(self._look_every_s, self._look, loop)
        return loop.time()

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for connection in self._late(now):
            self.is_gone(connection)
            connection.give_up()
        self._looking = (
            loop.call_later(self._look_every_s, self._look, loop)
            if self._asking or self._taking
            else None
        )

    def _late(self, now: float) -> list[Waited]:
        late = [one for one, since in self._asking.items() if now - since > self._head_timeout_s]
        for connection, (before, since) in list(self._taking.items()):
            unsent = connection.unsent()
            if unsent == 0:
                del self._taking[connection]
            elif unsent < before:
                self._taking[connection] = (unsent, now)
            elif now - since > self._stall_s:
                late.append(connection)
        return late


def open_wide() -> int:
    """Let this process have as many descriptors as it may, and say how many connections that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return room_for(soft)


def room_for(descriptors: int) -> int:
    """How many connections a limit on descriptors leaves room for."""
    if descriptors == resource.RLIM_INFINITY or descriptors > _MOST_DESCRIPTORS:
        descriptors = _MOST_DESCRIPTORS
    return max(1, descriptors - _KEPT_DESCRIPTORS)
