"""Call a slowping server: one method for each operation of its API, core structs in and out."""

import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from slowping.client.connection import Connection, Transport, path
from slowping.client.directory import Directory
from slowping.client.stream import Patience, Stream
from slowping.core import page
from slowping.core.delivery import (
    Delivery,
    DeliveryDetail,
    DeliveryGroup,
    DeliverySelection,
    DeliveryState,
    EventDetail,
    Moved,
    Replay,
    Replayed,
)
from slowping.core.event import (
    AcceptedEvent,
    AcceptedEvents,
    Event,
    Imported,
    KeptEvent,
    NewEvent,
)
from slowping.core.health import Health
from slowping.core.overview import Overview
from slowping.core.page import Page
from slowping.core.retention import Prune, Pruned

_MANY_S: Final = 300.0
"""How long the server may take to move however many deliveries there are."""

_COPY_S: Final = 3_600.0
"""How long it may take to copy however large a database."""

T = TypeVar("T")


class Client(Directory):
    """An async client; every method raises the condition that the server names.

    Raises, beside those:
        Unreachable: no server answers at the address.
        UnexpectedAnswer: what answers is no slowping server, or one that broke.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        *,
        transport: Transport | None = None,
        timeout_s: float = 10.0,
        patience: Patience | None = None,
        data: Path | None = None,
    ) -> None:
        """`base_url` is the server's address, such as `http://127.0.0.1:7464`.

        `patience` says how a stream that was lost is taken up again. `data` is the
        data folder of a server on this machine, where it is not the usual one: the certificate by
        which that server is known is found there.

        Raises:
            Unreachable: that is no address.
        """
        self._server = Connection(base_url, api_key, transport, timeout_s, data)
        self._patience = patience or Patience()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of the connections."""
        await self._server.close()

    # Events ----------------------------------------------------------------------------------

    async def send_event(
        self, new: NewEvent, *, idempotency_key: str | None = None
    ) -> AcceptedEvent:
        """Send an event; it is on the server's disk when this returns."""
        return await self._server.post(
            "/events", AcceptedEvent, new, idempotency_key=idempotency_key
        )

    async def send_events(
        self, new: Sequence[NewEvent], *, idempotency_key: str | None = None
    ) -> tuple[AcceptedEvent, ...]:
        """Send 1 to 1,000 events for one project: all are accepted, or none."""
        accepted = await self._server.post(
            "/events", AcceptedEvents, new, idempotency_key=idempotency_key
        )
        return accepted.events

    async def import_events(self, kept: Sequence[KeptEvent]) -> Imported:
        """Store 1 to 200 events for one project as they were; those that are there stay."""
        return await self._server.post("/events/import", Imported, kept)

    async def list_events(  # noqa: PLR0913 - one for each filter
        self,
        *,
        project: str | None = None,
        category: str | None = None,
        source: str | None = None,
        text: str | None = None,
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
        limit: int = page.DEFAULT_LIMIT,
        cursor: str | None = None,
    ) -> Page[Event]:
        """Events, newest first.

        `text` is words of description, source and fields: `refund*` is the beginning of one, and
        what stands between double quotes stands together.
        """
        query = {
            "project": project, "category": category, "source": source, "text": text,
            "since": since, "until": until, "limit": limit, "cursor": cursor,
        }  # fmt: skip
        return await self._server.get("/events", Page[Event], query)

    async def show_event(self, event_id: str) -> EventDetail:
        """An event with its deliveries and every attempt."""
        return await self._server.get(path("events", event_id), EventDetail)

    def stream(
        self,
        *,
        project: str | None = None,
        categories: Sequence[str] = (),
        last_id: str | None = None,
    ) -> Stream:
        """What happens, from now on or after `last_id`, for ever: items, Connected, Lost.

        With categories it is their events and deliveries and they themselves, and nothing else.
        Close it with `contextlib.aclosing` where it is left before its time.
        """
        return Stream(
            self._server,
            project=project,
            categories=categories,
            last_id=last_id,
            patience=self._patience,
        )

    # Deliveries ------------------------------------------------------------------------------

    async def list_deliveries(  # noqa: PLR0913 - one for each filter
        self,
        *,
        project: str | None = None,
        channel: str | None = None,
        category: str | None = None,
        states: Sequence[DeliveryState] | None = None,
        event: str | None = None,
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
        error: str | None = None,
        limit: int = page.DEFAULT_LIMIT,
        cursor: str | None = None,
    ) -> Page[Delivery]:
        """Deliveries, newest first."""
        query = {
            "project": project, "channel": channel, "category": category, "state": states,
            "event": event, "since": since, "until": until, "error": error, "limit": limit,
            "cursor": cursor,
        }  # fmt: skip
        return await self._server.get("/deliveries", Page[Delivery], query)

    async def group_deliveries(
        self, *, project: str | None = None, states: Sequence[DeliveryState] | None = None
    ) -> tuple[DeliveryGroup, ...]:
        """Deliveries by channel, state and last error, the oldest first; the failed ones at first.

        Without `states`: those that have failed, are pending, or on their way. At most 1,000.
        """
        query = {"project": project, "state": states}
        return (await self._server.get("/deliveries/groups", Page[DeliveryGroup], query)).items

    async def show_delivery(self, delivery_id: str) -> DeliveryDetail:
        """A delivery with every attempt."""
        return await self._server.get(path("deliveries", delivery_id), DeliveryDetail)

    async def retry_delivery(self, delivery_id: str) -> Delivery:
        """Try a delivery again now."""
        return await self._server.post(path("deliveries", delivery_id, "retry"), Delivery)

    async def retry_deliveries(self, selection: DeliverySelection) -> Moved:
        """Try deliveries again now: those that failed, unless the selection names states."""
        return await self._server.post("/deliveries/retry", Moved, selection, timeout_s=_MANY_S)

    async def discard_delivery(self, delivery_id: str) -> Delivery:
        """Give a delivery up."""
        return await self._server.post(path("deliveries", delivery_id, "discard"), Delivery)

    async def discard_deliveries(self, selection: DeliverySelection) -> Moved:
        """Give deliveries up: those that failed, unless the selection names states."""
        return await self._server.post("/deliveries/discard", Moved, selection, timeout_s=_MANY_S)

    async def replay(self, replay: Replay) -> Replayed:
        """Send the events of a time window again, and make the deliveries that are missing."""
        return await self._server.post("/deliveries/replay", Replayed, replay, timeout_s=_MANY_S)

    # The server ------------------------------------------------------------------------------

    async def prune(self, prune: Prune) -> Pruned:
        """Remove what is older than it is kept, or tell what that would be.

        Where the answer says that it is not complete there is more: ask again.
        """
        return await self._server.post("/prune", Pruned, prune, timeout_s=_MANY_S)

    async def overview(
        self,
        *,
        project: str | None = None,
        today: dt.datetime | None = None,
        week: dt.datetime | None = None,
        month: dt.datetime | None = None,
    ) -> Overview:
        """Figures of a project, or of all that the key may see.

        `today`, `week` and `month` say when these began where the reader is; left out, they are
        those of UTC, and a week begins on Monday.
        """
        query = {"project": project, "today": today, "week": week, "month": month}
        return await self._server.get("/overview", Overview, query)

    def copy_database(
        self,
    ) -> contextlib.AbstractAsyncContextManager[tuple[int, AsyncIterator[bytes]]]:
        """A copy of the database as of now, for `async with`: how many bytes it has, and these.

        Look through it before you rely on it: `slowping backup` does.
        """
        return self._server.download("/backup", "application/vnd.sqlite3", timeout_s=_COPY_S)

    async def health(self) -> Health:
        """Whether the server and its store work; needs no key."""
        return await self._server.get("/health/ready", Health)


async def all_items(fetch: Callable[..., Awaitable[Page[T]]], **filters: Any) -> AsyncIterator[T]:
    """Every item of a list, over all its pages; `fetch` is one of the client's list methods."""
    cursor = None
    while True:
        found = await fetch(cursor=cursor, limit=page.MAX_LIMIT, **filters)
        for item in found.items:
            yield item
        cursor = found.cursor
        if cursor is None:
            return
