"""What the rest of the house may ask of a store: four roles, and deeds instead of rows.

One method is one transaction. Ids are numbers here and texts in the public structs; times that
go in are UTC milliseconds. Lists are newest first; `before` is the id that the last page ended
with.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from slowping.core.api_key import ApiKey, ApiKeyFilter, ApiKeyKind, Principal, Scope
from slowping.core.category import Category, CategoryChange, NewCategory
from slowping.core.channel import Channel, ChannelFilter, StoredChannel
from slowping.core.delivery import (
    Delivery,
    DeliveryDetail,
    DeliveryFilter,
    DeliveryState,
    Hold,
    Lane,
    LeasedDelivery,
    Settlement,
)
from slowping.core.event import Event, EventFilter, Receipt
from slowping.core.ids import IdSource
from slowping.core.project import NewProject, Project, ProjectChange

# Inbox: ingest accepts ----------------------------------------------------------------------


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
    month: int
    received_at: int
    events: tuple[EventRow, ...]
    deliveries: tuple[DeliveryRow, ...] = ()
    idempotency: Idempotency | None = None


class Inbox(Protocol):
    """Where drafts become events, once per idempotency key."""

    async def accept(self, entry: Entry) -> Receipt:
        """Write the entry with its journal lines and usage, and answer once it is on the disk.

        Where the idempotency key was seen before, nothing is written and the receipt is the
        first one, marked as deduplicated.

        Raises:
            IdempotencyKeyReused: the key was used with another request.
            Unavailable: the store cannot write now; nothing was.
        """
        ...

    async def recall(self, project_id: int, idempotency: Idempotency) -> Receipt | None:
        """The first receipt for this key, or None where it was never seen.

        Raises:
            IdempotencyKeyReused: the key was used with another request.
        """
        ...

    async def accept_metric(self, project_id: int, payload: Mapping[str, Any], at: int) -> None:
        """Store a metric, a thing of the SlowStats dialect alone."""
        ...

    async def usage(self, project_id: int, month: int) -> int:
        """How many events the project was sent in a month such as 202611."""
        ...


# Outbox: the dispatcher sends ---------------------------------------------------------------


class Requeued(msgspec.Struct, frozen=True, kw_only=True):
    """What a retry of many did."""

    moved: int
    channel_ids: tuple[int, ...]


class Outbox(Protocol):
    """All deliveries that are due or will be."""

    async def lanes(self) -> Sequence[Lane]:
        """Each live channel that is not paused and has pending deliveries."""
        ...

    async def lease(
        self, channel_id: int, *, now: int, until: int, owner: str, limit: int
    ) -> Sequence[LeasedDelivery]:
        """Claim up to `limit` deliveries that are due, first in first out.

        Claiming counts the attempt, so that a delivery that takes the server down with it runs
        out of tries as well. Deliveries past their time end as failed instead.
        """
        ...

    async def settle(
        self, channel_id: int, settlements: Sequence[Settlement], *, now: int
    ) -> int | None:
        """Record what became of claimed deliveries; the channel's next due time, if any."""
        ...

    async def free_leases(self, *, owner: str, now: int, busy: Collection[int] = ()) -> int:
        """Free every lease but those that `owner` holds on deliveries of the `busy` channels.

        They are those of a process that is gone, or of work that broke off. Each is recorded as
        a lost attempt; after three such in a row the delivery has failed.
        """
        ...

    async def pull_in(self, *, latest: int, now: int) -> int:
        """Make pending deliveries that are due after `latest` due now; how many that were.

        No schedule asks for more: they were planned by a clock that has stepped back since.
        """
        ...

    async def expire(self, *, now: int) -> int:
        """End pending deliveries past their time as failed; how many that were.

        Those of channels that were removed while they were on their way are discarded as well.
        """
        ...

    async def holds(self) -> Sequence[Hold]:
        """Every hold that is kept."""
        ...

    async def hold(self, hold: Hold) -> None:
        """Keep a hold, in place of an earlier one of the scope."""
        ...

    async def lift(self, scope: str) -> None:
        """Forget a scope's hold."""
        ...

    async def list_deliveries(
        self, which: DeliveryFilter, *, before: int | None, limit: int
    ) -> Sequence[Delivery]:
        """Deliveries that match."""
        ...

    async def delivery(self, delivery_id: int) -> DeliveryDetail:
        """One delivery with its attempts.

        Raises:
            NotFound: there is none.
        """
        ...

    async def deliveries_of(self, event_id: int) -> Sequence[DeliveryDetail]:
        """The deliveries of an event, with their attempts."""
        ...

    async def retry(
        self, which: DeliveryFilter, ids: Sequence[int] | None, *, now: int
    ) -> Requeued:
        """Make deliveries due now, in a new round of tries.

        `which` always narrows, `ids` narrows further. Without states in `which` it moves the
        failed, discarded and pending ones; delivered ones only where it names their state.
        Leased ones stay.
        """
        ...

    async def discard(self, which: DeliveryFilter, ids: Sequence[int] | None, *, now: int) -> int:
        """Give up pending and failed deliveries; how many that were."""
        ...

    async def count_by_state(self) -> Mapping[DeliveryState, int]:
        """How many deliveries are in each state."""
        ...


