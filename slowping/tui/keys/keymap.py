"""Find what is wrong with the keys that a person has set."""

from collections.abc import Iterator, Mapping

from slowping.tui import commands
from slowping.tui.command import Command, shown_keys


def problems(keys: Mapping[str, str]) -> Iterator[str]:
    """Ids that no command has, and keys that two commands of one place would share."""
    every = {command.id: command for command in commands.every()}
    for command_id in keys:
        if command_id not in every:
            yield f"No command has the id '{command_id}'; slowping tui --keys lists them."
    taken: dict[tuple[str, str], Command] = {}
    for command in every.values():
        for key in keys.get(command.id, command.key).split(","):
            place = "" if command.where in {"everywhere", "list"} else command.where
            other = taken.setdefault((place, key.strip()), command)
            if other is not command and {other.id, command.id} & set(keys):
                yield f"{shown_keys(key)} is both '{other.name}' and '{command.name}'."
