"""Decide which projects a key may see, and which one a request means."""

from slowping.core import errors, ids, project
from slowping.core.api_key import Principal, Scope
from slowping.server.roster import Roster
from slowping.store.port import StoredProject


def seen(principal: Principal) -> tuple[int, ...] | None:
    """Ids of the projects whose things the key may see; None is all."""
    if principal.may(Scope.ADMIN) or principal.project_ids is None:
        return None
    return tuple(sorted(principal.project_ids))


def seen_names(roster: Roster, principal: Principal) -> frozenset[str]:
    """Names of the live projects whose things the key may see."""
    visible = seen(principal)
    projects = roster.projects()
    return frozenset(one.name for one in projects if visible is None or one.id in visible)


def named(roster: Roster, principal: Principal, name: str) -> StoredProject:
    """The project of that name or id.

    Raises:
        ForeignProject: there is none, or none that this key may use.
        NotFound: there is none, and the key may use all.
    """
    found = roster.project(name)
    visible = seen(principal)
    if found is not None and (visible is None or found.id in visible):
        return found
    if visible is None:
        raise errors.NotFound("project", name)
    raise errors.ForeignProject(name)


def narrowed(roster: Roster, principal: Principal, name: str | None) -> tuple[int, ...] | None:
    """Ids of the projects that a list is about: the one that is named, or all that are seen."""
    return seen(principal) if name is None else (named(roster, principal, name).id,)


def landing(roster: Roster, principal: Principal, name: str | None) -> StoredProject:
    """The project that events go to: the named one, else the key's home.

    An admin key's events go to `default` where there is one.
    """
    if name is not None:
        return named(roster, principal, name)
    found = roster.project(project.DEFAULT) if principal.may(Scope.ADMIN) else None
    found = found or roster.project_by_id(principal.home_project_id)
    if found is None:
        raise errors.ForeignProject(ids.encode(ids.PROJECT, principal.home_project_id))
    return found


def administered(roster: Roster, principal: Principal, name: str | None) -> StoredProject:
    """The project in which something is created: the named one, else `default`, else the only one.

    Raises:
        InvalidInput: it has to be named.
    """
    if name is not None:
        return named(roster, principal, name)
    found = roster.project(project.DEFAULT)
    if found is not None:
        return found
    projects = roster.projects()
    if len(projects) != 1:
        raise errors.InvalidInput("Say which project is meant: there is no 'default'.")
    return projects[0]
