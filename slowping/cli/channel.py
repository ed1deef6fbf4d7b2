"""Channels on the command line."""

import sys
from typing import TYPE_CHECKING, Any

import msgspec
import rich_click as click

from slowping.cli import delivery, kinds, named, output, standing, typed, where
from slowping.cli.output import Column, ExitCode
from slowping.core import text, times
from slowping.core.channel import Channel, ChannelChange, IssuedChannel, NewChannel
from slowping.core.delivery import DeliveryState
from slowping.core.overview import ChannelFigures
from slowping.core.page import MAX_LIMIT

if TYPE_CHECKING:
    from slowping.client.client import Client

_COLUMNS = (
    Column("ID", whole=True),
    Column("PROJECT"),
    Column("NAME"),
    Column("KIND", whole=True),
    Column("STATE", whole=True),
    Column("AGE", whole=True),
    Column("WHY", below=True),
)
_KIND_COLUMNS = (Column("KIND", whole=True), Column("WHAT IT DOES", prose=True))
_SETTING_COLUMNS = (
    Column("SETTING", whole=True),
    Column("NEEDED", whole=True),
    Column("WHAT IT IS", prose=True),
)

_set_option = click.option(
    "--set",
    "pairs",
    type=typed.pair,
    multiple=True,
    metavar="NAME=VALUE",
    help="A setting; NAME=@FILE reads it from a file, so that it shows in no process list.",
)


@click.group()
def channel() -> None:
    """Channels are where notifications go: Discord, Telegram, e-mail, webhooks, the console."""


@channel.command("list")
@named.project_option
@click.option("--kind", help="Only channels of this kind.")
@named.limit_option
@output.json_option
@where.connected(where.ADMIN_KEY_FILE)
async def list_channels(
    client: "Client", project: str | None, kind: str | None, limit: int, as_json: bool
) -> None:
    """List the channels, of one project or of all."""
    channels = await named.every(client.list_channels, limit, project=project, kind=kind)
    if kind and not channels:
        await kinds.listed(client, kind)
    if as_json:
        output.as_json(channels)
        return
    figures = await standing.figures(client, project) if channels else {}
    output.table("channels", _COLUMNS, [_row(each, figures.get(each.id)) for each in channels])


@channel.command("show")
@click.argument("name", metavar="CHANNEL")
@named.project_option
@output.json_option
@where.connected(where.ADMIN_KEY_FILE)
async def show_channel(client: "Client", name: str, project: str | None, as_json: bool) -> None:
    """Show a channel, by name or id; secrets show their last characters at most."""
    found = await named.channel(client, name, project)
    if as_json:
        output.as_json(found)
        return
    figures = (await standing.figures(client, found.project)).get(found.id)
    state = (standing.state(found, figures), standing.why(found, figures))
    output.details(
        [
            ("id", found.id),
            ("project", found.project),
            ("name", found.name),
            ("kind", _kind(found)),
            ("state", ": ".join(filter(None, state))),
            ("created", output.moment(found.created_at)),
            *((f"set {name}", _shown(name, value)) for name, value in found.settings.items()),
        ]
    )


@channel.command("kinds")
@click.argument("kind", required=False)
@output.json_option
@where.connected(where.ADMIN_KEY_FILE)
async def list_kinds(client: "Client", kind: str | None, as_json: bool) -> None:
    """List the kinds of channel, or the settings of one."""
    found = await kinds.listed(client, kind)
    if as_json:
        output.as_json(found)
    elif kind is None:
        rows = [(each.kind, each.summary) for each in found]
        output.table("kinds", _KIND_COLUMNS, rows)
    else:
        settings = [row for each in found for row in kinds.setting_rows(each.settings)]
        output.table("settings", _SETTING_COLUMNS, settings)


@channel.command("create")
@click.argument("kind")
@click.option("--name", required=True, help="What it is called, in commands and in lists.")
@named.project_option
@_set_option
@output.json_option
@where.connected(where.ADMIN_KEY_FILE)
async def create_channel(
    client: "Client",
    kind: str,
    name: str,
    project: str | None,
    pairs: tuple[tuple[str, str], ...],
    as_json: bool,
) -> None:
    """Create a channel of a KIND; `slowping channel kinds KIND` lists its settings.

    A secret that was made for the channel is printed alone on stdout, this once.
    """
    settings = typed.settings(pairs, await kinds.schema(client, kind))
    issued = await client.create_channel(
        NewChannel(kind=kind, name=name, project=project, settings=settings)
    )
    created = issued.channel
    output.talk(f"Created the channel {created.name} ({created.id}) in {created.project}.")
    _hand_over(issued, as_json)


@channel.command("change")
@click.argument("name", metavar="CHANNEL")
@named.project_option
@click.option("--name", "new_name", metavar="NAME", help="A new name.")
@_set_option
@click.option(
    "--unset",
    multiple=True,
    metavar="NAME",
    help="A setting that goes back to its default; for a webhook's secret, a new one is made.",
)
@output.json_option
@where.connected(where.ADMIN_KEY_FILE)
async def change_channel(  # noqa: PLR0913 - one for each option
    client: "Client",
    name: str,
    project: str | None,
    new_name: str | None,
    pairs: tuple[tuple[str, str], ...],
    unset: tuple[str, ...],
    as_json: bool,
) -> None:
    """Change a channel; what is not given stays.

    `--unset secret` changes a webhook's signing secret: the new one is printed alone on stdout,
    this once, and the old one signs beside it for 24 hours.
    """
    output.require_change(new_name, pairs, unset)
    if both := {name for name, _ in pairs} & set(unset):
        raise click.UsageError(f"Both --set and --unset for {', '.join(sorted(both))}.")
    found = await named.channel(client, name, project)
    settings = typed.settings(pairs, await kinds.schema(client, found.kind)) if pairs else {}
    settings |= dict.fromkeys(unset)
    change = ChannelChange(
        name=msgspec.UNSET if new_name is None else new_name, settings=settings or msgspec.UNSET
    )
    issued = await client.change_channel(found.id, change)
    changed = issued.channel
    output.talk(f"Changed the channel {changed.name} in {changed.project}.")
    _hand_over(issued, as_json)


