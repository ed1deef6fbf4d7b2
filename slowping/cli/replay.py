"""Send the events of a time window again, from the command line, after a look at how many."""

import datetime as dt
from typing import TYPE_CHECKING

import msgspec
import rich_click as click

from slowping.cli import named, output, typed, where
from slowping.core.delivery import Replay, Replayed

if TYPE_CHECKING:
    from slowping.client.client import Client


@click.command("replay")
@click.option(
    "--since",
    type=typed.past,
    required=True,
    metavar="WHEN",
    help="Events received since: a date, or a span: 2h.",
)
@click.option("--until", type=typed.past, metavar="WHEN", help="Received before then. Else: now.")
@click.option("--channel", metavar="NAME", help="To this channel.")
@click.option("--category", metavar="NAME", help="Events of this category.")
@named.project_option
@click.option("--again", is_flag=True, help="Send what was delivered once more, too.")
@click.option("--dry-run", is_flag=True, help="Count, and send nothing.")
@output.yes_option
@where.connected(where.ADMIN_KEY_FILE)
async def replay(
    client: "Client",
    /,
    *,
    since: dt.datetime,
    until: dt.datetime | None,
    again: bool,
    dry_run: bool,
    yes: bool,
    **names: str | None,
) -> None:
    """Send the events of a time window again: what failed, was discarded or never made.

    A channel that is newer than the events, or that their category names since, gets what it has
    missed. What is on its way is left alone, and so is what slowping itself had to say.
    """
    order = Replay(
        since=since, until=until or dt.datetime.now(dt.UTC), again=again, dry_run=True, **names
    )
    found = await client.replay(order)
    if not (found.queued or found.made):
        await named.require(client, **names)
        output.talk(_nothing(found, again=again))
        return
    if dry_run:
        output.talk(f"Would send {_words(found)}.")
        return
    output.confirm(f"Send {_words(found)}?", yes)
    sent = await client.replay(msgspec.structs.replace(order, dry_run=False))
    output.talk(f"Sending {_words(sent)}.")


def _words(told: Replayed) -> str:
    """How many deliveries of how many events."""
    parts = []
    if told.queued:
        parts.append(f"{output.counted(told.queued, 'delivery', 'deliveries')} again")
    if told.made:
        missing = output.counted(told.made, "delivery", "deliveries")
        parts.append(f"{missing} that {'was' if told.made == 1 else 'were'} missing")
    return f"{' and '.join(parts)}, of {output.counted(told.events, 'event', 'events')}"


def _nothing(told: Replayed, *, again: bool) -> str:
    if not told.events:
        return "No event of that time is to be sent."
    rest = "is on its way" if again else "has arrived or is on its way; --again sends it once more"
    return f"Of {output.counted(told.events, 'event', 'events')}, every delivery {rest}."
