"""Categories on the command line."""

from collections.abc import Container, Sequence
from typing import TYPE_CHECKING

import msgspec
import rich_click as click

from slowping.cli import keeping, named, output, typed, where
from slowping.cli.output import Column
from slowping.core import retention
from slowping.core.category import (
    DEFAULT_COLOR,
    DEFAULT_EMOJI,
    MOST_PRIORITY,
    PRIORITY_HELP,
    Category,
    CategoryChange,
    NewCategory,
)

if TYPE_CHECKING:
    from slowping.client.client import Client

_COLUMNS = (
    Column("ID", whole=True),
    Column("PROJECT"),
    Column("NAME"),
    Column("EMOJI"),
    Column("COLOR", whole=True),
    Column("CHANNELS"),
    Column("KEPT"),
)

_channel_option = click.option(
    "--channel",
    "channels",
    multiple=True,
    metavar="NAME",
    help="A channel its events go to, and no others; repeat for several.",
)
_priority_option = click.option(
    "--priority", type=typed.Whole(-MOST_PRIORITY, MOST_PRIORITY), help=PRIORITY_HELP
)


@click.group()
def category() -> None:
    """Categories are the drawers events go into; they decide channels and looks."""


@category.command("list")
@named.project_option
@named.limit_option
@output.json_option
@where.connected(where.ADMIN_KEY_FILE)
async def list_categories(client: "Client", project: str | None, limit: int, as_json: bool) -> None:
    """List the categories, of one project or of all."""
    categories = await named.every(client.list_categories, limit, project=project)
    if as_json:
        output.as_json(categories)
        return
    live = await _live_channels(client, categories, project)
    output.table("categories", _COLUMNS, [_row(found, live) for found in categories])


@category.command("show")
@click.argument("name", metavar="CATEGORY")
@named.project_option
@output.json_option
@where.connected(where.ADMIN_KEY_FILE)
async def show_category(client: "Client", name: str, project: str | None, as_json: bool) -> None:
    """Show a category, by name or id."""
    found = await named.category(client, name, project)
    if as_json:
        output.as_json(found)
        return
    live = await _live_channels(client, [found], found.project)
    output.details(
        [
            ("id", found.id),
            ("project", found.project),
            ("name", found.name),
            ("emoji", found.emoji),
            ("color", _hexadecimal(found.color)),
            ("priority", str(found.priority)),
            ("channels", _channels(found, live)),
            ("events kept", keeping.days(found.keep_days, "as the project's")),
            ("size kept", keeping.size(found.keep_mb)),
            ("created", output.moment(found.created_at)),
        ]
    )


@category.command("create")
@click.argument("name")
@named.project_option
@click.option("--emoji", default=DEFAULT_EMOJI, show_default=True, help="Stands before its name.")
@click.option("--color", type=typed.color, metavar="COLOR", help="Such as 2ECC71, or 3066993.")
@_channel_option
@_priority_option
@keeping.options
@output.json_option
@where.connected(where.ADMIN_KEY_FILE)
async def create_category(  # noqa: PLR0913 - one for each option
    client: "Client",
    name: str,
    project: str | None,
    emoji: str,
    color: int | None,
    channels: tuple[str, ...],
    priority: int | None,
    keep_days: int | None,
    keep_mb: int | None,
    as_json: bool,
) -> None:
    """Create a category."""
    new = NewCategory(
        name=name,
        project=project,
        emoji=emoji,
        color=DEFAULT_COLOR if color is None else color,
        priority=priority or 0,
        channels=channels,
        keep_days=keeping.first(keep_days),
        keep_mb=keeping.first(keep_mb),
    )
    created = await client.create_category(new)
    if as_json:
        output.as_json(created)
    output.talk(f"Created the category {created.name} ({created.id}) in {created.project}.")


@category.command("change")
@click.argument("name", metavar="CATEGORY")
@named.project_option
@click.option("--name", "new_name", metavar="NAME", help="A new name.")
@click.option("--emoji", help="Stands before its name.")
@click.option("--color", type=typed.color, metavar="COLOR", help="Such as 2ECC71, or 3066993.")
@_channel_option
@click.option("--all-channels", is_flag=True, help="Send to every channel of the project again.")
@_priority_option
@keeping.options
@where.connected(where.ADMIN_KEY_FILE)
async def change_category(  # noqa: PLR0913 - one for each option
    client: "Client",
    name: str,
    project: str | None,
    new_name: str | None,
    emoji: str | None,
    color: int | None,
    channels: tuple[str, ...],
    all_channels: bool,
    priority: int | None,
    keep_days: int | None,
    keep_mb: int | None,
) -> None:
    """Change a category; what is not given stays."""
    output.require_change(
        new_name, emoji, color, channels, all_channels, priority, keep_days, keep_mb
    )
    if channels and all_channels:
        raise click.UsageError("Give --channel or --all-channels, not both.")
    found = await named.category(client, name, project)
    change = CategoryChange(
        name=msgspec.UNSET if new_name is None else new_name,
        emoji=msgspec.UNSET if emoji is None else emoji,
        color=msgspec.UNSET if color is None else color,
        channels=channels if channels or all_channels else msgspec.UNSET,
        priority=msgspec.UNSET if priority is None else priority,
        keep_days=keeping.change(keep_days),
        keep_mb=keeping.change(keep_mb),
    )
    changed = await client.change_category(found.id, change)
    output.talk(f"Changed the category {changed.name} in {changed.project}.")


@category.command("remove")
@click.argument("name", metavar="CATEGORY")
@named.project_option
@output.yes_option
@where.connected(where.ADMIN_KEY_FILE)
async def remove_category(client: "Client", name: str, project: str | None, yes: bool) -> None:
    """Remove a category; its events stay."""
    found = await named.category(client, name, project)
    output.confirm(
        f"Remove the category {found.name} from {found.project}? Its events stay, its looks and "
        "its channels are forgotten.",
        yes,
    )
    await client.remove_category(found.id)
    output.talk(f"Removed the category {found.name} from {found.project}.")


async def _live_channels(
    client: "Client", categories: Sequence[Category], project: str | None
) -> set[tuple[str, str]]:
    """Project and name of every channel, where a category names one at all."""
    if not any(found.channels for found in categories):
        return set()
    channels = await named.every(client.list_channels, 0, project=project)
    return {(channel.project, channel.name) for channel in channels}


def _row(found: Category, live: Container[tuple[str, str]]) -> tuple[str, ...]:
    return (
        found.id,
        found.project,
        found.name,
        found.emoji,
        _hexadecimal(found.color),
        _channels(found, live),
        retention.told(found.keep_days, found.keep_mb),
    )


def _hexadecimal(color: int) -> str:
    return f"#{color:06X}"


def _channels(found: Category, live: Container[tuple[str, str]]) -> str:
    """Where its events go; to a removed channel, and so nowhere, where no other was left."""
    names = (
        name if (found.project, name) in live else f"{name} (removed)" for name in found.channels
    )
    return ", ".join(names) or "all"
