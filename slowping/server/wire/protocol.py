"""Read requests from whoever has connected, within limits that hold before anybody is known."""

import asyncio
import functools
import urllib.parse
from collections.abc import Sized
from typing import Any, Final

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from slowping.server import http
from slowping.server.wire.exchange import Exchange
from slowping.server.wire.gate import Gate
from slowping.server.wire.parting import Parting

MOST_HEAD_BYTES: Final = 65_536
"""Of a request's address and headers together, and of whatever else is no body."""

MOST_HEADERS: Final = 100

MOST_QUEUED: Final = 50
"""Requests that one connection sends ahead of their answers."""

LARGE_HEAD_BYTES: Final = 4_096
"""A head that is larger counts among those that have to share what there is for heads."""

READ_BYTES: Final = 32_768
"""Of one connection at a time: what all of them have sent is read before any of it is looked at."""

_FULL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\n"
    b"content-type: application/json\r\n"
    b"content-length: 37\r\n"
    b"retry-after: 5\r\n"
    b"connection: close\r\n\r\n"
    b'{"message":"Too many are connected."}'
)

_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: application/json\r\n"
    b"content-length: 45\r\n"
    b"connection: close\r\n\r\n"
    b'{"message":"Request header fields too large"}'
)


class HeadTooLarge(Exception):
    """A head has more bytes or more headers than are read."""


class QueueTooLong(Exception):
    """More requests were sent ahead than are kept."""


