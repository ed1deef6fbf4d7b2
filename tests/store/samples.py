"""Rows and records for the tests of the store, with only what matters named in the test."""

import contextlib
import pathlib
import sqlite3
from typing import Any

from slowping.core.api_key import ApiKeyKind, Scope
from slowping.store.port import ApiKeyRecord, ChannelRecord, DeliveryRow, Entry, EventRow, Store

NOW = 1_780_000_000_000  # 2026-05-28T20:26:40Z
DAY = 86_400_000


async def accept(
    store: Store,
    project_id: int,
    category_id: int,
    *,
    at: int = NOW,
    source: str | None = None,
    channel_ids: tuple[int, ...] = (),
    size: int = 30,
) -> int:
    """Accept one event with a delivery to each channel, and give its id."""
    event_id = store.ids.take(at, 1 + len(channel_ids))
    event = EventRow(
        id=event_id,
        project_id=project_id,
        category_id=category_id,
        api_key_id=None,
        dialect="slowping",
        source=source,
        description="It happened.",
        color=0xFF0000,
        fields='{"amount":49.5,"nested":{"a":[1]}}',
        occurred_at=at - 1_000,
        received_at=at,
        notify=True,
        size=size,
    )
    deliveries = tuple(
        DeliveryRow(
            id=event_id + offset,
            event_id=event_id,
            project_id=project_id,
            channel_id=channel_id,
            created_at=at,
            expires_at=None,
            overrides=None,
        )
        for offset, channel_id in enumerate(channel_ids, start=1)
    )
    entry = Entry(
        project_id=project_id,
        month=202605,
        received_at=at,
        events=(event,),
        deliveries=deliveries,
    )
    await store.inbox.accept(entry)
    return event_id


def channel(
    name: str = "team",
    *,
    secrets: dict[str, Any] | None = None,
    settings: dict[str, Any] | None = None,
    kind: str = "webhook",
) -> ChannelRecord:
    """A channel that was configured on purpose."""
    return ChannelRecord(name=name, kind=kind, settings=settings or {}, secrets=secrets or {})


def ad_hoc(
    target: str = "1", *, url: str = "https://discord.com/api/webhooks/1/aaaa"
) -> ChannelRecord:
    """A channel that a request named."""
    return ChannelRecord(
        name=f"discord-{target}",
        kind="discord",
        settings={},
        secrets={"url": url},
        target=target,
        ad_hoc=True,
    )


def api_key(
    home_project_id: int,
    *,
    digest: bytes = b"digest",
    name: str = "shop",
    scopes: tuple[Scope, ...] = (Scope.INGEST, Scope.READ),
    project_ids: tuple[int, ...] = (),
    all_projects: bool = False,
    expires_at: int | None = None,
) -> ApiKeyRecord:
    """A key of one project."""
    return ApiKeyRecord(
        name=name,
        digest=digest,
        prefix="slp_abcd",
        kind=ApiKeyKind.SECRET,
        scopes=scopes,
        home_project_id=home_project_id,
        project_ids=project_ids,
        all_projects=all_projects,
        rate_limit=1_000,
        origins=("https://shop.example",),
        expires_at=expires_at,
    )


def forbid_acts(path: pathlib.Path) -> None:
    """Have a database refuse every line of the audit."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "create trigger forbidden before insert on audit "
            "begin select raise(abort, 'no act'); end"
        )
