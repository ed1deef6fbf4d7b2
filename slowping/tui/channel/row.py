"""Decide which columns of a channel's row there is room for, and what stands in them."""

import enum
from collections.abc import Iterable, Mapping
from typing import Final

from rich.cells import cell_len

from slowping.core import text
from slowping.core.channel import Channel
from slowping.core.overview import HOURS, ChannelFigures
from slowping.tui.channel.standing import Standing, ratio, standing
from slowping.tui.figures import numbers
from slowping.tui.widgets import drawing


class Column(enum.Enum):
    """A column of the table, by its title; in the order in which they stand."""

    STATE = "State"
    NAME = "Name"
    KIND = "Kind"
    PROJECT = "Project"
    RATIO = "Attempts"
    WAITING = "Waiting"
    HOURS = "Each hour"
    ERROR = "Last error"


GAP: Final = 2
"""Cells that a column takes beside what stands in it."""

LONGEST_NAME: Final = 28
_SHORT_NAME: Final = 18
"""A longer name is cut where there is not much room."""
_MUCH: Final = 100
_LEAST_ERROR: Final = 14
_BESIDE_HOURS: Final = 24
"""What an error has to have where a picture of the hours stands beside it."""

_ALWAYS: Final = (Column.STATE, Column.NAME)
_BY_WEIGHT: Final = (
    *_ALWAYS, Column.PROJECT, Column.RATIO, Column.WAITING, Column.KIND,
)  # fmt: skip


def columns(room: int, widths: Mapping[Column, int]) -> dict[Column, int]:
    """The columns for which there is room, each with its width.

    `widths` has those that say anything; what is not in it is left out. The last error has what
    the others leave, the picture of the hours what the error can spare.
    """
    found: dict[Column, int] = {}
    longest = LONGEST_NAME if room >= _MUCH else _SHORT_NAME
    wanted = {**widths, Column.NAME: min(widths[Column.NAME], longest)}
    for column in (column for column in _BY_WEIGHT if column in wanted):
        # An error says more than a kind.
        kept = _LEAST_ERROR + GAP if column is Column.KIND and Column.ERROR in wanted else 0
        if len(found) < len(_ALWAYS) or wanted[column] + GAP + kept <= room:
            found[column] = wanted[column]
            room -= wanted[column] + GAP
    beside = _BESIDE_HOURS + GAP if Column.ERROR in wanted else 0
    if Column.HOURS in wanted and room >= HOURS + GAP + beside:
        found[Column.HOURS] = HOURS
        room -= HOURS + GAP
    if Column.ERROR in wanted and room >= _LEAST_ERROR + GAP:
        found[Column.ERROR] = room - GAP
    return {column: found[column] for column in Column if column in found}


def widths(
    channels: Iterable[Channel], figures: Mapping[str, ChannelFigures], *, with_project: bool
) -> dict[Column, int]:
    """How wide each column would be that says anything of these channels; figures by id."""
    told = [Column.STATE, Column.NAME, Column.KIND, *([Column.PROJECT] if with_project else [])]
    if figures:
        told += [Column.RATIO, Column.WAITING, Column.HOURS]
    if any(each.last_error for each in figures.values()):
        told.append(Column.ERROR)
    found = {column: cell_len(column.value) for column in told}
    for channel in channels:
        for column in told:
            width = cell_len(said(column, channel, figures.get(channel.id)))
            found[column] = max(found[column], width)
    return found


def said(column: Column, channel: Channel, figures: ChannelFigures | None) -> str:
    """What stands in the column, on one line."""
    match column:
        case Column.STATE:
            return standing(channel, figures).marked
        case Column.NAME:
            return text.one_line(channel.name)
        case Column.KIND:
            return text.one_line(channel.kind) + (" ad hoc" if channel.ad_hoc else "")
        case Column.PROJECT:
            return text.one_line(channel.project)
        case _:
            return "" if figures is None else _counted(column, figures)


def _counted(column: Column, figures: ChannelFigures) -> str:
    match column:
        case Column.RATIO:
            return ratio(figures)
        case Column.WAITING:
            return numbers.whole(figures.waiting) if figures.waiting else ""
        case Column.HOURS:
            return drawing.sparkline(figures.hours, nothing="·")
        case _:
            return text.one_line(figures.last_error or "")


def tone(column: Column, channel: Channel, figures: ChannelFigures | None) -> str:
    """What the cell's colour says; none where it says nothing."""
    stands = standing(channel, figures)
    match column:
        case Column.STATE:
            return _TONES[stands]
        case Column.NAME:
            return "muted" if channel.ad_hoc else ""
        case Column.ERROR:
            return "failed" if stands is Standing.TROUBLED else "muted"
        case Column.KIND | Column.HOURS:
            return "muted"
    return ""


_TONES: Final = {
    Standing.SENDING: "done",
    Standing.PAUSED: "waiting",
    Standing.TROUBLED: "failed",
}
