"""Read request bodies and write answers over bare ASGI, within limits of size and time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any, Final

from slowping.core import errors

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

Headers = Mapping[bytes, bytes]
HeaderList = list[tuple[bytes, bytes]]

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class Gone(Exception):  # noqa: N818 - it is a condition, as all of ours are
    """The client has left before its request was complete."""


async def read_body(
    headers: Headers, receive: Receive, *, limit_bytes: int, timeout_s: float
) -> bytes:
    """The request's body without a byte order mark.

    Raises:
        TooLarge: it is larger than the limit, by its own word or by count.
        UnsupportedEncoding: it is compressed.
        SlowBody: it did not arrive in time.
        Gone: the client has left.
    """
    length = headers.get(b"content-length", b"0")
    # A length that is no number never gets past the server program.
    if len(length) > 18 or int(length) > limit_bytes:
        raise errors.TooLarge(limit_bytes)
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    if encoding not in {b"identity", b""}:
        raise errors.UnsupportedEncoding(encoding.decode("latin-1"))
    try:
        async with asyncio.timeout(timeout_s):
            return (await _whole(receive, limit_bytes)).removeprefix(BYTE_ORDER_MARK)
    except TimeoutError:
        raise errors.SlowBody from None


async def _whole(receive: Receive, limit_bytes: int) -> bytes:
    message = await receive()
    if not message.get("more_body", False) and message["type"] == "http.request":
        body: bytes = message.get("body", b"")  # nearly always all of it comes at once
        if len(body) > limit_bytes:
            raise errors.TooLarge(limit_bytes)
        return body
    parts, size = [], 0
    while message["type"] == "http.request":
        part = message.get("body", b"")
        size += len(part)
        if size > limit_bytes:
            raise errors.TooLarge(limit_bytes)
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)
        message = await receive()
    raise Gone


async def answer(
    send: Send, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    """Send an answer: JSON unless it is empty."""
    sent: HeaderList = [(b"content-length", b"%d" % len(body))]
    if body:
        sent.append((b"content-type", b"application/json"))
    sent.extend(headers)
    await send({"type": "http.response.start", "status": status, "headers": sent})
    await send({"type": "http.response.body", "body": body})
