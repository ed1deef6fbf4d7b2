"""Decide how many may be connected at once, and how long each is waited for."""

import asyncio
import resource
from typing import Final, Protocol

HEAD_TIMEOUT_S: Final = 10.0
"""From the opening of a connection, or the start of a later request, to the end of its head."""

_MOST_DESCRIPTORS: Final = 65_536
_KEPT_DESCRIPTORS: Final = 64
"""For the database, for deliveries, and for whatever the process opens besides."""

_LOOK_EVERY_S: Final = 1.0
"""At most: a shorter patience is looked after as often as it is short."""


class Waited(Protocol):
    """A connection that is waited for."""

    def give_up(self) -> None:
        """Close: what was to come has not come in time."""
        ...


class Gate:
    """What all connections of a server share.

    A whole request is nearly always there at once, so a timer for each would cost more than the
    reading. One look around a second does for all that are waited for.
    """

    def __init__(self, *, most: int, head_timeout_s: float = HEAD_TIMEOUT_S) -> None:
        self.most = most
        """How many may be connected at once."""
        self._timeout_s = head_timeout_s
        self._look_every_s = min(_LOOK_EVERY_S, head_timeout_s)
        self._since: dict[Waited, float] = {}
        self._looking: asyncio.TimerHandle | None = None

    def wait_for(self, connection: Waited) -> None:
        """Begin to wait; who is waited for already wins no time."""
        if connection in self._since:
            return
        loop = asyncio.get_running_loop()
        self._since[connection] = loop.time()
        if self._looking is None:
            self._looking = loop.call_later(self._look_every_s, self._look, loop)

    def heard(self, connection: Waited) -> None:
        """Wait no longer."""
        self._since.pop(connection, None)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        too_old = loop.time() - self._timeout_s
        for connection in [one for one, since in self._since.items() if since < too_old]:
            del self._since[connection]
            connection.give_up()
        self._looking = (
            loop.call_later(self._look_every_s, self._look, loop) if self._since else None
        )


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
