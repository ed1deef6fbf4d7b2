import asyncio
import logging
from collections.abc import Iterable

import pytest
from uvicorn.protocols.http.flow_control import FlowControl

from slowping.server.http import HeaderList, Message, Receive, Scope, Send
from slowping.server.wire.exchange import Exchange

LENGTH_2: HeaderList = [(b"content-length", b"2")]


class Line(asyncio.Transport):
    """A connection that keeps what is written, packet by packet."""

    def __init__(self) -> None:
        super().__init__()
        self.packets: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes) -> None:  # type: ignore[override] # nothing else is written
        """Keep it."""
        self.packets.append(data)

    def close(self) -> None:
        """Take note."""
        self.is_closed = True

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self.is_closed


class Answering:
    """An exchange with an application that sends what it is told to."""

    def __init__(self, *messages: Message, method: str = "GET", keep_alive: bool = True) -> None:
        self._messages = messages
        self.line = Line()
        self.is_complete = False
        self._exchange = Exchange(
            scope={"method": method},
            transport=self.line,
            flow=FlowControl(self.line),
            logger=logging.getLogger("test"),
            access_logger=logging.getLogger("test"),
            access_log=False,
            default_headers=[(b"date", b"today")],
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=keep_alive,
            on_response=self._complete,
        )

    async def run(self) -> list[bytes]:
        """The packets that were written."""

        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            for message in self._messages:
                await send(message)

        await self._exchange.run_asgi(application)  # type: ignore[arg-type] # any mapping will do
        return self.line.packets

    def _complete(self) -> None:
        self.is_complete = True


def start(status: int = 200, headers: Iterable[tuple[bytes, bytes]] = ()) -> Message:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def body(data: bytes, *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


async def test_a_small_answer_goes_out_in_one_packet() -> None:
    answering = Answering(start(201, LENGTH_2), body(b"hi"))
    assert await answering.run() == [
        b"HTTP/1.1 201 Created\r\ndate: today\r\ncontent-length: 2\r\n\r\nhi"
    ]
    assert answering.is_complete
    assert not answering.line.is_closed


async def test_a_body_of_unknown_length_goes_out_in_chunks_the_first_with_the_head() -> None:
    messages = start(), body(b"one", more=True), body(b"", more=True), body(b"two")
    assert await Answering(*messages).run() == [
        b"HTTP/1.1 200 OK\r\ndate: today\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n",
        b"3\r\ntwo\r\n0\r\n\r\n",
    ]


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
async def test_an_answer_without_a_body_has_no_chunks(method: str, status: int) -> None:
    [packet] = await Answering(start(status), body(b""), method=method).run()
    assert packet.endswith(b"date: today\r\n\r\n")


async def test_who_asks_for_the_head_alone_gets_the_length_and_no_body() -> None:
    [packet] = await Answering(start(200, LENGTH_2), body(b"hi"), method="HEAD").run()
    assert packet.endswith(b"content-length: 2\r\n\r\n")


@pytest.mark.parametrize(
    "answering",
    [
        ((start(200, [*LENGTH_2, (b"connection", b"Close")]), body(b"hi")), True),
        ((start(200, LENGTH_2), body(b"hi")), False),
    ],
)
async def test_the_last_answer_says_so_once_and_ends_the_connection(
    answering: tuple[tuple[Message, Message], bool],
) -> None:
    messages, keep_alive = answering
    last = Answering(*messages, keep_alive=keep_alive)
    [packet] = await last.run()
    assert packet.lower().count(b"connection: close") == 1
    assert last.line.is_closed


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: b", b"a\nb", b"a\rb", b"a\0b"])
async def test_a_header_with_a_line_break_is_no_answer(value: bytes) -> None:
    answering = Answering(start(200, [*LENGTH_2, (b"x-told", value)]), body(b"hi"))
    assert await answering.run() == []
    assert answering.line.is_closed


@pytest.mark.parametrize(
    "messages",
    [
        (start(200, LENGTH_2), body(b"h")),
        (start(200, LENGTH_2), body(b"him")),
        (start(200, LENGTH_2), start()),
        (start(200, LENGTH_2),),
    ],
)
async def test_an_answer_that_is_not_whole_ends_the_connection(
    messages: tuple[Message, ...],
) -> None:
    answering = Answering(*messages)
    await answering.run()
    assert answering.line.is_closed


@pytest.mark.parametrize("messages", [(), (body(b"hi"),)])
async def test_where_nothing_is_answered_the_client_is_told_of_a_fault(
    messages: tuple[Message, ...],
) -> None:
    [packet] = await Answering(*messages).run()
    assert packet.startswith(b"HTTP/1.1 500 ")
