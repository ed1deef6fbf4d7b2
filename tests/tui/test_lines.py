"""A list of lines that are drawn as they come in sight."""

import contextlib
from collections.abc import AsyncIterator, Hashable, Sequence

from textual._wait import wait_for_idle
from textual.app import App, ComposeResult

from slowping.tui.widgets.lines import Column, Lines, Piece
from tests.tui.driver import picture


class Numbers(App[None]):
    """Shows numbers, and counts what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.moves = 0
        self.drawn = 0

    def compose(self) -> ComposeResult:
        """One list."""
        yield Lines(self._draw)

    def _draw(self, key: Hashable) -> Sequence[Piece]:
        self.drawn += 1
        return [(f" number {key}", "strong"), (" !", "failed")]

    def on_lines_moved(self) -> None:
        """Count."""
        self.moves += 1


def at(lines: Lines) -> object:
    """The key under the cursor, as it is now."""
    return lines.current


@contextlib.asynccontextmanager
async def showing(*numbers: int) -> AsyncIterator[tuple[Numbers, Lines]]:
    app = Numbers()
    async with app.run_test(size=(30, 5)):
        lines = app.query_one(Lines)
        lines.show(numbers)
        yield app, lines


async def test_only_what_is_in_sight_is_drawn() -> None:
    async with showing(*range(10_000)) as (app, lines):
        lines.refresh()
        assert "number 4" in picture(app.export_screenshot())
        assert app.drawn < 100


async def test_the_cursor_stays_with_its_thing() -> None:
    async with showing(1, 2, 3) as (_, lines):
        lines.go_to(2)
        lines.show([0, 1, 2, 3])
        assert at(lines) == 2


async def test_the_cursor_stays_in_place_where_its_thing_is_gone() -> None:
    async with showing(1, 2, 3) as (_, lines):
        lines.go_to(2)
        lines.show([1, 3])
        assert at(lines) == 3
        lines.show([1])
        assert at(lines) == 1
        lines.show([])
        assert at(lines) is None


async def test_it_tells_of_another_thing_under_the_cursor_once() -> None:
    async with showing(1, 2) as (app, lines):
        await wait_for_idle(0)
        app.moves = 0
        lines.bottom()
        lines.bottom()
        lines.show([1, 2])
        await wait_for_idle(0)
        assert app.moves == 1


async def test_the_cursor_stays_in_sight() -> None:
    async with showing(*range(100)) as (_, lines):
        lines.bottom()
        assert lines.scroll_offset.y == 95
        lines.half_up()
        assert at(lines) == 97
        lines.page_up()
        lines.page_up()
        assert (lines.scroll_offset.y, at(lines)) == (87, 87)
        lines.top()
        assert lines.scroll_offset.y == 0
        lines.half_down()
        lines.page_down()
        lines.up()
        lines.down()
        assert at(lines) == 7


async def test_a_click_puts_the_cursor_there() -> None:
    app = Numbers()
    async with app.run_test(size=(30, 5)) as pilot:
        lines = app.query_one(Lines)
        lines.show(range(10))
        await pilot.click(Lines, offset=(3, 2))
        assert at(lines) == 2
        lines.show([0])
        await pilot.click(Lines, offset=(3, 4))
        assert at(lines) == 0


def test_a_column_is_as_wide_as_it_is_said_to_be() -> None:
    assert Column("count", 5, right=True).fit("12") == "   12  "
    assert Column("error", 5).fit("much too long") == "much…  "
    assert Column("error", 5).fit("日本語") == "日本…  "
