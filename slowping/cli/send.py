"""Send one event from a shell or a cron job."""

import datetime as dt
import sys
from typing import TYPE_CHECKING

import rich_click as click

from slowping.cli import named, output, typed, where
from slowping.core.event import NewEvent

if TYPE_CHECKING:
    from slowping.client.client import Client


@click.command()
@click.argument("category")
@click.option("-d", "--description", metavar="TEXT", help="What happened; - reads it from stdin.")
@click.option(
    "-f",
    "--field",
    "pairs",
    type=typed.pair,
    multiple=True,
    metavar="NAME[:]=VALUE",
    help="A field: plan=pro is text, amount:=49.5 a number, to be summed up. Repeats.",
)
@named.project_option
@click.option("--source", metavar="TEXT", help="Who tells it.")
@click.option("--color", type=typed.color, metavar="COLOR", help="Instead of the category's.")
@click.option(
    "--occurred-at", type=typed.past, metavar="WHEN", help="A date, or a span before now: 5m."
)
@click.option("--no-notify", is_flag=True, help="Store it and tell nobody.")
@click.option(
    "--idempotency-key", metavar="KEY", help="Sent twice with the same key, it is one event."
)
@output.json_option
@where.connected(
    where.INGEST_KEY_FILE,
    where.ADMIN_KEY_FILE,
    for_project=(where.ADMIN_KEY_FILE, where.INGEST_KEY_FILE),
)
async def send(  # noqa: PLR0913 - one for each option
    client: "Client",
    category: str,
    description: str | None,
    pairs: tuple[tuple[str, str], ...],
    project: str | None,
    source: str | None,
    color: int | None,
    occurred_at: dt.datetime | None,
    no_notify: bool,
    idempotency_key: str | None,
    as_json: bool,
) -> None:
    """Send an event of a CATEGORY, and print its id.

    An unknown category is created. With := a field takes any JSON value: numbers, true, lists.
    """
    new = NewEvent(
        category=category,
        description=sys.stdin.read().rstrip("\n") if description == "-" else description,
        fields=typed.fields(pairs),
        source=source,
        color=color,
        occurred_at=occurred_at,
        notify=not no_notify,
        project=project,
    )
    accepted = await client.send_event(new, idempotency_key=idempotency_key)
    if as_json:
        output.as_json(accepted)
    else:
        output.data(accepted.id)
    if accepted.deduplicated:
        output.talk("This idempotency key was used before: nothing new was stored.")
