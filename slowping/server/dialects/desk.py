"""Answer what the dialects' extras ask of the server."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from slowping.core import errors, ids
from slowping.core.api_key import Principal
from slowping.core.event import Event, EventFilter
from slowping.server import auth
from slowping.server.ingest import Ingest
from slowping.server.roster import Roster
from slowping.store.port import Inbox, Journal, ProjectFigures, StoredProject

MOST_LISTED: Final = 1_000


class ServerDesk:
    """The desk of a running server."""

    def __init__(
        self,
        roster: Roster,
        ingest: Ingest,
        inbox: Inbox,
        journal: Journal,
        now_ms: Callable[[], int],
    ) -> None:
        self._roster = roster
        self._ingest = ingest
        self._inbox = inbox
        self._journal = journal
        self._now_ms = now_ms

    def project_of(
        self, principal: Principal, project: str | None, origin: str | None
    ) -> StoredProject:
        """The project by id or name, or the key's home for None."""
        found = (
            self._roster.project_by_id(principal.home_project_id)
            if project is None
            else self._roster.project(project)
        )
        if found is None or not principal.may_use(found.id):
            raise errors.ForeignProject(project or "of this key")
        auth.check_origin(principal, found, origin)
        return found

    def projects_of(self, principal: Principal) -> tuple[StoredProject, ...]:
        """Every project that the key may use, oldest first."""
        return tuple(
            project for project in self._roster.projects() if principal.may_use(project.id)
        )

    def category_count(self, project_id: int) -> int:
        """How many categories the project has."""
        tenant = self._roster.tenant(project_id)
        return 0 if tenant is None else len(tenant.drawers)

    async def list_events(
        self, which: EventFilter, *, limit: int, skip: int = 0
    ) -> tuple[Event, ...]:
        """Events that match, newest first; fewer where they are large."""
        limit = min(limit, MOST_LISTED)
        return tuple(await self._journal.list_events(which, before=None, limit=limit, skip=skip))

    async def event(self, principal: Principal, event_id: int) -> Event:
        """One event of a live project that the key may use."""
        which = EventFilter(project_ids=tuple(one.id for one in self.projects_of(principal)))
        before = min(event_id + 1, ids.LARGEST)
        found = await self._journal.list_events(which, before=before, limit=1)
        name = ids.encode(ids.EVENT, event_id)
        if not found or found[0].id != name:
            raise errors.NotFound("event", name)
        return found[0]

    async def figures(self, project_id: int) -> ProjectFigures:
        """Counts of a project's events."""
        return await self._journal.figures(project_id, self._now_ms())

    async def usage(self, project_id: int) -> int:
        """How many events the project was sent this month."""
        return await self._ingest.usage(project_id)

    async def accept_metric(self, project_id: int, payload: Mapping[str, Any]) -> None:
        """Store a metric."""
        self._ingest.require_room()
        await self._inbox.accept_metric(project_id, payload, self._now_ms())
