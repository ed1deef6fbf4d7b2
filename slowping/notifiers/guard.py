"""Decide to which addresses an outgoing connection may go, and connect to no other.

A name is resolved once, every address it has is judged, and the connection goes to one that was:
looking at the text of a host is worthless, since the resolver takes `2130706433` and `0x7f.1`
for loopback.
"""

import ipaddress
import urllib.parse
from collections.abc import Iterable, Sequence
from typing import Final

import httpcore

from slowping.notifiers import dialling
from slowping.notifiers.dialling import Resolve, Unresolved
from slowping.notifiers.port import ForbiddenAddress, HttpFailure
from slowping.notifiers.sipping import Sipping

EVERYWHERE: Final = ("0.0.0.0/0", "::/0")
"""The networks of a guard that lets everything through."""

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# An own table: Python's `is_global` changes from one patch release to the next, and calls
# multicast, 6to4 and NAT64 addresses global, behind which an internal one may stand.
_CLOSED: Final[tuple[_Network, ...]] = tuple(
    map(
        ipaddress.ip_network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
            "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
            "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
        ),
    )
)  # fmt: skip
_OPEN_IPV6: Final = ipaddress.IPv6Network("2000::/3")


class Guard:
    """Knows which addresses are public, and what else the operator allows."""

    def __init__(self, allow_networks: Iterable[str], *, allow_http: bool = False) -> None:
        """`allow_networks` are CIDRs: exceptions from the rule that addresses are public."""
        self._allowed = tuple(map(ipaddress.ip_network, allow_networks))
        self._allow_http = allow_http

    def allows(self, address: str) -> bool:
        """Whether a connection may go to this address, written as the resolver gives it."""
        found: _Address = ipaddress.ip_address(address)
        if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        return _is_public(found) or any(found in network for network in self._allowed)

    def problem_with(self, url: str) -> str | None:
        """Why nothing may be sent there, as far as that is known before its host is looked up."""
        parts = urllib.parse.urlsplit(url)
        try:
            self.require_scheme(parts.scheme)
            self.require_address(parts.hostname or "")
        except ForbiddenAddress as error:
            return error.reason
        except ValueError:
            return None  # a name: which addresses it has is judged whenever something is sent
        return None

    def require_scheme(self, scheme: str) -> None:
        """See that one may speak to others in this way.

        Raises:
            ForbiddenAddress: it is in clear, and that is not allowed.
        """
        if scheme == "http" and not self._allow_http:
            raise ForbiddenAddress(
                "the address starts with http://; use https://, or set allow_http = true, and"
                " where it is no public address allow_networks too, under [notifiers.webhook] in"
                " the server's configuration, and restart it"
            )

    def require_address(self, address: str) -> None:
        """See that a connection may go to this address, written as the resolver gives it.

        Raises:
            ForbiddenAddress: it may not.
            ValueError: it is no address.
        """
        if not self.allows(address):
            raise ForbiddenAddress(
                f"{address} is not a public address; to send there, add its network to"
                " allow_networks under [notifiers.webhook] in the server's configuration, and"
                " restart it"
            )


def _is_public(address: _Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address not in _OPEN_IPV6:
        return False
    return not any(address in network for network in _CLOSED)


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections for httpcore, which goes on to check certificates against the name."""

    def __init__(self, guard: Guard, resolve: Resolve, inner: httpcore.AsyncNetworkBackend) -> None:
        """`inner` is what connects, to an address that was judged."""
        self._guard = guard
        self._resolve = resolve
        self._inner = inner

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve, judge, connect.

        Raises:
            ForbiddenAddress: one of the host's addresses is not allowed.
            HttpFailure: it has none.
        """

        async def connect(address: str) -> httpcore.AsyncNetworkStream:
            return await self._inner.connect_tcp(
                address, port, timeout, local_address, socket_options
            )

        stream = await dialling.first_to_answer(
            await self._judged(host, port), connect, httpcore.AsyncNetworkStream.aclose
        )
        return Sipping(stream)

    async def _judged(self, host: str, port: int) -> Sequence[str]:
        try:
            addresses = await dialling.addresses_of(host, port, self._resolve)
        except Unresolved as error:
            raise HttpFailure(str(error), unknown=False) from error
        for address in addresses:
            self._guard.require_address(address)
        return addresses
