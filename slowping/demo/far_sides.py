"""Far sides on loopback: one that takes everything, one that fails, one that limits its rate."""

import asyncio
import contextlib
import json
import random
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Final

import msgspec

BUCKET: Final = 5
BUCKET_S: Final = 2.0
"""What Discord grants a webhook: so many messages in so many seconds."""

_STATUS: Final = {200: "OK", 400: "Bad Request", 429: "Too Many Requests", 503: "Unavailable"}


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a far side says."""

    status: int = 200
    body: str = "{}"
    headers: dict[str, str] = {}


FarSide = Callable[[], Answer]


def steady() -> Answer:
    """It takes everything."""
    return Answer()


class Failing:
    """It is overloaded most of the time, and does not like some of what it gets."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def __call__(self) -> Answer:
        """Mostly no."""
        drawn = self._chance.random()
        if drawn < 0.55:
            return Answer(status=503, body="upstream connect error: the pager is asleep")
        if drawn < 0.75:
            return Answer(status=400, body='{"error": "unknown field: amount"}')
        return Answer()


class RateLimited:
    """A Discord that takes 5 messages in 2 seconds, and answers 429 to more."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        """`now_s` is a clock that never steps."""
        self._now_s = now_s
        self._taken: deque[float] = deque()
        self._messages = 0

    def __call__(self) -> Answer:
        """Take the message, or say how long to wait."""
        now = self._now_s()
        while self._taken and now - self._taken[0] >= BUCKET_S:
            self._taken.popleft()
        wait_s = BUCKET_S - (now - self._taken[0]) if self._taken else BUCKET_S
        headers = {
            "X-RateLimit-Limit": str(BUCKET),
            "X-RateLimit-Remaining": str(max(0, BUCKET - len(self._taken) - 1)),
            "X-RateLimit-Reset-After": f"{wait_s:.3f}",
            "X-RateLimit-Bucket": "demo",
        }
        if len(self._taken) >= BUCKET:
            said = {
                "message": "You are being rate limited.",
                "retry_after": wait_s,
                "global": False,
            }
            headers |= {"X-RateLimit-Scope": "user", "Retry-After": f"{wait_s:.3f}"}
            return Answer(status=429, body=json.dumps(said), headers=headers)
        self._taken.append(now)
        self._messages += 1
        return Answer(body=json.dumps({"id": str(self._messages)}), headers=headers)


@contextlib.asynccontextmanager
async def listening(far_sides: dict[str, FarSide]) -> AsyncIterator[str]:
    """Serve them on a free port of 127.0.0.1, by the first word of the path; gives the address."""
    visits: set[asyncio.Task[None]] = set()

    def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = asyncio.ensure_future(_serve(reader, writer, far_sides))
        visits.add(visit)
        visit.add_done_callback(visits.discard)

    server = await asyncio.start_server(welcome, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for visit in visits:
            visit.cancel()
        await asyncio.gather(*visits, return_exceptions=True)


async def _serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, far_sides: dict[str, FarSide]
) -> None:
    try:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                await reader.readexactly(_length(head))
                word = head.split(" ", 2)[1].split("/")[1]
                writer.write(_encoded(far_sides.get(word, steady)()))
                await writer.drain()
    finally:
        writer.transport.abort()


def _length(head: str) -> int:
    """Our own client always says how long its body is."""
    for line in head.lower().split("\r\n"):
        if line.startswith("content-length:"):
            return int(line.partition(":")[2])
    return 0


def _encoded(answer: Answer) -> bytes:
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(answer.body.encode())),
        **answer.headers,
    }
    lines = [f"HTTP/1.1 {answer.status} {_STATUS[answer.status]}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n" + answer.body).encode()
