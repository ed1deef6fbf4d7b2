"""Carry one request to the application, and its answer to the client in as few packets as it has.

The server program writes the head and the body of an answer apart, and each write is a system call,
which costs more than everything else that is done for a small answer. ASGI has the head wait for
the first part of the body, so here they go together.
"""

from collections.abc import Iterable
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from slowping.server.http import Message

_WITHOUT_BODY: Final = frozenset({204, 304})


class Exchange(RequestResponseCycle):
    """A request, and what is answered to it."""

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self._head: Message | None = None
        """Begun, and not written yet."""

    async def send(self, message: Message) -> None:  # type: ignore[override] # any mapping will do
        """Take a part of the answer from the application.

        Raises:
            RuntimeError: it is none of the next that ASGI knows, or no HTTP.
        """
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if not self.response_started and message["type"] == "http.response.start":
            self.response_started = True
            self.waiting_for_100_continue = False
            self._head = message
        elif self.response_started and not self.response_complete and _is_body(message):
            self._send_body(message.get("body", b""), is_last=not message.get("more_body", False))
        else:
            raise RuntimeError(f"{message['type']} is not what follows in an answer")

    def _send_body(self, body: bytes, *, is_last: bool) -> None:
        head, self._head = self._head, None
        begun = b"" if head is None else self._begin(head["status"], head.get("headers", ()))
        self._write(begun, self._framed(body, is_last=is_last))
        if is_last:
            if self.expected_content_length:
                raise RuntimeError("the answer is shorter than its content-length")
            self._end()

    def _begin(self, status: int, own_headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        """The head of the answer; what it says of the body is kept to from then on."""
        headers = [*self.default_headers, *own_headers]
        told = dict(headers)
        lines = [b"%b: %b\r\n" % header for header in headers]
        if b"close" in told.get(b"connection", b"").lower():
            self.keep_alive = False
        elif not self.keep_alive:
            lines.append(b"connection: close\r\n")
        length = told.get(b"content-length")
        self.chunked_encoding = length is None and self._may_have_body(status)
        if self.chunked_encoding:
            lines.append(b"transfer-encoding: chunked\r\n")
        elif length is not None:
            self.expected_content_length = int(length)
        head = b"".join(lines)
        # One that has a line break would be another header, or another answer.
        if not head.count(b"\n") == head.count(b"\r") == len(lines) or b"\0" in head:
            raise RuntimeError("a header has a line break")
        return b"%b%b\r\n" % (STATUS_LINE[status], head)

    def _may_have_body(self, status: int) -> bool:
        return self.scope["method"] != "HEAD" and status not in _WITHOUT_BODY

    def _framed(self, body: bytes, *, is_last: bool) -> bytes:
        """A part of the body as it is written."""
        if self.scope["method"] == "HEAD":
            self.expected_content_length = 0
            return b""
        if self.chunked_encoding:
            part = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            return part + b"0\r\n\r\n" if is_last else part
        if len(body) > self.expected_content_length:
            raise RuntimeError("the answer is longer than its content-length")
        self.expected_content_length -= len(body)
        return body

    def _write(self, head: bytes, body: bytes) -> None:
        if head or body:
            self.transport.write(head + body)

    def _end(self) -> None:
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()


def _is_body(message: Message) -> bool:
    return bool(message["type"] == "http.response.body")
