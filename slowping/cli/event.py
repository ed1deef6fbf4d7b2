"""Events on the command line."""

import datetime as dt
from typing import TYPE_CHECKING, Any

import rich_click as click

from slowping.cli import delivery, named, output, typed, where
from slowping.cli.keep import event_file
from slowping.cli.output import Column
from slowping.core import text
from slowping.core.event import Event

if TYPE_CHECKING:
    from slowping.client.client import Client

_COLUMNS = (
    Column("ID", whole=True),
    Column("PROJECT"),
    Column("CATEGORY"),
    Column("DESCRIPTION"),
    Column("DELIVERIES"),
    Column("AGE", whole=True),
)


@click.group()
def event() -> None:
    """Events are what senders told; they never change."""


event.add_command(event_file.export_events)
event.add_command(event_file.import_events)


@event.command("list")
@named.project_option
@click.option("--category", metavar="NAME", help="Only events of this category.")
@click.option("--source", metavar="TEXT", help="Only events of this source.")
@click.option(
    "--text",
    "words",
    metavar="WORDS",
    help='Only events with all these words: anna refund*, or "out of stock".',
)
@click.option("--since", type=typed.past, metavar="WHEN", help="A date, or a span such as 2h.")
@click.option("--until", type=typed.past, metavar="WHEN", help="A date, or a span such as 2h.")
@named.limit_option
@output.json_option
@where.connected(where.ADMIN_KEY_FILE)
async def list_events(  # noqa: PLR0913 - one for each option
    client: "Client",
    project: str | None,
    category: str | None,
    source: str | None,
    words: str | None,
    since: dt.datetime | None,
    until: dt.datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """List events, the newest first."""
    events = await named.every(
        client.list_events,
        limit,
        project=project,
        category=category,
        source=source,
        text=words,
        since=since,
        until=until,
    )
    if not events:
        await named.require(client, project=project, category=category)
    if as_json:
        output.as_json(events)
        return
    output.table("events", _COLUMNS, [_row(found) for found in events])


@event.command("show")
@click.argument("event_id", metavar="ID")
@output.json_option
@where.connected(where.ADMIN_KEY_FILE)
async def show_event(client: "Client", event_id: str, as_json: bool) -> None:
    """Show an event with its deliveries and every attempt at them."""
    detail = await client.show_event(event_id)
    if as_json:
        output.as_json(detail)
        return
    found = detail.event
    output.details(
        [
            ("id", found.id),
            ("project", found.project),
            ("category", found.category),
            ("description", found.description or "-"),
            ("source", found.source or "-"),
            ("came by", found.dialect),
            ("occurred", output.moment(found.occurred_at)),
            ("received", output.moment(found.received_at)),
            *((f"field {name}", text.show(value)) for name, value in found.fields.items()),
        ]
    )
    for each in detail.deliveries:
        output.gap()
        delivery.print_detail(each, await delivery.waits_for(client, each.delivery))


def _field(field: tuple[str, Any]) -> str:
    name, value = field
    return f"{name} {text.show(value)}"


def _row(found: Event) -> tuple[str, ...]:
    return (
        found.id,
        found.project,
        found.category,
        found.description or ", ".join(map(_field, found.fields.items())),
        ", ".join(f"{count} {state}" for state, count in found.deliveries.items()),
        output.age(found.received_at),
    )
