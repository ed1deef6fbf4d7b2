"""Write every key down: as a page of the documentation, and as plain text."""

from itertools import groupby

from slowping.tui import commands
from slowping.tui.command import Command, shown_keys
from slowping.tui.places import PLACES

_INTRODUCTION = """\
# Keys of the live view

Generated from the command table: `slowping tui --keys` prints the same, and
`python -m slowping.tui.keys.page > docs/keys.md` writes this page. In the live view `?` shows the
keys that work where you are, and `:` finds every command by its name.

Any of them can be changed: write the command's id and your keys into the file `tui.toml` of the
configuration folder (`~/.config/slowping/tui.toml` on Linux).

```toml
[keys]
"list.filter" = "F"
"list.down" = "ctrl+n,down"
```
"""


def page() -> str:
    """The page of the documentation."""
    parts = [_INTRODUCTION]
    for title, found in _chapters():
        parts += [f"## {title}\n", "| key | command | id | what it does |", "|---|---|---|---|"]
        parts += [
            f"| `{shown_keys(each.key)}` | {each.name} | `{each.id}` | {each.help} |"
            for each in found
        ]
        parts.append("")
    return "\n".join(parts)


def plain() -> str:
    """Keys, ids and names, one command a line."""
    rows = [
        (shown_keys(each.key), each.id, each.name) for _, found in _chapters() for each in found
    ]
    keys, ids = (max(len(row[column]) for row in rows) for column in (0, 1))
    return "\n".join(f"{key:<{keys}}  {name_id:<{ids}}  {name}" for key, name_id, name in rows)


def _chapters() -> list[tuple[str, list[Command]]]:
    titles = {"everywhere": "Everywhere", "list": "In every list"}
    titles |= {place.name: place.title for place in PLACES}
    grouped = groupby(commands.every(), key=lambda command: command.where)
    return [(titles[where], list(found)) for where, found in grouped]


if __name__ == "__main__":
    import sys

    sys.stdout.write(page())
