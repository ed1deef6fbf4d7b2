"""Baseline: an ASGI application that reads the body and stores nothing."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

_BODY = b'{"message":"Event processed successfully","eventId":"evt_0000000000000"}'
_HEADERS = [
    (b"content-type", b"application/json"),
    (b"content-length", b"%d" % len(_BODY)),
]


async def app(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    """Answer whatever comes."""
    del scope
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY})
