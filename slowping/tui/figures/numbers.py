"""Put figures into words that are quickly read: thousands apart, few digits, units that fit."""

import math
from typing import Final

NOTHING: Final = "-"
"""Stands where there is no figure."""

_SHORT: Final = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
_LARGEST: Final = 1e15
_WAITS: Final = (
    (86_400_000, 2 * 86_400_000, "d"),
    (3_600_000, 2 * 3_600_000, "h"),
    (60_000, 2 * 60_000, "min"),
    (1_000, 1_000, "s"),
)
"""Milliseconds of the unit, from how many on it is used, its name."""


def whole(figure: int, room: int = 11) -> str:
    """A count: `31,002`; where that is longer than `room` cells, `31.0k`, `1.2M`, `3.4B`."""
    full = f"{figure:,}"
    return full if len(full) <= room else _short(float(figure))


def amount(figure: float, room: int = 13) -> str:
    """A sum: `49`, `1,240.50`, `0.0031`; where that is longer than `room` cells, `1.2M`."""
    if not math.isfinite(figure):
        return "too large" if math.isinf(figure) and room >= 9 else NOTHING
    full = _plain(figure)
    return full if len(full) <= room else _short(figure)


def percent(part: int, whole: int) -> str:
    """A share: `67%`; never `100%` where something is missing, never `0%` where something is not.

    `whole` is not nothing, and `part` may be more than it.
    """
    share = round(100 * part / whole)
    return f"{min(max(share, 1), 99) if 0 < part < whole else share}%"


def latency(ms: int | None) -> str:
    """How long something took: `240 ms`, `1.2 s`, `45 s`, `12 min`, `5 h`, `3 d`."""
    if ms is None:
        return NOTHING
    for size, least, unit in _WAITS:
        if ms >= least:
            return f"{ms / size:.1f} {unit}" if ms < 9_950 else f"{round(ms / size):,} {unit}"
    return f"{ms} ms"


def failures(troubled: int, delivered: int) -> str:
    """How many attempts went wrong: `3 of 120`; nothing where none was made."""
    tried = troubled + delivered
    return f"{whole(troubled, 6)} of {whole(tried, 6)}" if tried else NOTHING


def backlog(waiting: int, failed: int) -> str:
    """What is on its way, and what is not going any further: `12 waiting · 3 failed`."""
    return f"{whole(waiting)} waiting" + (f" · {whole(failed)} failed" if failed else "")


def _plain(figure: float) -> str:
    cents = round(figure, 2)
    if abs(figure) < 1 and not math.isclose(cents, figure, rel_tol=1e-6):
        # Three digits that say something, however small it is.
        return f"{figure:.3g}" if abs(figure) >= 1e-4 else f"{figure:.1e}"
    if cents == int(cents):
        return f"{int(cents):,}"
    return f"{cents:,.2f}"


def _short(figure: float) -> str:
    if abs(figure) >= _LARGEST:
        return f"{figure:.1e}"
    for size, unit in _SHORT:
        if abs(figure) >= size * 0.99995:
            return f"{figure / size:.1f}{unit}"
    return f"{figure:.0f}"
