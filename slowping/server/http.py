"""Read request bodies and write answers over bare ASGI, within limits of size and time."""

import asyncio
import contextlib
import re
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
    MutableMapping,
)
from typing import Any, Final

from slowping.core import errors

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

Headers = Mapping[bytes, bytes]
"""Of a request, names in lower case."""

HeaderList = list[tuple[bytes, bytes]]

IDEMPOTENCY_KEY: Final = b"idempotency-key"

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

MAX_CONTAINERS: Final = 20_000
"""Most arrays and objects in a body: what is made of a million of them stops all others."""

ABORT: Final = "slowping_abort"
"""In the state of a request, what cuts its connection off, whatever still waits to be sent."""

STALL_S: Final = 30.0
"""How long a client may take nothing of an endless answer."""

# It matches to the end whatever comes, so that nothing is looked at twice.
_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)

_LAST_WORDS_S: Final = 0.5
"""How long a client may take to hear the end of an endless answer when the server stops."""

_LOOK_EVERY_S: Final = 1.0
"""At most: a shorter patience is looked after as often as it is short."""


class Gone(Exception):
    """The client has left before its request was complete."""


class Patience:
    """Ends, with SlowBody, whatever has been read for longer than `timeout_s` seconds.

    Nearly every body is there at once, so a timer for each would cost more than the reading. One
    look around a second does for all that are being read.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._look_every_s = min(_LOOK_EVERY_S, timeout_s)
        self._since: dict[asyncio.Task[Any], float] = {}
        self._ended: set[asyncio.Task[Any]] = set()
        self._looking: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        """Begin to read, in the task that is running."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("bodies are read in tasks")
        loop = asyncio.get_running_loop()
        self._since[task] = loop.time()
        if self._looking is None:
            self._looking = loop.call_later(self._look_every_s, self._look, loop)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Have read."""
        task = asyncio.current_task()
        if task is None:
            return
        del self._since[task]
        ended = task in self._ended
        self._ended.discard(task)
        # Whoever else has cancelled the task meant it.
        if ended and not task.uncancel() and kind is asyncio.CancelledError:
            raise errors.SlowBody

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        too_old = loop.time() - self._timeout_s
        for task, since in self._since.items():
            if since < too_old and task not in self._ended:
                self._ended.add(task)
                task.cancel()
        self._looking = (
            loop.call_later(self._look_every_s, self._look, loop) if self._since else None
        )


async def read_body(
    headers: Headers, receive: Receive, *, limit_bytes: int, patience: "Patience"
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
    with patience:
        return (await _whole(receive, limit_bytes)).removeprefix(BYTE_ORDER_MARK)


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


def is_crowded(body: bytes) -> bool:
    """Whether a body has more than `MAX_CONTAINERS`, before anything is made of them."""
    # Counting bytes is nearly free.
    if len(body) <= MAX_CONTAINERS or _brackets(body) <= MAX_CONTAINERS:
        return False
    return _brackets(_STRING.sub(b"", body)) > MAX_CONTAINERS


def _brackets(text: bytes) -> int:
    return text.count(b"[") + text.count(b"{")


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


async def stream(
    scope: Scope,
    receive: Receive,
    send: Send,
    chunks: AsyncGenerator[bytes, None],
    *,
    stop: asyncio.Event,
    stall_s: float = STALL_S,
) -> None:
    """Send the body of an endless answer: until the client leaves, or the chunks end.

    Who takes nothing for `stall_s` seconds is cut off. Once `stop` is set, nobody is waited for.
    """
    abort = scope["state"][ABORT]
    sending = asyncio.create_task(_send_all(send, chunks, stall_s))
    leaving = asyncio.create_task(_left(receive))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((sending, leaving, stopping), return_when=asyncio.FIRST_COMPLETED)
        if stopping.done():
            # What has been sent may lie in a buffer still, and would keep the server from ending.
            asyncio.get_running_loop().call_later(_LAST_WORDS_S, abort)
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        took_all = sending.done() and sending.result()
        if not took_all and not leaving.done():
            abort()
            await leaving
    finally:
        for task in (sending, leaving, stopping):
            task.cancel()
        await asyncio.gather(sending, leaving, stopping, return_exceptions=True)


async def _send_all(send: Send, chunks: AsyncGenerator[bytes, None], stall_s: float) -> bool:
    """Send everything; False where the client does not take it."""
    async with contextlib.aclosing(chunks):
        async for chunk in chunks:
            if not await _takes(send, chunk, stall_s, more=True):
                return False
    return await _takes(send, b"", stall_s, more=False)


async def _takes(send: Send, chunk: bytes, stall_s: float, *, more: bool) -> bool:
    try:
        async with asyncio.timeout(stall_s):
            await send({"type": "http.response.body", "body": chunk, "more_body": more})
    except TimeoutError:
        return False
    return True


async def _left(receive: Receive) -> None:
    """Wait until the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def sender(scope: Mapping[str, Any]) -> str | None:
    """The address of whoever sent a request: behind proxies of the operator, who they say it is."""
    client = scope.get("client")
    return client[0] if client else None


def idempotency_key(headers: Headers) -> str | None:
    """The Idempotency-Key, quoted (as a structured field) or bare; None where there is none.

    Raises:
        InvalidInput: it is not 1 to 255 printable ASCII characters.
    """
    given = headers.get(IDEMPOTENCY_KEY)
    if given is None:
        return None
    key = given.strip().decode("latin-1")
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = re.sub(r'\\(["\\])', r"\1", key[1:-1])
    if not 1 <= len(key) <= 255 or not all(" " <= letter <= "~" for letter in key):
        raise errors.InvalidInput("An Idempotency-Key has 1 to 255 printable ASCII characters.")
    return key