@channel.command("pause")
@click.argument("name", metavar="CHANNEL")
@named.project_option
@click.option("--reason", help="Why, for those who wonder.")
@where.connected(where.ADMIN_KEY_FILE)
async def pause_channel(
    client: "Client", name: str, project: str | None, reason: str | None
) -> None:
    """Send nothing until it is resumed; its deliveries wait."""
    found = await named.channel(client, name, project)
    paused = await client.pause_channel(found.id, reason)
    if found.paused_at is not None:
        why = f": {paused.paused_reason}" if paused.paused_reason else "."
        output.talk(f"The channel {found.name} in {found.project} was paused already{why}")
        return
    output.talk(f"Paused the channel {found.name} in {found.project}.")


@channel.command("resume")
@click.argument("name", metavar="CHANNEL")
@named.project_option
@where.connected(where.ADMIN_KEY_FILE)
async def resume_channel(client: "Client", name: str, project: str | None) -> None:
    """Send what has waited, in order, and all that comes."""
    found = await named.channel(client, name, project)
    await client.resume_channel(found.id)
    if found.paused_at is None:
        output.talk(f"The channel {found.name} in {found.project} was not paused.")
        return
    output.talk(f"Resumed the channel {found.name} in {found.project}.")


@channel.command("test")
@click.argument("name", metavar="CHANNEL")
@named.project_option
@output.json_option
@where.connected(where.ADMIN_KEY_FILE)
async def test_channel(client: "Client", name: str, project: str | None, as_json: bool) -> None:
    """Send a test at once and tell what came back."""
    found = await named.channel(client, name, project)
    came = await client.test_channel(found.id)
    if as_json:
        output.as_json(came)
    answer = "" if came.status is None else f" (status {came.status})"
    reason = f": {came.reason}" if came.reason else ""
    ended = delivery.came(came.outcome, came.duration_ms)
    output.talk(f"{found.name}: {ended}{answer}{reason}")
    if came.outcome != "delivered":
        sys.exit(ExitCode.FAILED)


@channel.command("remove")
@click.argument("name", metavar="CHANNEL")
@named.project_option
@output.yes_option
@where.connected(where.ADMIN_KEY_FILE)
async def remove_channel(client: "Client", name: str, project: str | None, yes: bool) -> None:
    """Remove a channel; what waits for it is discarded.

    A category that went to this channel alone does not turn to the others: its events go nowhere
    until it is changed, or until another channel gets the name.
    """
    found = await named.channel(client, name, project)
    waiting = await _waiting(client, found)
    muted = await _muted(client, found)
    output.confirm(f"Remove the channel {found.name} from {found.project}?{waiting}{muted}", yes)
    await client.remove_channel(found.id)
    output.talk(f"Removed the channel {found.name} from {found.project}.{waiting}{muted}")


async def _waiting(client: "Client", found: Channel) -> str:
    """What becomes of its deliveries, as a sentence to add; nothing where none waits."""
    page = await client.list_deliveries(
        project=found.project,
        channel=found.name,
        states=[DeliveryState.PENDING],
        limit=MAX_LIMIT,
    )
    if not page.items:
        return ""
    more = "more than " if page.cursor is not None else ""
    count = output.counted(len(page.items), "waiting delivery", "waiting deliveries")
    return f" Discarded with it: {more}{count}."


async def _muted(client: "Client", found: Channel) -> str:
    """Which categories go to this channel alone, as a sentence to add."""
    categories = await named.every(client.list_categories, 0, project=found.project)
    names = [category.name for category in categories if category.channels == (found.name,)]
    if not names:
        return ""
    return (
        f" Without it, events of {', '.join(names)} go nowhere until you give the category other "
        "channels: slowping category change NAME --channel OTHER, or --all-channels."
    )


def _hand_over(issued: IssuedChannel, as_json: bool) -> None:
    """Print the secrets that were made: there is no second chance."""
    if as_json:
        output.as_json(issued)
        return
    for name, value in issued.secrets.items():
        output.talk(f"Its {name} was made and is shown this once:")
        output.data(value)


def _row(found: Channel, figures: ChannelFigures | None) -> tuple[str, ...]:
    return (
        found.id,
        found.project,
        found.name,
        _kind(found),
        standing.state(found, figures),
        output.age(found.created_at),
        standing.why(found, figures),
    )


def _kind(found: Channel) -> str:
    return f"{found.kind}, ad hoc" if found.ad_hoc else found.kind


def _shown(name: str, value: Any) -> str:  # any JSON value
    """A setting as a person reads it: what ends in `_until` is a moment in milliseconds."""
    is_moment = name.endswith("_until") and isinstance(value, int)
    return output.moment(times.to_datetime(value)) if is_moment else text.show(value)
