"""What ingest may ask of a store: drafts become events, once per idempotency key."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from slowping.core.event import Receipt
from slowping.store.port.audit import StepwiseAct


class EventRow(msgspec.Struct, frozen=True, array_like=True):
    """An event as it is written. The order of the members is part of the writer's statements."""

    id: int
    project_id: int
    category_id: int
    api_key_id: int | None
    dialect: str
    source: str | None
    description: str | None
    color: int | None
    fields: str
    """JSON, in our own encoding."""
    occurred_at: int | None
    received_at: int
    notify: bool
    size: int


class DeliveryRow(msgspec.Struct, frozen=True, array_like=True):
    """A delivery as it is written first: pending, due at once."""

    id: int
    event_id: int
    project_id: int
    channel_id: int
    created_at: int
    expires_at: int | None
    overrides: str | None
    """JSON."""


class Idempotency(msgspec.Struct, frozen=True, kw_only=True):
    """The sender's promise that two requests are one."""

    key: str
    fingerprint: str
    """Of the request; a stored key with another fingerprint belongs to another request."""
    strict: bool = True
    """Whether another fingerprint is an error; otherwise the key alone decides."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """All that one request writes: stored as a whole or not at all."""

    project_id: int
    month: int | None
    """The month in which the events count, such as 202611; None where they don't."""
    received_at: int
    events: tuple[EventRow, ...]
    deliveries: tuple[DeliveryRow, ...] = ()
    idempotency: Idempotency | None = None
    quota: int | None = None
    """Most events that the project may have in the month, these included; None is no limit."""


class Inbox(Protocol):
    """Where drafts become events, once per idempotency key."""

    async def accept(self, entry: Entry) -> Receipt:
        """Write the entry with its journal lines and usage, and answer once it is on the disk.

        Where the idempotency key was seen before, nothing is written and the receipt is the
        first one, marked as deduplicated.

        Raises:
            IdempotencyKeyReused: the key was used with another request.
            QuotaReached: the events don't all fit into the entry's quota.
            Unavailable: the store cannot write now; nothing was.
        """
        ...

    async def fold_on(self) -> bool:
        """Tidy up what came in, a little at a time; whether to go on at once.

        It is for when nothing else comes in: then nobody waits for it.
        """
        ...

    async def recall(self, project_id: int, idempotency: Idempotency) -> Receipt | None:
        """The first receipt for this key, or None where it was never seen.

        Raises:
            IdempotencyKeyReused: the key was used with another request.
        """
        ...

    async def import_events(
        self, events: Sequence[EventRow], *, now: int, act: StepwiseAct | None = None
    ) -> int:
        """Write events that were accepted before, without deliveries; how many were new.

        `act` is written in the same transaction where any are new, with how many.
        One that is there already stays as it is. Where another one has its id, it gets another of
        the same moment, always the same one. They count for no month, and the feed is silent.

        Raises:
            Unavailable: the store cannot write now; nothing was.
        """
        ...

    async def accept_metric(self, project_id: int, payload: Mapping[str, Any], at: int) -> None:
        """Store a metric, a thing of the SlowStats dialect alone."""
        ...

    async def usage(self, project_id: int, month: int) -> int:
        """How many events the project was sent in a month such as 202611."""
        ...
