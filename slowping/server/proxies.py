"""Decide who sent a request that has come through proxies."""

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Final

FORWARDED: Final = b"x-forwarded-for"

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Proxies:
    """The proxies of the operator: what they say of a sender is believed."""

    def __init__(self, networks: Sequence[str]) -> None:
        """`networks` are addresses and CIDRs."""
        self._networks = tuple(map(ipaddress.ip_network, networks))

    def sender(self, peer: str, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """The right-most address that is none of ours; `peer` is who has connected.

        What stands further left was written by the sender.
        """
        told = (value.decode("latin-1") for name, value in headers if name == FORWARDED)
        hops = [hop.strip() for hop in ",".join(told).split(",")]
        sender = _parsed(peer)
        while sender is not None and self._is_ours(sender) and hops:
            before = _parsed(hops.pop())
            if before is None:
                break
            sender = before
        return peer if sender is None else str(sender)

    def _is_ours(self, address: _Address) -> bool:
        return any(address in network for network in self._networks)


def _parsed(address: str) -> _Address | None:
    try:
        found: _Address = ipaddress.ip_address(address)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return found if mapped is None else mapped
