"""Channels: list, create, change, pause, resume, try out, remove; and the kinds there are."""

import functools
from collections.abc import Mapping
from typing import Any, Final

from slowping.core import channel, errors, ids
from slowping.core.api_key import Scope
from slowping.core.audit import ActKind
from slowping.core.channel import (
    Channel,
    ChannelChange,
    ChannelFilter,
    ChannelKind,
    ChannelPause,
    ChannelTest,
    IssuedChannel,
    NewChannel,
    StoredChannel,
)
from slowping.core.page import Page
from slowping.notifiers import port
from slowping.notifiers.registry import Registry
from slowping.server.api import listing, reach
from slowping.server.api.endpoint import Call, Endpoint
from slowping.server.api.listing import NoQuery, PageQuery
from slowping.store.port import ActRecord, ChannelRecord


class ChannelQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which channels to list."""

    project: str | None = None
    """A project's id or name."""
    name: str | None = None
    kind: str | None = None


async def list_channels(call: Call[ChannelQuery, None]) -> Page[Channel]:
    """Those of the projects that the key may see, ad hoc ones among them."""
    query, services = call.query, call.services
    which = ChannelFilter(
        project_ids=reach.narrowed(services.roster, call.principal, query.project),
        name=query.name,
        kind=query.kind,
    )
    read = functools.partial(services.store.directory.list_channels, which)
    return await listing.page_of(ids.CHANNEL, query, read)


async def show_channel(call: Call[NoQuery, None]) -> Channel:
    """One of a project that the key may see."""
    which = ChannelFilter(project_ids=reach.seen(call.principal))
    read = functools.partial(call.services.store.directory.list_channels, which)
    return await listing.find(ids.CHANNEL, "channel", call.id, read)


async def create_channel(call: Call[NoQuery, NewChannel]) -> IssuedChannel:
    """In the project that is named, else in `default`, else in the only one."""
    new, services = call.body, call.services
    project = reach.administered(services.roster, call.principal, new.project)
    made = services.registry.made(new.kind, new.settings, services.random_bytes)
    settings = {**new.settings, **made}
    record = _record(services.registry, new.name, new.kind, settings)
    services.registry.require_usable(new.kind, settings)
    directory = services.store.directory
    created = await directory.create_channel(project.id, record, now=services.now_ms(), by=call.by)
    await services.roster.renew_project(project.id)
    return IssuedChannel(channel=created, secrets=made)


async def change_channel(call: Call[NoQuery, ChannelChange]) -> IssuedChannel:
    """Settings that are left out stay, one that is null goes back to its default.

    A secret that has none is made anew, as for a new channel: so an owner changes it.
    """
    change, services = call.body, call.services
    directory, registry, now = services.store.directory, services.registry, services.now_ms()
    stored = await directory.stored_channel(ids.decode(ids.CHANNEL, call.id))
    settings = dict(stored.settings)
    made: dict[str, str] = {}
    if isinstance(change.settings, dict):
        kind = registry.settings_class(stored.kind)
        settings = merged(settings, change.settings, port.secret_names(kind))
        made = registry.made(stored.kind, settings, services.random_bytes)
        settings |= made
        settings |= registry.carried_over(stored.kind, stored.settings, settings, now)
    name = change.name if isinstance(change.name, str) else stored.name
    record = _record(registry, name, stored.kind, settings, ad_hoc=stored.ad_hoc)
    if settings != stored.settings:  # it can get a new name all the same
        registry.require_usable(stored.kind, settings)
    changed = await directory.change_channel(stored.id, record, now=now, by=call.by)
    await _tell(call, stored)
    return IssuedChannel(channel=changed, secrets=made)


async def pause_channel(call: Call[NoQuery, ChannelPause]) -> Channel:
    """Its deliveries are still made, and wait."""
    stored = await _stored(call)
    reason = call.body.reason or f"Paused by hand (API key '{call.principal.name}')."
    directory = call.services.store.directory
    now = call.services.now_ms()
    paused = await directory.pause_channel(stored.id, reason, now=now, by=call.by)
    await _tell(call, stored)
    return paused


async def resume_channel(call: Call[NoQuery, None]) -> Channel:
    """What has waited is sent, in order.

    Raises:
        WrongState: with its settings nothing could be sent, and it would be paused again at once.
    """
    stored = await _stored(call)
    if problem := call.services.dispatcher.problem_with(stored):
        raise errors.WrongState(
            f"The channel {stored.name} cannot be resumed: {problem}. Change them, then resume it."
        )
    directory = call.services.store.directory
    now = call.services.now_ms()
    resumed = await directory.resume_channel(stored.id, now=now, by=call.by)
    await _tell(call, stored)
    return resumed


