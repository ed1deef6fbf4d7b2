"""The command line: one file a noun, every heavy import inside its command.

May import everything below it. Start with `COMMANDS`, which names the module of each command;
`group.py` finds them, `where.py` finds the server, `output.py` speaks to the terminal.
"""

import sys
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from slowping.cli.group import cli

__all__ = ["COMMANDS", "Listed", "cli", "main"]


class Listed(NamedTuple):
    """What a list of commands shows of one, so that only the one that is run has to be loaded."""

    module: str
    """It holds the command under the command's name."""
    help: str
    """The first sentence of what the command says of itself."""


COMMANDS: Final = {
    "serve": Listed("serve", "Run the server."),
    "tui": Listed("tui", "Open the live view."),
    "send": Listed("send", "Send an event of a CATEGORY, and print its id."),
    "tail": Listed("tail", "Print events as they come, one line each, until you press Ctrl+C."),
    "demo": Listed("demo", "Try the live view on a server that is gone afterwards."),
    "project": Listed("project", "Projects own categories, channels, events and API keys."),
    "category": Listed(
        "category",
        "Categories are the drawers events go into; they decide channels and looks.",
    ),
    "channel": Listed(
        "channel",
        "Channels are where notifications go: Discord, Telegram, e-mail, webhooks, the console.",
    ),
    "key": Listed("api_key", "API keys let senders in and programs look and act."),
    "event": Listed("event", "Events are what senders told; they never change."),
    "delivery": Listed("delivery", "Deliveries bring one event to one channel each."),
    "overview": Listed(
        "overview", "Tell what came in today, this week and this month, and how it went out."
    ),
    "audit": Listed("audit", "The audit tells who did what to administer the server, and when."),
    "prune": Listed("prune", "Remove what has been kept for long enough, or tell what would go."),
    "secret": Listed("secret", "The key that the secrets of channels are encrypted with."),
    "backup": Listed(
        "keep.backup", "Copy the database into FILE; a server that runs goes on taking events."
    ),
    "restore": Listed(
        "keep.restore",
        "Put the copy in FILE in the place of the database; no server may run on it.",
    ),
    "check": Listed(
        "keep.check",
        "Look over the configuration, the database, the disk, the channels and the clock.",
    ),
    "migrate": Listed(
        "keep.migrate", "Bring the database to the newest schema; no server may run on it."
    ),
    "health": Listed("health", "Tell whether the server works; no key is needed."),
}


def main() -> None:
    """Run the command line."""
    if sys.argv[1:2] == ["tui"]:
        from slowping.cli import tui

        if tui.opens(sys.argv[2:]):
            return
    from slowping.cli import group

    group.cli(prog_name="slowping")


def __getattr__(name: str) -> object:
    """Load what draws help and errors only when it is asked for: a first picture goes without."""
    if name != "cli":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from slowping.cli import group

    return group.cli
