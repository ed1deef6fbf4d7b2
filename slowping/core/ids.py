"""Number things in the order of time, and write the numbers down for people.

Inside, an id is an integer of 63 bits: 41 bits of milliseconds since 2025 and a counter of 22.
Outside, it is a prefix that names the noun and 13 characters of Crockford's base32, which sort
as the numbers do: `evt_01k9z6v3t8q0g`.
"""

import hashlib
from typing import Final

from slowping.core import errors

EVENT: Final = "evt"
DELIVERY: Final = "dlv"
CHANNEL: Final = "chn"
CATEGORY: Final = "cat"
API_KEY: Final = "key"
PROJECT: Final = "prj"
ACT: Final = "act"

LARGEST: Final = 2**63 - 1

NOUNS: Final = {
    EVENT: "event",
    DELIVERY: "delivery",
    CHANNEL: "channel",
    CATEGORY: "category",
    API_KEY: "API key",
    PROJECT: "project",
    ACT: "act",
}

_EPOCH_MS: Final = 1_735_689_600_000  # 2025-01-01T00:00:00Z: 41 bits last until 2094
_COUNTER_BITS: Final = 22

COUNTER: Final = (1 << _COUNTER_BITS) - 1
"""The bits of an id in which things of the same moment differ."""

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS: Final = [high + low for high in _ALPHABET for low in _ALPHABET]
_DIGITS: Final = {letter: value for value, letter in enumerate(_ALPHABET)}
_LENGTH: Final = 13


class IdSource:
    """Hands out ids, each larger than every one before, whatever the clock does."""

    def __init__(self, newest: int = 0) -> None:
        """Start above `newest`, the largest id that is in use."""
        self._newest = newest

    def take(self, now_ms: int, count: int = 1) -> int:
        """The first of `count` consecutive ids, for something that happens at `now_ms`."""
        first = max(self._newest + 1, (now_ms - _EPOCH_MS) << _COUNTER_BITS)
        self._newest = first + count - 1
        return first

    def pass_by(self, number: int) -> None:
        """Hand out nothing up to `number` any more: it came from elsewhere."""
        self._newest = max(self._newest, number)


def floor(ms: int) -> int:
    """The smallest id of something that happens at `ms`: ids are bounds of time as well."""
    return min(max(0, ms - _EPOCH_MS) << _COUNTER_BITS, LARGEST)


def beside(number: int, seed: bytes) -> int:
    """Another id of the same moment, always the same one for a seed."""
    counter = int.from_bytes(hashlib.blake2b(seed, digest_size=4).digest()) % (1 << _COUNTER_BITS)
    return number >> _COUNTER_BITS << _COUNTER_BITS | counter


def encode(prefix: str, number: int) -> str:
    """Write an id down as text, such as `evt_01k9z6v3t8q0g`."""
    pairs = _PAIRS
    return (
        f"{prefix}_{_ALPHABET[number >> 60]}"
        f"{pairs[number >> 50 & 1023]}{pairs[number >> 40 & 1023]}{pairs[number >> 30 & 1023]}"
        f"{pairs[number >> 20 & 1023]}{pairs[number >> 10 & 1023]}{pairs[number & 1023]}"
    )


def decode(prefix: str, text: str) -> int:
    """Read an id back.

    Raises:
        NotFound: the text is no id of that noun, so there can be no such thing.
    """
    number = parse(prefix, text)
    if number is None:
        raise errors.NotFound(NOUNS[prefix], text)
    return number


def parse(prefix: str, text: str) -> int | None:
    """Read an id back, or None where the text is no id of that noun."""
    start = len(prefix) + 1
    if len(text) != start + _LENGTH or not text.startswith(f"{prefix}_"):
        return None
    number = 0
    for letter in text[start:]:
        digit = _DIGITS.get(letter)
        if digit is None:
            return None
        number = number << 5 | digit
    return number if number <= LARGEST else None
