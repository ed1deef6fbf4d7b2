"""What a dialect is: how a foreign client asks, and how it expects to be answered.

The door walks every request through the same steps; a dialect only says where its clients
knock, where they put the key, how a body becomes drafts, and how yes and no are worded.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

import msgspec

from slowping.core.api_key import Principal, Scope
from slowping.core.errors import SlowpingError
from slowping.core.event import Event, EventDraft, EventFilter, Receipt
from slowping.server import http
from slowping.store.port import ProjectFigures, StoredProject

Headers = http.Headers

AUTHORIZATION: Final = b"authorization"
X_API_KEY: Final = b"x-api-key"


class Reply(msgspec.Struct, frozen=True):
    """An answer: its body is JSON, and the door adds the headers that all answers have."""

    status: int
    body: bytes


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What a body asks for."""

    drafts: tuple[EventDraft, ...]
    project: str | None = None
    """A project's id or name, where the dialect names one; else the key's home."""
    idempotency_key: str | None = None
    """Where the dialect has a key of its own; then the header of that name is ignored."""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation as the OpenAPI document tells it."""

    method: str
    path: str
    """With `{name}` where the path has a variable end."""
    summary: str
    body: Any = None
    """The type of the request body, as msgspec understands it."""
    answers: Mapping[int, Any]
    """The type of the body for each status."""
    query: Mapping[str, Any] = {}
    """The type of each query parameter."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request to one of a dialect's extras; key, scope and limit are checked already."""

    principal: Principal
    query: Mapping[str, str]
    """Of a repeated parameter the last value."""
    name: str
    """What stands in the place of `{name}` in the path, percent-decoded; empty without one."""
    body: bytes
    """Without a byte order mark."""
    now_ms: int
    origin: str | None
    """Of the page that asks; None where no page does."""


class Desk(Protocol):
    """What an extra may ask of the server."""

    def project_of(
        self, principal: Principal, project: str | None, origin: str | None
    ) -> StoredProject:
        """The project by id or name, or the key's home for None; `origin` is the asking page's.

        Raises:
            ForeignProject: there is none, or the key may not use it.
            ForeignOrigin: it does not take that page.
        """
        ...

    def projects_of(self, principal: Principal) -> tuple[StoredProject, ...]:
        """Every project that the key may use, oldest first."""
        ...

    def category_count(self, project_id: int) -> int:
        """How many categories the project has."""
        ...

    async def list_events(
        self, which: EventFilter, *, limit: int, skip: int = 0
    ) -> tuple[Event, ...]:
        """Events that match, newest first; 1,000 at most, and fewer where they are large."""
        ...

    async def event(self, principal: Principal, event_id: int) -> Event:
        """One event of a live project that the key may use.

        Raises:
            NotFound: there is none.
        """
        ...

    async def figures(self, project_id: int) -> ProjectFigures:
        """Counts of a project's events."""
        ...

    async def usage(self, project_id: int) -> int:
        """How many events the project was sent this month."""
        ...

    async def accept_metric(self, project_id: int, payload: Mapping[str, Any]) -> None:
        """Store a metric."""
        ...


class Extra(msgspec.Struct, frozen=True, kw_only=True):
    """Something else that a dialect answers, beside taking events."""

    scope: Scope
    operation: Operation
    handle: Callable[[Call, Desk], Awaitable[Reply]]
    """May raise what the dialect's `refusal` has words for."""


class Dialect(Protocol):
    """A foreign HTTP shape that we accept."""

    @property
    def name(self) -> str:
        """One word: `pingpanda`."""
        ...

    @property
    def aliases(self) -> tuple[str, ...]:
        """Further paths that take events as the operation's own does."""
        ...

    @property
    def key_header(self) -> bytes:
        """The header in which its clients send their key."""
        ...

    @property
    def operation(self) -> Operation:
        """How events are sent: method, path and shapes."""
        ...

    @property
    def extras(self) -> tuple[Extra, ...]:
        """What else it answers."""
        ...

    @property
    def destinations(self) -> tuple[str, ...]:
        """Kinds of channel that upstream asks an account to have, in the order it asks."""
        ...

    @property
    def has_quota(self) -> bool:
        """Whether a project's monthly quota applies."""
        ...

    @property
    def creates_categories(self) -> bool:
        """Whether an unknown category is created; otherwise it is refused."""
        ...

    def credentials(self, headers: Headers) -> str:
        """The API key as the client sent it.

        Raises:
            NoCredential, MalformedCredential, EmptyCredential: it did not.
        """
        ...

    def read(self, body: bytes) -> Reading:
        """What the body asks for. It comes without a byte order mark.

        Raises:
            InvalidJson: it is not JSON, or nests too deep.
            InvalidInput: it is JSON, but not this dialect's.
        """
        ...

    def receipt(self, receipt: Receipt, now_ms: int) -> Reply:
        """How it says yes."""
        ...

    def refusal(self, error: SlowpingError) -> Reply:
        """How it says no; what it has no words for is its server fault."""
        ...
