import asyncio
import socket
from typing import Any

import httpcore
import pytest

from slowping.notifiers.http import open_http
from slowping.notifiers.port import HttpFailure
from slowping.notifiers.sipping import MOST_BYTES, SIP_BYTES, EndlessAnswer, Sipping
from tests.laboratory.http import endless
from tests.notifiers.far_side import FarSide


class Tap(httpcore.AsyncNetworkStream):
    """Gives as much as it is asked for, at once and for ever."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    async def read(self, max_bytes: int, *rest: Any, **named: Any) -> bytes:
        """Give it."""
        self.asked.append(max_bytes)
        return bytes(max_bytes)

    async def write(self, *rest: Any, **named: Any) -> None:
        """Take it."""


async def test_no_more_is_read_at_once_than_a_sip() -> None:
    tap = Tap()
    assert len(await Sipping(tap).read(65_536)) == SIP_BYTES
    assert tap.asked == [SIP_BYTES]


async def test_everyone_else_has_a_turn_between_two_sips() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    waiting = asyncio.create_task(others())
    stream = Sipping(Tap())
    for _ in range(10):
        await stream.read(1)
    waiting.cancel()
    assert turns >= 10


async def test_an_answer_that_goes_on_and_on_is_given_up_and_the_next_one_is_read() -> None:
    stream = Sipping(Tap())
    for _ in range(MOST_BYTES // SIP_BYTES):
        await stream.read(65_536)
    with pytest.raises(EndlessAnswer):
        await stream.read(65_536)
    await stream.write(b"GET")
    assert await stream.read(1)


@pytest.mark.parametrize("is_there", [True, False])
def test_a_stream_that_is_gone_can_be_read_to_its_end(is_there: bool) -> None:
    class Gone(Tap):
        def get_extra_info(self, info: str) -> Any:
            """A socket that is closed, or none."""
            return closed if is_there and info == "socket" else None

    closed = socket.socket()
    closed.close()
    assert Sipping(Gone()).get_extra_info("is_readable") is True


async def test_hints_without_end_are_said_to_have_none() -> None:
    hints = endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)
    async with FarSide(hints).running() as far_side:
        client = open_http()
        with pytest.raises(HttpFailure, match="answer has no end") as caught:
            await client.post(far_side.url, b"", {})
        await client.close()
    assert caught.value.unknown
