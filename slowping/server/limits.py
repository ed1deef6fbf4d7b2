"""Count requests in fixed windows of a minute that the first request opens.

Each key has a window, and each address from which wrong keys come.
"""

import collections
import ipaddress
import math
from typing import Final

import msgspec

from slowping.core import errors

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


class Windows:
    """The open windows: when each ends, and how many requests it has seen."""

    def __init__(self) -> None:
        self._windows: dict[int, list[int]] = {}

    def take(self, key_id: int, limit: int, now_ms: int) -> Allowance:
        """Count a request; `limit` is in requests a minute, 0 for as many as one likes.

        Raises:
            RateLimited: the window is used up.
        """
        if not limit:
            return UNLIMITED
        window = self._windows.get(key_id)
        # A window that ends later than one can has seen the clock step back: it starts anew.
        if window is None or not now_ms < window[0] <= now_ms + WINDOW_MS:
            window = self._open(key_id, now_ms)
        ends_at, used = window
        retry_after_s = max(1, math.ceil((ends_at - now_ms) / 1000))
        reset_at = math.ceil(ends_at / 1000)
        if used >= limit:
            raise errors.RateLimited(retry_after_s, limit=limit, reset_at=reset_at)
        window[1] = used + 1
        return Allowance(limit, limit - used - 1, reset_at, retry_after_s)

    def _open(self, key_id: int, now_ms: int) -> list[int]:
        if len(self._windows) >= _MOST_WINDOWS:
            over = [key for key, (ends_at, _) in self._windows.items() if ends_at <= now_ms]
            for key in over:
                del self._windows[key]
        window = [now_ms + WINDOW_MS, 0]
        self._windows[key_id] = window
        return window


class Guesses:
    """How many wrong keys came from each address, so that whoever tries them is told to stop.

    Each is looked for all the same, so that a right one is never turned away: what keeps keys from
    being found is their 256 bits.
    """

    def __init__(self, limit: int) -> None:
        """`limit` is how many a minute are no more than wrong; 0 is all."""
        self._limit = limit
        self._windows: collections.OrderedDict[str | None, list[int]] = collections.OrderedDict()

    def take(self, address: str | None, now_ms: int) -> None:
        """Count a wrong key.

        Raises:
            TooManyGuesses: the window is used up.
        """
        if not self._limit:
            return
        sender = neighbourhood(address)
        window = self._windows.get(sender)
        if window is None or not now_ms < window[0] <= now_ms + WINDOW_MS:
            window = self._open(sender, now_ms)
        ends_at, used = window
        if used >= self._limit:
            raise errors.TooManyGuesses(
                max(1, math.ceil((ends_at - now_ms) / 1000)),
                limit=self._limit,
                reset_at=math.ceil(ends_at / 1000),
            )
        window[1] = used + 1

    def _open(self, sender: str | None, now_ms: int) -> list[int]:
        window = self._windows[sender] = [now_ms + WINDOW_MS, 0]
        self._windows.move_to_end(sender)
        if len(self._windows) > _MOST_WINDOWS:
            self._windows.popitem(last=False)
        return window


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
