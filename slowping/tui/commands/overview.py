"""Commands of the overview."""

from typing import Final

from slowping.tui.command import Command, Need

OPEN: Final = Command(
    id="overview.open",
    name="Look into it",
    help="The events of the category in the feed, or the channel among the channels.",
    key="enter",
    where="overview",
    footer="Open",
    needs=(Need.ROW,),
)
COPY_JSON: Final = Command(
    id="overview.copy-json",
    name="Copy as JSON",
    help="Send all figures as JSON to your terminal's clipboard.",
    key="y",
    where="overview",
    footer="JSON",
    needs=(Need.ROW,),
)

COMMANDS: Final = (OPEN, COPY_JSON)
