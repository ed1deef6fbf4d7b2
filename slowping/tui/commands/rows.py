"""Commands of whatever has rows: the feed and every table."""

from typing import Final

from slowping.tui.command import Command, Need

DOWN: Final = Command(
    id="list.down", name="Next row", help="One row down.", key="j,down", where="list"
)
UP: Final = Command(id="list.up", name="Row before", help="One row up.", key="k,up", where="list")
TOP: Final = Command(
    id="list.top", name="First row", help="To the first row.", key="g,home", where="list"
)
BOTTOM: Final = Command(
    id="list.bottom",
    name="Last row",
    help="To the last row; in the feed this follows what comes in.",
    key="G,end",
    where="list",
)
HALF_DOWN: Final = Command(
    id="list.half-down", name="Half a page down", help="Half a page down.", key="ctrl+d",
    where="list",
)  # fmt: skip
HALF_UP: Final = Command(
    id="list.half-up", name="Half a page up", help="Half a page up.", key="ctrl+u", where="list"
)
PAGE_DOWN: Final = Command(
    id="list.page-down", name="Page down", help="One page down.", key="pagedown", where="list"
)
PAGE_UP: Final = Command(
    id="list.page-up", name="Page up", help="One page up.", key="pageup", where="list"
)

OPEN: Final = Command(
    id="list.open",
    name="Show or hide the details",
    help="All there is to know of the row, beside the list.",
    key="enter",
    where="list",
    footer="Details",
    needs=(Need.ROW,),
)
FILTER: Final = Command(
    id="list.filter",
    name="Filter",
    help="Show only the rows that match, as you type: words, category:sale, project:shop, "
    "state:failed; category:=sale leaves out sale-eu.",
    key="slash",
    where="list",
    at_once=True,
)
INVERT: Final = Command(
    id="list.invert",
    name="Turn the filter round",
    help="Show the rows that do not match instead.",
    key="exclamation_mark",
    where="list",
)
COPY: Final = Command(
    id="list.copy",
    name="Copy as JSON",
    help="Send the row as JSON to your terminal's clipboard.",
    key="y",
    where="list",
    needs=(Need.ROW,),
)

MOVES: Final = (DOWN, UP, TOP, BOTTOM, HALF_DOWN, HALF_UP, PAGE_DOWN, PAGE_UP)
COMMANDS: Final = (*MOVES, OPEN, FILTER, INVERT, COPY)
