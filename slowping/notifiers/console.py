"""Deliver to the server's own terminal, as a small card."""

import asyncio
import functools
import itertools
import os
import shutil
from collections.abc import Iterator, Sequence
from typing import ClassVar, Final, TextIO

from slowping.core import text, times
from slowping.core.delivery import Delivered, Outcome, Retry
from slowping.core.notification import Notification
from slowping.notifiers.port import Settings, Tools
from slowping.notifiers.unattended import Unattended

WIDTH: Final = 72
MAX_LINES: Final = 20
"""Lines of the body, and as many of the fields."""

PATIENCE_S: Final = 5.0
"""How long a terminal may take a card; one that was stopped (Ctrl-S) takes none."""

_NARROWEST: Final = 40
_LABEL_WIDTH: Final = 20
_TAB: Final = 4
_MOST: Final = 10_000
"""Characters of a text that are looked at: more than the largest card has room for."""


class ConsoleSettings(Settings, frozen=True, kw_only=True):
    """Nothing: there is one terminal."""


class Console:
    """Prints a card."""

    kind: ClassVar[str] = "console"
    summary: ClassVar[str] = "A card on the server's own terminal"
    settings: ClassVar[type[Settings]] = ConsoleSettings
    delays: ClassVar[tuple[float, ...]] = (2, 10, 30, 120, 600)
    max_batch: ClassVar[int] = 1

    def __init__(self, tools: Tools, *, patience_s: float = PATIENCE_S) -> None:
        self._terminal = tools.terminal
        self._patience_s = patience_s
        self._printer = Unattended(1, "console")

    def scopes(self, settings: ConsoleSettings) -> tuple[str, ...]:
        """None: nobody limits it."""
        del settings
        return ()

    def fits(self, waiting: Sequence[Notification]) -> int:
        """One to a card."""
        del waiting
        return 1

    async def deliver(self, batch: Sequence[Notification], settings: ConsoleSettings) -> Outcome:
        """Print it."""
        del settings
        [notification] = batch
        printing = self._printer.begin(functools.partial(_print, notification, self._terminal))
        try:
            async with asyncio.timeout(self._patience_s):
                await asyncio.wrap_future(printing)
        except TimeoutError:
            # A card whose turn has not come is taken back; of another, some may be there.
            begun = not printing.cancel()
            return Retry(reason="the terminal has stopped: nothing reads it", unknown=begun)
        except (OSError, ValueError) as error:  # ValueError: the stream is closed
            return Retry(reason=f"the terminal cannot be written to: {error}")
        return Delivered()

    async def close(self) -> None:
        """The terminal is not ours to close, but the thread that writes to it is."""
        self._printer.end()


def card(notification: Notification, *, width: int = WIDTH, coloured: bool = False) -> str:
    """The card: a frame in the notification's colour, every control character made visible."""
    inner = width - 4
    start, end = _ink(notification.color) if coloured else ("", "")
    side = f"{start}│{end}"
    title = _short(notification.title, inner - 2)
    when = times.iso_s(notification.occurred_at)
    place = _short(f"{notification.project} / {notification.category}", inner - len(when) - 4)
    rows = (f"{side} {_padded(line, inner)} {side}\n" for line in _rows(notification, inner))
    return "".join(
        [
            f"{start}╭─ {end}{title}{start} {_rule(inner - _width(title) - 1)}╮{end}\n",
            *rows,
            f"{start}╰─ {end}{place} · {when}{start}"
            f" {_rule(inner - _width(place) - len(when) - 4)}╯{end}\n",
        ]
    )


def _print(notification: Notification, terminal: TextIO) -> None:
    on_terminal = terminal.isatty()
    width = WIDTH
    if on_terminal:
        width = max(_NARROWEST, min(WIDTH, shutil.get_terminal_size().columns))
    coloured = on_terminal and not os.environ.get("NO_COLOR")
    printed = card(notification, width=width, coloured=coloured)
    # A terminal that knows no emoji shows question marks rather than nothing.
    encoding = terminal.encoding or "utf-8"
    _write(terminal, printed.encode(encoding, "replace"), encoding)


def _write(terminal: TextIO, printed: bytes, encoding: str) -> None:
    try:
        descriptor = terminal.fileno()
    except OSError:  # it is none of the system's
        terminal.write(printed.decode(encoding))
        terminal.flush()
        return
    # Not through the stream: what is left in its buffer is written when the program ends, and
    # would hold that up.
    while printed:
        printed = printed[os.write(descriptor, printed) :]


def _ink(color: int) -> tuple[str, str]:
    red, green, blue = color.to_bytes(3, "big")
    return f"\x1b[38;2;{red};{green};{blue}m", "\x1b[0m"


def _rule(length: int) -> str:
    return "─" * max(length, 0)


# What stands in the card ---------------------------------------------------------------------


def _rows(notification: Notification, inner: int) -> Iterator[str]:
    body = _safe(notification.body)
    if body:
        lines = list(itertools.islice(_wrapped(body, inner), MAX_LINES + 1))
        yield from lines if len(lines) <= MAX_LINES else [*lines[: MAX_LINES - 1], text.ELLIPSIS]
    if body and notification.fields:
        yield ""
    shown = notification.fields
    if len(shown) > MAX_LINES:
        shown = shown[: MAX_LINES - 1]
    for name, value in shown:
        yield _field(name, value, inner)
    if len(shown) < len(notification.fields):
        yield f"{text.ELLIPSIS} and {len(notification.fields) - len(shown)} more"


def _field(name: str, value: str, inner: int) -> str:
    column = min(_LABEL_WIDTH, inner // 2)
    return f"{_padded(_short(name, column), column)} {_short(value, inner - column - 1)}"


def _safe(given: str) -> str:
    start = text.clip(given.replace("\r\n", "\n"), _MOST)
    return text.visible(start).expandtabs(_TAB).strip("\n")


# Measuring: an emoji or a Chinese character takes two columns -----------------------------------


def _width(line: str) -> int:
    from rich.cells import cell_len  # here, so that a server without a console never loads it

    return cell_len(line)


def _padded(line: str, width: int) -> str:
    return line + " " * (width - _width(line))


def _short(given: str, width: int) -> str:
    """One line of so many columns at most, cut with an ellipsis."""
    line = text.one_line(text.clip(given, _MOST))
    if _width(line) <= width:
        return line
    return next(_pieces(line, width - 1)).rstrip() + text.ELLIPSIS


def _wrapped(body: str, width: int) -> Iterator[str]:
    """The lines of a text, broken between words where that can be done."""
    for line in body.split("\n"):
        first, *words = line.split(" ")
        *full, current = _pieces(first, width)
        yield from full
        for word in words:
            if _width(f"{current} {word}") <= width:
                current = f"{current} {word}"
                continue
            yield current
            *full, current = _pieces(word, width)
            yield from full
        yield current


def _pieces(line: str, width: int) -> Iterator[str]:
    """The line in pieces of at most so many columns."""
    from rich.cells import chop_cells

    yield from chop_cells(line, width) or [""]
