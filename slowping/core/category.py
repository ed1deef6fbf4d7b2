"""A category: the named drawer an event goes into, which decides its channels and its looks."""

import datetime as dt
from typing import Annotated, Final

import msgspec

from slowping.core import errors
from slowping.core.event import Color
from slowping.core.retention import KeepDays, KeepMegabytes

MAX_CATEGORIES: Final = 1_000
"""Most live categories of one project."""

MOST_PRIORITY: Final = 1_000
"""And the least is as far below zero."""

PRIORITY_HELP: Final = (
    f"From -{MOST_PRIORITY} to {MOST_PRIORITY}, for programs that read it; 0 is usual."
)
"""What is told of it wherever it is asked for."""

DEFAULT_EMOJI: Final = "🔔"
DEFAULT_COLOR: Final = 0x6C5CE7

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Priority = Annotated[int, msgspec.Meta(ge=-MOST_PRIORITY, le=MOST_PRIORITY)]
Emoji = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """A category as it stands."""

    id: str
    project: str
    name: str
    emoji: str
    color: int
    priority: int
    channels: tuple[str, ...]
    """Names of the channels its events go to; none means all channels of the project."""
    created_at: dt.datetime
    keep_days: int | None = None
    """Days that its events are kept; 0 is for ever, None as its project says."""
    keep_mb: int | None = None
    """Megabytes that its events may take; the oldest go beyond that. None or 0 is no limit."""


class NewCategory(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What it takes to create a category."""

    name: Name
    project: str | None = None
    emoji: Emoji = DEFAULT_EMOJI
    color: Color = DEFAULT_COLOR
    priority: Priority = 0
    channels: tuple[str, ...] = ()
    keep_days: KeepDays | None = None
    keep_mb: KeepMegabytes | None = None


QUICK_START: Final = (
    NewCategory(name="bug", emoji="🐛", color=0xFF6B6B),
    NewCategory(name="sale", emoji="💰", color=0xFFEB3B),
    NewCategory(name="question", emoji="🤔", color=0x6C5CE7),
)
"""What a project can start with."""


class CategoryChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change about a category; what is left out stays."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    emoji: Emoji | msgspec.UnsetType = msgspec.UNSET
    color: Color | msgspec.UnsetType = msgspec.UNSET
    priority: Priority | msgspec.UnsetType = msgspec.UNSET
    channels: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    keep_days: KeepDays | msgspec.UnsetType | None = msgspec.UNSET
    keep_mb: KeepMegabytes | msgspec.UnsetType | None = msgspec.UNSET


def check_room(count: int) -> None:
    """See whether a project may have so many categories.

    Raises:
        InvalidInput: it may not.
    """
    if count > MAX_CATEGORIES:
        raise errors.InvalidInput(f"A project has at most {MAX_CATEGORIES} categories.")


def checked_name(name: str) -> str:
    """The name, if it can be a category's: 1 to 100 printable characters, no spaces around them.

    Raises:
        InvalidInput: it cannot.
    """
    if 0 < len(name) <= 100 and name.isprintable() and name.strip() == name:
        return name
    raise errors.InvalidInput(
        "A category name has 1 to 100 printable characters, and no space before or after them."
    )