class GatedProtocol(HttpToolsProtocol):
    """The server program's own protocol, for clients that mean it harm.

    It reads one request at a time, gives up on what does not come, and knows no protocol to
    upgrade to.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        gate: Gate,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._gate = gate
        self._whole = self.scope
        """That of the last request that came whole: one that has begun since has another."""
        self._is_waited_for = False
        self._unparsed = 0
        """About how many bytes came since a head, a part of a body or a request was complete."""
        self._is_long = False
        """Whether a head that is complete now may be too large."""

    # The connection --------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as it is declared there
        """Take a connection, and say in the state of its requests how it is cut off."""
        if hasattr(transport, "max_size"):  # asyncio's own; others read as they like
            transport.max_size = READ_BYTES
        has_room = self._gate.comes_in()
        self.app_state = {**self.app_state, http.ABORT: transport.abort}
        parting = Parting(transport, functools.partial(self._gate.wait_for_leaving, self))
        self._parting = parting
        super().connection_made(parting)  # type: ignore[arg-type] # it acts as one
        self.flow = _OneByOne(self.transport, self.pipeline)
        if has_room:
            self._wait()
        else:
            self.show_out()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what was not begun."""
        self._gate.goes(self)
        self.pipeline.clear()
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override] # as asyncio has it
        """Answer a client that says right behind its request that nothing follows.

        Whoever has been sent a part of an answer has left instead, and so has whoever says it over
        TLS, which knows no such half.
        """
        is_whole = self.scope is self._whole and not self._unparsed
        if self.scheme == "https" or not is_whole or not self._is_answering():
            return False
        if self.cycle.response_started:
            return False
        self._parting.is_heard_out = True
        self.cycle.keep_alive = False  # the last one, if there are several
        return True

    def unsent(self) -> int:
        """How many bytes of answers the client has not taken yet."""
        return self.transport.get_write_buffer_size()

    def end(self) -> None:
        """Say that no answer follows, and close."""
        self.transport.close()

    def show_out(self) -> None:
        """Say that there is no room, and close; it is the answer to what may be on its way."""
        self.transport.write(_FULL)
        self.transport.close()

    def give_up(self) -> None:
        """Cut off: what was to happen has not happened in time."""
        self.transport.abort()

    # What is read ----------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Read what came; after the end of the last answer, that is nothing."""
        if self.transport.is_closing():
            return
        self._gate.has_rested(self)
        self._unparsed += len(data)
        self._is_long = self._unparsed > MOST_HEAD_BYTES
        rest: bytes | None = None
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            rest = data[upgrade.args[0] :]
        except httptools.HttpParserError as error:
            self._refuse(error.__context__)
            return
        if rest is not None:
            self._read_plain(rest)
        elif self._unparsed > MOST_HEAD_BYTES:
            self._refuse(HeadTooLarge())
        elif self._unparsed > LARGE_HEAD_BYTES and self._is_waited_for:
            self._gate.grows(self, self._unparsed)
        elif self.cycle is None or self.cycle.response_complete:
            self._expect()

    def _read_plain(self, rest: bytes) -> None:
        """Read a request that asks for another protocol, and what follows it, as if it did not.

        The parser takes what follows such a head for that protocol, so a new one is told all of
        it again, without the question.
        """
        method = self.parser.get_method()
        if method == b"CONNECT":
            self._refuse(None)
            return
        version = self.parser.get_http_version().encode()
        kept = b"".join(b"%s: %s\r\n" % pair for pair in self.headers if pair[0] != b"upgrade")
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.data_received(b"%s %s HTTP/%s\r\n%s\r\n%s" % (method, self.url, version, kept, rest))

    def _should_upgrade(self) -> bool:
        return True  # so that such a request is begun with its plain head, and not before

    # What is complete ------------------------------------------------------------------------

    def on_headers_complete(self) -> None:
        """The head is there.

        Raises:
            HeadTooLarge, QueueTooLong: it is not taken; the parser reports it as its own.
        """
        if len(self.headers) > MOST_HEADERS or (
            self._is_long and self._head_bytes() > MOST_HEAD_BYTES
        ):
            raise HeadTooLarge
        if len(self.pipeline) >= MOST_QUEUED:
            raise QueueTooLong
        self._unparsed = 0
        if self._is_waited_for:
            self._stop_waiting()
        if not self.parser.should_upgrade():
            self._begin_exchange()
            self.headers = []  # what follows a body in chunks is no header

    def _begin_exchange(self) -> None:
        """Give the request to the application, once those before it are answered."""
        before, version = self.cycle, self.parser.get_http_version()
        self._tell_scope(version)
        self.cycle = Exchange(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=self._stays_open(version),
            on_response=self.on_response_complete,
        )
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        task = self.loop.create_task(self._answer(cycle, app))
        self.tasks.add(task)

    async def _answer(self, cycle: Exchange, app: Any) -> None:
        """Have the application answer; a callback at its end would be one more turn of the loop."""
        try:
            await cycle.run_asgi(app)
        finally:
            self.tasks.discard(asyncio.current_task(self.loop))

    def _tell_scope(self, version: str) -> None:
        """Complete what the application is told of the request."""
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        self.scope["http_version"] = version
        self.scope["method"] = self.parser.get_method().decode("ascii")
        self.scope["path"] = urllib.parse.unquote(path) if "%" in path else path
        self.scope["raw_path"] = url.path
        self.scope["query_string"] = url.query or b""

    def _stays_open(self, version: str) -> bool:
        """Whether another request may follow."""
        if version == "1.0" or self._gate.is_closing:
            return False
        return bool(self.parser.should_keep_alive())

    def on_body(self, body: bytes) -> None:
        """A part of the body is there."""
        self._unparsed = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """All of a request is there."""
        self._unparsed = 0
        self._whole = self.scope
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """All of an answer is written."""
        self.server_state.total_requests += 1
        if self.transport.get_write_buffer_size():
            self._gate.wait_for_taking(self)
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._expect()

    def _head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    # What follows ----------------------------------------------------------------------------

    def _expect(self) -> None:
        """Wait for the rest of what has begun, unless something is being answered."""
        if self._is_answering() or self.transport.is_closing():
            return
        if self._unparsed or self.scope is not self._whole or self.cycle is None:
            self._wait()
            return
        if self._is_waited_for:
            self._stop_waiting()
        self._gate.rests(self)

    def _wait(self) -> None:
        self._is_waited_for = True
        self._gate.wait_for_head(self)

    def _stop_waiting(self) -> None:
        self._is_waited_for = False
        self._gate.has_head(self)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _refuse(self, error: BaseException | None) -> None:
        """Say what is wrong, where that cannot be taken for another request's answer."""
        if isinstance(error, QueueTooLong) or (
            self._is_answering() and isinstance(error, HeadTooLarge)
        ):
            self.transport.abort()
        elif self._is_answering() and not self.cycle.more_body:
            # All of that request came, so it is answered, and whatever follows is not read.
            self.cycle.keep_alive = False
            self.flow.pause_reading()
        elif isinstance(error, HeadTooLarge):
            self.transport.write(_TOO_LARGE)
            self.transport.close()
        else:
            self.send_400_response("Invalid HTTP request received.")


class _OneByOne(FlowControl):
    """Reads nothing more while requests are queued."""

    def __init__(self, transport: asyncio.Transport, queued: Sized) -> None:
        super().__init__(transport)
        self._queued = queued

    def resume_reading(self) -> None:
        """Read on, unless there is enough to do."""
        if self.read_paused and not self._queued:
            super().resume_reading()
