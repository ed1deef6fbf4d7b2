import asyncio
import contextlib
import socket
from collections.abc import Iterator, Sequence

import pytest

from slowping.notifiers import dialling
from slowping.notifiers.dialling import Unresolved


class Doors:
    """Addresses that answer as their names say, and what became of each."""

    def __init__(self) -> None:
        self.tried: list[str] = []
        self.given_up: list[str] = []
        self.discarded: list[str] = []

    async def connect(self, address: str) -> str:
        """Answer, refuse, or stay silent for ever."""
        self.tried.append(address)
        if address.startswith("closed"):
            raise ConnectionRefusedError(address)
        if address.startswith("silent"):
            try:
                await asyncio.Event().wait()
            finally:
                self.given_up.append(address)
        return address

    async def discard(self, late: str) -> None:
        """Take note."""
        self.discarded.append(late)

    async def first(self, *addresses: str) -> str:
        """Race them."""
        return await dialling.first_to_answer(addresses, self.connect, self.discard)


async def test_the_first_address_is_taken_and_no_other_is_tried() -> None:
    doors = Doors()
    assert await doors.first("open", "spare") == "open"
    assert doors.tried == ["open"]


async def test_one_that_refuses_makes_room_for_the_next() -> None:
    doors = Doors()
    assert await doors.first("closed 1", "closed 2", "open") == "open"


async def test_where_all_refuse_the_last_ones_words_count() -> None:
    with pytest.raises(ConnectionRefusedError, match="closed 2"):
        await Doors().first("closed 1", "closed 2")


async def test_one_that_never_answers_does_not_hide_the_next() -> None:
    doors = Doors()
    assert await doors.first("silent 1", "silent 2", "open") == "open"
    assert sorted(doors.given_up) == ["silent 1", "silent 2"]


async def test_no_more_than_eight_are_tried() -> None:
    doors = Doors()
    with pytest.raises(ConnectionRefusedError):
        await doors.first(*(f"closed {number}" for number in range(100)))
    assert len(doors.tried) == dialling.MOST_TRIED


@pytest.mark.parametrize(
    ("found", "in_turn"),
    [
        (("1::1", "1::2", "1::3", "1.1.1.1", "1.1.1.2"), "1::1 1.1.1.1 1::2 1.1.1.2 1::3"),
        (("1.1.1.1", "1.1.1.2", "1::1"), "1.1.1.1 1::1 1.1.1.2"),
        (("1.1.1.1", "1.1.1.2"), "1.1.1.1 1.1.1.2"),
    ],
)
async def test_both_sorts_of_addresses_have_their_turn(
    found: tuple[str, ...], in_turn: str
) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return found

    assert " ".join(await dialling.addresses_of("mail.example", 25, resolve)) == in_turn


async def test_who_gives_up_waiting_leaves_nothing_behind() -> None:
    doors = Doors()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.01):
            await doors.first("silent")
    assert doors.given_up == ["silent"]


async def test_a_connection_that_comes_too_late_is_closed() -> None:
    doors = Doors()
    both = asyncio.Event()

    async def connect(address: str) -> str:
        if address == "slow":
            await both.wait()
        both.set()
        await asyncio.sleep(0)
        return address

    won = await dialling.first_to_answer(("slow", "quick"), connect, doors.discard)
    [late] = doors.discarded
    assert {won, late} == {"slow", "quick"}


# Sockets -------------------------------------------------------------------------------------


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


async def find_two(host: str, port: int) -> Sequence[str]:
    return ("127.0.0.9", "127.0.0.1")


async def test_a_socket_is_connected_to_whichever_address_of_the_name_answers(
    listening: int,
) -> None:
    with await dialling.connected("mail.example", listening, find_two) as opened:
        assert opened.getpeername() == ("127.0.0.1", listening)


async def test_a_name_that_leads_nowhere_is_said_to() -> None:
    async def find_none(host: str, port: int) -> Sequence[str]:
        return ()

    with pytest.raises(Unresolved, match="has no address"):
        await dialling.connected("mail.example", 25, find_none)