async def try_channel(call: Call[NoQuery, None]) -> ChannelTest:
    """A test goes out at once, and what came of it is the answer; that it went out is kept."""
    stored = await _stored(call)
    project = call.services.roster.project_by_id(stored.project_id)
    if project is None:
        raise errors.NotFound("channel", call.id)
    tested = ActRecord(
        kind=ActKind.CHANNEL_TESTED,
        by=call.by,
        project_id=stored.project_id,
        subject=call.id,
        name=stored.name,
    )
    await call.services.store.directory.note_act(tested, now=call.services.now_ms())
    return await call.services.dispatcher.try_out(stored, project.name)


async def remove_channel(call: Call[NoQuery, None]) -> None:
    """Its pending deliveries are discarded."""
    stored = await _stored(call)
    now = call.services.now_ms()
    await call.services.store.directory.remove_channel(stored.id, now=now, by=call.by)
    await _tell(call, stored)


async def list_channel_kinds(call: Call[NoQuery, None]) -> Page[ChannelKind]:
    """Every kind that a channel can have, with the schema of its settings."""
    return Page(items=call.services.registry.channel_kinds())


def merged(
    stored: Mapping[str, Any], given: Mapping[str, Any], secrets: frozenset[str]
) -> dict[str, Any]:
    """The stored settings with the given ones over them; null takes one away.

    A secret that comes back as it was shown is one that its sender left alone.
    """
    settings = dict(stored)
    for name, value in given.items():
        if value is None:
            settings.pop(name, None)
        elif name not in secrets or value != channel.redacted(str(stored.get(name, ""))):
            settings[name] = value
    return settings


def _record(
    registry: Registry, name: str, kind: str, settings: Mapping[str, Any], *, ad_hoc: bool = False
) -> ChannelRecord:
    public, secrets = registry.split(kind, settings)
    for setting, value in secrets.items():
        if isinstance(value, str) and channel.is_redacted(value):
            raise errors.InvalidInput(
                f"The setting '{setting}' is given as it is shown: enter all of it, or none."
            )
    return ChannelRecord(
        name=name,
        kind=kind,
        settings=public,
        secrets=secrets,
        target=registry.target(kind, settings),
        ad_hoc=ad_hoc,
    )


async def _stored(call: Call[NoQuery, Any]) -> StoredChannel:
    return await call.services.store.directory.stored_channel(ids.decode(ids.CHANNEL, call.id))


async def _tell(call: Call[NoQuery, Any], changed: StoredChannel) -> None:
    """Let those know who keep a picture of the channel."""
    call.services.dispatcher.forget(changed.id)
    await call.services.roster.renew_project(changed.project_id)


ENDPOINTS: Final[tuple[Endpoint[Any, Any], ...]] = (
    Endpoint(
        method="GET",
        path="/channels",
        summary="List channels",
        scope=Scope.READ,
        handle=list_channels,
        query=ChannelQuery,
        answer=Page[Channel],
    ),
    Endpoint(
        method="POST",
        path="/channels",
        summary="Create a channel; secrets that are made for it are shown this once",
        scope=Scope.ADMIN,
        handle=create_channel,
        body=NewChannel,
        answer=IssuedChannel,
        status=201,
        refusals=(errors.NameTaken, errors.NotFound),
    ),
    Endpoint(
        method="GET",
        path="/channels/{id}",
        summary="Show a channel",
        scope=Scope.READ,
        handle=show_channel,
        answer=Channel,
    ),
    Endpoint(
        method="PATCH",
        path="/channels/{id}",
        summary="Change a channel; a setting that is null goes back to its default, and a secret "
        "that is made for it is shown this once",
        scope=Scope.ADMIN,
        handle=change_channel,
        body=ChannelChange,
        answer=IssuedChannel,
        refusals=(errors.NameTaken,),
    ),
    Endpoint(
        method="DELETE",
        path="/channels/{id}",
        summary="Remove a channel and discard its pending deliveries",
        scope=Scope.ADMIN,
        handle=remove_channel,
        status=204,
    ),
    Endpoint(
        method="POST",
        path="/channels/{id}/pause",
        summary="Stop sending; deliveries are still made and wait",
        scope=Scope.ADMIN,
        handle=pause_channel,
        body=ChannelPause,
        body_required=False,
        answer=Channel,
    ),
    Endpoint(
        method="POST",
        path="/channels/{id}/resume",
        summary="Send again, what has waited first",
        scope=Scope.ADMIN,
        handle=resume_channel,
        answer=Channel,
        refusals=(errors.WrongState,),
    ),
    Endpoint(
        method="POST",
        path="/channels/{id}/test",
        summary="Send a test at once and tell what came of it; it makes no event",
        scope=Scope.ADMIN,
        handle=try_channel,
        answer=ChannelTest,
    ),
    Endpoint(
        method="GET",
        path="/channel-kinds",
        summary="List the kinds of channel, with the schema of their settings",
        scope=Scope.READ,
        handle=list_channel_kinds,
        answer=Page[ChannelKind],
    ),
)
