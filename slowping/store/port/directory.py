"""What people administer: projects, categories, channels and API keys."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from slowping.core.api_key import ApiKey, ApiKeyFilter, ApiKeyKind, Principal, Scope
from slowping.core.audit import ITSELF, Author
from slowping.core.category import Category, CategoryChange, NewCategory
from slowping.core.channel import Channel, ChannelFilter, StoredChannel
from slowping.core.project import NewProject, Project, ProjectChange
from slowping.store.port.audit import Audit


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
    """A key to be written: digest and first characters instead of the value.

    What is left out: no project but its home, no origin of its own, no end.
    """

    name: str
    digest: bytes
    prefix: str
    kind: ApiKeyKind
    scopes: tuple[Scope, ...]
    home_project_id: int
    project_ids: tuple[int, ...] = ()
    all_projects: bool = False
    rate_limit: int
    origins: tuple[str, ...] = ()
    expires_at: int | None = None


class ApiKeyUse(msgspec.Struct, frozen=True, kw_only=True):
    """The last use of a key."""

    at: int
    """UTC milliseconds."""
    address: str | None
    """Whose it was, where that is known."""


class Directory(Audit, Protocol):
    """Projects, categories, channels and API keys, and who did what to them.

    What is removed is kept out of sight, so that what refers to it stays whole. Every method
    that changes something writes its line to the journal, and those that are told `by` whom it
    is done one to the audit; None is a sender, whose doings are no acts.
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

    async def create_project(
        self, new: NewProject, *, now: int, by: Author | None = ITSELF
    ) -> Project:
        """Create a project.

        Raises:
            NameTaken: another live project has the name.
        """
        ...

    async def change_project(
        self,
        project_id: int,
        change: ProjectChange,
        *,
        now: int,
        by: Author | None = ITSELF,
    ) -> Project:
        """Change a project.

        Raises:
            NotFound: there is none.
            NameTaken: another live project has the name.
        """
        ...

    async def remove_project(
        self, project_id: int, *, now: int, by: Author | None = ITSELF
    ) -> None:
        """Remove a project with its categories and channels, and revoke the keys at home in it.

        Keys for all projects stay: they have others to go to.

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

    async def create_category(
        self, project_id: int, new: NewCategory, *, now: int, by: Author | None = ITSELF
    ) -> Category:
        """Create a category.

        Raises:
            NameTaken: another live category of the project has the name.
            NotFound: a channel that it names is none of the project's.
            InvalidInput: the project has as many as it may have.
        """
        ...

    async def change_category(
        self,
        category_id: int,
        change: CategoryChange,
        *,
        now: int,
        by: Author | None = ITSELF,
    ) -> Category:
        """Change a category.

        Raises:
            NotFound: there is none, or no such channel.
            NameTaken: another live category of the project has the name.
        """
        ...

    async def remove_category(
        self, category_id: int, *, now: int, by: Author | None = ITSELF
    ) -> None:
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

    async def create_channel(
        self, project_id: int, record: ChannelRecord, *, now: int, by: Author | None = ITSELF
    ) -> Channel:
        """Create a channel; an ad hoc one that is there already is returned.

        Other secrets than it had are taken over, and resume it unless a person has paused it.

        Raises:
            NameTaken: another live channel of the project has the name.
            InvalidInput: the project has as many ad hoc channels as it may have.
        """
        ...

    async def change_channel(
        self, channel_id: int, record: ChannelRecord, *, now: int, by: Author | None = ITSELF
    ) -> Channel:
        """Replace a channel's name, settings and secrets; what it had learned is forgotten.

        Raises:
            NotFound: there is none.
            NameTaken: another live channel of the project has the name.
        """
        ...

    async def pause_channel(
        self,
        channel_id: int,
        reason: str,
        *,
        now: int,
        by_hand: bool = True,
        by: Author | None = ITSELF,
    ) -> Channel:
        """Stop sending; deliveries are still made and wait. A paused one keeps its reason.

        What a person has paused, nobody else resumes; `by_hand` is False where no person did.

        Raises:
            NotFound: there is none.
        """
        ...

    async def resume_channel(
        self, channel_id: int, *, now: int, by: Author | None = ITSELF
    ) -> Channel:
        """Send again.

        Raises:
            NotFound: there is none.
        """
        ...

    async def learn(self, channel_id: int, facts: Mapping[str, Any], *, now: int) -> None:
        """Keep facts with a channel, beside those that it has learned already."""
        ...

    async def remove_channel(
        self, channel_id: int, *, now: int, by: Author | None = ITSELF
    ) -> None:
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

    async def create_api_key(
        self, record: ApiKeyRecord, *, now: int, by: Author | None = ITSELF
    ) -> ApiKey:
        """Store a key.

        Raises:
            WrongState: that very value is a key already.
        """
        ...

    async def revoke_api_key(self, key_id: int, *, now: int, by: Author | None = ITSELF) -> ApiKey:
        """End a key; one that has ended keeps its date.

        Raises:
            NotFound: there is none.
        """
        ...

    async def rotate_api_key(
        self,
        key_id: int,
        digest: bytes,
        prefix: str,
        *,
        overlap_ms: int,
        now: int,
        by: Author | None = ITSELF,
    ) -> ApiKey:
        """Store a key that may do what an old one may, and let that one end with the overlap.

        An end that comes earlier stays, and is the new one's as well. Without an overlap the old
        one is revoked.

        Raises:
            NotFound: there is none.
            WrongState: it has ended, or was rotated already.
        """
        ...

    async def touch_api_keys(self, uses: Mapping[int, ApiKeyUse]) -> None:
        """Write down how keys were used last, by their ids; an earlier use changes nothing."""
        ...
