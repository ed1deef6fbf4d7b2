"""A far side without a network: it answers in the way it stands in, and notes each message."""

import asyncio
import enum
from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec

from slowping.core.delivery import Delivered, Outcome, Pace, Rejected, Retry, Throttled, Unusable
from slowping.core.notification import Notification
from slowping.testing import RecordingNotifier

EVERYTHING = "scripted"
"""The scope that covers all channels of the kind."""

SPOILT = "spoilt"
"""The body of a notification that a picky far side does not take."""


class Way(enum.StrEnum):
    """How a channel's far side answers."""

    TAKES = "takes"
    PACES = "takes, and asks for a pause"
    FAILS = "fails"
    FAILS_FOR_LONG = "fails, and says for how long"
    VANISHES = "gives no answer"
    BREAKS = "breaks the notifier"
    THROTTLES = "asks to wait"
    THROTTLES_ALL = "asks all channels to wait for long"
    REJECTS = "rejects"
    PICKY = "rejects what is spoilt"
    IS_GONE = "is gone"
    ALL_GONE = "is gone, and all others with it"
    HANGS = "has not answered yet"


class Message(msgspec.Struct):
    """What was sent, and what came of it."""

    channel: str
    delivery_ids: tuple[int, ...]
    sent_at: int
    outcome: Outcome | None = None
    """None as long as it is on its way."""
    ended_at: int = 0


class Scripted(RecordingNotifier):
    """Answers in the way that its channel's far side stands in."""

    kind: ClassVar[str] = "scripted"
    delays: ClassVar[tuple[float, ...]] = (5.0, 300.0, 7_200.0)
    max_batch: ClassVar[int] = 4

    def __init__(self, tools: Any) -> None:
        super().__init__(tools)
        self._now_ms = tools.now_ms
        self.ways: dict[str, Way] = {}
        self.told: list[tuple[bool, Message]] = []
        """Every beginning (true) and end (false) of a message, in order."""
        self.on_their_way: dict[str, asyncio.Future[Outcome]] = {}
        """Messages that hang, by channel."""

    def scopes(self, settings: Any) -> tuple[str, ...]:
        """One for all, and one for each channel."""
        return (EVERYTHING, f"{EVERYTHING}:{settings.label}")

    async def deliver(self, batch: Sequence[Notification], settings: Any) -> Outcome:
        """Note the batch, and answer."""
        numbers = tuple(one.delivery_id for one in batch)
        message = Message(channel=settings.label, delivery_ids=numbers, sent_at=self._now_ms())
        self.told.append((True, message))
        way = self.ways.get(message.channel, Way.TAKES)
        if way is Way.HANGS:
            outcome = await self._hang(message)
        else:
            spoilt = any(one.body == SPOILT for one in batch)
            outcome = answer(way, message.channel, spoilt=spoilt)
        self._end(message, outcome)
        if way is Way.BREAKS:
            raise LookupError(message.channel)
        return outcome

    async def _hang(self, message: Message) -> Outcome:
        waiting = asyncio.get_running_loop().create_future()
        self.on_their_way[message.channel] = waiting
        try:
            outcome: Outcome = await waiting
        except asyncio.CancelledError:
            self._end(message, Retry(reason="cut off", unknown=True))
            raise
        finally:
            del self.on_their_way[message.channel]
        return outcome

    def _end(self, message: Message, outcome: Outcome) -> None:
        message.outcome, message.ended_at = outcome, self._now_ms()
        self.told.append((False, message))


def answer(way: Way, channel: str, *, spoilt: bool = False) -> Outcome:
    """What a far side says that stands in this way."""
    own = f"{EVERYTHING}:{channel}"
    rejected = Rejected(reason="HTTP 400: no")
    said: dict[Way, Outcome] = {
        Way.PACES: Delivered(reference="paced", paces=(Pace(own, 7.0),)),
        Way.FAILS: Retry(reason="HTTP 503: busy"),
        Way.FAILS_FOR_LONG: Retry(reason="HTTP 503: busy", after=900.0),
        Way.VANISHES: Retry(reason="no answer", unknown=True),
        Way.BREAKS: Retry(reason="the notifier failed", unknown=True),
        Way.THROTTLES: Throttled(after=30.0, scope=own),
        Way.THROTTLES_ALL: Throttled(after=7_200.0, scope=EVERYTHING),
        Way.REJECTS: rejected,
        Way.IS_GONE: Unusable(reason="HTTP 404: gone"),
        Way.ALL_GONE: Unusable(reason="HTTP 401: revoked", scope=EVERYTHING),
    }
    if way is Way.PICKY and spoilt:
        return rejected
    return said.get(way, Delivered(reference="taken"))
