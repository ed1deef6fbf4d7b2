"""Say the same event in the words of each dialect, as requests to load a server with."""

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from benchmarks import load

PROJECT: Final = "bench"
CATEGORY: Final = "sale"
PINGPANDA: Final = "pingpanda"

_FIELDS: Final = {"amount": 49.99, "customer": "john@example.com", "plan": "PRO"}
_DESCRIPTION: Final = "New sale completed!"
_ADWIZE_EVENT: Final = {"source": "web", "event_type": CATEGORY, "data": _FIELDS}
_BEARER: Final = "Authorization: Bearer {}"
_X_API_KEY: Final = "X-API-Key: {}"
_NUMBER: Final = load.NUMBER.decode()


class _Words(msgspec.Struct, frozen=True, kw_only=True):
    """How a dialect asks."""

    path: str = "/api/v1/events"
    key: str = _X_API_KEY
    """The header of the key."""
    repeat_key: str = f"Idempotency-Key: {_NUMBER}"
    """The header of the idempotency key, where it is not a part of the body."""
    body: Any


_PANDA_BODY: Final = {"category": CATEGORY, "description": _DESCRIPTION, "fields": _FIELDS}
_INTAKE_BODY: Final = {
    "event_type": CATEGORY,
    "occurred_at": "2026-11-21T12:00:00Z",
    "idempotency_key": _NUMBER,
    "data": _FIELDS,
}
_SLOWSTATS_BODY: Final = {
    "projectId": PROJECT,
    "eventType": CATEGORY,
    "description": _DESCRIPTION,
    "payload": _FIELDS,
}
_WORDS: Final[Mapping[str, _Words]] = {
    "slowstats": _Words(path="/api/slowstats/ingest-events", body=_SLOWSTATS_BODY),
    PINGPANDA: _Words(key=_BEARER, body=_PANDA_BODY),
    "pingpilot": _Words(path="/api/v1/event", key=_BEARER, body=_PANDA_BODY),
    "intake": _Words(path="/v1/events", key=_BEARER, repeat_key="", body=_INTAKE_BODY),
    "adwize": _Words(body=[_ADWIZE_EVENT]),
}

NAMES: Final = tuple(_WORDS)


def request(dialect: str, port: int, key: str) -> bytes:
    """One event; each request has an idempotency key of its own once it is numbered."""
    return _request(_WORDS[dialect], port, key)


def adwize_array(port: int, key: str, events: int) -> bytes:
    """So many events in one request of Adwize's, with an idempotency key."""
    return _request(_Words(body=[_ADWIZE_EVENT] * events), port, key)


def _request(words: _Words, port: int, key: str) -> bytes:
    body = json.dumps(words.body).encode()
    head = [
        f"POST {words.path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        words.key.format(key),
        *filter(None, [words.repeat_key]),
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*head, "", ""]).encode() + body
