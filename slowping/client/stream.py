"""Follow the feed for ever: what happens, and whether the line to the server stands."""

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from typing import Final, Self

import msgspec

from slowping.client import sse
from slowping.client.connection import Connection
from slowping.core import errors
from slowping.core.feed import Connected, FeedItem, JournalKind, Lost, StreamItem

RESET: Final = "reset"
"""The event by which a server says that it does not know our place."""

_KINDS: Final = frozenset(JournalKind)
_decoder: Final = msgspec.json.Decoder(FeedItem)


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How soon a lost line is tried again: twice as late each time, to a cap, and never in step."""

    first_s: float = 1.0
    most_s: float = 30.0
    silence_s: float = 45.0
    """A line on which nothing came for so long is lost; a server says something every 15 s."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random
    """0 to 1."""

    def wait_s(self, failures: int) -> float:
        """Seconds until the next try, after so many in a row have failed."""
        whole = min(self.most_s, self.first_s * 2.0 ** min(failures, 30))
        return whole * (0.5 + 0.5 * self.jitter())


class Stream:
    """What happens from now on, or after `last_id`: items, Connected, Lost, without an end.

    After a Lost it waits as long as that says and goes on where it was. It raises what trying
    again does not change: a key that is unknown or may not, a project that is not there.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        project: str | None,
        categories: Sequence[str],
        last_id: str | None,
        patience: Patience,
    ) -> None:
        self.last_id = last_id
        """Where to go on from, after what was given out last."""
        self._connection = connection
        self._query = {"project": project, "category": tuple(categories) or None}
        self._patience = patience
        self._failures = 0
        self._items = self._follow()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> StreamItem:
        return await anext(self._items)

    async def aclose(self) -> None:
        """Let go of the connection."""
        await self._items.aclose()

    async def _follow(self) -> AsyncGenerator[StreamItem, None]:
        while True:
            asked_s = 0.0
            try:
                async with contextlib.aclosing(self._read()) as items:
                    async for item in items:
                        yield item
                reason = "The server ended the stream."
            except (errors.RateLimited, errors.Unavailable) as error:
                reason, asked_s = str(error), error.retry_after_s
            except (errors.Unreachable, errors.UnexpectedAnswer) as error:
                reason = str(error)
            wait_s = max(asked_s, self._patience.wait_s(self._failures))
            self._failures += 1
            yield Lost(reason=reason, retry_in_s=wait_s)
            await self._patience.sleep(wait_s)

    async def _read(self) -> AsyncGenerator[StreamItem, None]:
        """What comes on one connection, until it ends or breaks."""
        headers = {} if self.last_id is None else {"last-event-id": self.last_id}
        silence_s = self._patience.silence_s
        opening = self._connection.stream("/feed", self._query, headers, silence_s=silence_s)
        is_first = True
        async with opening as chunks:
            reader = sse.Reader()
            async for chunk in chunks:
                for block in reader.read(chunk):
                    for item in self._told(block, is_first=is_first):
                        yield item
                    is_first = False

    def _told(self, block: sse.Block, *, is_first: bool) -> Iterator[StreamItem]:
        item = _item(block)
        place = block.id or self.last_id
        if item is None:
            self.last_id = place
        if is_first or block.name == RESET:
            yield Connected(reset=block.name == RESET)
        else:
            self._failures = 0  # a line that says more than hello is a good one
        if item is not None:
            self.last_id = place  # not before it is given out
            yield item


def _item(block: sse.Block) -> FeedItem | None:
    """What a block tells; a kind that only a newer server knows is nothing.

    Raises:
        UnexpectedAnswer: it cannot be understood.
    """
    if block.name not in _KINDS or block.data is None:
        return None
    try:
        item: FeedItem = _decoder.decode(block.data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise errors.UnexpectedAnswer(
            "The server tells of what happens in words that this version does not know."
        ) from None
    return item
