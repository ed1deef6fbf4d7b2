"""Show at a terminal how far something has come; say nothing where nobody watches."""

import contextlib
import enum
import sys
from collections.abc import Callable, Iterator

Report = Callable[[int, int | None], None]
"""Told how much is done, and of how much where that is known."""


class Of(enum.Enum):
    """What is counted."""

    BYTES = enum.auto()
    EVENTS = enum.auto()
    NOTHING = enum.auto()
    """It is only known how long it takes already."""


@contextlib.contextmanager
def shown(what: str, of: Of = Of.BYTES) -> Iterator[Report]:
    """A bar on standard error, for as long as the block lasts."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich import console, progress

    amounts: dict[Of, progress.ProgressColumn] = {
        Of.BYTES: progress.DownloadColumn(),
        Of.EVENTS: progress.MofNCompleteColumn(),
        Of.NOTHING: progress.TimeElapsedColumn(),
    }
    columns = (progress.TextColumn("{task.description}"), progress.BarColumn(), amounts[of])
    with progress.Progress(*columns, console=console.Console(stderr=True), transient=True) as drawn:
        task = drawn.add_task(what, total=None)
        yield lambda done, total: drawn.update(task, completed=done, total=total)
