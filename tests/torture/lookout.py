"""Know every planted secret, and find it in whatever spelling."""

import base64
import hashlib
from collections.abc import Iterator, Sequence


def canary(name: str) -> str:
    """A secret by which it is known where it was planted; also 24 bytes in base64."""
    return f"Cnry{hashlib.sha256(name.encode()).hexdigest()[:28]}"


class Lookout:
    """Looks for canaries in whatever is said anywhere."""

    def __init__(self) -> None:
        self._spelt: dict[str, tuple[bytes, ...]] = {}
        self.seen: dict[str, list[str]] = {}
        """Which canaries were found, by place."""

    def plant(self, name: str, value: str) -> str:
        """Look for this from now on."""
        self._spelt[name] = tuple(_spellings(value))
        return value

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._spelt)

    def look(self, place: str, said: bytes | str, *, but_for: Sequence[str] = ()) -> None:
        """Note the canaries in what was said there."""
        lower = (said.encode() if isinstance(said, str) else said).lower()
        self.seen.setdefault(place, []).extend(self._found(lower, but_for))

    def reached(self, said: str) -> int:
        """How many canaries are in this."""
        return len(list(self._found(said.lower().encode(), ())))

    def _found(self, lower: bytes, but_for: Sequence[str]) -> Iterator[str]:
        for name, spelt in self._spelt.items():
            if name not in but_for and any(spelling in lower for spelling in spelt):
                yield name


def _spellings(value: str) -> Iterator[bytes]:
    """In lower case: as it is, as hexadecimal digits, and in base64 with anything around it."""
    plain = value.encode()
    yield plain.lower()
    yield plain.hex().encode()
    for before in range(3):
        coded = base64.b64encode(b"?" * before + plain)
        yield coded[4 * (before > 0) : -4].lower()
