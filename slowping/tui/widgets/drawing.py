"""Draw small things in a given number of cells: texts, ages, how deliveries stand."""

import datetime as dt

from rich.cells import cell_len, set_cell_size

from slowping.core import text, times
from slowping.core.delivery import DeliveryState
from slowping.core.event import Event
from slowping.tui.query import Counts

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
    return f"{local:%H:%M:%S}" if local.date() == today else f"{local:%d %b %Y}"


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
