import contextlib
import io
import os
from collections.abc import Iterator
from typing import Any, TextIO

import pytest
from rich.cells import cell_len

from slowping.core.delivery import Delivered, Outcome, Retry
from slowping.notifiers import console
from slowping.notifiers.console import Console, ConsoleSettings
from tests.notifiers.samples import bug, tools
from tests.vectors import vectors


class Screen(io.StringIO):
    """A terminal that says it is one."""

    def isatty(self) -> bool:
        """Say it."""
        return True


class Ascii(io.TextIOWrapper):
    """A terminal of the old days."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="ascii")


class Broken(io.StringIO):
    """A pipe whose reader is gone."""

    def flush(self) -> None:
        """Find out."""
        raise BrokenPipeError(32, "Broken pipe")


async def printed(terminal: Any, **changes: Any) -> Outcome:
    return await Console(tools(terminal=terminal)).deliver([bug(**changes)], ConsoleSettings())


def inside(card: str) -> list[str]:
    return [line.strip("│").strip() for line in card.splitlines()[1:-1]]


async def test_a_card_shows_title_body_fields_and_where_it_belongs() -> None:
    terminal = io.StringIO()
    assert isinstance(await printed(terminal), Delivered)
    assert terminal.getvalue() == (
        "╭─ 🐛 Bug ─────────────────────────────────────────────────────────────╮\n"
        "│ Critical database connection error                                   │\n"
        "│                                                                      │\n"
        "│ severity             high                                            │\n"
        "│ retry_count          3                                               │\n"
        "╰─ default / bug · 2026-03-06T10:30:00Z ───────────────────────────────╯\n"
    )


def test_without_body_or_fields_there_is_no_empty_line() -> None:
    assert inside(console.card(bug(body=""))) == [
        "severity             high",
        "retry_count          3",
    ]
    assert inside(console.card(bug(fields=()))) == ["Critical database connection error"]
    assert inside(console.card(bug(body="", fields=()))) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "日本語" * 40},
        {"body": "日本語 " * 100},
        {"body": "🐛" * 300},
        {"body": "word " * 100},
        {"body": "x" * 1_000_000},
        {"body": "a\tb\n\n\n    indented"},
        {"fields": (("日本語" * 10, "🐛" * 90), ("k", "x" * 1_000_000), ("", ""))},
        {"project": "p" * 64, "category": "c" * 100},
        {"title": ""},
    ],
)
@pytest.mark.parametrize("width", [40, 57, 72])
def test_every_line_is_as_wide_as_the_card(changes: dict[str, Any], width: int) -> None:
    card = console.card(bug(**changes), width=width)
    assert {cell_len(line) for line in card.splitlines()} == {width}


def test_a_long_text_is_broken_between_words_and_keeps_its_indent() -> None:
    card = console.card(bug(body="one two three\n  four five six seven", fields=()), width=20)
    assert [line[2:-2].rstrip() for line in card.splitlines()[1:-1]] == [
        "one two three", "  four five six", "seven",
    ]  # fmt: skip


def test_what_is_too_long_is_cut_where_one_can_see_it() -> None:
    tall = bug(
        body="\n".join(map(str, range(100))), fields=tuple((f"k{no}", "v") for no in range(50))
    )
    lines = inside(console.card(tall))
    assert lines[18:20] == ["18", "…"]
    assert lines[-1] == "… and 31 more"
    assert len(lines) == 2 * console.MAX_LINES + 1


@pytest.mark.parametrize("hostile", vectors("injection", "terminal"))
def test_no_text_reaches_the_terminal_as_an_instruction(hostile: str) -> None:
    shown = console.card(
        bug(title=hostile, body=hostile, fields=((hostile, hostile),), category=hostile)
    )
    assert not set(shown) & (set(hostile) - set("\\]0;titlec2JHh?1049l31mP$q_xabZXZpbA==[52"))
    assert {cell_len(line) for line in shown.splitlines()} == {console.WIDTH}


# The terminal --------------------------------------------------------------------------------


@pytest.fixture
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.mark.usefixtures("_plain_environment")
async def test_a_terminal_gets_colour() -> None:
    terminal = Screen()
    await printed(terminal)
    assert terminal.getvalue().startswith("\x1b[38;2;231;76;60m╭─ \x1b[0m🐛 Bug")


@pytest.mark.usefixtures("_plain_environment")
async def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = Screen()
    await printed(terminal)
    assert "\x1b" not in terminal.getvalue()


@pytest.mark.usefixtures("_plain_environment")
async def test_a_narrow_terminal_gets_a_narrow_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "50")
    terminal = Screen()
    await printed(terminal)
    assert {cell_len(line) for line in terminal.getvalue().splitlines()} == {50}


async def test_a_terminal_without_emoji_shows_question_marks() -> None:
    terminal = Ascii()
    assert isinstance(await printed(terminal), Delivered)
    shown = terminal.buffer
    assert isinstance(shown, io.BytesIO)
    assert b"? Bug" in shown.getvalue()


async def test_a_broken_terminal_is_tried_again() -> None:
    outcome = await printed(Broken())
    assert isinstance(outcome, Retry)
    assert "Broken pipe" in outcome.reason


@contextlib.contextmanager
def stopped_terminal() -> Iterator[tuple[TextIO, int]]:
    """A terminal that nobody reads and that takes nothing more, and where one may read it."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, b"x" * 4096)
    os.set_blocking(writing, True)
    with open(reading, "rb"), open(writing, "w") as terminal:  # noqa: PTH123 - they are pipes
        yield terminal, reading


async def test_a_terminal_that_nobody_reads_is_tried_again() -> None:
    with stopped_terminal() as (terminal, reading):
        notifier = Console(tools(terminal=terminal), patience_s=0.05)
        begun, waiting = [await notifier.deliver([bug()], ConsoleSettings()) for _ in range(2)]
        os.read(reading, 1 << 20)
    assert isinstance(begun, Retry)
    assert isinstance(waiting, Retry)
    # Of the first card some may be there; the turn of the second never came.
    assert (begun.unknown, waiting.unknown) == (True, False)


async def test_a_terminal_that_goes_on_gets_what_comes_next() -> None:
    with stopped_terminal() as (terminal, reading):
        notifier = Console(tools(terminal=terminal), patience_s=0.05)
        for _ in range(2):
            await notifier.deliver([bug()], ConsoleSettings())
        os.read(reading, 1 << 20)
        patient = await notifier.deliver([bug(title="Later")], ConsoleSettings())
        shown = os.read(reading, 1 << 20).decode()
    assert isinstance(patient, Delivered)
    assert (shown.count("Bug"), shown.count("Later")) == (1, 1)


async def test_a_closed_terminal_is_tried_again() -> None:
    terminal = io.StringIO()
    terminal.close()
    assert isinstance(await printed(terminal), Retry)
