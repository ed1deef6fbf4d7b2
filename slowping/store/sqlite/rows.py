"""Turn rows into the structs that they hold, and nothing else."""

import datetime as dt
import sqlite3
from collections.abc import Mapping
from typing import Any

import msgspec

from slowping.core import ids, times
from slowping.core.api_key import ApiKey, ApiKeyKind, Principal, Scope
from slowping.core.audit import Act
from slowping.core.category import Category
from slowping.core.channel import Channel, StoredChannel, redacted
from slowping.core.delivery import (
    Attempt,
    AttemptOutcome,
    Delivery,
    DeliveryGroup,
    DeliveryState,
    LeasedDelivery,
)
from slowping.core.event import Event
from slowping.core.project import Project, canonical
from slowping.store.port import StoredCategory, StoredProject

_decode = msgspec.json.decode


def project(row: sqlite3.Row) -> Project:
    """A project, for people."""
    return Project(
        id=ids.encode(ids.PROJECT, row["id"]),
        name=row["name"],
        strict_destinations=bool(row["strict_destinations"]),
        allowed_origins=tuple(_decode(row["allowed_origins"])),
        monthly_quota=row["monthly_quota"],
        created_at=times.to_datetime(row["created_at"]),
        keep_days=row["keep_days"],
        keep_mb=row["keep_mb"],
    )


def stored_project(row: sqlite3.Row) -> StoredProject:
    """A project, for the engine."""
    return StoredProject(
        id=row["id"],
        name=row["name"],
        strict_destinations=bool(row["strict_destinations"]),
        allowed_origins=frozenset(map(canonical, _decode(row["allowed_origins"]))),
        monthly_quota=row["monthly_quota"],
        created_at=row["created_at"],
    )


def category(row: sqlite3.Row) -> Category:
    """A category, for people; `channels` of the row is a JSON array of names."""
    return Category(
        id=ids.encode(ids.CATEGORY, row["id"]),
        project=row["project"],
        name=row["name"],
        emoji=row["emoji"],
        color=row["color"],
        priority=row["priority"],
        channels=tuple(_decode(row["channels"])),
        created_at=times.to_datetime(row["created_at"]),
        keep_days=row["keep_days"],
        keep_mb=row["keep_mb"],
    )


def stored_category(row: sqlite3.Row) -> StoredCategory:
    """A category, for the engine; `routes` of the row is a JSON array of ids."""
    return StoredCategory(
        id=row["id"],
        project_id=row["project_id"],
        name=row["name"],
        routes=tuple(_decode(row["routes"])),
    )


def channel(row: sqlite3.Row, secrets: Mapping[str, Any]) -> Channel:
    """A channel, for people: of its opened secrets only the ends are shown."""
    hidden = {
        name: redacted(value if isinstance(value, str) else "") for name, value in secrets.items()
    }
    return Channel(
        id=ids.encode(ids.CHANNEL, row["id"]),
        project=row["project"],
        name=row["name"],
        kind=row["kind"],
        settings={**_decode(row["settings"]), **hidden},
        ad_hoc=bool(row["ad_hoc"]),
        paused_at=_moment(row["paused_at"]),
        paused_reason=row["paused_reason"],
        created_at=times.to_datetime(row["created_at"]),
        held_until=_moment(row["held_until"]),
        held_reason=row["held_reason"],
    )


def stored_channel(row: sqlite3.Row, secrets: Mapping[str, Any]) -> StoredChannel:
    """A channel, for the engine, with its opened secrets."""
    return StoredChannel(
        id=row["id"],
        project_id=row["project_id"],
        name=row["name"],
        kind=row["kind"],
        settings={**_decode(row["settings"]), **secrets},
        secret_names=frozenset(secrets),
        learned=_decode(row["learned"]),
        ad_hoc=bool(row["ad_hoc"]),
        target=row["target"],
        paused_at=row["paused_at"],
        paused_reason=row["paused_reason"],
        created_at=row["created_at"],
    )


def api_key(row: sqlite3.Row) -> ApiKey:
    """A key, for people; `projects` of the row is a JSON array of names."""
    return ApiKey(
        id=ids.encode(ids.API_KEY, row["id"]),
        name=row["name"],
        prefix=row["prefix"],
        kind=ApiKeyKind(row["kind"]),
        scopes=_decode(row["scopes"], type=tuple[Scope, ...]),
        project=row["project"],
        projects=tuple(_decode(row["projects"])),
        all_projects=bool(row["all_projects"]),
        rate_limit=row["rate_limit"],
        origins=tuple(_decode(row["origins"])),
        created_at=times.to_datetime(row["created_at"]),
        expires_at=_moment(row["expires_at"]),
        revoked_at=_moment(row["revoked_at"]),
        last_used_at=_moment(row["last_used_at"]),
        last_used_from=row["last_used_from"],
        rotated_to=row["rotated_to"] and ids.encode(ids.API_KEY, row["rotated_to"]),
    )


