"""Speak to people and to programs: tables or JSON on stdout, talk on stderr, exit codes.

Whatever a server sent is made harmless here before a terminal gets to see it.
"""

import contextlib
import datetime as dt
import enum
import json
import re
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec
import rich_click as click

from slowping.core import errors, text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from slowping.client.whereabouts import Address

_PIPE_WIDTH: Final = 10_000
_PIPE_CELL: Final = 120
"""Longest text, in characters, of a cell that goes to a file or a pipe."""
_MAX_NAME: Final = 60
_INDENT: Final = 2

ADDRESS: Final = "slowping.address"
"""Name in a command's context of the address it talks to, with the API key it uses there."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
yes_option = click.option(
    "--yes", is_flag=True, help="Do not ask. A script, without a terminal, is never asked."
)


class ExitCode(enum.IntEnum):
    """What a script learns of how it went."""

    DONE = 0
    FAILED = 1
    WRONG_USAGE = 2
    UNREACHABLE = 3
    REFUSED = 4


@contextlib.contextmanager
def answering(ctx: click.Context) -> Iterator[None]:
    """Tell an error of ours in one sentence on stderr, and end with its exit code."""
    try:
        yield
    except errors.SlowpingError as error:
        address = ctx.meta.get(ADDRESS)
        told = in_words(error, address)
        # What is wrong in a configuration has a line each; other words may be a stranger's.
        for line in told.splitlines() if isinstance(error, errors.ConfigError) else (told,):
            talk(line)
        ctx.exit(exit_code(error))


def in_words(error: errors.SlowpingError, address: "Address | None") -> str:
    """What went wrong and, where it is up to the key or the server, which one and what to do."""
    told = str(error) or type(error).__name__
    if address is None:
        return told
    if isinstance(error, errors.Unreachable | errors.UnexpectedAnswer) and address.server_from:
        return f"{told} This server is that of {address.server_from}: give another with --server."
    return told if address.key_from is None else _of_key(error, told, address.key_from)


def _of_key(error: errors.SlowpingError, told: str, key_from: str) -> str:
    match error:
        case errors.UnknownApiKey():
            return (
                f"{told} It came from {key_from}. Give another with --api-key; where no live "
                "admin key is left, the next start of the server makes one."
            )
        case errors.ForeignProject():
            return (
                f"{told} The key came from {key_from}. Give one that may with --api-key, or issue "
                f"one: slowping key create --name NAME --project {error.project}"
            )
        case errors.Forbidden():
            return f"{told} The key came from {key_from}; give another with --api-key."
    return told


def exit_code(error: errors.SlowpingError) -> ExitCode:
    """The exit code that says what kind of error it is."""
    match error:
        case errors.Unreachable():
            return ExitCode.UNREACHABLE
        case (
            errors.NoCredential()
            | errors.MalformedCredential()
            | errors.EmptyCredential()
            | errors.UnknownApiKey()
            | errors.TooManyGuesses()
            | errors.Forbidden()
        ):
            return ExitCode.REFUSED
        case errors.InvalidInput() | errors.InvalidJson():
            return ExitCode.WRONG_USAGE
        case _:
            return ExitCode.FAILED


def talk(sentence: str) -> None:
    """Say something to the person at the terminal: stdout is for data alone."""
    click.echo(f"slowping: {text.one_line(sentence)}", err=True)


def confirm(question: str, yes: bool) -> None:
    """Ask before what cannot be taken back; go on where `--yes` said so, or nobody can answer.

    Raises:
        Abort: the answer is no.
    """
    if not yes and sys.stdin.isatty():
        click.confirm(text.one_line(question), abort=True, err=True)


def require_change(*given: object) -> None:
    """Make sure that at least one option says what to change.

    Raises:
        UsageError: none does.
    """
    if all(value is None or value is False or value == () for value in given):
        raise click.UsageError("Nothing to change: say what, with an option.")


def data(line: str) -> None:
    """Print what a script may want to read."""
    click.echo(text.one_line(line))


def as_json(value: Any) -> None:  # a struct, or a list of them
    """Print as JSON, with everything escaped that a terminal could take for an instruction."""
    click.echo(_harmless(msgspec.json.format(msgspec.json.encode(value), indent=2)))


def json_line(value: Any) -> None:  # a struct
    """Print as JSON on a line of its own, and see that whoever reads it gets it now."""
    click.echo(_harmless(msgspec.json.encode(value)))


def _harmless(encoded: bytes) -> str:
    return re.sub("[^\n\x20-\x7e]", _escaped, encoded.decode())


def _escaped(match: re.Match[str]) -> str:
    letter = match[0]
    return letter if text.visible(letter) == letter else json.dumps(letter)[1:-1]


class Column(msgspec.Struct, frozen=True):
    """A column of a table: ids, states and numbers are never cut, other texts where they must."""

    title: str
    whole: bool = False
    prose: bool = False
    """Goes on in the next line of the column instead of being cut: somebody wants to read it."""
    below: bool = False
    """Stands below its row on a terminal that is too narrow, instead of being cut."""


def table(noun: str, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under their titles, a dash for what is empty; say on stderr if there are none.

    Off a terminal each row is one line, and a long text is cut: whole texts are in the JSON.
    """
    if not rows:
        talk(f"No {noun}.")
        return
    from rich import console

    terminal = console.Console(highlight=False)
    if not terminal.is_terminal:
        terminal.width = _PIPE_WIDTH
    grid = _grid(columns, rows, on_terminal=terminal.is_terminal)
    boundless = terminal.options.update(max_width=_PIPE_WIDTH)
    if any(column.below for column in columns) and (
        terminal.measure(grid, options=boundless).maximum > terminal.width
    ):
        _print_below(terminal, columns, rows)
    else:
        terminal.print(grid)


