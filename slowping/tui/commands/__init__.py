"""Every command once: a file for each place, one for whatever has rows, one for everywhere."""

import importlib

from slowping.tui.command import Command
from slowping.tui.places import PLACES


def every() -> tuple[Command, ...]:
    """All commands, in the order in which a person should read them."""
    from slowping.tui.commands import everywhere, rows

    found = [*everywhere.COMMANDS, *(place.command() for place in PLACES), *rows.COMMANDS]
    for place in PLACES:
        found += of_place(place.name)
    return tuple(found)


def of_place(name: str) -> tuple[Command, ...]:
    """The commands that one place has."""
    commands: tuple[Command, ...] = importlib.import_module(f"{__name__}.{name}").COMMANDS
    return commands
