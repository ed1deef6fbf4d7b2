"""Walk lists page by page, and find in them what a person named."""

import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import rich_click as click

from slowping.cli.typed import Whole
from slowping.core import errors, ids
from slowping.core.api_key import ApiKey
from slowping.core.category import Category
from slowping.core.channel import Channel
from slowping.core.page import DEFAULT_LIMIT, MAX_LIMIT, Page
from slowping.core.project import Project

if TYPE_CHECKING:
    from slowping.client.client import Client

T = TypeVar("T")

limit_option = click.option(
    "--limit",
    type=Whole(min=0),
    default=DEFAULT_LIMIT,
    show_default=True,
    help="Most to list; 0 is all.",
)
project_option = click.option("--project", metavar="PROJECT", help="A project's name or id.")


class _Thing(Protocol):
    @property
    def id(self) -> str: ...


N = TypeVar("N", bound=_Thing)


async def every(fetch: Callable[..., Awaitable[Page[T]]], limit: int, **filters: Any) -> list[T]:
    """Up to `limit` items of a list (0 is all), over as many pages as that takes."""
    found: list[T] = []
    cursor = None
    while True:
        wanted = min(limit - len(found), MAX_LIMIT) if limit else MAX_LIMIT
        page = await fetch(cursor=cursor, limit=wanted, **filters)
        found += page.items
        cursor = page.cursor
        if cursor is None or (limit and len(found) >= limit):
            return found


async def project(client: "Client", typed: str) -> Project:
    """The project of that name or id."""
    if ids.parse(ids.PROJECT, typed) is not None:
        return await client.show_project(typed)
    return _only("project", typed, await every(client.list_projects, 0, name=typed))


async def category(client: "Client", typed: str, project: str | None) -> Category:
    """The category of that name or id."""
    if ids.parse(ids.CATEGORY, typed) is not None:
        return await client.show_category(typed)
    return _only(
        "category", typed, await every(client.list_categories, 0, project=project, name=typed)
    )


async def channel(client: "Client", typed: str, project: str | None) -> Channel:
    """The channel of that name or id."""
    if ids.parse(ids.CHANNEL, typed) is not None:
        return await client.show_channel(typed)
    channels = await every(client.list_channels, 0, project=project, name=typed)
    return _only("channel", typed, channels)


async def api_key(
    client: "Client", typed: str, project: str | None, *, rotated: bool = True
) -> ApiKey:
    """The API key of that name or id; live ones go before those that have ended.

    Without `rotated`, one that was rotated makes way for the one that takes its place.
    """
    if ids.parse(ids.API_KEY, typed) is not None:
        return await client.show_api_key(typed)
    keys = await every(client.list_api_keys, 0, project=project, name=typed)
    now = dt.datetime.now(dt.UTC)
    live = [key for key in keys if not _has_ended(key, now)]
    latest = live if rotated else [key for key in live if key.rotated_to is None]
    return _only("API key", typed, latest or live or keys)


async def require(
    client: "Client",
    *,
    project: str | None = None,
    channel: str | None = None,
    category: str | None = None,
    **others: Any,  # filters that are no names
) -> None:
    """Make sure that the names a list was narrowed by are right, where it came out empty.

    Raises:
        NotFound: no channel or category has the name.
    """
    del others
    if channel and not (await client.list_channels(project=project, name=channel)).items:
        raise errors.NotFound("channel", channel)
    if category and not (await client.list_categories(project=project, name=category)).items:
        raise errors.NotFound("category", category)


def _has_ended(key: ApiKey, now: dt.datetime) -> bool:
    return key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now)


def _only(noun: str, typed: str, found: Sequence[N]) -> N:
    """The one that was meant.

    Raises:
        NotFound: there is none.
        UsageError: there are several, and nothing says which.
    """
    if not found:
        raise errors.NotFound(noun, typed)
    if len(found) > 1:
        which = ", ".join(thing.id for thing in found)
        raise click.UsageError(
            f"More than one {noun} is named '{typed}': narrow it with --project, or give an id: "
            f"{which}"
        )
    return found[0]
