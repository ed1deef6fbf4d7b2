"""Draw small things in a given number of cells: texts, ages, how deliveries stand."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len, set_cell_size

from slowping.core import text, times
from slowping.core.delivery import DeliveryState
from slowping.core.event import Event
from slowping.tui.sifting.query import Counts

_BARS: Final = " ▁▂▃▄▅▆▇█"
_MOST_NAMES: Final = 6
_FULL: Final = len(_BARS) - 1
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def fit(line: str, width: int) -> str:
    """The line in exactly so many cells, cut with an ellipsis where it is longer."""
    if cell_len(line) <= width:
        return set_cell_size(line, width)
    return set_cell_size(line, max(0, width - 1)) + "…" if width > 0 else ""


def age(since: dt.datetime, now_ms: int) -> str:
    """How long ago that was, in at most four cells: `now`, `12s`, `3m`, `2h`, `5d`."""
    seconds = (now_ms - times.to_ms(since)) // 1000
    if seconds < 1:
        return "now"
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{min(seconds // size, 999)}{unit}"
    return "now"


def clock(moment: dt.datetime, now_ms: int) -> str:
    """When that was, on this machine: the time of a day that is today, the date of others."""
    local = moment.astimezone()
    today = times.to_datetime(now_ms).astimezone().date()
    return f"{local:%H:%M:%S}" if local.date() == today else f"{local:%Y-%m-%d}"


def deliveries(counts: Counts) -> str:
    """How deliveries stand: `3/3`, `2/3 ⟳` where some wait, `1/3 ✗` where some have failed."""
    total = sum(counts.values())
    if not total:
        return "-"
    done = counts.get(DeliveryState.DELIVERED, 0)
    if counts.get(DeliveryState.FAILED):
        return f"{done}/{total} ✗"
    if counts.get(DeliveryState.PENDING) or counts.get(DeliveryState.LEASED):
        return f"{done}/{total} ⟳"
    return f"{done}/{total} -" if counts.get(DeliveryState.DISCARDED) else f"{done}/{total}"


def fields_line(event: Event) -> str:
    """The fields on one line: `amount 49.99 · plan pro`."""
    return " · ".join(
        f"{text.one_line(name)} {text.one_line(text.show(value))}"
        for name, value in event.fields.items()
    )


def listed(names: Sequence[str]) -> str:
    """Names one after the other, the first few of many: `sale, bug and 3 more`."""
    shown, more = names[:_MOST_NAMES], len(names) - _MOST_NAMES
    said = ", ".join(text.one_line(name) for name in shown)
    return said + (f" and {more} more" if more > 0 else "")


def sparkline(figures: Sequence[int], nothing: str = " ") -> str:
    """The figures as a row of bars, the largest one full; `nothing` stands for none."""
    return bars(figures, 1)[0].replace(" ", nothing)


def bars(figures: Sequence[int], height: int, width: int = 1) -> list[str]:
    """The figures as bars on so many lines, the largest one full; each is `width` cells wide."""
    top = max(*figures, 1) if figures else 1
    # Whatever is more than nothing can be seen.
    eighths = [-(-max(0, figure) * height * _FULL // top) for figure in figures]
    return [
        "".join(_BARS[min(max(0, each - line * _FULL), _FULL)] * width for each in eighths)
        for line in reversed(range(height))
    ]


def gathered(figures: Sequence[int], most: int) -> tuple[int, ...]:
    """The figures added up in groups of one size, so that at most `most` are left."""
    size = max(1, -(-len(figures) // max(1, most)))
    # The last group is always whole: it is the one that is looked at.
    first = len(figures) % size
    groups = [figures[:first]] if first else []
    groups += [figures[at : at + size] for at in range(first, len(figures), size)]
    return tuple(map(sum, groups))
