import pytest

from slowping.server.proxies import Proxies

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
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("",), "10.0.0.1"),
        ("10.0.0.1", ("192.0.2.7, unknown",), "10.0.0.1"),
    ],
)
def test_the_right_most_address_that_is_no_proxys_has_sent_it(
    peer: str, forwarded: tuple[str, ...], sender: str
) -> None:
    assert OURS.sender(peer, sent(*forwarded)) == sender


@pytest.mark.parametrize("peer", ["203.0.113.9", "2001:db8::9", "no address"])
def test_who_is_no_proxy_is_not_believed(peer: str) -> None:
    assert OURS.sender(peer, sent("192.0.2.7")) == peer
