"""Decide who sent a request that has come through proxies."""

import asyncio
import contextlib
import ipaddress
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final

from slowping.server.clock import Clock
from slowping.server.log import Fact

logger = logging.getLogger("slowping.proxies")

FORWARDED: Final = b"x-forwarded-for"

LOOK_AGAIN_S: Final = 60.0
"""How often the addresses of named proxies are looked up: containers get new ones."""

_UNKNOWN_AGAIN_S: Final = 5.0
_START_S: Final = 1.0
"""How long the start waits for the names: a name server that is silent must not keep it."""

# Some proxies tell the port as well.
_HOP: Final = re.compile(r"\[(?P<v6>[^\]]*)\](?::\d+)?|(?P<v4>[\d.]+):\d+|(?P<bare>.*)")

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Gives the addresses of a host; raises OSError where it has none."""

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Proxies:
    """The proxies of the operator: what they say of a sender is believed."""

    def __init__(self, named: Sequence[str], resolve: Resolve | None = None) -> None:
        """`named` are addresses, networks and host names; these are looked up by `resolve`."""
        networks = [(each, _network(each)) for each in named]
        self._networks = tuple(network for _, network in networks if network is not None)
        self._names = tuple(name for name, network in networks if network is None)
        self._resolve = resolve
        self._addresses: Mapping[str, frozenset[_Address]] = {}
        self._looked = asyncio.Event()

    def sender(self, peer: str, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
        """The right-most address that is none of ours; None where no proxy of ours tells one.

        `peer` is who has connected. What stands further left was written by the sender.
        """
        sender = _parsed(peer)
        if sender is None or not self._is_ours(sender):
            return None
        told = (value.decode("latin-1") for name, value in headers if name == FORWARDED)
        hops = ",".join(told).split(",")
        while self._is_ours(sender) and hops:
            before = _parsed(_without_port(hops.pop().strip()))
            if before is None:
                return None
            sender = before
        return str(sender)

    @contextlib.asynccontextmanager
    async def looked_up(self, clock: Clock) -> AsyncIterator[None]:
        """Know the addresses of those that are named, until the block ends."""
        if not self._names:
            yield
            return
        looking = asyncio.create_task(self._keep_looking(clock))
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_START_S):
                    await self._looked.wait()
            yield
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    async def _keep_looking(self, clock: Clock) -> None:
        while True:
            found = await asyncio.gather(*map(self._look_up, self._names))
            self._looked.set()
            all_known = all(found)
            await clock.wait(asyncio.Event(), LOOK_AGAIN_S if all_known else _UNKNOWN_AGAIN_S)

    async def _look_up(self, name: str) -> bool:
        """Look a name up; where that fails, its addresses stay as they were."""
        if self._resolve is None:
            return False
        try:
            told = await self._resolve(name, 0)
        except (OSError, UnicodeError) as error:
            if name not in self._addresses:
                logger.warning(Fact("cannot find a trusted proxy", name=name, reason=str(error)))
            return False
        found = frozenset(address for each in told if (address := _parsed(each)) is not None)
        if found != self._addresses.get(name):
            addresses = ",".join(sorted(map(str, found)))
            logger.info(Fact("trusts a proxy", name=name, addresses=addresses))
            self._addresses = {**self._addresses, name: found}
        return bool(found)

    def _is_ours(self, address: _Address) -> bool:
        return any(address in network for network in self._networks) or any(
            address in found for found in self._addresses.values()
        )


def _network(named: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(named)
    except ValueError:
        return None


def _without_port(hop: str) -> str:
    match = _HOP.fullmatch(hop)
    return hop if match is None else next(part for part in match.groups() if part is not None)


def _parsed(address: str) -> _Address | None:
    try:
        found: _Address = ipaddress.ip_address(address)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return found if mapped is None else mapped
