"""What the rest of the house may ask of a store: four roles, and deeds instead of rows.

One method is one transaction; one that goes in steps is one for each step. Ids are numbers here
and texts in the public structs; times that go in are UTC milliseconds. Lists are newest first;
`before` is the id that the last page ended with. Every method raises Unavailable where the
database cannot be written, or takes too long to be read; then nothing was changed, but by the
steps before.
"""

from typing import Protocol

from slowping.core.ids import IdSource
from slowping.store.port.audit import ActRecord, Audit, StepwiseAct
from slowping.store.port.directory import (
    ApiKeyRecord,
    ApiKeyUse,
    ChannelRecord,
    Directory,
    ProjectSnapshot,
    StoredCategory,
    StoredProject,
)
from slowping.store.port.inbox import DeliveryRow, Entry, EventRow, Idempotency, Inbox
from slowping.store.port.journal import (
    DayCount,
    FeedEntry,
    FeedPage,
    Journal,
    ProjectFigures,
)
from slowping.store.port.outbox import EventWindow, Outbox, Requeued, Stretch
from slowping.store.port.retention import Portion, Retention, Space
from slowping.store.port.secrets import Secrets


class Store(Protocol):
    """The four roles of one database, and all of its secrets at once."""

    @property
    def ids(self) -> IdSource:
        """Where new ids come from: above the largest that is in use."""
        ...

    @property
    def inbox(self) -> Inbox:
        """Where drafts become events."""
        ...

    @property
    def outbox(self) -> Outbox:
        """All deliveries that are due or will be."""
        ...

    @property
    def journal(self) -> Journal:
        """What happened."""
        ...

    @property
    def directory(self) -> Directory:
        """Projects, categories, channels and API keys, and who did what to them."""
        ...

    @property
    def secrets(self) -> Secrets:
        """The sealed secrets of all channels."""
        ...

    @property
    def retention(self) -> Retention:
        """How it becomes smaller."""
        ...

    async def close(self) -> None:
        """Write what is left, and let go of the file."""
        ...


__all__ = [
    "ActRecord",
    "ApiKeyRecord",
    "ApiKeyUse",
    "Audit",
    "ChannelRecord",
    "DayCount",
    "DeliveryRow",
    "Directory",
    "Entry",
    "EventRow",
    "EventWindow",
    "FeedEntry",
    "FeedPage",
    "Idempotency",
    "Inbox",
    "Journal",
    "Outbox",
    "Portion",
    "ProjectFigures",
    "ProjectSnapshot",
    "Requeued",
    "Retention",
    "Secrets",
    "Space",
    "StepwiseAct",
    "Store",
    "StoredCategory",
    "StoredProject",
    "Stretch",
]
