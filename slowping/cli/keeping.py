"""For how long, and how many, events are kept: options of projects and of categories, and words."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec
import rich_click as click

from slowping.core import retention

USUAL: Final = "default"
"""Takes back what was set."""

_UNSAID: Final = -1

F = TypeVar("F", bound=Callable[..., Any])


def options(command: F) -> F:
    """The two options, as a command takes them: `keep_days` and `keep_mb`."""
    for name, metavar, told in (
        (
            "--keep-mb",
            "MB",
            "Megabytes that its events may take; then the oldest go. 0 is no limit.",
        ),
        (
            "--keep-days",
            "DAYS",
            f"Days that its events are kept; 0 is for ever, '{USUAL}' is what holds elsewhere.",
        ),
    ):
        command = click.option(name, type=_number, metavar=metavar, help=told)(command)
    return command


def change(given: int | None) -> int | msgspec.UnsetType | None:
    """What is to be changed: nothing where the option was not given."""
    if given is None:
        return msgspec.UNSET
    return None if given == _UNSAID else given


def first(given: int | None) -> int | None:
    """What something new begins with."""
    return None if given == _UNSAID else given


def days(keep_days: int | None, usual: str) -> str:
    """In words; `usual` says what holds where nothing was set."""
    return retention.told(keep_days, None) or usual


def size(keep_mb: int | None) -> str:
    """In words."""
    return retention.told(None, keep_mb) or "no limit"


def _number(typed: str) -> int:
    if typed == USUAL:
        return _UNSAID
    if typed.isascii() and typed.isdecimal() and len(typed) <= 9:
        return int(typed)
    raise click.BadParameter(f"'{typed}' is neither a number nor '{USUAL}'.")
