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

import msgspec

from slowping.core import errors

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

Headers = Mapping[bytes, bytes]
"""Of a request, names in lower case."""

HeaderList = list[tuple[bytes, bytes]]

IDEMPOTENCY_KEY: Final = b"idempotency-key"

TOLD_BY_PROXY: Final = 0
"""The port of a sender whose address a proxy of the operator has told: no connection has it."""

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

MAX_CONTAINERS: Final = 20_000
"""Most arrays and objects in a body: what is made of a million of them stops all others."""

TOGETHER_BYTES: Final = 8_388_608
"""Most bytes of all bodies that are being read or answered.

It is half a second of work, and what is made of them takes up to twenty times as much memory.
"""

ABORT: Final = "slowping_abort"
"""In the state of a request, what cuts its connection off, whatever still waits to be sent."""

_OF_PROXIES: Final = {b"x-forwarded-for", b"forwarded", b"x-real-ip", b"via"}
"""Headers that proxies add, each its own."""

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


class Bodies:
    """Reads the bodies of requests, within limits of size, of time and of memory.

    Nearly every body is there at once, so a timer for each would cost more than the reading. One
    look around a second does for all that are being read.
    """

    def __init__(
        self, *, limit_bytes: int, timeout_s: float, together_bytes: int = TOGETHER_BYTES
    ) -> None:
        """`together_bytes` is for the bodies of all requests, until they are answered."""
        self._limit_bytes = limit_bytes
        self._timeout_s = timeout_s
        self._together_bytes = max(together_bytes, limit_bytes)
        self._look_every_s = min(_LOOK_EVERY_S, timeout_s)
        self._held_bytes = 0
        self._arriving: dict[asyncio.Task[Any], _Arriving] = {}
        self._looking: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        """The one that runs: asking for it each time asks the system whose process this is."""

    async def read(self, headers: Headers, receive: Receive) -> bytes:
        """A request's body without a byte order mark; `let_go` of it when it is answered.

        Raises:
            TooLarge: it is larger than the limit, by its own word or by count.
            UnsupportedEncoding: it is compressed.
            SlowBody: it did not arrive in time.
            Unavailable: there are too many bodies already.
            Gone: the client has left.
        """
        length = headers.get(b"content-length", b"0")
        # A length that is no number never gets past the server program.
        if len(length) > 18 or int(length) > self._limit_bytes:
            raise errors.TooLarge(self._limit_bytes)
        encoding = headers.get(b"content-encoding", b"identity").strip().lower()
        if encoding not in {b"identity", b""}:
            raise errors.UnsupportedEncoding(encoding.decode("latin-1"))
        if self._held_bytes + int(length) > self._together_bytes and self._oldest() is None:
            raise self._too_much()
        body = (await self._arrived(receive)).removeprefix(BYTE_ORDER_MARK)
        self._hold(len(body))
        return body

    def let_go(self, body: bytes) -> None:
        """A request whose body was read is answered."""
        self._held_bytes -= len(body)

    async def _arrived(self, receive: Receive) -> bytes:
        arriving = self._begin()
        try:
            return await self._whole(receive, arriving)
        except asyncio.CancelledError:
            # Whoever else has cancelled the task meant it.
            if arriving.ended_by is not None and not arriving.task.uncancel():
                raise arriving.ended_by from None
            raise
        finally:
            del self._arriving[arriving.task]
            self._held_bytes -= arriving.size

    async def _whole(self, receive: Receive, arriving: "_Arriving") -> bytes:
        parts: list[bytes] = []
        size = 0
        while (message := await receive())["type"] == "http.request":
            part: bytes = message.get("body", b"")
            size += len(part)
            if size > self._limit_bytes:
                raise errors.TooLarge(self._limit_bytes)
            if not message.get("more_body", False):
                return b"".join((*parts, part)) if parts else part
            parts.append(part)
            self._hold(len(part), arriving)
            arriving.size = size
        raise Gone

    def _begin(self) -> "_Arriving":
        """Begin to read, in the task that is running."""
        loop = self._loop = self._loop or asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("bodies are read in tasks")
        arriving = self._arriving[task] = _Arriving(task, loop.time())
        if self._looking is None:
            self._looking = loop.call_later(self._look_every_s, self._look, loop)
        return arriving

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        too_old = loop.time() - self._timeout_s
        for arriving in self._arriving.values():
            if arriving.since >= too_old:
                break  # they stand in the order in which they began
            self._end(arriving, errors.SlowBody())
        self._looking = (
            loop.call_later(self._look_every_s, self._look, loop) if self._arriving else None
        )

    def _hold(self, size: int, arriving: "_Arriving | None" = None) -> None:
        """Count so many bytes more; where they are too many, whoever takes longest has to go.

        So a stranger who keeps back the end of many bodies loses them, and not everybody else.
        """
        self._held_bytes += size
        if self._held_bytes <= self._together_bytes:
            return
        oldest = self._oldest()
        if oldest is None or oldest is arriving:
            self._held_bytes -= size
            raise self._too_much()
        self._end(oldest, self._too_much())

    def _oldest(self) -> "_Arriving | None":
        """The body that takes longest to arrive, of those that something is there of."""
        return next((one for one in self._arriving.values() if one.size), None)

    def _too_much(self) -> errors.Unavailable:
        return errors.Unavailable("The server has more to read than it can hold.")

    def _end(self, arriving: "_Arriving", reason: errors.SlowpingError) -> None:
        if arriving.ended_by is None:
            arriving.ended_by = reason
            self._held_bytes -= arriving.size
            arriving.size = 0
            arriving.task.cancel()


class _Arriving(msgspec.Struct):
    """A body that is not complete yet."""

    task: asyncio.Task[Any]
    since: float
    size: int = 0
    """How many bytes of it are there, and count."""
    ended_by: errors.SlowpingError | None = None


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


def keys_in(headers: Headers) -> tuple[str, ...]:
    """What may be an API key in a request's headers: no log is to tell it."""
    given = (headers.get(name, b"").decode("latin-1") for name in (b"authorization", b"x-api-key"))
    return tuple(value.rpartition(" ")[2] for value in given)


def is_behind_stranger(scope: Mapping[str, Any]) -> bool:
    """Whether a request came through a proxy, as far as it says, and none of ours tells from where.

    A proxy of the operator that tells nothing we understand is as good as a stranger's.
    """
    client = scope.get("client")
    if client is not None and client[1] == TOLD_BY_PROXY:
        return False
    return any(name in _OF_PROXIES for name, _ in scope["headers"])


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
    if not 1 <= len(key) <= 255 or not (key.isascii() and key.isprintable()):
        raise errors.InvalidInput("An Idempotency-Key has 1 to 255 printable ASCII characters.")
    return key
