"""Measure what the live view's user feels: the first picture, and a flush into a full list."""

import asyncio
import datetime as dt
import pathlib
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from textual.app import App, ComposeResult
from textual.widget import Widget
from textual.widgets import DataTable

from benchmarks import compiled, pouring, terminal
from benchmarks.bar import Bar, never
from slowping.core import ids
from slowping.core.event import Event
from slowping.tui.widgets.feed_view import FeedView

SIZE: Final = (140, 45)
HELD: Final = 5_000
FLUSHED: Final = 20
ROUNDS: Final = 15

_HELLO: Final = "Textual hello-world"
_FIRST_PICTURES: Final[Mapping[str, tuple[list[str], bytes]]] = {
    _HELLO: ([sys.executable, "-m", "benchmarks.hello"], b"Hello, world"),
    "slowping tui": (
        # Nobody answers there: the first picture does not wait for a server.
        [
            *(sys.executable, "-m", "slowping", "tui"),
            *("--server", "http://127.0.0.1:9", "--api-key", "slp_none"),
        ],
        b"connecting",
    ),
}


def bars(folder: pathlib.Path) -> Sequence[Bar]:
    """What the live view's user feels: its first picture, and how it keeps up."""
    first_paint, flush = first_paint_ratio(), flush_ratio()
    poured = pouring.figures(folder / "data")
    return [
        Bar(
            what="first picture / Textual hello-world", measured=first_paint, bar=1.6, at_most=True
        ),
        Bar(what="flush of 20 into 5,000 / DataTable", measured=flush, bar=0.1, at_most=True),
        never("events missed of 1,000 a second", poured["missed"]),
        never("keys unanswered meanwhile", poured["unanswered"]),
        Bar(
            what="memory after 30 s of it / after 10 s",
            measured=poured["growth"],
            bar=1.05,
            at_most=True,
        ),
    ]


def first_paint_ratio() -> float:
    """Time from the start of `slowping tui` to a drawn screen, against a hello-world's."""
    taken: dict[str, list[float]] = {name: [] for name in _FIRST_PICTURES}
    with tempfile.TemporaryDirectory() as home, compiled.once() as variables:
        environ = {**variables, "HOME": home, "XDG_STATE_HOME": home, "XDG_CONFIG_HOME": home}
        for number in range(ROUNDS + 1):
            for name, (command, words) in _FIRST_PICTURES.items():
                seconds = _until_drawn(command, words, environ)
                if number:  # the first round fills the caches
                    taken[name].append(seconds)
    return _told("first picture", taken, "slowping tui", _HELLO)


def _until_drawn(command: list[str], words: bytes, environ: Mapping[str, str]) -> float:
    started = time.perf_counter()
    with terminal.running(command, SIZE, environ) as screen:
        if not screen.sees(words, 30):
            raise RuntimeError(f"{command} draws nothing")
        return time.perf_counter() - started


def flush_ratio() -> float:
    """Processor time of one flush of 20 events into a list of 5,000, against a DataTable's."""
    taken = {"feed": asyncio.run(_feed()), "DataTable": asyncio.run(_data_table())}
    return _told("flush of 20 into 5,000", taken, "feed", "DataTable")


class _Alone(App[None]):
    """One widget, which fills the screen."""

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self._widget = widget

    def compose(self) -> ComposeResult:
        """It."""
        yield self._widget


async def _feed() -> list[float]:
    feed = FeedView(_now_ms)

    async def flush(first: int) -> None:
        feed.extend([_event(number) for number in range(first, first + FLUSHED)])

    async def fill() -> None:
        feed.load([_event(number) for number in range(HELD)])

    return await _flushes(feed, fill, flush)


async def _data_table() -> list[float]:
    table: DataTable[str] = DataTable()

    async def fill() -> None:
        table.add_columns("age", "category", "description", "fields", "deliveries")
        for number in range(HELD):
            table.add_row(*_cells(number), key=str(number))
        table.move_cursor(row=HELD - 1, animate=False)

    async def flush(first: int) -> None:
        for number in range(first, first + FLUSHED):
            table.remove_row(str(number - HELD))
            table.add_row(*_cells(number), key=str(number))
        table.move_cursor(row=HELD - 1, animate=False)

    return await _flushes(table, fill, flush)


async def _flushes(
    widget: Widget,
    fill: Callable[[], Awaitable[None]],
    flush: Callable[[int], Awaitable[None]],
) -> list[float]:
    """Processor seconds of each flush, the drawing of it included."""
    taken = []
    async with _Alone(widget).run_test(size=SIZE) as pilot:
        await fill()
        await pilot.pause()
        for number in range(ROUNDS):
            started = time.process_time()
            await flush(HELD + number * FLUSHED)
            await pilot.pause()
            taken.append(time.process_time() - started)
    return taken


def _event(number: int) -> Event:
    return Event(
        id=ids.encode(ids.EVENT, number + 1),
        project="shop",
        category="sale",
        description=f"Order {number} has come in",
        fields={"amount": 49.99, "customer": "john@example.com"},
        source=None,
        color=None,
        dialect="slowping",
        occurred_at=None,
        received_at=dt.datetime.fromtimestamp(1_795_000_000 + number, dt.UTC),
        notify=True,
        deliveries={"pending": 2},
    )


def _cells(number: int) -> tuple[str, ...]:
    fields = "amount 49.99 · customer john@example.com"
    return "12s", "💰 sale", f"Order {number} has come in", fields, "0/2 ⟳"


def _now_ms() -> int:
    return 1_795_000_100_000


def _told(what: str, taken: Mapping[str, list[float]], own: str, baseline: str) -> float:
    """Print the figures, and give the ratio of the medians."""
    medians = {name: statistics.median(times) for name, times in taken.items()}
    print(f"{what:<30} {'ms':>8} {'spread':>14} {'ratio':>8}")
    for name, times in taken.items():
        spread = f"{1000 * min(times):.0f}-{1000 * max(times):.0f}"
        ratio = medians[name] / medians[baseline]
        print(f"{name:<30} {1000 * medians[name]:8.1f} {spread:>14} {ratio:8.2f}")
    print()
    return medians[own] / medians[baseline]
