"""Projects: list, create, change, remove."""

import functools
from typing import Any, Final

from slowping.core import errors, ids
from slowping.core.api_key import Scope
from slowping.core.page import Page
from slowping.core.project import NewProject, Project, ProjectChange
from slowping.server.api import listing, reach
from slowping.server.api.endpoint import Call, Endpoint
from slowping.server.api.listing import NoQuery, PageQuery


class ProjectQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which projects to list."""

    name: str | None = None


async def list_projects(call: Call[ProjectQuery, None]) -> Page[Project]:
    """Those that the key may see."""
    visible = reach.seen(call.principal)
    if call.query.name is not None:
        found = call.services.roster.project(call.query.name)
        if found is None or found.name != call.query.name:
            return Page(items=())
        if visible is not None and found.id not in visible:
            return Page(items=())
        visible = (found.id,)
    read = functools.partial(call.services.store.directory.list_projects, visible)
    return await listing.page_of(ids.PROJECT, call.query, read)


async def show_project(call: Call[NoQuery, None]) -> Project:
    """One that the key may see."""
    visible = reach.seen(call.principal)
    read = functools.partial(call.services.store.directory.list_projects, visible)
    return await listing.find(ids.PROJECT, "project", call.id, read)


async def create_project(call: Call[NoQuery, NewProject]) -> Project:
    """A new tenant, without categories, channels or keys."""
    directory = call.services.store.directory
    created = await directory.create_project(call.body, now=call.services.now_ms(), by=call.by)
    await call.services.roster.renew_project(ids.decode(ids.PROJECT, created.id))
    return created


async def change_project(call: Call[NoQuery, ProjectChange]) -> Project:
    """What is left out stays."""
    number = ids.decode(ids.PROJECT, call.id)
    directory = call.services.store.directory
    changed = await directory.change_project(
        number, call.body, now=call.services.now_ms(), by=call.by
    )
    await call.services.roster.renew_project(number)
    return changed


async def remove_project(call: Call[NoQuery, None]) -> None:
    """With its categories and channels; the keys at home in it are revoked.

    Its events stay in the database, out of sight.
    """
    number = ids.decode(ids.PROJECT, call.id)
    services = call.services
    snapshots = await services.store.directory.snapshots(number)
    await services.store.directory.remove_project(number, now=services.now_ms(), by=call.by)
    await services.roster.renew_project(number)
    await services.roster.renew_api_keys()
    for snapshot in snapshots:
        for channel in snapshot.channels:
            services.dispatcher.forget(channel.id)


ENDPOINTS: Final[tuple[Endpoint[Any, Any], ...]] = (
    Endpoint(
        method="GET",
        path="/projects",
        summary="List projects",
        scope=Scope.READ,
        handle=list_projects,
        query=ProjectQuery,
        answer=Page[Project],
    ),
    Endpoint(
        method="POST",
        path="/projects",
        summary="Create a project",
        scope=Scope.ADMIN,
        handle=create_project,
        body=NewProject,
        answer=Project,
        status=201,
        refusals=(errors.NameTaken,),
    ),
    Endpoint(
        method="GET",
        path="/projects/{id}",
        summary="Show a project",
        scope=Scope.READ,
        handle=show_project,
        answer=Project,
    ),
    Endpoint(
        method="PATCH",
        path="/projects/{id}",
        summary="Change a project",
        scope=Scope.ADMIN,
        handle=change_project,
        body=ProjectChange,
        answer=Project,
        refusals=(errors.NameTaken,),
    ),
    Endpoint(
        method="DELETE",
        path="/projects/{id}",
        summary="Remove a project with its categories and channels, and revoke the keys at home in "
        "it; its events stay in the database, out of sight",
        scope=Scope.ADMIN,
        handle=remove_project,
        status=204,
    ),
)
