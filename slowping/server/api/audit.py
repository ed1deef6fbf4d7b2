"""The audit: list acts, and begin those that go in steps."""

import datetime as dt
import functools
from typing import Any, Final

import msgspec

from slowping.core import audit, errors, ids, times
from slowping.core.api_key import Scope
from slowping.core.audit import Act, ActFilter, ActKind
from slowping.core.page import Page
from slowping.server.api import listing, reach
from slowping.server.api.endpoint import Call, Endpoint
from slowping.server.api.listing import NoQuery, PageQuery
from slowping.store.port import ActRecord, StepwiseAct


class ActQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which acts to list."""

    project: str | None = None
    """A project's id or name."""
    act: str | None = None
    """What was done, such as `channel.paused`; `channel` is all that was done to channels."""
    key: str | None = None
    """The id of the API key that it was done with."""
    since: dt.datetime | None = None
    """Done at or after this moment."""
    until: dt.datetime | None = None
    """Done before this moment."""


async def list_acts(call: Call[ActQuery, None]) -> Page[Act]:
    """Who did what, the latest first."""
    query, services = call.query, call.services
    if query.act is not None:
        audit.require_known(query.act)
    which = ActFilter(
        project_id=None if query.project is None else _project_id(call, query.project),
        act=query.act,
        key_id=None if query.key is None else ids.decode(ids.API_KEY, query.key),
        since=None if query.since is None else times.to_ms(query.since),
        until=None if query.until is None else times.to_ms(query.until),
    )
    read = functools.partial(services.store.directory.list_acts, which)
    return await listing.page_of(ids.ACT, query, read)


def begun(
    call: Call[NoQuery, Any],
    kind: ActKind,
    asked: msgspec.Struct | None = None,
    *,
    project: str | None = None,
    subject: str | None = None,
    counted: str = "moved",
) -> StepwiseAct:
    """An act on many things that tells what was `asked` for, with how many it was done to."""
    services = call.services
    named = None if project is None else services.roster.project(project)
    record = ActRecord(
        kind=kind,
        by=call.by,
        project_id=None if named is None else named.id,
        subject=subject,
        after={} if asked is None else _told(asked),
    )
    return StepwiseAct(
        id=services.store.ids.take(services.now_ms()), record=record, counted=counted
    )


def _project_id(call: Call[Any, Any], name: str) -> int:
    """Of a project that is removed as well, by its id: its acts are not."""
    number = ids.parse(ids.PROJECT, name)
    return reach.named(call.services.roster, call.principal, name).id if number is None else number


def _told(asked: msgspec.Struct) -> dict[str, Any]:
    members = {
        name: value
        for name, value in msgspec.to_builtins(asked).items()
        if value is not None and name != "project"
    }
    # A line tells how many were named, not each of them.
    return members | ({"ids": len(members["ids"])} if "ids" in members else {})


ENDPOINTS: Final[tuple[Endpoint[Any, Any], ...]] = (
    Endpoint(
        method="GET",
        path="/audit",
        summary="List who did what: every administrative act",
        scope=Scope.ADMIN,
        handle=list_acts,
        query=ActQuery,
        answer=Page[Act],
        refusals=(errors.NotFound,),
    ),
)
