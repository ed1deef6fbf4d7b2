"""What our own API works with: the engine's parts, and what it knows of the dialects."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from slowping.core.api_key import Scope
from slowping.core.redaction import Redaction
from slowping.notifiers.registry import Registry
from slowping.server.api.metrics import Metrics
from slowping.server.auth import Gatekeeper
from slowping.server.dispatch.dispatcher import Dispatcher
from slowping.server.event_import import EventImport
from slowping.server.feed import Feed
from slowping.server.http import Bodies
from slowping.server.ingest import Ingest
from slowping.server.process.backups import Backups
from slowping.server.process.key_files import KeyFiles
from slowping.server.process.sealing import Sealing
from slowping.server.process.upkeep import Upkeep
from slowping.server.refusals import Refusals
from slowping.server.roster import Roster
from slowping.store.port import Store


class DescribedOperation(Protocol):
    """An operation of a dialect, as far as the reference tells it."""

    @property
    def method(self) -> str:  # noqa: D102 - see its class
        ...
    @property
    def path(self) -> str:  # noqa: D102 - see its class
        ...
    @property
    def summary(self) -> str:  # noqa: D102 - see its class
        ...
    @property
    def body(self) -> Any:  # noqa: D102 - see its class
        ...
    @property
    def answers(self) -> Mapping[int, Any]:  # noqa: D102 - see its class
        ...
    @property
    def query(self) -> Mapping[str, Any]:  # noqa: D102 - see its class
        ...


class DescribedExtra(Protocol):
    """Something else that a dialect answers."""

    @property
    def scope(self) -> Scope:  # noqa: D102 - see its class
        ...
    @property
    def operation(self) -> DescribedOperation:  # noqa: D102 - see its class
        ...


class DescribedDialect(Protocol):
    """A dialect, as far as the reference tells it; the two doors are strangers to each other."""

    @property
    def name(self) -> str:  # noqa: D102 - see its class
        ...
    @property
    def aliases(self) -> Sequence[str]:  # noqa: D102 - see its class
        ...
    @property
    def key_header(self) -> bytes:  # noqa: D102 - see its class
        ...
    @property
    def operation(self) -> DescribedOperation:  # noqa: D102 - see its class
        ...
    @property
    def extras(self) -> Sequence[DescribedExtra]:  # noqa: D102 - see its class
        ...


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a request may need."""

    store: Store
    roster: Roster
    gatekeeper: Gatekeeper
    ingest: Ingest
    event_import: EventImport
    dispatcher: Dispatcher
    feed: Feed
    registry: Registry
    now_ms: Callable[[], int]
    """UTC milliseconds."""
    random_bytes: Callable[[int], bytes]
    key_files: KeyFiles
    backups: Backups
    sealing: Sealing
    redaction: Redaction
    metrics: Metrics
    upkeep: Upkeep
    refusals: Refusals
    started_at: int
    """UTC milliseconds."""
    bodies: Bodies
    rate_limit: int
    """Requests a minute of a key that is issued without a limit of its own; 0 is unlimited."""
    dialects: Sequence[DescribedDialect] = ()
    sqlite_version: str | None = None
    sqlite_faults: Sequence[str] = ()
