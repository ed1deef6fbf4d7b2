"""API keys: list, issue, rotate, revoke."""

import contextlib
import functools
from typing import Any, Final

import msgspec

from slowping.core import api_key, errors, ids, times
from slowping.core.api_key import (
    ApiKey,
    ApiKeyFilter,
    ApiKeyRotation,
    IssuedApiKey,
    NewApiKey,
    Scope,
)
from slowping.core.page import Page
from slowping.server.api import listing, reach
from slowping.server.api.endpoint import Call, Endpoint
from slowping.server.api.listing import NoQuery, PageQuery
from slowping.store.port import ApiKeyRecord

ELSEWHERE: Final = "…"
"""Instead of the name of a home project that the reader may not know of."""


class ApiKeyQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which keys to list."""

    project: str | None = None
    """A project's id or name."""
    name: str | None = None
    revoked: bool | None = None


async def list_api_keys(call: Call[ApiKeyQuery, None]) -> Page[ApiKey]:
    """Those of the projects that the key may see, revoked and expired ones among them."""
    query, services = call.query, call.services
    which = ApiKeyFilter(
        project_ids=reach.narrowed(services.roster, call.principal, query.project),
        name=query.name,
        revoked=query.revoked,
    )
    read = functools.partial(services.store.directory.list_api_keys, which)
    page = await listing.page_of(ids.API_KEY, query, read)
    items = tuple(_as_seen(call, found) for found in page.items)
    return msgspec.structs.replace(page, items=items)


async def show_api_key(call: Call[NoQuery, None]) -> ApiKey:
    """One of a project that the key may see."""
    which = ApiKeyFilter(project_ids=reach.seen(call.principal))
    read = functools.partial(call.services.store.directory.list_api_keys, which)
    found = await listing.find(ids.API_KEY, "API key", call.id, read)
    return _as_seen(call, found)


async def issue_api_key(call: Call[NoQuery, NewApiKey]) -> IssuedApiKey:
    """At home in the project that is named, else in `default`, else in the only one."""
    new, services = call.body, call.services
    if new.import_value is None:
        value = api_key.mint(services.random_bytes(api_key.SECRET_BYTES))
    else:
        value = api_key.checked_import(new.import_value)
    directory, now = services.store.directory, services.now_ms()
    created = await directory.create_api_key(_record(call, value, now), now=now, by=call.by)
    await services.roster.renew_api_keys()
    return IssuedApiKey(api_key=created, value=value)


async def revoke_api_key(call: Call[NoQuery, None]) -> ApiKey:
    """It ends at once; one that has ended keeps its date."""
    number = ids.decode(ids.API_KEY, call.id)
    directory = call.services.store.directory
    revoked = await directory.revoke_api_key(number, now=call.services.now_ms(), by=call.by)
    call.services.roster.end_api_key(number)
    await call.services.roster.renew_api_keys()
    return revoked


async def rotate_api_key(call: Call[NoQuery, ApiKeyRotation]) -> IssuedApiKey:
    """The new key has the name of the old one and may do the same; the old one ends later.

    It works until the overlap is over, or until its own end where that comes first; without an
    overlap it is revoked. A key file in the data folder that holds the old one gets the new one.
    """
    services, number = call.services, ids.decode(ids.API_KEY, call.id)
    roster, overlap_ms = services.roster, 1_000 * call.body.overlap_s
    files = await services.key_files.holding(number, roster.api_keys)
    value = api_key.mint(services.random_bytes(api_key.SECRET_BYTES))
    rotated = await services.store.directory.rotate_api_key(
        number,
        api_key.digest(value),
        api_key.shown(value),
        overlap_ms=overlap_ms,
        now=services.now_ms(),
        by=call.by,
    )
    if not overlap_ms:
        roster.end_api_key(number)
    # What is read in vain is read again soon; the value is shown this once, and must get there.
    with contextlib.suppress(errors.Unavailable):
        await roster.renew_api_keys()
    await services.key_files.replace(files, value)
    return IssuedApiKey(api_key=rotated, value=value)


def _as_seen(call: Call[Any, None], found: ApiKey) -> ApiKey:
    """The key as this one may see it.

    Where others send from is for admins alone, and of projects only those are named that it sees.
    """
    if call.principal.may(Scope.ADMIN):
        return found
    names = reach.seen_names(call.services.roster, call.principal)
    return msgspec.structs.replace(
        found,
        last_used_from=None,
        project=found.project if found.project in names else ELSEWHERE,
        projects=tuple(name for name in found.projects if name in names),
    )


def _record(call: Call[NoQuery, NewApiKey], value: str, now: int) -> ApiKeyRecord:
    """The key as it is stored: without its value.

    Raises:
        InvalidInput: what is asked for contradicts itself, or has expired already.
    """
    new, roster = call.body, call.services.roster
    scopes = api_key.checked_new(new)
    expires_at = None if new.expires_at is None else times.to_ms(new.expires_at)
    if expires_at is not None and expires_at <= now:
        raise errors.InvalidInput("expires_at: this moment is over.")
    home = reach.administered(roster, call.principal, new.project)
    further = [reach.named(roster, call.principal, name).id for name in new.projects]
    limit = call.services.rate_limit if new.rate_limit is None else new.rate_limit
    return ApiKeyRecord(
        name=new.name,
        digest=api_key.digest(value),
        prefix=api_key.shown(value),
        kind=new.kind,
        scopes=scopes,
        home_project_id=home.id,
        project_ids=tuple(dict.fromkeys(number for number in further if number != home.id)),
        all_projects=new.all_projects or Scope.ADMIN in scopes,
        rate_limit=limit,
        origins=new.origins,
        expires_at=expires_at,
    )


ENDPOINTS: Final[tuple[Endpoint[Any, Any], ...]] = (
    Endpoint(
        method="GET",
        path="/keys",
        summary="List API keys",
        scope=Scope.READ,
        handle=list_api_keys,
        query=ApiKeyQuery,
        answer=Page[ApiKey],
    ),
    Endpoint(
        method="POST",
        path="/keys",
        summary="Issue an API key; its value is shown this once",
        scope=Scope.ADMIN,
        handle=issue_api_key,
        body=NewApiKey,
        answer=IssuedApiKey,
        status=201,
        refusals=(errors.WrongState, errors.NotFound),
    ),
    Endpoint(
        method="GET",
        path="/keys/{id}",
        summary="Show an API key, without its value",
        scope=Scope.READ,
        handle=show_api_key,
        answer=ApiKey,
    ),
    Endpoint(
        method="POST",
        path="/keys/{id}/rotate",
        summary="Issue a key that may do the same, and let the old one end",
        scope=Scope.ADMIN,
        handle=rotate_api_key,
        body=ApiKeyRotation,
        body_required=False,
        answer=IssuedApiKey,
        status=201,
        refusals=(errors.WrongState, errors.NotFound),
    ),
    Endpoint(
        method="POST",
        path="/keys/{id}/revoke",
        summary="Revoke an API key",
        scope=Scope.ADMIN,
        handle=revoke_api_key,
        answer=ApiKey,
    ),
    Endpoint(
        method="DELETE",
        path="/keys/{id}",
        summary="Revoke an API key; the same as a POST to its revoke",
        scope=Scope.ADMIN,
        handle=revoke_api_key,
        answer=ApiKey,
    ),
)
