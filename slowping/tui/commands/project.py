"""Commands of the projects."""

from typing import Final

from slowping.tui.command import Command, Need

NEW: Final = Command(
    id="project.new",
    name="New project",
    help="A tenant of its own, with its own categories, channels, events and API keys.",
    key="n",
    where="project",
    footer="New",
    needs=(Need.ADMIN,),
)
EDIT: Final = Command(
    id="project.edit",
    name="Change the project",
    help="Its name, its monthly quota, which web pages may send, and how strict it is.",
    key="e",
    where="project",
    footer="Edit",
    needs=(Need.ADMIN, Need.ROW),
)
LOOK: Final = Command(
    id="project.look",
    name="Look at this project only",
    help="Every place shows this project alone; once more, and all of them are shown again.",
    key="p",
    where="project",
    footer="Only this",
    needs=(Need.ROW,),
)
REMOVE: Final = Command(
    id="project.remove",
    name="Remove the project",
    help="With its categories, channels and keys; says what goes, and asks for its name first.",
    key="d",
    where="project",
    needs=(Need.ADMIN, Need.ROW),
)

COMMANDS: Final = (NEW, EDIT, LOOK, REMOVE)
