"""Find what answers at a path: for each method and dialect, the events or an extra."""

import urllib.parse
from collections.abc import Mapping, Sequence

import msgspec

from slowping.server.dialects.port import Dialect, Extra

_OPTIONS = "OPTIONS"


class Place(msgspec.Struct, frozen=True):
    """A path, and what answers there."""

    routes: Mapping[tuple[str, str], Extra | None]
    """By method and dialect's name; None takes events, an extra does something else."""
    dialects: tuple[Dialect, ...]
    """Two where they share the path."""

    @property
    def methods(self) -> tuple[str, ...]:
        """Every method that the path answers to."""
        return (*sorted({method for method, _ in self.routes}), _OPTIONS)

    def methods_of(self, dialect: Dialect) -> tuple[str, ...]:
        """Those among them that are one dialect's."""
        own = (method for method, name in self.routes if name == dialect.name)
        return (*sorted(own), _OPTIONS)


class Places:
    """Every path of the dialects."""

    def __init__(self, dialects: Sequence[Dialect]) -> None:
        self._places: dict[str, Place] = {}
        self._open_ended: dict[str, Place] = {}
        for path, routes in _routes(dialects).items():
            names = {name for _, name in routes}
            place = Place(routes, tuple(one for one in dialects if one.name in names))
            start, brace, _ = path.partition("/{")
            (self._open_ended if brace else self._places)[start] = place

    def at(self, path: str) -> tuple[Place | None, str]:
        """What answers at a path without a slash at its end, and what its variable end says."""
        place = self._places.get(path)
        if place is not None:
            return place, ""
        start, _, name = path.rpartition("/")
        return self._open_ended.get(start), urllib.parse.unquote(name)


def _routes(dialects: Sequence[Dialect]) -> Mapping[str, dict[tuple[str, str], Extra | None]]:
    routes: dict[str, dict[tuple[str, str], Extra | None]] = {}
    for dialect in dialects:
        taking = dialect.operation
        for path in (taking.path, *dialect.aliases):
            routes.setdefault(path, {})[taking.method, dialect.name] = None
        for extra in dialect.extras:
            told = extra.operation
            routes.setdefault(told.path, {})[told.method, dialect.name] = extra
    return routes
