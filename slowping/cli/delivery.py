"""Deliveries on the command line: what arrived, what did not and why, and to try again."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import rich_click as click

from slowping.cli import named, output, replay, typed, where
from slowping.cli.output import Column, ExitCode
from slowping.core.channel import Channel
from slowping.core.delivery import (
    AttemptOutcome,
    Delivery,
    DeliveryDetail,
    DeliveryGroup,
    DeliverySelection,
    DeliveryState,
    Moved,
)

if TYPE_CHECKING:
    from slowping.client.client import Client

_COLUMNS = (
    Column("ID", whole=True),
    Column("STATE", whole=True),
    Column("CATEGORY"),
    Column("CHANNEL"),
    Column("ATTEMPTS", whole=True),
    Column("AGE", whole=True),
    Column("LAST ERROR", below=True),
)

_GROUP_COLUMNS = (
    Column("STATE", whole=True),
    Column("COUNT", whole=True),
    Column("PROJECT"),
    Column("CHANNEL"),
    Column("OLDEST", whole=True),
    Column("NEWEST", whole=True),
    Column("LAST ERROR", below=True),
)

_LOOKS: Final = 50
_LOOK_S: Final = 0.1

F = TypeVar("F", bound=Callable[..., Any])
Sleep = Callable[[float], Awaitable[None]]


_states_option = click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in DeliveryState]),
    help="In this state; repeats.",
)


@click.group()
def delivery() -> None:
    """Deliveries bring one event to one channel each."""


delivery.add_command(replay.replay)


def _filters(command: F) -> F:
    """The options that say which deliveries are meant."""
    for option in (
        click.option("--until", type=typed.past, metavar="WHEN", help="Made before then."),
        click.option(
            "--since", type=typed.past, metavar="WHEN", help="Made since: a date, or a span: 2h."
        ),
        click.option("--error", metavar="TEXT", help="With this last error, word for word."),
        _states_option,
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
    if not deliveries:
        await named.require(client, **filters)
    if as_json:
        output.as_json(deliveries)
        return
    output.table("deliveries", _COLUMNS, [_row(found) for found in deliveries])


@delivery.command("groups")
@_states_option
@named.project_option
@output.json_option
@where.connected(where.ADMIN_KEY_FILE)
async def group_deliveries(
    client: "Client", states: tuple[str, ...], project: str | None, as_json: bool
) -> None:
    """Count deliveries that stand alike: what failed at first, with what it failed.

    Without --state it is those that failed, and those that are on their way.
    """
    wanted = tuple(map(DeliveryState, states)) or None
    groups = await client.group_deliveries(project=project, states=wanted)
    if as_json:
        output.as_json(groups)
        return
    if not groups:
        output.talk(_no_group(states, project))
        return
    output.table("deliveries", _GROUP_COLUMNS, [_group_row(group) for group in groups])


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
    print_detail(detail, await waits_for(client, detail.delivery))


@delivery.command("retry")
@click.argument("delivery_ids", metavar="[ID]...", nargs=-1)
@click.option("--failed", is_flag=True, help="All that failed; narrow it with the other options.")
@_filters
@where.connected(where.ADMIN_KEY_FILE)
async def retry_deliveries(
    client: "Client", /, delivery_ids: tuple[str, ...], failed: bool, **filters: Any
) -> None:
    """Try again now: the deliveries with these IDs, or all that match.

    With one ID it waits a moment for what comes of it, and ends as 1 where that is a failure.
    """
    if len(delivery_ids) == 1:
        await retry_one(client, delivery_ids[0])
        return
    moved = await client.retry_deliveries(_selection(delivery_ids, failed, **filters))
    await _tell_moved(client, moved, "tried again now", **filters)


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
    await _tell_moved(client, moved, "discarded", **filters)


async def waits_for(client: "Client", found: Delivery) -> str | None:
    """Why a pending delivery is not sent, where that is for its channel; and what sends it."""
    if found.state is not DeliveryState.PENDING:
        return None
    page = await client.list_channels(project=found.project, name=found.channel)
    return next(filter(None, map(_holds_up, page.items)), None)


def _holds_up(channel: Channel) -> str | None:
    """Why a channel sends nothing, and what makes it send."""
    named = f"{channel.name} --project {channel.project}"
    if channel.paused_at is not None:
        reason = f" ({channel.paused_reason.rstrip('.')})" if channel.paused_reason else ""
        return (
            f"the channel {channel.name} is paused{reason}. "
            f"'slowping channel resume {named}' sends it."
        )
    if channel.held_until is not None:
        at = output.moment(channel.held_until)
        return (
            f"the channel {channel.name} is troubled ({channel.held_reason}). The next message "
            f"that arrives sends it: one is tried at {at}, or now with "
            f"'slowping channel test {named}'."
        )
    return None


def print_detail(detail: DeliveryDetail, waits: str | None) -> None:
    """Print a delivery, why it waits if it does, and its attempts below."""
    found = detail.delivery
    last = detail.attempts[-1] if detail.attempts and found.ended_at is None else None
    output.details(
        [
            ("delivery", found.id),
            ("event", found.event_id),
            ("project", found.project),
            ("category", found.category),
            ("channel", f"{found.channel} ({found.kind})"),
            ("state", _state(found)),
            *([("waits", waits)] if waits else []),
            ("attempts", str(found.attempts)),
            ("last error", found.last_error or "-"),
            ("due", output.moment(found.due_at)),
            ("created", output.moment(found.created_at)),
            ("ended", output.moment(found.ended_at)),
            ("reference", found.reference or "-"),
            *(
                (
                    f"attempt {attempt.no}",
                    f"{output.moment(attempt.started_at)}  "
                    + came(attempt.outcome, attempt.duration_ms)
                    + (", to be tried again" if attempt is last else "")
                    + (f", status {attempt.status}" if attempt.status is not None else "")
                    + (f": {attempt.reason}" if attempt.reason else "")
                    + (f" | {attempt.excerpt}" if attempt.excerpt else ""),
                )
                for attempt in detail.attempts
            ),
        ]
    )


def came(outcome: str, duration_ms: int) -> str:
    """How an attempt ended and after how long, in words."""
    took = output.duration(duration_ms)
    match outcome:
        case AttemptOutcome.RETRY:
            return f"failed after {took}"
        case AttemptOutcome.UNKNOWN:
            return f"no answer after {took}, it may have arrived"
        case AttemptOutcome.LOST:
            return "lost when the server stopped, it may have arrived"
        case "throttled":
            return f"told to wait after {took}"
        case _:
            return f"{outcome} after {took}"


async def retry_one(client: "Client", delivery_id: str, sleep: Sleep = asyncio.sleep) -> None:
    """Retry a delivery, and tell what came of it where that is known soon."""
    before = len((await client.show_delivery(delivery_id)).attempts)
    retried = await client.retry_delivery(delivery_id)
    if waits := await waits_for(client, retried):
        output.talk(f"{retried.id} waits: {waits}")
        return
    for _ in range(_LOOKS):
        detail = await client.show_delivery(delivery_id)
        if len(detail.attempts) > before:
            break
        await sleep(_LOOK_S)
    else:
        output.talk(f"{retried.id} is tried again now.")
        return
    last = detail.attempts[-1]
    later = ", to be tried again" if detail.delivery.ended_at is None else ""
    reason = f": {last.reason}" if last.reason else ""
    output.talk(f"{retried.id}: {came(last.outcome, last.duration_ms)}{later}{reason}")
    if last.outcome != AttemptOutcome.DELIVERED:
        sys.exit(ExitCode.FAILED)


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
    if failed and wanted - {DeliveryState.FAILED}:
        raise click.UsageError("--failed is short for --state failed: give one or the other.")
    if failed:
        wanted = {DeliveryState.FAILED}
    return DeliverySelection(
        ids=delivery_ids or None, states=tuple(sorted(wanted)) or None, **filters
    )


async def _tell_moved(client: "Client", moved: Moved, how: str, **filters: Any) -> None:
    """Tell how many it were; where it was none, make sure that the names were right.

    Raises:
        NotFound: there is no channel or category of the name.
    """
    if not moved.moved:
        await named.require(client, **filters)
    are = "is" if moved.moved == 1 else "are"
    output.talk(f"{output.counted(moved.moved, 'delivery', 'deliveries')} {are} {how}.")


def _state(found: Delivery) -> str:
    return (
        "leased: it is being sent right now" if found.state is DeliveryState.LEASED else found.state
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


def _no_group(states: tuple[str, ...], project: str | None) -> str:
    """What it means that there is none: others may have been delivered."""
    none = f"No delivery of {project}" if project else "No delivery"
    if states:
        return f"{none} is {' or '.join(states)}."
    return f"{none} has failed, and none is on its way."


def _group_row(group: DeliveryGroup) -> tuple[str, ...]:
    return (
        group.state,
        str(group.count),
        group.project,
        group.channel,
        output.age(group.oldest_at),
        output.age(group.newest_at),
        group.last_error or "",
    )
