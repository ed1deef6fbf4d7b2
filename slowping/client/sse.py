"""Read server-sent events: bytes as they come, blocks as they are complete."""

import re
from collections.abc import AsyncIterable, AsyncIterator
from typing import Final

import msgspec

# https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream: only
# these end a line. What is called a line elsewhere may end at U+2028, which stands in data.
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """What stands between two empty lines; comments are left out."""

    id: str | None = None
    """Where to go on after it."""
    name: str | None = None
    """Of the event; None is any."""
    data: bytes | None = None
    """None where it is no event, and only says where to go on."""


async def blocks(chunks: AsyncIterable[bytes]) -> AsyncIterator[Block]:
    """Every complete block; what the connection breaks off is no block."""
    fields: dict[bytes, list[bytes]] = {}
    async for line in _lines(chunks):
        if line:
            name, _, value = line.partition(b":")
            fields.setdefault(name, []).append(value.removeprefix(b" "))
        else:
            block = Block(
                id=_last(fields.get(b"id")),
                name=_last(fields.get(b"event")),
                data=b"\n".join(fields[b"data"]) if b"data" in fields else None,
            )
            fields.clear()
            if block != Block():
                yield block


async def _lines(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    rest = b""
    ended_by_return = False
    async for chunk in chunks:
        if not chunk:
            continue
        start = 1 if ended_by_return and chunk.startswith(b"\n") else 0
        ended_by_return = chunk.endswith(b"\r")
        *lines, rest = _LINE_END.split(rest + chunk[start:])
        for line in lines:
            yield line


def _last(values: list[bytes] | None) -> str | None:
    return values[-1].decode("utf-8", "replace") if values else None
