"""Decide how a channel stands, and which columns of its row there is room for."""

import enum
from collections.abc import Mapping
from typing import Final

from slowping.core.channel import Channel
from slowping.core.overview import HOURS, ChannelFigures


class Standing(enum.Enum):
    """How a channel stands."""

    SENDING = "sending"
    PAUSED = "paused"
    TROUBLED = "troubled"


def standing(channel: Channel, figures: ChannelFigures | None) -> Standing:
    """How a channel stands, with its figures where they are known."""
    return standing_of(figures, paused=channel.paused_at is not None)


def standing_of(figures: ChannelFigures | None, *, paused: bool) -> Standing:
    """A channel is troubled if most went wrong in the latest hour in which anything was tried."""
    if paused:
        return Standing.PAUSED
    if figures is not None:
        tried = zip(reversed(figures.hours), reversed(figures.troubled_hours), strict=False)
        for good, bad in tried:
            if good or bad:
                return Standing.TROUBLED if bad >= good else Standing.SENDING
    return Standing.SENDING


def ratio(figures: ChannelFigures | None) -> str:
    """How many attempts went well: `98% of 120`; never 100% where one did not."""
    tried = figures.delivered + figures.troubled if figures else 0
    if figures is None or not tried:
        return "-"
    return f"{figures.delivered * 100 // tried}% of {tried:,}"


# Columns -------------------------------------------------------------------------------------


class Column(enum.Enum):
    """A column of the table, by its title; in the order in which they stand."""

    STATE = "State"
    NAME = "Name"
    KIND = "Kind"
    PROJECT = "Project"
    RATIO = "24 h"
    WAITING = "Waiting"
    HOURS = "Each hour"
    ERROR = "Last error"


GAP: Final = 2
"""Cells that a column takes beside what stands in it."""

LONGEST_NAME: Final = 28
_LEAST_ERROR: Final = 14
_BESIDE_HOURS: Final = 24
"""What an error has to have where a picture of the hours stands beside it."""

_BY_WEIGHT: Final = (
    Column.STATE, Column.NAME, Column.PROJECT, Column.RATIO, Column.WAITING, Column.KIND,
)  # fmt: skip


def columns(room: int, widths: Mapping[Column, int]) -> dict[Column, int]:
    """The columns for which there is room, each with its width.

    `widths` has those that say anything; what is not in it is left out. The last error has what
    the others leave, the picture of the hours what the error can spare.
    """
    found: dict[Column, int] = {}
    for column in _BY_WEIGHT:
        width = widths.get(column)
        if width is not None and (width + GAP <= room or len(found) < 2):
            found[column] = width
            room -= width + GAP
    error = Column.ERROR in widths
    if Column.HOURS in widths and room >= HOURS + GAP + (_BESIDE_HOURS + GAP if error else 0):
        found[Column.HOURS] = HOURS
        room -= HOURS + GAP
    if error and room >= _LEAST_ERROR + GAP:
        found[Column.ERROR] = room - GAP
    return {column: found[column] for column in Column if column in found}
