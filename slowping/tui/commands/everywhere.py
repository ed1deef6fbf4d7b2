"""Commands that work on every screen."""

from typing import Final

from slowping.tui.command import Command

HELP: Final = Command(
    id="help",
    name="Help",
    help="Every key that works here; type to search.",
    key="question_mark",
    where="everywhere",
    footer="Help",
)
PALETTE: Final = Command(
    id="palette",
    name="Command palette",
    help="Find a command, a category, a channel or an event by typing.",
    key="colon,ctrl+p",
    where="everywhere",
)
BACK: Final = Command(
    id="back",
    name="Step back",
    help="Close what is open, clear what is set, one level at a time. It never quits.",
    key="escape",
    where="everywhere",
)
RELOAD: Final = Command(
    id="reload",
    name="Load again",
    help="Ask the server for everything that is shown here; when offline, try the line now.",
    key="ctrl+r",
    where="everywhere",
)
JUMP: Final = Command(
    id="jump",
    name="Jump",
    help="Put a letter on every part of the screen; its key goes there.",
    key="semicolon",
    where="everywhere",
)
THEME: Final = Command(
    id="theme",
    name="Change the theme",
    help="Choose other colours; the choice is remembered.",
    key="ctrl+t",
    where="everywhere",
)
COMPACT: Final = Command(
    id="compact",
    name="Compact",
    help="Leave out the footer and the line above a list, so that more rows fit; remembered.",
    key="z",
    where="everywhere",
)
ERRORS: Final = Command(
    id="errors",
    name="What went wrong",
    help="The errors since the start, the latest first.",
    key="ctrl+e",
    where="everywhere",
)
CONNECT: Final = Command(
    id="connect",
    name="Connect to a server",
    help="Use another server or API key.",
    key="ctrl+o",
    where="everywhere",
)
PROJECT: Final = Command(
    id="project",
    name="Choose the project",
    help="Look at one project, or at all that the key may see; remembered.",
    key="p",
    where="everywhere",
)
QUIT: Final = Command(
    id="quit",
    name="Quit",
    help="Leave the live view; the server goes on.",
    key="q,ctrl+q",
    where="everywhere",
)

COMMANDS: Final = (
    HELP,
    PALETTE,
    BACK,
    JUMP,
    RELOAD,
    THEME,
    COMPACT,
    ERRORS,
    PROJECT,
    CONNECT,
    QUIT,
)