def _grid(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], *, on_terminal: bool
) -> "Table":
    from rich import table
    from rich import text as rich_text

    grid = table.Table(box=None, pad_edge=False, header_style="")
    for number, column in enumerate(columns):
        width = max(len(row[number]) for row in rows) if column.whole else None
        title = rich_text.Text(column.title, no_wrap=True, overflow="ellipsis")
        grid.add_column(title, no_wrap=column.whole, min_width=width)
    for row in rows:
        cells = (
            rich_text.Text(
                _cell(value, column, on_terminal),
                no_wrap=not column.prose,
                overflow="fold" if column.prose else "ellipsis",
            )
            for value, column in zip(row, columns, strict=True)
        )
        grid.add_row(*cells)
    return grid


def _print_below(
    terminal: "Console", columns: Sequence[Column], rows: Sequence[Sequence[str]]
) -> None:
    """Print rows, each with its long texts in lines of their own below it."""
    from rich import padding
    from rich import text as rich_text

    beside = [number for number, column in enumerate(columns) if not column.below]
    kept = [[row[number] for number in beside] for row in rows]
    grid = _grid([columns[number] for number in beside], kept, on_terminal=True)
    with terminal.capture() as captured:
        terminal.print(grid)
    title, *lines = captured.get().splitlines()
    click.echo(title)
    for line, row in zip(lines, rows, strict=True):
        click.echo(line)
        for value, column in zip(row, columns, strict=True):
            if column.below and value:
                long = rich_text.Text(text.one_line(value))
                terminal.print(padding.Padding(long, (0, 0, 0, _INDENT)))


def _cell(value: str, column: Column, on_terminal: bool) -> str:
    line = text.one_line(value) or "-"
    free = on_terminal or column.whole or column.prose
    return line if free else text.clip(line, _PIPE_CELL)


def details(pairs: Sequence[tuple[str, str]]) -> None:
    """Print names and values, one pair a line; a dash for what is empty."""
    shown = [(text.shorten(text.one_line(name), _MAX_NAME), value) for name, value in pairs]
    width = max(len(name) for name, _ in shown)
    for name, value in shown:
        click.echo(f"{name:<{width}}  {text.one_line(value) or '-'}")


def gap() -> None:
    """Print an empty line between two blocks."""
    click.echo()


def counted(count: int, one: str, many: str) -> str:
    """A number with its noun: `1 delivery`, `2 deliveries`."""
    return f"{count} {one if count == 1 else many}"


def duration(ms: int) -> str:
    """A duration as people read it: `2 ms`, `3.0 s`."""
    return f"{ms} ms" if ms < 1_000 else f"{ms / 1_000:.1f} s"


def age(moment: dt.datetime | None) -> str:
    """How long ago that was, as `brief` has it; a dash where it never was."""
    return "-" if moment is None else brief(dt.datetime.now(dt.UTC) - moment)


def brief(span: dt.timedelta) -> str:
    """A span in its largest unit: `7s`, `2h`, `400d`; what lies ahead is no time at all."""
    seconds = max(0, int(span.total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def moment(at: dt.datetime | None) -> str:
    """A moment to the second in UTC; a dash where there is none."""
    return "-" if at is None else f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
