"""Find what is wrong with the keys that a person has set."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from slowping.tui import commands
from slowping.tui.command import Command, shown_keys

_SHARED: Final = ("everywhere", "list")
"""Where commands work in every place, or in most of them."""


def problems(keys: Mapping[str, str]) -> Iterator[str]:
    """Ids that no command has, and keys that two commands of one place would share."""
    every = {command.id: command for command in commands.every()}
    told: set[tuple[str, str]] = set()
    for command_id, own in keys.items():
        command = every.get(command_id)
        if command is None:
            yield f"No command has the id '{command_id}'; slowping tui --keys lists them."
            continue
        for key in _split(own):
            others = [each for each in every.values() if _meets(command, each)]
            clashing = [each for each in others if key in _split(keys.get(each.id, each.key))]
            new = [each.name for each in clashing if (each.id, key) not in told]
            told |= {(command_id, key), *((each.id, key) for each in clashing)}
            if new:
                yield f"{shown_keys(key)} is both '{command.name}' and {_named(new)}."


def _meets(one: Command, other: Command) -> bool:
    """Whether both are there at the same time, and do not stand for one another as they are."""
    if one is other or set(_split(one.key)) & set(_split(other.key)):
        return False
    return one.where == other.where or one.where in _SHARED or other.where in _SHARED


def _split(keys: str) -> list[str]:
    return [key.strip() for key in keys.split(",")]


def _named(names: Sequence[str]) -> str:
    """The names of the others, a few of them."""
    said = ", ".join(f"'{name}'" for name in dict.fromkeys(names[:3]))
    return f"{said} and more" if len(names) > 3 else said