def principal(row: sqlite3.Row) -> Principal:
    """Who a key says you are; `project_ids` of the row is a JSON array of further ids."""
    scopes = _decode(row["scopes"], type=frozenset[Scope])
    everywhere = row["all_projects"] or Scope.ADMIN in scopes
    return Principal(
        key_id=row["id"],
        name=row["name"],
        scopes=scopes,
        home_project_id=row["home_project_id"],
        project_ids=None
        if everywhere
        else frozenset((row["home_project_id"], *_decode(row["project_ids"]))),
        rate_limit=row["rate_limit"],
        origins=frozenset(map(canonical, _decode(row["origins"]))),
        expires_at=row["expires_at"],
    )


class EventRow(msgspec.Struct, frozen=True, array_like=True):
    """An event as it is read in JSON: SQLite knows neither ids of ours nor dates."""

    id: int
    project: str
    category: str
    description: str | None
    fields: dict[str, Any]
    source: str | None
    color: int | None
    dialect: str
    occurred_at: int | None
    received_at: int
    notify: int
    deliveries: dict[str, int]


def event(row: EventRow) -> Event:
    """An event, with how many of its deliveries are in each state."""
    return Event(
        id=ids.encode(ids.EVENT, row.id),
        project=row.project,
        category=row.category,
        description=row.description,
        fields=row.fields,
        source=row.source,
        color=row.color,
        dialect=row.dialect,
        occurred_at=_moment(row.occurred_at),
        received_at=times.to_datetime(row.received_at),
        notify=bool(row.notify),
        deliveries=row.deliveries,
    )


def delivery(row: sqlite3.Row) -> Delivery:
    """A delivery, for people."""
    return Delivery(
        id=ids.encode(ids.DELIVERY, row["id"]),
        event_id=ids.encode(ids.EVENT, row["event_id"]),
        project=row["project"],
        category=row["category"],
        channel=row["channel"],
        kind=row["kind"],
        state=DeliveryState(row["state"]),
        attempts=row["attempts"],
        last_error=row["last_error"],
        due_at=None if row["ended_at"] is not None else _moment(row["due_at"]),
        created_at=times.to_datetime(row["created_at"]),
        ended_at=_moment(row["ended_at"]),
        reference=row["reference"],
        tries=row["tries"],
    )


def delivery_group(row: sqlite3.Row) -> DeliveryGroup:
    """Deliveries that stand alike, for people."""
    return DeliveryGroup(
        project=row["project"],
        channel=row["channel"],
        kind=row["kind"],
        state=DeliveryState(row["state"]),
        last_error=row["last_error"],
        count=row["number"],
        oldest_at=times.to_datetime(row["oldest_at"]),
        newest_at=times.to_datetime(row["newest_at"]),
        next_at=_moment(row["next_at"]),
    )


def attempt(row: sqlite3.Row) -> Attempt:
    """One try at a delivery, for people."""
    return Attempt(
        no=row["no"],
        started_at=times.to_datetime(row["started_at"]),
        duration_ms=row["duration_ms"],
        outcome=AttemptOutcome(row["outcome"]),
        status=row["status"],
        reason=row["reason"],
        excerpt=row["excerpt"],
    )


def leased_delivery(row: sqlite3.Row) -> LeasedDelivery:
    """A claimed delivery, for the dispatcher."""
    return LeasedDelivery(
        id=row["id"],
        attempts=row["attempts"],
        tries=row["tries"],
        due_at=row["due_at"],
        is_early=bool(row["is_early"]),
        may_be_repeat=bool(row["may_be_repeat"]),
        created_at=row["created_at"],
        overrides=_decode(row["overrides"] or "{}"),
        event_id=row["event_id"],
        project=row["project"],
        category=row["category"],
        emoji=row["emoji"],
        category_color=row["category_color"],
        description=row["description"],
        fields=_decode(row["fields"]),
        source=row["source"],
        color=row["color"],
        dialect=row["dialect"],
        occurred_at=row["occurred_at"],
        received_at=row["received_at"],
    )


def act(row: sqlite3.Row) -> Act:
    """Something that was done, for people."""
    return Act(
        id=ids.encode(ids.ACT, row["id"]),
        at=times.to_datetime(row["at"]),
        act=row["act"],
        key=None if row["api_key_id"] is None else ids.encode(ids.API_KEY, row["api_key_id"]),
        author=row["author"],
        address=row["address"],
        project=row["project"],
        subject=row["subject"],
        name=row["name"],
        before=row["before"] and _decode(row["before"]),
        after=row["after"] and _decode(row["after"]),
    )


def _moment(ms: int | None) -> dt.datetime | None:
    return None if ms is None else times.to_datetime(ms)