# Journal: the feed and the lists tell -------------------------------------------------------


class DayCount(msgspec.Struct, frozen=True):
    """How many events a day (UTC) had."""

    date: str
    events: int


class ProjectFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What SlowStats' get-metrics tells."""

    total_events: int
    unique_visitors: int
    last_7_days: tuple[DayCount, ...]


class Journal(Protocol):
    """The append-only record of what happened."""

    async def list_events(
        self, which: EventFilter, *, before: int | None, limit: int, skip: int = 0
    ) -> Sequence[Event]:
        """Events that match; `skip` counts from the newest, for a dialect that pages so."""
        ...

    async def event(self, event_id: int) -> Event:
        """One event.

        Raises:
            NotFound: there is none.
        """
        ...

    async def figures(self, project_id: int, now: int) -> ProjectFigures:
        """Counts of a project's events, in all and on each of the last seven days."""
        ...


# Directory: people administer ---------------------------------------------------------------


class StoredProject(msgspec.Struct, frozen=True, kw_only=True):
    """A project as the engine knows it."""

    id: int
    name: str
    strict_destinations: bool
    allowed_origins: frozenset[str]
    monthly_quota: int | None
    created_at: int


class StoredCategory(msgspec.Struct, frozen=True, kw_only=True):
    """A category as the engine knows it."""

    id: int
    project_id: int
    name: str
    routes: tuple[int, ...]
    """Ids of the channels it names; none means all."""


class ProjectSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything live in one project that accepting and delivering need to know."""

    project: StoredProject
    categories: tuple[StoredCategory, ...]
    channels: tuple[StoredChannel, ...]


class ChannelRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A channel to be written: its settings are checked, and its secrets stand apart."""

    name: str
    kind: str
    settings: Mapping[str, Any]
    secrets: Mapping[str, Any]
    target: str | None = None
    ad_hoc: bool = False


class ApiKeyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A key to be written: digest and first characters instead of the value."""

    name: str
    digest: bytes
    prefix: str
    kind: ApiKeyKind
    scopes: tuple[Scope, ...]
    home_project_id: int
    project_ids: tuple[int, ...]
    all_projects: bool
    rate_limit: int
    origins: tuple[str, ...]
    expires_at: int | None


class Directory(Protocol):
    """Projects, categories, channels and API keys.

    What is removed is kept out of sight, so that what refers to it stays whole. Every method
    that changes something writes its line to the journal.
    """

    async def snapshots(self, project_id: int | None = None) -> Sequence[ProjectSnapshot]:
        """Every live project, or the one, with what is live in it."""
        ...

    async def live_api_keys(self) -> Mapping[bytes, Principal]:
        """The principals of all keys that are not revoked, by the digest of the key."""
        ...

    async def list_projects(
        self, project_ids: Sequence[int] | None, *, before: int | None, limit: int
    ) -> Sequence[Project]:
        """Live projects; those of `project_ids` where given."""
        ...

    async def project(self, project_id: int) -> Project:
        """One live project.

        Raises:
            NotFound: there is none.
        """
        ...

    async def create_project(self, new: NewProject, *, now: int) -> Project:
        """Create a project.

        Raises:
            NameTaken: another live project has the name.
        """
        ...

    async def change_project(self, project_id: int, change: ProjectChange, *, now: int) -> Project:
        """Change a project.

        Raises:
            NotFound: there is none.
            NameTaken: another live project has the name.
        """
        ...

    async def remove_project(self, project_id: int, *, now: int) -> None:
        """Remove a project with its categories and channels, and revoke the keys at home in it.

        Raises:
            NotFound: there is none.
        """
        ...

    async def list_categories(
        self,
        project_ids: Sequence[int] | None,
        name: str | None,
        *,
        before: int | None,
        limit: int,
    ) -> Sequence[Category]:
        """Live categories that match."""
        ...

    async def category(self, category_id: int) -> Category:
        """One live category.

        Raises:
            NotFound: there is none.
        """
        ...

    async def create_category(self, project_id: int, new: NewCategory, *, now: int) -> Category:
        """Create a category.

        Raises:
            NameTaken: another live category of the project has the name.
            NotFound: a channel that it names is none of the project's.
            InvalidInput: the project has as many as it may have.
        """
        ...

    async def change_category(
        self, category_id: int, change: CategoryChange, *, now: int
    ) -> Category:
        """Change a category.

        Raises:
            NotFound: there is none, or no such channel.
            NameTaken: another live category of the project has the name.
        """
        ...

    async def remove_category(self, category_id: int, *, now: int) -> None:
        """Remove a category; its events stay.

        Raises:
            NotFound: there is none.
        """
        ...

    async def list_channels(
        self, which: ChannelFilter, *, before: int | None, limit: int
    ) -> Sequence[Channel]:
        """Live channels that match, secrets redacted."""
        ...

    async def channel(self, channel_id: int) -> Channel:
        """One live channel, secrets redacted.

        Raises:
            NotFound: there is none.
        """
        ...

    async def stored_channel(self, channel_id: int) -> StoredChannel:
        """One live channel with its secrets, for the engine.

        Raises:
            NotFound: there is none.
        """
        ...

    async def create_channel(self, project_id: int, record: ChannelRecord, *, now: int) -> Channel:
        """Create a channel; an ad hoc one that is there already is returned as it is.

        Raises:
            NameTaken: another live channel of the project has the name.
            InvalidInput: the project has as many ad hoc channels as it may have.
        """
        ...

    async def change_channel(self, channel_id: int, record: ChannelRecord, *, now: int) -> Channel:
        """Replace a channel's name, settings and secrets; what it had learned is forgotten.

        Raises:
            NotFound: there is none.
            NameTaken: another live channel of the project has the name.
        """
        ...

    async def pause_channel(self, channel_id: int, reason: str, *, now: int) -> Channel:
        """Stop sending; deliveries are still made and wait. A paused one keeps its reason.

        Raises:
            NotFound: there is none.
        """
        ...

    async def resume_channel(self, channel_id: int, *, now: int) -> Channel:
        """Send again.

        Raises:
            NotFound: there is none.
        """
        ...

    async def learn(self, channel_id: int, facts: Mapping[str, Any], *, now: int) -> None:
        """Keep facts with a channel, beside those that it has learned already."""
        ...

    async def remove_channel(self, channel_id: int, *, now: int) -> None:
        """Remove a channel and discard its pending deliveries.

        Raises:
            NotFound: there is none.
        """
        ...

    async def list_api_keys(
        self, which: ApiKeyFilter, *, before: int | None, limit: int
    ) -> Sequence[ApiKey]:
        """Keys that match, revoked and expired ones among them."""
        ...

    async def api_key(self, key_id: int) -> ApiKey:
        """One key.

        Raises:
            NotFound: there is none.
        """
        ...

    async def create_api_key(self, record: ApiKeyRecord, *, now: int) -> ApiKey:
        """Store a key.

        Raises:
            NameTaken: that very value is a key already.
        """
        ...

    async def revoke_api_key(self, key_id: int, *, now: int) -> ApiKey:
        """End a key; one that has ended keeps its date.

        Raises:
            NotFound: there is none.
        """
        ...

    async def touch_api_keys(self, used_at: Mapping[int, int]) -> None:
        """Write down when keys were used last: a moment for each key's id."""
        ...


class Store(Protocol):
    """The four roles of one database."""

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
        """Projects, categories, channels and API keys."""
        ...

    async def close(self) -> None:
        """Write what is left, and let go of the file."""
        ...
