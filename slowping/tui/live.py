"""Let the outside world in: follow the feed, gather what it tells, publish it in batches."""

import contextlib
import enum
from collections.abc import AsyncIterator, Callable
from typing import Final, Protocol

import msgspec
from textual.app import App
from textual.signal import Signal
from textual.timer import Timer

from slowping.core import text
from slowping.core.feed import Connected, FeedItem, Lost, StreamItem

GATHERING_S: Final = 0.1
"""How long items are gathered before they are shown together."""

SURE_AFTER_S: Final = 3.0
"""What the feed cannot tell for sure is asked for no more often than that."""

_TRIES_BEFORE_OFFLINE: Final = 3

Batch = tuple[FeedItem, ...]


class Lamp(enum.Enum):
    """How the line to the server is."""

    CONNECTING = "connecting"
    LIVE = "live"
    RECONNECTING = "reconnecting"
    OFFLINE = "offline"
    REFUSED = "refused"
    """The server answers, but not to this API key; nothing is tried any more."""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """The line to the server, as it stands."""

    lamp: Lamp
    fresh: bool = False
    """Whether what is shown has to be loaded: at first, and when changes were missed."""
    trimmed: bool = False
    """Whether that is because the server has trimmed past our place."""
    hindrance: str = ""
    """Why the server accepts no events, while the line stands."""
    reason: str = ""
    advice: str = ""
    """What helps, where it is not patience."""
    retry_at_ms: int | None = None
    as_of_ms: int | None = None
    """Up to when what is shown is true; None while the line stands."""

    @property
    def stands(self) -> bool:
        """Whether the server answers."""
        return self.lamp is Lamp.LIVE


class Stream(Protocol):
    """What a client tells of what happens, for ever."""

    last_id: str | None
    """Where to go on after it."""

    def __aiter__(self) -> AsyncIterator[StreamItem]:
        """The items."""
        ...

    async def aclose(self) -> None:
        """Let go of the line."""
        ...


class Live:
    """What is known of the world outside; screens subscribe to the signals."""

    def __init__(self, app: App[None], now_ms: Callable[[], int]) -> None:
        self.batch: Signal[Batch] = Signal(app, "batch")
        self.connection: Signal[Link] = Signal(app, "connection")
        self.left: Signal[None] = Signal(app, "left")
        """Something else is looked at from now on: what was known is to be forgotten."""
        self.link = Link(lamp=Lamp.CONNECTING)
        self._app = app
        self._now_ms = now_ms
        self._gathered: list[FeedItem] = []
        self._timer: Timer | None = None
        self._failures = 0
        self._known = False
        """Whether the line has stood since `follow` was called."""

    async def follow(self, stream: Stream) -> None:
        """Pass on what happens, for ever; what was shown before has to be loaded anew."""
        self._known = False
        self._gathered.clear()
        self._publish(Link(lamp=Lamp.CONNECTING, as_of_ms=self._as_of()))
        async with contextlib.aclosing(stream):
            await self._pass_on(stream)

    def hinder(self, hindrance: str) -> None:
        """The server says why it accepts no events, or, with an empty text, that it does."""
        if self.link.stands and hindrance != self.link.hindrance:
            self._publish(Link(lamp=Lamp.LIVE, hindrance=text.one_line(hindrance)))

    def leave(self) -> None:
        """Another server or project is looked at: nothing that was known is told of it."""
        self._gathered.clear()
        self.left.publish(None)
        self._publish(Link(lamp=Lamp.CONNECTING))

    async def _pass_on(self, stream: Stream) -> None:
        async for item in stream:
            match item:
                case Connected():
                    self.flush()
                    self._stand(item)
                case Lost():
                    self.flush()
                    self._lose(item)
                case _:
                    self._gather(item)

    def end(self, lamp: Lamp, reason: str, advice: str) -> None:
        """Say why nothing is followed any more, and nothing tried."""
        self.flush()
        self._publish(
            Link(
                lamp=lamp,
                reason=text.one_line(reason),
                advice=advice,
                as_of_ms=self._as_of(),
            )
        )

    def flush(self) -> None:
        """Publish what was gathered."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if self._gathered:
            batch, self._gathered = tuple(self._gathered), []
            self.batch.publish(batch)

    def _gather(self, item: FeedItem) -> None:
        self._gathered.append(item)
        if self._timer is None:
            self._timer = self._app.set_timer(GATHERING_S, self.flush)

    def _stand(self, item: Connected) -> None:
        self._failures = 0
        fresh, self._known = item.reset or not self._known, True
        self._publish(Link(lamp=Lamp.LIVE, fresh=fresh, trimmed=item.reset))

    def _lose(self, item: Lost) -> None:
        self._failures += 1
        lamp = Lamp.OFFLINE if self._failures >= _TRIES_BEFORE_OFFLINE else Lamp.RECONNECTING
        self._publish(
            Link(
                lamp=lamp,
                reason=text.one_line(item.reason),
                retry_at_ms=self._now_ms() + round(item.retry_in_s * 1000),
                as_of_ms=self._as_of(),
            )
        )

    def _as_of(self) -> int | None:
        """The moment at which the line was last known to stand."""
        return self._now_ms() if self.link.stands else self.link.as_of_ms

    def _publish(self, link: Link) -> None:
        self.link = link
        self.connection.publish(link)
