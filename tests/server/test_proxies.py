from collections.abc import Sequence

import pytest

from slowping.server.proxies import Proxies
from slowping.testing import FrozenClock

OURS = Proxies(["10.0.0.0/8", "fd00::/8"])


def sent(*forwarded: str) -> list[tuple[bytes, bytes]]:
    """Headers of a request, one X-Forwarded-For for each text."""
    return [(b"host", b"shop.example"), *((b"x-forwarded-for", one.encode()) for one in forwarded)]


@pytest.mark.parametrize(
    ("peer", "forwarded", "sender"),
    [
        ("10.0.0.1", ("192.0.2.7",), "192.0.2.7"),
        ("10.0.0.1", ("198.51.100.1, 192.0.2.7",), "192.0.2.7"),
        ("10.0.0.1", ("198.51.100.1", "192.0.2.7"), "192.0.2.7"),
        ("10.0.0.1", ("192.0.2.7, 10.0.0.2",), "192.0.2.7"),
        ("fd00::1", ("2001:db8::7",), "2001:db8::7"),
        ("::ffff:10.0.0.1", ("192.0.2.7",), "192.0.2.7"),
        ("10.0.0.1", ("10.0.0.2",), "10.0.0.2"),
        ("10.0.0.1", ("198.51.100.1, 192.0.2.7, 10.0.0.3, 10.0.0.2",), "192.0.2.7"),
        ("10.0.0.1", ("::ffff:192.0.2.7",), "192.0.2.7"),
        ("10.0.0.1", ("::ffff:10.0.0.2",), "10.0.0.2"),
        ("10.0.0.1", ("192.0.2.7:49152",), "192.0.2.7"),
        ("10.0.0.1", ("[2001:db8::7]:49152",), "2001:db8::7"),
        ("10.0.0.1", ("[2001:db8::7]",), "2001:db8::7"),
    ],
)
def test_the_right_most_address_that_is_no_proxys_has_sent_it(
    peer: str, forwarded: tuple[str, ...], sender: str
) -> None:
    assert OURS.sender(peer, sent(*forwarded)) == sender


@pytest.mark.parametrize(
    "forwarded",
    [
        (),
        ("",),
        ("unknown",),
        ("192.0.2.7, unknown",),
        ("192.0.2.7, unknown, 10.0.0.2",),
        ("192.0.2.7,,",),
        ("' or 1=1 --",),
        ("192.0.2.7\x00",),
        ("1" * 60_000,),
    ],
)
def test_a_proxy_that_tells_no_address_tells_nobody_from_where(forwarded: tuple[str, ...]) -> None:
    assert OURS.sender("10.0.0.1", sent(*forwarded)) is None


@pytest.mark.parametrize("peer", ["203.0.113.9", "2001:db8::9", "no address"])
def test_who_is_no_proxy_is_not_believed(peer: str) -> None:
    assert OURS.sender(peer, sent("192.0.2.7")) is None


# By name -------------------------------------------------------------------------------------


class Names:
    """Tells addresses of names as it is told to."""

    def __init__(self, **addresses: Sequence[str]) -> None:
        self.addresses = dict(addresses)

    async def __call__(self, name: str, port: int) -> Sequence[str]:
        """The addresses, or an error where there are none."""
        if name not in self.addresses:
            raise OSError("no such name")
        return self.addresses[name]


async def test_a_proxy_is_known_by_its_name(clock: FrozenClock) -> None:
    names = Names(caddy=["172.18.0.2", "fd00::2"])
    proxies = Proxies(["caddy", "10.0.0.0/8"], names)
    async with proxies.looked_up(clock):
        for peer in ("172.18.0.2", "fd00::2", "10.0.0.1"):
            assert proxies.sender(peer, sent("192.0.2.7")) == "192.0.2.7"
        assert proxies.sender("172.18.0.3", sent("192.0.2.7")) is None


async def test_a_name_is_looked_up_anew_each_minute(clock: FrozenClock) -> None:
    names = Names(caddy=["172.18.0.2"])
    proxies = Proxies(["caddy"], names)
    async with proxies.looked_up(clock):
        await clock.is_waited_on()
        names.addresses["caddy"] = ["172.18.0.9"]
        clock.advance(60)
        await clock.is_waited_on()
        assert proxies.sender("172.18.0.9", sent("192.0.2.7")) == "192.0.2.7"
        assert proxies.sender("172.18.0.2", sent("192.0.2.7")) is None


async def test_addresses_stay_while_nobody_can_tell_new_ones(clock: FrozenClock) -> None:
    names = Names(caddy=["172.18.0.2"])
    proxies = Proxies(["caddy"], names)
    async with proxies.looked_up(clock):
        await clock.is_waited_on()
        del names.addresses["caddy"]
        clock.advance(60)
        await clock.is_waited_on()
        assert proxies.sender("172.18.0.2", sent("192.0.2.7")) == "192.0.2.7"


async def test_a_name_that_comes_later_is_found_soon(clock: FrozenClock) -> None:
    names = Names()
    proxies = Proxies(["caddy"], names)
    async with proxies.looked_up(clock):
        await clock.is_waited_on()
        assert proxies.sender("172.18.0.2", sent("192.0.2.7")) is None
        names.addresses["caddy"] = ["172.18.0.2"]
        clock.advance(5)
        await clock.is_waited_on()
        assert proxies.sender("172.18.0.2", sent("192.0.2.7")) == "192.0.2.7"
