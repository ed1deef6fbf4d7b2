"""Reach a host by its name: look it up without holding anyone up, and race its addresses.

A silent name server must not fill the loop's own threads, nor may one address that never answers
hide another that would: machines whose IPv6 leads nowhere are many.
"""

import asyncio
import functools
import itertools
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from slowping.notifiers.unattended import Unattended

T = TypeVar("T")

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Gives the addresses of a host; raises OSError where it has none."""

RESOLVE_TIMEOUT_S: Final = 5.0

HEAD_START_S: Final = 0.25
"""How long an address has to itself before the next one is tried beside it (RFC 8305)."""

MOST_TRIED: Final = 8
"""Of a host's addresses. Who owns a name can give it hundreds, of hosts that are not his."""

_THREADS: Final = 16
"""So many names that nobody answers for, and still the others are looked up."""


class Unresolved(OSError):
    """The name of a host leads to no address now."""


async def connected(host: str, port: int, resolve: Resolve) -> socket.socket:
    """A socket that is connected to a host.

    Raises:
        OSError: none of its addresses takes a connection, or it has none (`Unresolved`).
    """

    async def discard(late: socket.socket) -> None:
        late.close()

    addresses = await addresses_of(host, port, resolve)
    return await first_to_answer(addresses, functools.partial(_connect, port), discard)


async def addresses_of(host: str, port: int, resolve: Resolve) -> Sequence[str]:
    """The addresses of a host, in the order in which they should be tried; one at least.

    Raises:
        Unresolved: it has none, or nobody said so in time.
    """
    try:
        async with asyncio.timeout(RESOLVE_TIMEOUT_S):
            found = await resolve(host, port)
    except TimeoutError as error:
        raise Unresolved("the host name was not resolved in time") from error
    except (OSError, UnicodeError) as error:
        raise Unresolved("the host name cannot be resolved") from error
    if not found:
        raise Unresolved("the host name has no address")
    return _in_turn(found)


def _in_turn(addresses: Sequence[str]) -> Sequence[str]:
    """IPv6 and IPv4 by turns, whichever came first: where one leads nowhere, the other may."""
    first = [address for address in addresses if (":" in address) is (":" in addresses[0])]
    others = [address for address in addresses if (":" in address) is not (":" in addresses[0])]
    pairs = itertools.zip_longest(first, others)
    return tuple(address for pair in pairs for address in pair if address is not None)


async def first_to_answer(
    addresses: Sequence[str],
    connect: Callable[[str], Awaitable[T]],
    discard: Callable[[T], Awaitable[None]],
) -> T:
    """The connection to whichever address answers first; `discard` closes those that come late.

    Raises:
        Exception: what the last of them failed with.
    """
    untried = list(addresses[:MOST_TRIED])
    racing: set[asyncio.Future[T]] = set()
    try:
        while True:
            if untried:
                racing.add(asyncio.ensure_future(connect(untried.pop(0))))
            done, _ = await asyncio.wait(
                racing,
                timeout=HEAD_START_S if untried else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for attempt in done:
                racing.discard(attempt)
                if attempt.exception() is None or not (untried or racing):
                    return attempt.result()
    finally:
        for attempt in racing:
            attempt.cancel()
        for late in await asyncio.gather(*racing, return_exceptions=True):
            if not isinstance(late, BaseException):
                await discard(late)


async def _connect(port: int, address: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(opened, (address, port))
    except BaseException:
        opened.close()
        raise
    return opened


class SystemResolver:
    """Asks the system, on threads of its own that no exit waits for."""

    def __init__(self) -> None:
        self._threads = Unattended(_THREADS, "resolve")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """Every address of the host once, in the order in which they should be tried."""
        looking = self._threads.begin(functools.partial(_look_up, host, port))
        found = await asyncio.wrap_future(looking)
        return tuple(dict.fromkeys(found))


class OwnName:
    """Tells by which name this machine introduces itself; the system may have to ask for it."""

    def __init__(self) -> None:
        self._threads = Unattended(1, "own-name")
        self._known: str | None = None

    async def __call__(self) -> str:
        """The full name, or the short one where nobody tells the full one in time."""
        if self._known is None:
            try:
                async with asyncio.timeout(RESOLVE_TIMEOUT_S):
                    self._known = await asyncio.wrap_future(self._threads.begin(socket.getfqdn))
            except TimeoutError:
                return socket.gethostname()
        return self._known


def _look_up(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]
