"""Decide whose request it is, where the path alone does not say.

PingPanda and Adwize share a path, and where nothing answers, the nearest dialect says so.
"""

from typing import Final

import msgspec

from slowping.server.dialects.port import AUTHORIZATION, X_API_KEY, Headers

PINGPANDA: Final = "pingpanda"
ADWIZE: Final = "adwize"

_NEAREST: Final = (
    ("/api/slowstats/", "slowstats"),
    ("/api/slowhooks/", "slowstats"),
    ("/v1/", "intake"),
)
_SHARED: Final = "/api/v1/"

_MAX_PARSED: Final = 64 * 1024
_BLANK: Final = b" \t\r\n"


class _Batch(msgspec.Struct):
    """Adwize's second form, which is an object as PingPanda's is."""

    events: list[msgspec.Raw]
    category: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_DECODER: Final = msgspec.json.Decoder(_Batch)


def chosen(authorization: bytes | None, api_key: bytes | None, body: bytes) -> str:
    """The dialect's name, for a POST with these headers and this body, without a byte order mark.

    Clients of both always send their own header, so the body is looked at only where both or
    neither is there, or is blank; a caller that must decide without it passes an empty one.
    """
    has_bearer = bool(authorization and authorization.strip())
    has_api_key = bool(api_key and api_key.strip())
    if has_bearer is not has_api_key:
        return PINGPANDA if has_bearer else ADWIZE
    return ADWIZE if _is_adwize(body) else PINGPANDA


def chosen_to_list(authorization: bytes | None, api_key: bytes | None) -> str:
    """The dialect's name, for any other method: only Adwize lists, so doubt is in its favour."""
    return chosen(authorization, api_key, b"[")


def nearest(path: str, headers: Headers) -> str:
    """The name of the dialect that answers for a path where nothing else does."""
    for start, name in _NEAREST:
        if path.startswith(start):
            return name
    if not path.startswith(_SHARED):
        return PINGPANDA
    return chosen(headers.get(AUTHORIZATION), headers.get(X_API_KEY), b"")


def _is_adwize(body: bytes) -> bool:
    start = body[:_MAX_PARSED].lstrip(_BLANK)
    if not start.startswith(b"{"):
        return start.startswith(b"[")
    return len(body) <= _MAX_PARSED and _is_batch(start)


def _is_batch(body: bytes) -> bool:
    try:
        return _DECODER.decode(body).category is msgspec.UNSET
    except (ValueError, RecursionError):  # not JSON, or another shape
        return False
