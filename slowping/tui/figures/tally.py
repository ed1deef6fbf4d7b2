"""Add to the server's figures what the feed has told since they were counted."""

import collections
import datetime as dt
from collections.abc import Sequence
from typing import Final

import msgspec

from slowping.core.delivery import Delivery, DeliveryState
from slowping.core.feed import DeliveryChanged, EventAccepted, FeedItem, KeyChanged
from slowping.core.overview import CategoryFigures, ChannelFigures, Counts, Overview

_MOST: Final = 20_000
"""Events that are kept; more come only while the server does not answer."""

_ENDED: Final = (DeliveryState.DELIVERED, DeliveryState.FAILED)

Named = tuple[str, str]
"""A project, and a category or channel of it."""


class _Accepted(msgspec.Struct, frozen=True):
    """What counts of an event."""

    at: dt.datetime
    name: Named
    deliveries: int


class Tally:
    """What was heard, as long as it is later than what the server has counted."""

    def __init__(self) -> None:
        self._accepted: collections.deque[_Accepted] = collections.deque(maxlen=_MOST)
        self._ended: dict[str, Delivery] = {}
        """By id, what has ended and was not started again."""
        self._unsure: set[str] = set()
        """Deliveries that wait now, and may have or have not when the server counted."""
        self._by_category: collections.Counter[Named] = collections.Counter()
        self._queued = 0

    def __bool__(self) -> bool:
        return bool(self._accepted or self._ended)

    @property
    def latest(self) -> dt.datetime | None:
        """When the latest event was accepted that the server has not counted."""
        return self._accepted[-1].at if self._accepted else None

    def hear(self, batch: Sequence[FeedItem]) -> bool:
        """Take these in; True where one of them moves a figure."""
        for item in batch:
            match item:
                case EventAccepted(event=event):
                    name = (event.project, event.category)
                    waits = sum(event.deliveries.values())
                    self._accept(_Accepted(event.received_at, name, waits))
                case DeliveryChanged(delivery=delivery):
                    self._change(delivery)
        return any(not isinstance(item, KeyChanged) for item in batch)

    def forget(self, until: dt.datetime) -> None:
        """Let go of what the server had counted by that moment."""
        later = [each for each in self._accepted if each.at > until]
        self._accepted.clear()
        self._by_category.clear()
        self._queued = 0
        for each in later:
            self._accept(each)
        self._ended = {
            each.id: each
            for each in self._ended.values()
            if each.ended_at and each.ended_at > until
        }
        self._unsure.clear()

    def backlog(self, overview: Overview) -> tuple[int, int]:
        """How many deliveries wait, and how many stand as failed."""
        failed = sum(each.state is DeliveryState.FAILED for each in self._ended.values())
        # Never below nothing: what was tried again by hand is not known to wait.
        waiting = max(0, overview.waiting + self._queued - len(self._ended))
        return waiting, overview.failed + failed

    def added_to(self, overview: Overview) -> Overview:
        """The figures with all that was heard since."""
        if not self:
            return overview
        waiting, failed = self.backlog(overview)
        accepted = self._by_category.total()
        delivered = self._delivered()
        return msgspec.structs.replace(
            overview,
            events=_more(overview.events, accepted),
            hours=_later(overview.hours, accepted),
            waiting=waiting,
            failed=failed,
            categories=tuple(map(self._category, overview.categories)),
            channels=tuple(
                _channel(each, delivered[each.project, each.channel]) for each in overview.channels
            ),
        )

    def _accept(self, accepted: _Accepted) -> None:
        self._accepted.append(accepted)
        self._by_category[accepted.name] += 1
        self._queued += accepted.deliveries

    def _change(self, delivery: Delivery) -> None:
        if delivery.state not in _ENDED:
            if self._ended.pop(delivery.id, None) is None:
                self._unsure.add(delivery.id)
        elif delivery.id not in self._unsure:
            self._ended[delivery.id] = delivery

    def _category(self, figures: CategoryFigures) -> CategoryFigures:
        more = self._by_category[figures.project, figures.category]
        if not more:
            return figures
        return msgspec.structs.replace(
            figures, events=_more(figures.events, more), hours=_later(figures.hours, more)
        )

    def _delivered(self) -> "collections.Counter[Named]":
        return collections.Counter(
            (each.project, each.channel)
            for each in self._ended.values()
            if each.state is DeliveryState.DELIVERED
        )


def _channel(figures: ChannelFigures, more: int) -> ChannelFigures:
    if not more:
        return figures
    return msgspec.structs.replace(
        figures, delivered=figures.delivered + more, hours=_later(figures.hours, more)
    )


def _more(counts: Counts, more: int) -> Counts:
    return Counts(
        today=counts.today + more,
        week=counts.week + more,
        month=counts.month + more,
        total=counts.total + more,
    )


def _later(hours: tuple[int, ...], more: int) -> tuple[int, ...]:
    """The same with more in the running hour."""
    return (*hours[:-1], hours[-1] + more) if hours else hours
