"""Send events as clients of every dialect do, and remember which of them were acknowledged."""

import asyncio
import collections
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

MARK: Final = "mark"
"""The field that tells each event from all others."""

CATEGORY: Final = "bug"
BATCH: Final = 10

ANSWERED_S: Final = 60.0
"""Longer than any server has to think: whose answer does not come by then has none."""


class Sending(msgspec.Struct, frozen=True, kw_only=True):
    """A request with the marks of its events."""

    marks: tuple[str, ...]
    content: bytes
    is_repeatable: bool
    """Whether it has an idempotency key, so that it can be sent again."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def is_refusal(self) -> bool:
        """Whether it says that there is too much to do, and when to come again."""
        return self.status in {429, 503} and self.headers.get("retry-after", "").isdigit()

    @property
    def is_last(self) -> bool:
        """Whether the server closes the connection after it."""
        return "close" in self.headers.get("connection", "")


class Ledger:
    """What was acknowledged, and what became of the rest."""

    def __init__(self, name: str = "m") -> None:
        """`name` is what its marks begin with."""
        self.acknowledged: set[str] = set()
        self.repeatable: set[str] = set()
        """Marks of all that was sent with an idempotency key."""
        self.unanswered: list[Sending] = []
        """Those with a key, to be sent again."""
        self.unanswered_marks: set[str] = set()
        """Those without one: nobody knows whether they are stored."""
        self.refused: collections.Counter[int] = collections.Counter()
        self.odd: list[Answer] = []
        """Answers that are neither yes nor a proper refusal."""
        self.ended: collections.Counter[str] = collections.Counter()
        """How connections ended in the middle of a request, by the name of the error."""
        self.answers = 0
        self._name = name
        self._numbers = itertools.count(1)

    def mark(self) -> str:
        """A new one."""
        return f"{self._name}{next(self._numbers)}"

    def note(self, sending: Sending, answer: Answer) -> None:
        """It was answered."""
        self.answers += 1
        if 200 <= answer.status < 300:
            self.acknowledged.update(sending.marks)
        elif answer.is_refusal:
            self.refused[answer.status] += 1
        else:
            self.odd.append(answer)

    def miss(self, sending: Sending, error: BaseException) -> None:
        """It was not answered."""
        self.ended[type(error).__name__] += 1
        if sending.is_repeatable:
            self.unanswered.append(sending)
        else:
            self.unanswered_marks.update(sending.marks)


class Line:
    """A connection to a server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, url: str) -> "Line":
        """Connect."""
        address = urlsplit(url)
        return cls(*await asyncio.open_connection(address.hostname, address.port))

    @classmethod
    @contextlib.asynccontextmanager
    async def on(cls, url: str) -> AsyncIterator["Line"]:
        """Connect, until the block ends."""
        line = await cls.to(url)
        try:
            yield line
        finally:
            line.close()

    async def ask(self, content: bytes) -> Answer:
        """Send a request, read its answer.

        Raises:
            OSError, EOFError: the connection has ended, or nothing has come for `ANSWERED_S`.
        """
        self._writer.write(content)
        async with asyncio.timeout(ANSWERED_S):
            return await self._answer()

    async def _answer(self) -> Answer:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip("\r\n").split("\r\n")
        headers = {name.lower(): value for name, _, value in (li.partition(": ") for li in lines)}
        body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(status=int(first.split(" ", 2)[1]), headers=headers, body=body)

    async def say_and_wait(self, said: bytes) -> None:
        """Send something, and read until the server ends the connection."""
        self._writer.write(said)
        while await self._reader.read(65_536):
            pass

    def close(self) -> None:
        """Leave."""
        self._writer.close()


