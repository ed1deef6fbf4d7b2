"""Commands of the feed."""

from typing import Final

import msgspec

from slowping.tui.command import Command, Need
from slowping.tui.commands import rows

FILTER: Final = msgspec.structs.replace(rows.FILTER, footer="Filter")
"""The same command as in every list; here there is room for it in the footer."""

FOLLOW: Final = Command(
    id="feed.follow",
    name="Follow or hold",
    help="Follow what comes in, or hold the list still; any step up holds as well.",
    key="f",
    where="feed",
    footer="Follow",
)
SEARCH: Final = Command(
    id="feed.search",
    name="Search all that is kept",
    help="Ask the server for older events that match the filter; its words may go on in them.",
    key="s",
    where="feed",
    needs=(Need.LINE,),
)
TIMES: Final = Command(
    id="feed.times",
    name="Times of day",
    help="Show when, or how long ago.",
    key="t",
    where="feed",
)
MARKDOWN: Final = Command(
    id="feed.markdown",
    name="Description as Markdown or text",
    help="Draw the description in the details as Markdown, or as it was sent; remembered.",
    key="m",
    where="feed",
)
RETRY: Final = Command(
    id="feed.retry",
    name="Retry what failed",
    help="Try every failed delivery of this event again; the attempts so far stay on record.",
    key="r",
    where="feed",
    footer="Retry",
    needs=(Need.ADMIN, Need.ROW),
)
DELIVERIES: Final = Command(
    id="feed.deliveries",
    name="Go to its deliveries",
    help="Show among the deliveries the one of this event that failed, or else the first.",
    key="o",
    where="feed",
    needs=(Need.LINE, Need.ROW),
)
COPY_CURL: Final = Command(
    id="feed.copy-curl",
    name="Copy as curl",
    help="Send a curl line to your terminal's clipboard that would send this event again.",
    key="c",
    where="feed",
    footer="curl",
    needs=(Need.ROW,),
)

COMMANDS: Final = (FOLLOW, SEARCH, TIMES, MARKDOWN, RETRY, DELIVERIES, COPY_CURL)
