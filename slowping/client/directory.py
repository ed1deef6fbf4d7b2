"""Administer a server from afar: channels, categories, projects, API keys, and the audit."""

import datetime as dt

from slowping.client.connection import Connection, path
from slowping.core import page
from slowping.core.api_key import ApiKey, ApiKeyRotation, IssuedApiKey, NewApiKey
from slowping.core.audit import Act
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
from slowping.core.page import Page
from slowping.core.project import NewProject, Project, ProjectChange


class Directory:
    """The part of the client that sets things up and says who did."""

    _server: Connection

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
        return await self._server.get(path("channels", channel_id), Channel)

    async def create_channel(self, new: NewChannel) -> IssuedChannel:
        """Create a channel; secrets that were made for it are in the answer, this once."""
        return await self._server.post("/channels", IssuedChannel, new)

    async def change_channel(self, channel_id: str, change: ChannelChange) -> IssuedChannel:
        """Change a channel; a setting that is None goes back to its default.

        A secret without a default is made anew, and is in the answer, this once.
        """
        return await self._server.patch(path("channels", channel_id), IssuedChannel, change)

    async def pause_channel(self, channel_id: str, reason: str | None = None) -> Channel:
        """Stop sending; deliveries are still made and wait."""
        pause = ChannelPause(reason=reason)
        return await self._server.post(path("channels", channel_id, "pause"), Channel, pause)

    async def resume_channel(self, channel_id: str) -> Channel:
        """Send again, what has waited first."""
        return await self._server.post(path("channels", channel_id, "resume"), Channel)

    async def test_channel(self, channel_id: str, *, timeout_s: float = 90.0) -> ChannelTest:
        """Send a test at once and tell what came of it; far sides may take their time."""
        place = path("channels", channel_id, "test")
        return await self._server.post(place, ChannelTest, timeout_s=timeout_s)

    async def remove_channel(self, channel_id: str) -> None:
        """Remove a channel and discard its pending deliveries."""
        await self._server.delete(path("channels", channel_id))

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
        return await self._server.get(path("categories", category_id), Category)

    async def create_category(self, new: NewCategory) -> Category:
        """Create a category."""
        return await self._server.post("/categories", Category, new)

    async def change_category(self, category_id: str, change: CategoryChange) -> Category:
        """Change a category."""
        return await self._server.patch(path("categories", category_id), Category, change)

    async def remove_category(self, category_id: str) -> None:
        """Remove a category; its events stay."""
        await self._server.delete(path("categories", category_id))

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
        return await self._server.get(path("projects", project_id), Project)

    async def create_project(self, new: NewProject) -> Project:
        """Create a project."""
        return await self._server.post("/projects", Project, new)

    async def change_project(self, project_id: str, change: ProjectChange) -> Project:
        """Change a project."""
        return await self._server.patch(path("projects", project_id), Project, change)

    async def remove_project(self, project_id: str) -> None:
        """Remove a project with its categories and channels, and revoke the keys at home in it.

        Its events stay in the database, out of sight.
        """
        await self._server.delete(path("projects", project_id))

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
        return await self._server.get(path("keys", key_id), ApiKey)

    async def issue_api_key(self, new: NewApiKey) -> IssuedApiKey:
        """Issue a key; its value is in the answer, this once."""
        return await self._server.post("/keys", IssuedApiKey, new)

    async def revoke_api_key(self, key_id: str) -> ApiKey:
        """End a key."""
        return await self._server.post(path("keys", key_id, "revoke"), ApiKey)

    async def rotate_api_key(self, key_id: str, rotation: ApiKeyRotation) -> IssuedApiKey:
        """Issue a key that may do the same; the old one ends when the overlap is over."""
        return await self._server.post(path("keys", key_id, "rotate"), IssuedApiKey, rotation)

    async def rotate_secret_key(self) -> SecretsSealed:
        """Encrypt the secrets of all channels with a new key."""
        return await self._server.post("/secrets/rotate", SecretsSealed)

    # The audit -------------------------------------------------------------------------------

    async def list_acts(  # noqa: PLR0913 - one for each filter
        self,
        *,
        project: str | None = None,
        act: str | None = None,
        key: str | None = None,
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
        limit: int = page.DEFAULT_LIMIT,
        cursor: str | None = None,
    ) -> Page[Act]:
        """Who did what, the latest first; `act` is such as `channel.paused`, or `channel`."""
        query = {
            "project": project, "act": act, "key": key, "since": since, "until": until,
            "limit": limit, "cursor": cursor,
        }  # fmt: skip
        return await self._server.get("/audit", Page[Act], query)
