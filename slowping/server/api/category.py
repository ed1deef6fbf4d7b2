"""Categories: list, create, change, remove."""

import functools
from typing import Any, Final

from slowping.core import category, errors, ids
from slowping.core.api_key import Scope
from slowping.core.category import Category, CategoryChange, NewCategory
from slowping.core.page import Page
from slowping.server.api import listing, reach
from slowping.server.api.endpoint import Call, Endpoint
from slowping.server.api.listing import NoQuery, PageQuery


class CategoryQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which categories to list."""

    project: str | None = None
    """A project's id or name."""
    name: str | None = None


async def list_categories(call: Call[CategoryQuery, None]) -> Page[Category]:
    """Those of the projects that the key may see."""
    query, services = call.query, call.services
    projects = reach.narrowed(services.roster, call.principal, query.project)
    read = functools.partial(services.store.directory.list_categories, projects, query.name)
    return await listing.page_of(ids.CATEGORY, query, read)


async def show_category(call: Call[NoQuery, None]) -> Category:
    """One of a project that the key may see."""
    directory = call.services.store.directory
    read = functools.partial(directory.list_categories, reach.seen(call.principal), None)
    return await listing.find(ids.CATEGORY, "category", call.id, read)


async def create_category(call: Call[NoQuery, NewCategory]) -> Category:
    """In the project that is named, else in `default`, else in the only one."""
    new, services = call.body, call.services
    category.checked_name(new.name)
    project = reach.administered(services.roster, call.principal, new.project)
    directory = services.store.directory
    created = await directory.create_category(project.id, new, now=services.now_ms(), by=call.by)
    await services.roster.renew_project(project.id)
    return created


async def change_category(call: Call[NoQuery, CategoryChange]) -> Category:
    """What is left out stays."""
    change, directory = call.body, call.services.store.directory
    if isinstance(change.name, str):
        category.checked_name(change.name)
    number = ids.decode(ids.CATEGORY, call.id)
    changed = await directory.change_category(
        number, change, now=call.services.now_ms(), by=call.by
    )
    await _renew_project_of(call, changed)
    return changed


async def remove_category(call: Call[NoQuery, None]) -> None:
    """Its events stay."""
    number = ids.decode(ids.CATEGORY, call.id)
    directory = call.services.store.directory
    removed = await directory.category(number)
    await directory.remove_category(number, now=call.services.now_ms(), by=call.by)
    await _renew_project_of(call, removed)


async def _renew_project_of(call: Call[NoQuery, Any], changed: Category) -> None:
    project = call.services.roster.project(changed.project)
    if project is not None:
        await call.services.roster.renew_project(project.id)


ENDPOINTS: Final[tuple[Endpoint[Any, Any], ...]] = (
    Endpoint(
        method="GET",
        path="/categories",
        summary="List categories",
        scope=Scope.READ,
        handle=list_categories,
        query=CategoryQuery,
        answer=Page[Category],
    ),
    Endpoint(
        method="POST",
        path="/categories",
        summary="Create a category",
        scope=Scope.ADMIN,
        handle=create_category,
        body=NewCategory,
        answer=Category,
        status=201,
        refusals=(errors.NameTaken, errors.NotFound),
    ),
    Endpoint(
        method="GET",
        path="/categories/{id}",
        summary="Show a category",
        scope=Scope.READ,
        handle=show_category,
        answer=Category,
    ),
    Endpoint(
        method="PATCH",
        path="/categories/{id}",
        summary="Change a category",
        scope=Scope.ADMIN,
        handle=change_category,
        body=CategoryChange,
        answer=Category,
        refusals=(errors.NameTaken,),
    ),
    Endpoint(
        method="DELETE",
        path="/categories/{id}",
        summary="Remove a category; its events stay",
        scope=Scope.ADMIN,
        handle=remove_category,
        status=204,
    ),
)
