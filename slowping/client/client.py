"""Call a slowping server: one method for each operation of its API, core structs in and out."""

import contextlib
import datetime as dt
import urllib.parse
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from slowping.client.connection import Connection, Transport
from slowping.client.stream import Patience, Stream
from slowping.core import page
from slowping.core.api_key import ApiKey, ApiKeyRotation, IssuedApiKey, NewApiKey
from slowping.core.category import Category, CategoryChange, NewCategory
from slowping.core.channel import (
    Channel,
    ChannelChange,
    ChannelKind,
    ChannelPause,
    ChannelTest,
    IssuedChannel,
    NewChannel,
    SecretsSealed,
)
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
from slowping.core.event import AcceptedEvent, AcceptedEvents, Event, NewEvent
from slowping.core.health import Health
from slowping.core.overview import Overview
from slowping.core.page import Page
from slowping.core.project import NewProject, Project, ProjectChange
from slowping.core.retention import Prune, Pruned

_MANY_S: Final = 300.0
"""How long the server may take to move however many deliveries there are."""

_COPY_S: Final = 3_600.0
"""How long it may take to copy however large a database."""

T = TypeVar("T")


class Client:
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
    ) -> None:
        """`base_url` is the server's address, such as `http://127.0.0.1:7464`.

        `patience` says how a stream that was lost is taken up again.

        Raises:
            Unreachable: that is no address.
        """
        self._server = Connection(base_url, api_key, transport, timeout_s)
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

    async def list_events(  # noqa: PLR0913 - one for each filter
        self,
        *,
        project: str | None = None,
        category: str | None = None,
        source: str | None = None,
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
        limit: int = page.DEFAULT_LIMIT,
        cursor: str | None = None,
    ) -> Page[Event]:
        """Events, newest first."""
        query = {
            "project": project, "category": category, "source": source, "since": since,
            "until": until, "limit": limit, "cursor": cursor,
        }  # fmt: skip
        return await self._server.get("/events", Page[Event], query)

    async def show_event(self, event_id: str) -> EventDetail:
        """An event with its deliveries and every attempt."""
        return await self._server.get(_path("events", event_id), EventDetail)

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
        return await self._server.get(_path("deliveries", delivery_id), DeliveryDetail)

    async def retry_delivery(self, delivery_id: str) -> Delivery:
        """Try a delivery again now."""
        return await self._server.post(_path("deliveries", delivery_id, "retry"), Delivery)

    async def retry_deliveries(self, selection: DeliverySelection) -> Moved:
        """Try deliveries again now: those that failed, unless the selection names states."""
        return await self._server.post("/deliveries/retry", Moved, selection, timeout_s=_MANY_S)

    async def discard_delivery(self, delivery_id: str) -> Delivery:
        """Give a delivery up."""
        return await self._server.post(_path("deliveries", delivery_id, "discard"), Delivery)

    async def discard_deliveries(self, selection: DeliverySelection) -> Moved:
        """Give deliveries up: those that failed, unless the selection names states."""
        return await self._server.post("/deliveries/discard", Moved, selection, timeout_s=_MANY_S)

    async def replay(self, replay: Replay) -> Replayed:
        """Send the events of a time window again, and make the deliveries that are missing."""
        return await self._server.post("/deliveries/replay", Replayed, replay, timeout_s=_MANY_S)

    # Channels --------------------------------------------------------------------------------

    async def list_channels(
        self,
        *,
        project: str | None = None,
        name: str | None = None,
        kind: str | None = None,
        limit: int = page.DEFAULT_LIMIT,
        cursor: str | None = None,
    ) -> Page[Channel]:
        """Channels, newest first."""
        query = {"project": project, "name": name, "kind": kind, "limit": limit, "cursor": cursor}
        return await self._server.get("/channels", Page[Channel], query)

    async def show_channel(self, channel_id: str) -> Channel:
        """A channel, secrets redacted."""
        return await self._server.get(_path("channels", channel_id), Channel)

    async def create_channel(self, new: NewChannel) -> IssuedChannel:
        """Create a channel; secrets that were made for it are in the answer, this once."""
        return await self._server.post("/channels", IssuedChannel, new)

    async def change_channel(self, channel_id: str, change: ChannelChange) -> IssuedChannel:
        """Change a channel; a setting that is None goes back to its default.

        A secret without a default is made anew, and is in the answer, this once.
        """
        return await self._server.patch(_path("channels", channel_id), IssuedChannel, change)

    async def pause_channel(self, channel_id: str, reason: str | None = None) -> Channel:
        """Stop sending; deliveries are still made and wait."""
        pause = ChannelPause(reason=reason)
        return await self._server.post(_path("channels", channel_id, "pause"), Channel, pause)

    async def resume_channel(self, channel_id: str) -> Channel:
        """Send again, what has waited first."""
        return await self._server.post(_path("channels", channel_id, "resume"), Channel)

    async def test_channel(self, channel_id: str, *, timeout_s: float = 90.0) -> ChannelTest:
        """Send a test at once and tell what came of it; far sides may take their time."""
        path = _path("channels", channel_id, "test")
        return await self._server.post(path, ChannelTest, timeout_s=timeout_s)

    async def remove_channel(self, channel_id: str) -> None:
        """Remove a channel and discard its pending deliveries."""
        await self._server.delete(_path("channels", channel_id))

    async def list_channel_kinds(self) -> tuple[ChannelKind, ...]:
        """Every kind of channel, with the schema of its settings."""
        return (await self._server.get("/channel-kinds", Page[ChannelKind])).items

    # Categories ------------------------------------------------------------------------------

    async def list_categories(
        self,
        *,
        project: str | None = None,
        name: str | None = None,
        limit: int = page.DEFAULT_LIMIT,
        cursor: str | None = None,
    ) -> Page[Category]:
        """Categories, newest first."""
        query = {"project": project, "name": name, "limit": limit, "cursor": cursor}
        return await self._server.get("/categories", Page[Category], query)

    async def show_category(self, category_id: str) -> Category:
        """A category."""
        return await self._server.get(_path("categories", category_id), Category)

    async def create_category(self, new: NewCategory) -> Category:
        """Create a category."""
        return await self._server.post("/categories", Category, new)

    async def change_category(self, category_id: str, change: CategoryChange) -> Category:
        """Change a category."""
        return await self._server.patch(_path("categories", category_id), Category, change)

    async def remove_category(self, category_id: str) -> None:
        """Remove a category; its events stay."""
        await self._server.delete(_path("categories", category_id))

    # Projects --------------------------------------------------------------------------------

    async def list_projects(
        self,
        *,
        name: str | None = None,
        limit: int = page.DEFAULT_LIMIT,
        cursor: str | None = None,
    ) -> Page[Project]:
        """Projects, newest first."""
        query = {"name": name, "limit": limit, "cursor": cursor}
        return await self._server.get("/projects", Page[Project], query)

    async def show_project(self, project_id: str) -> Project:
        """A project."""
        return await self._server.get(_path("projects", project_id), Project)

    async def create_project(self, new: NewProject) -> Project:
        """Create a project."""
        return await self._server.post("/projects", Project, new)

    async def change_project(self, project_id: str, change: ProjectChange) -> Project:
        """Change a project."""
        return await self._server.patch(_path("projects", project_id), Project, change)

    async def remove_project(self, project_id: str) -> None:
        """Remove a project with its categories and channels, and revoke the keys at home in it.

        Its events stay in the database, out of sight.
        """
        await self._server.delete(_path("projects", project_id))

    # API keys --------------------------------------------------------------------------------

    async def list_api_keys(
        self,
        *,
        project: str | None = None,
        name: str | None = None,
        revoked: bool | None = None,
        limit: int = page.DEFAULT_LIMIT,
        cursor: str | None = None,
    ) -> Page[ApiKey]:
        """API keys, newest first."""
        query = {
            "project": project, "name": name, "revoked": revoked, "limit": limit, "cursor": cursor,
        }  # fmt: skip
        return await self._server.get("/keys", Page[ApiKey], query)

    async def show_api_key(self, key_id: str) -> ApiKey:
        """An API key, without its value."""
        return await self._server.get(_path("keys", key_id), ApiKey)

    async def issue_api_key(self, new: NewApiKey) -> IssuedApiKey:
        """Issue a key; its value is in the answer, this once."""
        return await self._server.post("/keys", IssuedApiKey, new)

    async def revoke_api_key(self, key_id: str) -> ApiKey:
        """End a key."""
        return await self._server.post(_path("keys", key_id, "revoke"), ApiKey)

    async def rotate_api_key(self, key_id: str, rotation: ApiKeyRotation) -> IssuedApiKey:
        """Issue a key that may do the same; the old one ends when the overlap is over."""
        return await self._server.post(_path("keys", key_id, "rotate"), IssuedApiKey, rotation)

    # The server ------------------------------------------------------------------------------

    async def prune(self, prune: Prune) -> Pruned:
        """Remove what is older than it is kept, or tell what that would be.

        Where the answer says that it is not complete there is more: ask again.
        """
        return await self._server.post("/prune", Pruned, prune, timeout_s=_MANY_S)

    async def rotate_secret_key(self) -> SecretsSealed:
        """Encrypt the secrets of all channels with a new key."""
        return await self._server.post("/secrets/rotate", SecretsSealed)

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


def _path(*steps: str) -> str:
    """A path of steps, of which an id may hold anything that a person typed."""
    return "".join(f"/{urllib.parse.quote(step, safe='')}" for step in steps)
