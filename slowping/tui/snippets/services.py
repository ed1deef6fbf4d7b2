"""Say what clients of each service send: where to, with which header, in which form."""

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where events are to go."""

    server: str
    """The address, with or without a slash at its end."""
    project: str
    category: str
    api_key: str | None = None


class Made(msgspec.Struct, frozen=True):
    """A value that is made anew whenever the snippet runs, as each language writes it."""

    curl: str
    python: str
    javascript: str
    imports: tuple[str, ...]
    """What the expression in Python needs."""


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A service whose clients the server understands."""

    name: str
    path: str
    header: tuple[str, str]
    """The name of the header that holds the key, and what stands before the key."""
    body: Callable[[Target, str], Any]
    """What is sent, for a target, from a language: JSON, and `Made` values."""
    names: re.Pattern[str] | None = None
    """Categories that its clients can name; None is all."""
    rule: str = ""
    """The same in words."""
    makes_categories: bool = True
    """Whether a category that is not there is made on the first event."""

    def can_name(self, category: str) -> bool:
        """Whether a client of this service can send to a category of that name."""
        return self.names is None or self.names.fullmatch(category) is not None


def strangers(category: str) -> tuple[str, ...]:
    """The services whose clients cannot name the category."""
    return tuple(service.name for service in SERVICES if not service.can_name(category))


def once_gone(category: str) -> str:
    """What becomes of events that are sent to a name which no category has any more."""
    strict = [service.name for service in SERVICES if not service.makes_categories]
    return (
        f"Programs that still send to '{category}' are refused (404) where they speak "
        f"{' or '.join(strict)}; all others make a new category of that name, with the usual looks "
        "and all channels."
    )


_FIELDS: Final = {"amount": 49.99, "customer": "Ann"}

_NOW: Final = Made(
    curl="date -u +%Y-%m-%dT%H:%M:%SZ",
    python="datetime.now(timezone.utc).isoformat()",
    javascript="new Date().toISOString()",
    imports=("from datetime import datetime, timezone",),
)
# Not crypto.randomUUID(), which pages that came over plain HTTP do not have.
_ONCE: Final = Made(
    curl="date +%s%N",
    python="str(uuid.uuid4())",
    javascript="`${Date.now()}-${Math.random()}`",
    imports=("import uuid",),
)


def _own(target: Target, language: str) -> Any:
    return {
        "category": target.category,
        "project": target.project,
        "description": f"Hello from {language}",
        "fields": _FIELDS,
    }


def _slowstats(target: Target, language: str) -> Any:
    return {
        "projectId": target.project,
        "eventType": target.category,
        "description": f"Hello from {language}",
        "payload": _FIELDS,
    }


def _ping(target: Target, language: str) -> Any:
    return {
        "category": target.category,
        "description": f"Hello from {language}",
        "fields": _FIELDS,
    }


def _intake(target: Target, language: str) -> Any:
    return {
        "event_type": target.category,
        "occurred_at": _NOW,
        "idempotency_key": _ONCE,
        "data": {**_FIELDS, "from": language},
    }


def _adwize(target: Target, language: str) -> Any:
    data = {**_FIELDS, "from": language}
    return [{"source": "backend", "event_type": target.category, "data": data}]


_BEARER: Final = ("Authorization", "Bearer ")

SERVICES: Final = (
    Service(name="slowping", path="/slowping/v1/events", header=_BEARER, body=_own),
    Service(
        name="SlowStats",
        path="/api/slowstats/ingest-events",
        header=("X-API-KEY", ""),
        body=_slowstats,
    ),
    Service(
        name="PingPanda",
        path="/api/v1/events",
        header=_BEARER,
        body=_ping,
        names=re.compile("[a-z0-9_-]{1,50}"),
        rule="1 to 50 of a-z, 0-9, - and _",
        makes_categories=False,
    ),
    Service(
        name="PingPilot",
        path="/api/v1/event",
        header=_BEARER,
        body=_ping,
        names=re.compile("[A-Za-z0-9-]+"),
        rule="A-Z, a-z, 0-9 and -",
        makes_categories=False,
    ),
    Service(name="Event Intake", path="/v1/events", header=_BEARER, body=_intake),
    Service(name="Adwize", path="/api/v1/events", header=("X-API-Key", ""), body=_adwize),
)
"""Our own API first."""
