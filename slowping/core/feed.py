"""What the feed tells: one item for each line of the journal, with what it is about as it is now.

The journal holds ids only; an item carries the thing itself as it stands when the item is read,
so that a reader who was away sees where things are and never an outdated copy.
"""

import enum

import msgspec

from slowping.core.api_key import ApiKey
from slowping.core.category import Category
from slowping.core.channel import Channel
from slowping.core.delivery import Delivery
from slowping.core.event import Event
from slowping.core.project import Project


class JournalKind(enum.StrEnum):
    """What happened."""

    EVENT_ACCEPTED = "event.accepted"
    DELIVERY_CHANGED = "delivery.changed"
    CHANNEL_CHANGED = "channel.changed"
    CATEGORY_CHANGED = "category.changed"
    KEY_CHANGED = "key.changed"
    PROJECT_CHANGED = "project.changed"


class _Told(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What every item has."""

    id: str
    """Of what it is about."""


class EventAccepted(_Told, frozen=True, kw_only=True, tag=str(JournalKind.EVENT_ACCEPTED)):
    """An event came in."""

    event: Event


class DeliveryChanged(_Told, frozen=True, kw_only=True, tag=str(JournalKind.DELIVERY_CHANGED)):
    """A delivery is in another state, or was tried again."""

    delivery: Delivery


class ChannelChanged(_Told, frozen=True, kw_only=True, tag=str(JournalKind.CHANNEL_CHANGED)):
    """A channel was created, changed, paused, resumed or removed."""

    channel: Channel | None
    """None where it was removed."""


class CategoryChanged(_Told, frozen=True, kw_only=True, tag=str(JournalKind.CATEGORY_CHANGED)):
    """A category was created, changed or removed."""

    category: Category | None
    """None where it was removed."""


class KeyChanged(_Told, frozen=True, kw_only=True, tag=str(JournalKind.KEY_CHANGED)):
    """A key was issued or revoked."""

    api_key: ApiKey | None
    """None for a reader who may not see keys."""


class ProjectChanged(_Told, frozen=True, kw_only=True, tag=str(JournalKind.PROJECT_CHANGED)):
    """A project was created, changed or removed."""

    project: Project | None
    """None where it was removed."""


FeedItem = (
    EventAccepted | DeliveryChanged | ChannelChanged | CategoryChanged | KeyChanged | ProjectChanged
)


class FeedReset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The data of the event `reset`: none. The place is lost, and what follows goes on from now."""


class FeedFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader is told of; what is left as it is does not narrow."""

    project_ids: tuple[int, ...] | None = None
    """None is all projects."""
    categories: tuple[str, ...] = ()
    """Names: of events, deliveries and categories only those, and nothing that has no category."""
    keys: bool = True
    """Whether the reader may see keys."""


class Connected(msgspec.Struct, frozen=True, kw_only=True):
    """The line to the server stands; what follows is live, or catches up."""

    reset: bool = False
    """Whether the server has trimmed past our place: what is shown has to be loaded anew."""


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """The line broke; it is tried again after `retry_in_s` seconds."""

    reason: str
    retry_in_s: float


StreamItem = FeedItem | Connected | Lost
"""What a client's stream yields, for ever."""
