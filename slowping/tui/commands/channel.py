"""Commands of the channels."""

from typing import Final

from slowping.tui.command import Command, Need

NEW: Final = Command(
    id="channel.new",
    name="New channel",
    help="Choose a kind, such as discord or webhook, and say where it sends to.",
    key="n",
    where="channel",
    footer="New",
    needs=(Need.ADMIN,),
)
EDIT: Final = Command(
    id="channel.edit",
    name="Change the channel",
    help="Its name and its settings. A secret that you leave empty stays as it is.",
    key="e",
    where="channel",
    footer="Edit",
    needs=(Need.ADMIN, Need.ROW),
)
TEST: Final = Command(
    id="channel.test",
    name="Send a test",
    help="Send a message now, and see what the far side answers; nothing of it is kept.",
    key="t",
    where="channel",
    footer="Test",
    needs=(Need.ADMIN, Need.ROW),
)
PAUSE: Final = Command(
    id="channel.pause",
    name="Pause or resume",
    help="A paused channel sends nothing: deliveries wait, and go out in order when it resumes.",
    key="s",
    where="channel",
    footer="Pause/resume",
    needs=(Need.ADMIN, Need.ROW),
)
FAILED: Final = Command(
    id="channel.failed",
    name="Failed deliveries",
    help="Go to the deliveries of this channel that have failed.",
    key="f",
    where="channel",
    needs=(Need.ROW,),
)
REMOVE: Final = Command(
    id="channel.remove",
    name="Remove the channel",
    help="Its waiting deliveries are discarded; asks for its name first.",
    key="d",
    where="channel",
    needs=(Need.ADMIN, Need.ROW),
)

COMMANDS: Final = (NEW, EDIT, TEST, PAUSE, FAILED, REMOVE)
