"""Read server-sent events: bytes as they come, blocks as they are complete."""

import re
from collections.abc import Iterator
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


class Reader:
    """Makes blocks of bytes, however they are cut; what the connection breaks off is no block."""

    def __init__(self) -> None:
        self._rest = b""
        self._ended_by_return = False
        self._fields: dict[bytes, list[bytes]] = {}

    def read(self, chunk: bytes) -> Iterator[Block]:
        """The blocks that this chunk completes."""
        for line in self._lines(chunk):
            if line:
                name, _, value = line.partition(b":")
                self._fields.setdefault(name, []).append(value.removeprefix(b" "))
            else:
                block = self._block()
                self._fields.clear()
                if block != Block():
                    yield block

    def _lines(self, chunk: bytes) -> list[bytes]:
        if not chunk:
            return []
        # The two bytes of one line end may come apart.
        start = 1 if self._ended_by_return and chunk.startswith(b"\n") else 0
        self._ended_by_return = chunk.endswith(b"\r")
        *lines, self._rest = _LINE_END.split(self._rest + chunk[start:])
        return lines

    def _block(self) -> Block:
        data = self._fields.get(b"data")
        return Block(
            id=self._last(b"id"),
            name=self._last(b"event"),
            data=None if data is None else b"\n".join(data),
        )

    def _last(self, name: bytes) -> str | None:
        values = self._fields.get(name)
        return values[-1].decode("utf-8", "replace") if values else None
