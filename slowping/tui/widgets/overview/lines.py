"""Draw the figures of categories and channels as lines, in as many columns as there is room for."""

from collections.abc import Sequence
from typing import Final

import msgspec
from rich.cells import cell_len
from textual.content import Content

from slowping.core import text
from slowping.core.overview import HOURS, CategoryFigures, ChannelFigures, FieldSum
from slowping.tui.channel.standing import Standing, standing_of
from slowping.tui.figures import numbers
from slowping.tui.widgets import drawing

WIDE: Final = 72
"""Cells from which on a channel's figures stand in columns."""
_WIDER: Final = 90
"""Cells from which on there is more room for each of them."""
_LEAST: Final = 3
"""A project is not shown in less."""

_MUTED: Final = "$text-muted"
_NONE: Final = "·"

_TONES: Final = {
    Standing.SENDING: "$text-success",
    Standing.PAUSED: "$text-warning",
    Standing.TROUBLED: "$text-error",
}
_MARKED: Final = 13
"""Cells for cursor, mark and word."""


class CategoryRow(msgspec.Struct, frozen=True, kw_only=True):
    """A category in the list."""

    figures: CategoryFigures
    with_project: bool

    def __call__(self, width: int, *, here: bool) -> list[Content]:
        """How much came in, and below it what the numbers in its fields add up to."""
        return _category(self, width, here=here)


class ChannelRow(msgspec.Struct, frozen=True, kw_only=True):
    """A channel in the list."""

    figures: ChannelFigures
    with_project: bool
    now_ms: int

    def __call__(self, width: int, *, here: bool) -> list[Content]:
        """How it stands, what it delivers, and below it what went wrong last."""
        return _channel(self, width, here=here)


# Categories -----------------------------------------------------------------------------------


def category_titles(width: int) -> Content:
    """The titles of a category's columns."""
    room, bars = _columns(width)
    name = drawing.fit(" Categories", width - 3 * (room + 1) - bars - 2)
    periods = "".join(f"{title:>{room + 1}}" for title in ("today", "week", "month"))
    return Content.assemble((name, "bold $text-primary"), (f"{periods}  {'24 h':<{bars}}", _MUTED))


def _category(row: CategoryRow, width: int, *, here: bool) -> list[Content]:
    figures = row.figures
    room, bars = _columns(width)
    named = width - 3 * (room + 1) - bars - 2
    counts = (figures.events.today, figures.events.week, figures.events.month)
    figured = "".join(f" {numbers.whole(each, room):>{room}}" for each in counts)
    head = Content.assemble(
        ">" if here else " ",
        ("▍", "" if here else f"#{figures.color & 0xFFFFFF:06x}"),
        drawing.fit(text.one_line(figures.emoji), 3),
        _named(figures.category, figures.project if row.with_project else "", named - 5, here),
        f"{figured}  ",
        _sparks(figures.hours, bars, here),
    )
    return [head, *(_sum(each, named, room, here) for each in figures.sums)]


def _sum(figures: FieldSum, named: int, room: int, here: bool) -> Content:
    field = drawing.fit(f"     {text.one_line(figures.field)}", named)
    sums = (figures.today, figures.week, figures.month)
    summed = "".join(f" {numbers.amount(each, room):>{room}}" for each in sums)
    return Content.assemble((field, _tone(_MUTED, here)), summed)


def _columns(width: int) -> tuple[int, int]:
    """The room for a number, and for the picture of the hours."""
    if width < WIDE:
        return 8, HOURS // 2
    return (11 if width >= _WIDER else 9), HOURS


def _named(name: str, project: str, room: int, here: bool) -> Content:
    """A name, and its project as far as there is room."""
    shown = text.one_line(name)
    named = drawing.fit(shown, min(room, cell_len(shown)))
    rest = room - cell_len(named)
    behind = f" {text.one_line(project)}" if project and rest > _LEAST else ""
    return Content.assemble((named, "bold"), (drawing.fit(behind, rest), _tone(_MUTED, here)))


