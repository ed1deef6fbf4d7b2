"""Deliveries on the command line: what arrived, what did not and why, and to try again."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

from slowping.cli import named, output, typed, where
from slowping.cli.output import Column
from slowping.core.delivery import Delivery, DeliveryDetail, DeliverySelection, DeliveryState

if TYPE_CHECKING:
    from slowping.client.client import Client

_COLUMNS = (
    Column("ID", whole=True),
    Column("STATE", whole=True),
    Column("CATEGORY"),
    Column("CHANNEL"),
    Column("ATTEMPTS", whole=True),
    Column("AGE", whole=True),
    Column("LAST ERROR"),
)

F = TypeVar("F", bound=Callable[..., Any])


@click.group()
def delivery() -> None:
    """Deliveries bring one event to one channel each."""


def _filters(command: F) -> F:
    """The options that say which deliveries are meant."""
    for option in (
        click.option("--until", type=typed.past, metavar="WHEN", help="Made before then."),
        click.option(
            "--since", type=typed.past, metavar="WHEN", help="Made since: a date, or a span: 2h."
        ),
        click.option(
            "--state",
            "states",
            multiple=True,
            type=click.Choice([state.value for state in DeliveryState]),
            help="In this state; repeats.",
        ),
        click.option("--category", metavar="NAME", help="Of events of this category."),
        click.option("--channel", metavar="NAME", help="To this channel."),
        named.project_option,
    ):
        command = option(command)
    return command


@delivery.command("list")
@_filters
@click.option("--event", metavar="ID", help="Of this event.")
@named.limit_option
@output.json_option
@where.connected(where.ADMIN_KEY_FILE)
async def list_deliveries(
    client: "Client", /, limit: int, as_json: bool, states: tuple[str, ...], **filters: Any
) -> None:
    """List deliveries, the newest first."""
    wanted = tuple(map(DeliveryState, states)) or None
    deliveries = await named.every(client.list_deliveries, limit, states=wanted, **filters)
    if as_json:
        output.as_json(deliveries)
        return
    output.table("deliveries", _COLUMNS, [_row(found) for found in deliveries])


@delivery.command("show")
@click.argument("delivery_id", metavar="ID")
@output.json_option
@where.connected(where.ADMIN_KEY_FILE)
async def show_delivery(client: "Client", delivery_id: str, as_json: bool) -> None:
    """Show a delivery with every attempt."""
    detail = await client.show_delivery(delivery_id)
    if as_json:
        output.as_json(detail)
        return
    print_detail(detail)


@delivery.command("retry")
@click.argument("delivery_ids", metavar="[ID]...", nargs=-1)
@click.option("--failed", is_flag=True, help="All that failed; narrow it with the other options.")
@_filters
@where.connected(where.ADMIN_KEY_FILE)
async def retry_deliveries(
    client: "Client", /, delivery_ids: tuple[str, ...], failed: bool, **filters: Any
) -> None:
    """Try again now: the deliveries with these IDs, or all that match."""
    if len(delivery_ids) == 1:
        await client.retry_delivery(delivery_ids[0])
        output.talk(f"{delivery_ids[0]} is tried again now.")
        return
    moved = await client.retry_deliveries(_selection(delivery_ids, failed, **filters))
    output.talk(f"{moved.moved} deliveries are tried again now.")


@delivery.command("discard")
@click.argument("delivery_ids", metavar="[ID]...", nargs=-1)
@click.option("--failed", is_flag=True, help="All that failed; narrow it with the other options.")
@_filters
@where.connected(where.ADMIN_KEY_FILE)
async def discard_deliveries(
    client: "Client", /, delivery_ids: tuple[str, ...], failed: bool, **filters: Any
) -> None:
    """Give up: the pending or failed deliveries with these IDs, or all that match."""
    if len(delivery_ids) == 1:
        await client.discard_delivery(delivery_ids[0])
        output.talk(f"{delivery_ids[0]} is discarded.")
        return
    moved = await client.discard_deliveries(_selection(delivery_ids, failed, **filters))
    output.talk(f"{moved.moved} deliveries are discarded.")


def print_detail(detail: DeliveryDetail) -> None:
    """Print a delivery, and its attempts below."""
    found = detail.delivery
    output.details(
        [
            ("delivery", found.id),
            ("event", found.event_id),
            ("project", found.project),
            ("category", found.category),
            ("channel", f"{found.channel} ({found.kind})"),
            ("state", found.state),
            ("attempts", str(found.attempts)),
            ("last error", found.last_error or "-"),
            ("due", output.moment(found.due_at)),
            ("created", output.moment(found.created_at)),
            ("ended", output.moment(found.ended_at)),
            ("reference", found.reference or "-"),
            *(
                (
                    f"attempt {attempt.no}",
                    f"{output.moment(attempt.started_at)}  {attempt.outcome} in "
                    f"{attempt.duration_ms} ms"
                    + (f", status {attempt.status}" if attempt.status is not None else "")
                    + (f": {attempt.reason}" if attempt.reason else "")
                    + (f" | {attempt.excerpt}" if attempt.excerpt else ""),
                )
                for attempt in detail.attempts
            ),
        ]
    )


def _selection(
    delivery_ids: tuple[str, ...], failed: bool, states: tuple[str, ...], **filters: Any
) -> DeliverySelection:
    """What an act on many is about.

    Raises:
        UsageError: nothing says which, and all there are cannot be meant.
    """
    if not (delivery_ids or failed or states):
        raise click.UsageError("Say which deliveries: give IDs, --failed or --state.")
    wanted = {DeliveryState(state) for state in states}
    if failed:
        wanted.add(DeliveryState.FAILED)
    return DeliverySelection(
        ids=delivery_ids or None, states=tuple(sorted(wanted)) or None, **filters
    )


def _row(found: Delivery) -> tuple[str, ...]:
    return (
        found.id,
        found.state,
        found.category,
        found.channel,
        str(found.attempts),
        output.age(found.created_at),
        found.last_error or "",
    )
