"""Commands of the deliveries."""

from typing import Final

from slowping.tui.command import Command, Need

RETRY: Final = Command(
    id="delivery.retry",
    name="Retry",
    help="Try again now: what is marked, else what is under the cursor. A group asks first. "
    "Every attempt so far stays on record.",
    key="r",
    where="delivery",
    footer="Retry",
    needs=(Need.ADMIN, Need.ROW),
)
RETRY_ALL: Final = Command(
    id="delivery.retry-all",
    name="Retry all that match",
    help="Try everything again that matches the filter, also what is not loaded; asks first.",
    key="R",
    where="delivery",
    footer="All",
    needs=(Need.ADMIN,),
)
MARK: Final = Command(
    id="delivery.mark",
    name="Mark",
    help="Mark the row, or do not any more; r and d are about the marked ones while there are any.",
    key="space",
    where="delivery",
    needs=(Need.ROW,),
)
VIEW: Final = Command(
    id="delivery.view",
    name="Failed, waiting, all",
    help="Show what has failed, then what waits, then all, delivered and discarded included.",
    key="f",
    where="delivery",
    footer="Show",
)
DISCARD: Final = Command(
    id="delivery.discard",
    name="Discard",
    help="Give up what is marked, else what is under the cursor; asks first. A retry undoes it.",
    key="d",
    where="delivery",
    footer="Discard",
    needs=(Need.ADMIN, Need.ROW),
)
REPLAY: Final = Command(
    id="delivery.replay",
    name="Replay a time window",
    help="Send the events of a time window again, and make the deliveries that are missing; "
    "counts them first.",
    key="w",
    where="delivery",
    needs=(Need.ADMIN,),
)
EVENT: Final = Command(
    id="delivery.event",
    name="Go to its event",
    help="Show the delivery's event in the feed.",
    key="o",
    where="delivery",
    needs=(Need.ROW,),
)

COMMANDS: Final = (RETRY, RETRY_ALL, MARK, VIEW, DISCARD, REPLAY, EVENT)