# Channels -------------------------------------------------------------------------------------


def channel_titles(width: int) -> Content:
    """The titles of a channel's columns."""
    if width < WIDE:
        titles = f"{'delivered, 24 h':<{HOURS}}"
    else:
        bars = _channel_bars(width)
        shown = "delivered, 24 h" if bars == HOURS else "delivered"
        titles = f"{'waiting':>8}{'failed attempts':>16}{'p50':>8}{'p95':>8}  {shown:<{bars}}"
    name = drawing.fit(" Channels", width - len(titles))
    return Content.assemble((name, "bold $text-primary"), (titles, _MUTED))


def _channel(row: ChannelRow, width: int, *, here: bool) -> list[Content]:
    stands = standing_of(row.figures, paused=row.figures.paused)
    mark, _, word = stands.marked.partition(" ")
    start = Content.assemble(
        ">" if here else " ",
        (mark, _tone(_TONES[stands], here)),
        drawing.fit(f" {word}", _MARKED - 2),
    )
    draw = _in_columns if width >= WIDE else _in_words
    return [*draw(row.figures, start, width, here), *_below(row, width, here)]


def _in_columns(figures: ChannelFigures, start: Content, width: int, here: bool) -> list[Content]:
    bars = _channel_bars(width)
    failures = numbers.failures(figures.troubled, figures.delivered)
    half, most = map(numbers.latency, (figures.latency_p50_ms, figures.latency_p95_ms))
    figured = f"{numbers.whole(figures.waiting, 7):>8}{failures:>16}{half:>8}{most:>8}  "
    name = _named(figures.channel, "", width - _MARKED - len(figured) - bars, here)
    return [Content.assemble(start, name, figured, _sparks(figures.hours, bars, here))]


def _in_words(figures: ChannelFigures, start: Content, width: int, here: bool) -> list[Content]:
    name = _named(figures.channel, "", width - _MARKED - HOURS, here)
    said = [f"{numbers.whole(figures.waiting)} waiting"]
    if figures.delivered or figures.troubled:
        said.append(f"✗ {numbers.failures(figures.troubled, figures.delivered)} attempts")
    if figures.latency_p50_ms is not None:
        half, most = map(numbers.latency, (figures.latency_p50_ms, figures.latency_p95_ms))
        said.append(f"p50 {half} p95 {most}")
    return [
        Content.assemble(start, name, _sparks(figures.hours, HOURS, here)),
        Content(f"   {' · '.join(said)}"),
    ]


def _below(row: ChannelRow, width: int, here: bool) -> list[Content]:
    """Its kind and project, how many failed for good, and the last error with its age."""
    figures = row.figures
    said = [figures.kind, *([figures.project] if row.with_project else [])]
    words = " · ".join(map(text.one_line, said))
    failed = f" · {numbers.whole(figures.failed)} failed" if figures.failed else ""
    about = Content.assemble(
        (f"   {words}", _tone(_MUTED, here)), (failed, _tone("$text-error", here))
    )
    error = _error(row)
    if not error or about.cell_length + cell_len(error) + 3 <= width:
        return [Content.assemble(about, f" · {error}" if error else "")]
    return [about, Content(drawing.fit(f"   {error}", width))]


def _error(row: ChannelRow) -> str:
    said, at = row.figures.last_error, row.figures.last_error_at
    if said is None and at is None:
        return ""
    age = f" {drawing.age(at, row.now_ms)} ago" if at is not None else ""
    return f"last error{age}: {text.one_line(said or 'unknown')}"


def _channel_bars(width: int) -> int:
    return HOURS if width >= _WIDER else HOURS // 2


# Both -----------------------------------------------------------------------------------------


def _sparks(hours: Sequence[int], cells: int, here: bool) -> Content:
    drawn = drawing.sparkline(drawing.gathered(hours, cells), _NONE)
    return Content.styled(drawn, _tone("$text-accent", here))


def _tone(tone: str, here: bool) -> str:
    """The cursor has one tone for all."""
    return "" if here else tone
