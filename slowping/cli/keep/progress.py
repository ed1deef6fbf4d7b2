"""Show at a terminal how far something has come; say nothing where nobody watches."""

import contextlib
import sys
from collections.abc import Callable, Iterator

Report = Callable[[int, int | None], None]
"""Told how much is done, and of how much where that is known."""


@contextlib.contextmanager
def shown(what: str, *, in_bytes: bool = True) -> Iterator[Report]:
    """A bar on standard error, for as long as the block lasts."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich import console, progress

    amount: progress.ProgressColumn = (
        progress.DownloadColumn() if in_bytes else progress.MofNCompleteColumn()
    )
    columns = (progress.TextColumn("{task.description}"), progress.BarColumn(), amount)
    with progress.Progress(*columns, console=console.Console(stderr=True), transient=True) as drawn:
        task = drawn.add_task(what, total=None)
        yield lambda done, total: drawn.update(task, completed=done, total=total)
