"""Know what belongs to categories: channels, API keys, figures, and when events came last."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from slowping.core.api_key import ApiKey, Scope
from slowping.core.category import Category
from slowping.core.channel import Channel
from slowping.core.event import Event
from slowping.core.feed import ChannelChanged, EventAccepted, FeedItem, KeyChanged
from slowping.core.overview import CategoryFigures, Overview

T = TypeVar("T")

RECENT: Final = 5
"""How many of its events are kept of a category whose details were looked at."""

Named = tuple[str, str]
"""A project, and a category of it."""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A category with what is known beside it."""

    category: Category
    figures: CategoryFigures | None = None
    """None where the server has none."""
    last_at: dt.datetime | None = None
    """When its last event came; None where that is not known."""
    senders: Sequence[ApiKey] | None = None
    """Live keys that may send to it; None where they could not be had."""
    recent: Sequence[Event] | None = None
    """Its last events, newest first; None as long as they are not known."""


class Surroundings:
    """What was loaded, and what the feed has told since."""

    def __init__(self) -> None:
        self._channels: dict[str, Channel] = {}
        self._keys: dict[str, ApiKey] | None = None
        self._figures: Mapping[Named, CategoryFigures] = {}
        self._last: dict[Named, dt.datetime] = {}
        self._recent: dict[Named, tuple[Event, ...]] = {}

    def load(
        self, channels: Iterable[Channel], keys: Iterable[ApiKey] | None, events: Iterable[Event]
    ) -> None:
        """Start anew with these; `keys` is None where they could not be had."""
        self._channels = {each.id: each for each in channels}
        self._keys = None if keys is None else {each.id: each for each in keys}
        self._last, self._recent = {}, {}
        for event in events:
            self._hear(event)

    def count(self, overview: Overview | None) -> None:
        """Have these figures; None where there are none."""
        told = overview.categories if overview else ()
        self._figures = {(each.project, each.category): each for each in told}

    def remember(self, category: Category, events: Sequence[Event]) -> None:
        """Have these as the last events of a category, newest first."""
        self._recent[_named(category)] = tuple(events[:RECENT])
        for event in events[:1]:
            self._hear(event)

    def take(self, batch: Sequence[FeedItem]) -> None:
        """Take in what the feed tells."""
        for item in batch:
            match item:
                case EventAccepted(event=event):
                    self._hear(event)
                    self._put_first(event)
                case ChannelChanged(id=channel_id, channel=channel):
                    _put(self._channels, channel_id, channel)
                case KeyChanged(id=key_id, api_key=key) if self._keys is not None:
                    _put(self._keys, key_id, key)

    def rename(self, before: Category, after: Category) -> None:
        """What is known under the old name is known under the new one."""
        old, new = _named(before), _named(after)
        if old != new:
            _move(self._last, old, new)
            _move(self._recent, old, new)

    def of(self, category: Category, now: dt.datetime) -> Known:
        """A category with all that is known beside it."""
        return msgspec.structs.replace(
            self.row_of(category),
            senders=None if self._keys is None else self.senders(category, now),
            recent=self._recent.get(_named(category)),
        )

    def row_of(self, category: Category) -> Known:
        """A category with what a row of a table shows of it, and no more."""
        named = _named(category)
        return Known(
            category=category, figures=self._figures.get(named), last_at=self._last.get(named)
        )

    def senders(self, category: Category, now: dt.datetime) -> tuple[ApiKey, ...]:
        """Live keys that may send to the category."""
        keys = (self._keys or {}).values()
        return tuple(key for key in keys if may_send(key, category.project, now))

    def channels_of(self, project: str) -> tuple[str, ...]:
        """Names of the channels that a category of the project can have."""
        return tuple(
            sorted(
                channel.name
                for channel in self._channels.values()
                if channel.project == project and not channel.ad_hoc
            )
        )

    @property
    def has_figures(self) -> bool:
        """Whether the server has counted."""
        return bool(self._figures)

    def _put_first(self, event: Event) -> None:
        """Have it among the last events, once: what is loaded may have it already."""
        named = (event.project, event.category)
        recent = self._recent.get(named)
        if recent is not None and all(each.id != event.id for each in recent):
            self._recent[named] = (event, *recent)[:RECENT]

    def _hear(self, event: Event) -> None:
        named = (event.project, event.category)
        if named not in self._last or self._last[named] < event.received_at:
            self._last[named] = event.received_at


def may_send(key: ApiKey, project: str, now: dt.datetime) -> bool:
    """Whether a key may send to the project at that moment."""
    is_live = key.revoked_at is None and (key.expires_at is None or key.expires_at > now)
    has_scope = Scope.INGEST in key.scopes or Scope.ADMIN in key.scopes
    return is_live and has_scope and (key.all_projects or project in (key.project, *key.projects))


def _named(category: Category) -> Named:
    return (category.project, category.name)


def _move(known: dict[Named, T], old: Named, new: Named) -> None:
    if old in known:
        known[new] = known.pop(old)


def _put(into: dict[str, T], thing_id: str, thing: T | None) -> None:
    if thing is None:
        into.pop(thing_id, None)
    else:
        into[thing_id] = thing