class Crowd:
    """Clients of all dialects, each on a connection of its own, that send at the same time."""

    def __init__(
        self,
        key: str,
        ledger: Ledger,
        *,
        of_each: int = 1,
        pause_s: float = 0.0,
        stays: bool = True,
    ) -> None:
        """`of_each` clients of each dialect; `pause_s` is how long each rests after an answer.

        Those who do not stay take a new connection for each request.
        """
        self._key = key
        self._ledger = ledger
        self._of_each = of_each
        self._pause_s = pause_s
        self._stays = stays
        self._enough = asyncio.Event()

    @contextlib.asynccontextmanager
    async def sending(self, url: str) -> AsyncIterator[None]:
        """Send until the block ends, or nobody listens any more."""
        self._enough.clear()
        makes = [
            (make, is_repeatable) for make in DIALECTS for is_repeatable in (True, False)
        ] * self._of_each
        clients = [asyncio.create_task(self._send(url, *each)) for each in makes]
        try:
            yield
        finally:
            self._enough.set()
            await asyncio.gather(*clients)

    async def send_again(self, url: str) -> None:
        """Send what has an idempotency key and was not answered, unless there is no answer now."""
        async with Line.on(url) as line:
            while self._ledger.unanswered:
                if await self._ask(line, self._ledger.unanswered.pop()) is None:
                    return

    async def _send(self, url: str, make: "Make", is_repeatable: bool) -> None:
        goes_on = True
        while goes_on and not self._enough.is_set():
            try:
                async with Line.on(url) as line:
                    goes_on = await self._talk(line, make, is_repeatable)
            except ConnectionRefusedError:
                return  # it is gone, and says so
            except OSError as error:
                self._ledger.ended[type(error).__name__] += 1
                return

    async def _talk(self, line: Line, make: "Make", is_repeatable: bool) -> bool:
        """Send on a connection; whether to connect again."""
        while not self._enough.is_set():
            answer = await self._ask(line, self._made(make, is_repeatable))
            await asyncio.sleep(self._pause_s)
            if answer is None or answer.is_last or not self._stays:
                return answer is not None
        return False

    def _made(self, make: "Make", is_repeatable: bool) -> Sending:
        marks = tuple(self._ledger.mark() for _ in range(make.events))
        is_repeatable = is_repeatable or make is INTAKE
        if is_repeatable:
            self._ledger.repeatable.update(marks)
        content = make.write(self._key, marks, marks[0] if is_repeatable else None)
        return Sending(marks=marks, content=content, is_repeatable=is_repeatable)

    async def _ask(self, line: Line, sending: Sending) -> Answer | None:
        try:
            answer = await line.ask(sending.content)
        except (OSError, EOFError) as error:
            self._ledger.miss(sending, error)
            return None
        self._ledger.note(sending, answer)
        return answer


# How each dialect sends --------------------------------------------------------------------------

Write = Callable[[str, Sequence[str], str | None], bytes]


class Make(msgspec.Struct, frozen=True, kw_only=True):
    """How a client makes a request."""

    write: Write
    events: int = 1


def post(path: str, key_header: str, body: Any, repeat_key: str | None = None) -> bytes:
    """A request with JSON."""
    content = json.dumps(body, separators=(",", ":")).encode()
    repeat = f"Idempotency-Key: {repeat_key}\r\n" if repeat_key else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{key_header}\r\n{repeat}"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def _slowstats(key: str, marks: Sequence[str], repeat_key: str | None) -> bytes:
    body = {"projectId": "default", "eventType": CATEGORY, "payload": {MARK: marks[0]}}
    return post("/api/slowstats/ingest-events", f"X-API-KEY: {key}", body, repeat_key)


def _pingpanda(key: str, marks: Sequence[str], repeat_key: str | None) -> bytes:
    body = {"category": CATEGORY, "fields": {MARK: marks[0]}}
    return post("/api/v1/events", f"Authorization: Bearer {key}", body, repeat_key)


def _pingpilot(key: str, marks: Sequence[str], repeat_key: str | None) -> bytes:
    body = {"category": CATEGORY, "fields": {MARK: marks[0]}}
    return post("/api/v1/event", f"Authorization: Bearer {key}", body, repeat_key)


def _intake(key: str, marks: Sequence[str], repeat_key: str | None) -> bytes:
    body = {
        "event_type": CATEGORY,
        "occurred_at": "2026-01-01T00:00:00Z",
        "idempotency_key": repeat_key,
        "data": {MARK: marks[0]},
    }
    return post("/v1/events", f"Authorization: Bearer {key}", body)


def _adwize(key: str, marks: Sequence[str], repeat_key: str | None) -> bytes:
    body = [{"source": "s", "event_type": CATEGORY, "data": {MARK: mark}} for mark in marks]
    return post("/api/v1/events", f"X-API-Key: {key}", body, repeat_key)


def _own(key: str, marks: Sequence[str], repeat_key: str | None) -> bytes:
    body = [{"category": CATEGORY, "fields": {MARK: mark}} for mark in marks]
    return post("/slowping/v1/events", f"Authorization: Bearer {key}", body, repeat_key)


INTAKE: Final = Make(write=_intake)
PINGPANDA: Final = Make(write=_pingpanda)

DIALECTS: Final = (
    Make(write=_slowstats),
    PINGPANDA,
    Make(write=_pingpilot),
    INTAKE,
    Make(write=_adwize, events=BATCH),
    Make(write=_own, events=BATCH),
)
