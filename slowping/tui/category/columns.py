"""Decide which columns a table of categories has room for."""

from typing import Final

NAME: Final = "Category"
PROJECT: Final = "Project"
TODAY: Final = "Today"
WEEK: Final = "Week"
MONTH: Final = "Month"
HALF: Final = "Last day"
"""The last day in twelve bars."""
HOURS: Final = "Last 24 hours"
LAST: Final = "Last"
CHANNELS: Final = "Channels"
PRIORITY: Final = "Priority"

_SHOWN: Final = (NAME, PROJECT, TODAY, WEEK, MONTH, HALF, HOURS, LAST, CHANNELS, PRIORITY)
"""From left to right."""

_WIDTHS: Final = {
    PROJECT: 12, TODAY: 8, LAST: 7, CHANNELS: 16, HALF: 14, WEEK: 8, MONTH: 8, PRIORITY: 10,
}  # fmt: skip
"""With what stands between columns; the most wanted first."""
_MORE_FOR_HOURS: Final = 12
_BESIDE_NAME: Final = 6
"""Cells that a block, the emoji, and what stands between columns take."""
_NARROW: Final = 72
_ROOMY: Final = 140
"""From here on there is room for everything, and to spare."""


def room_for(title: str, width: int) -> int:
    """How many cells a text in that column can have; the details have all of it."""
    if title == NAME:
        return 16 if width < _NARROW else 23
    if title == CHANNELS:
        return 14 if width < _ROOMY else 28
    return 10


def columns(
    width: int, longest_name: int, *, all_projects: bool, with_figures: bool
) -> tuple[str, ...]:
    """The titles of those that fit, from left to right; the name is always there.

    `longest_name` is how many cells the longest of the names takes.
    """
    chosen = {NAME}
    room = width - min(longest_name, room_for(NAME, width)) - _BESIDE_NAME
    for title, taken in _WIDTHS.items():
        wanted = all_projects if title == PROJECT else True
        if title in {TODAY, WEEK, MONTH, HALF}:
            wanted = with_figures
        if wanted and room >= taken:
            chosen.add(title)
            room -= taken
    if HALF in chosen and room >= _MORE_FOR_HOURS:
        chosen = (chosen - {HALF}) | {HOURS}
    return tuple(title for title in _SHOWN if title in chosen)
