"""Count requests in fixed windows of a minute that the first request opens.

Each key has a window, and each address from which wrong keys come.
"""

import collections
import ipaddress
import math
from typing import Final, Generic, TypeVar

import msgspec

from slowping.core import errors

K = TypeVar("K")

WINDOW_MS: Final = 60_000
_MOST_WINDOWS: Final = 10_000


class Allowance(msgspec.Struct, frozen=True, gc=False):
    """What a key has left of this minute; a limit of 0 means that nothing is counted."""

    limit: int
    remaining: int
    reset_at: int
    """Unix seconds."""
    retry_after_s: int


UNLIMITED: Final = Allowance(0, 0, 0, 0)


class Windows(Generic[K]):
    """The open windows: when each ends, and how many requests it has seen."""

    def __init__(self, refusal: type[errors.RateLimited] = errors.RateLimited) -> None:
        """`refusal` is raised where a window is used up."""
        self._refusal = refusal
        self._windows: collections.OrderedDict[K, list[int]] = collections.OrderedDict()

    def take(self, key: K, limit: int, now_ms: int) -> Allowance:
        """Count a request; `limit` is in requests a minute, 0 for as many as one likes.

        Raises:
            RateLimited: the window is used up.
        """
        if not limit:
            return UNLIMITED
        window = self._windows.get(key)
        # A window that ends later than one can has seen the clock step back: it starts anew.
        if window is None or not now_ms < window[0] <= now_ms + WINDOW_MS:
            window = self._open(key, now_ms)
        ends_at, used = window
        retry_after_s = max(1, math.ceil((ends_at - now_ms) / 1000))
        reset_at = math.ceil(ends_at / 1000)
        if used >= limit:
            raise self._refusal(retry_after_s, limit=limit, reset_at=reset_at)
        window[1] = used + 1
        return Allowance(limit, limit - used - 1, reset_at, retry_after_s)

    def _open(self, key: K, now_ms: int) -> list[int]:
        self._windows.pop(key, None)
        if len(self._windows) >= _MOST_WINDOWS:
            self._make_room(now_ms)
        window = self._windows[key] = [now_ms + WINDOW_MS, 0]
        return window

    def _make_room(self, now_ms: int) -> None:
        over = [key for key, (ends_at, _) in self._windows.items() if ends_at <= now_ms]
        for key in over:
            del self._windows[key]


class _NewestWindows(Windows[K]):
    """Windows of which strangers open as many as they like: only the newest are kept."""

    def _make_room(self, now_ms: int) -> None:
        del now_ms
        self._windows.popitem(last=False)


class Guesses:
    """How many wrong keys came from each address, so that nobody tries them by the million.

    Right keys are not looked at here, so that they cost nothing and are never turned away.
    """

    def __init__(self, limit: int) -> None:
        """`limit` is how many a minute are looked at; 0 is all."""
        self._limit = limit
        self._windows = _NewestWindows[str | None](errors.TooManyGuesses)

    def take(self, address: str | None, now_ms: int) -> None:
        """Count a wrong key.

        Raises:
            TooManyGuesses: the window is used up.
        """
        if self._limit:
            self._windows.take(neighbourhood(address), self._limit, now_ms)


def neighbourhood(address: str | None) -> str | None:
    """The addresses that one sender can choose from, by one name: of IPv6 all of a /64."""
    try:
        found = ipaddress.IPv6Address(unmapped(address or ""))
    except ValueError:
        return None if address is None else unmapped(address)
    return f"{ipaddress.IPv6Address(int(found) >> 64 << 64)}/64"


def unmapped(address: str) -> str:
    """The IPv4 address that an IPv6 one only wraps; any other text as it is."""
    try:
        wrapped = ipaddress.IPv6Address(address).ipv4_mapped
    except ValueError:
        return address
    return address if wrapped is None else str(wrapped)


def used_up(error: errors.RateLimited) -> Allowance:
    """What is left where a request was refused: nothing."""
    return Allowance(error.limit, 0, error.reset_at, error.retry_after_s)


def rate_headers(allowance: Allowance) -> list[tuple[bytes, bytes]]:
    """What a client reads of its minute, by the old names and by the IETF draft's.

    Retry-After stands where nothing is left, so on the last request that succeeds as well.
    """
    limit, remaining, reset_at, retry_after_s = msgspec.structs.astuple(allowance)
    if not limit:
        return []
    headers = [
        (b"x-ratelimit-limit", b"%d" % limit),
        (b"x-ratelimit-remaining", b"%d" % remaining),
        (b"x-ratelimit-reset", b"%d" % reset_at),
        (b"ratelimit-policy", b'"minute";q=%d;w=60' % limit),
        (b"ratelimit", b'"minute";r=%d;t=%d' % (remaining, retry_after_s)),
    ]
    if not remaining:
        headers.append((b"retry-after", b"%d" % retry_after_s))
    return headers
