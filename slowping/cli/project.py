"""Projects on the command line."""

from typing import TYPE_CHECKING

import msgspec
import rich_click as click

from slowping.cli import keeping, named, output, typed, where
from slowping.cli.output import Column
from slowping.core import retention
from slowping.core.project import NewProject, Project, ProjectChange

if TYPE_CHECKING:
    from slowping.client.client import Client

_COLUMNS = (
    Column("ID", whole=True),
    Column("NAME"),
    Column("QUOTA", whole=True),
    Column("KEPT"),
    Column("AGE", whole=True),
)

_origin_option = click.option(
    "--origin",
    "origins",
    multiple=True,
    metavar="URL",
    help="A web origin whose pages may send, such as https://example.org; repeat for several.",
)


@click.group()
def project() -> None:
    """Projects own categories, channels, events and API keys."""


@project.command("list")
@named.limit_option
@output.json_option
@where.connected(where.ADMIN_KEY_FILE)
async def list_projects(client: "Client", limit: int, as_json: bool) -> None:
    """List the projects."""
    projects = await named.every(client.list_projects, limit)
    if as_json:
        output.as_json(projects)
        return
    output.table("projects", _COLUMNS, [_row(found) for found in projects])


@project.command("show")
@click.argument("name", metavar="PROJECT")
@output.json_option
@where.connected(where.ADMIN_KEY_FILE)
async def show_project(client: "Client", name: str, as_json: bool) -> None:
    """Show a project, by name or id."""
    found = await named.project(client, name)
    if as_json:
        output.as_json(found)
        return
    output.details(
        [
            ("id", found.id),
            ("name", found.name),
            ("monthly quota", _quota(found)),
            ("allowed origins", ", ".join(found.allowed_origins) or "any"),
            ("strict destinations", "yes" if found.strict_destinations else "no"),
            ("events kept", keeping.days(found.keep_days, "as the server is configured")),
            ("size kept", keeping.size(found.keep_mb)),
            ("created", output.moment(found.created_at)),
        ]
    )


@project.command("create")
@click.argument("name")
@_origin_option
@click.option(
    "--monthly-quota", type=typed.Whole(min=0), help="Most events a month; 0 is no limit."
)
@click.option(
    "--strict-destinations",
    is_flag=True,
    help="Ask for the kinds of channel that PingPanda and PingPilot ask for.",
)
@keeping.options
@output.json_option
@where.connected(where.ADMIN_KEY_FILE)
async def create_project(  # noqa: PLR0913 - one for each option
    client: "Client",
    name: str,
    origins: tuple[str, ...],
    monthly_quota: int | None,
    strict_destinations: bool,
    keep_days: int | None,
    keep_mb: int | None,
    as_json: bool,
) -> None:
    """Create a project."""
    new = NewProject(
        name=name,
        allowed_origins=origins,
        monthly_quota=monthly_quota or None,
        strict_destinations=strict_destinations,
        keep_days=keeping.first(keep_days),
        keep_mb=keeping.first(keep_mb),
    )
    created = await client.create_project(new)
    if as_json:
        output.as_json(created)
    output.talk(f"Created the project {created.name} ({created.id}).")


@project.command("change")
@click.argument("name", metavar="PROJECT")
@click.option("--name", "new_name", metavar="NAME", help="A new name.")
@_origin_option
@click.option("--any-origin", is_flag=True, help="Check no origin any more.")
@click.option(
    "--monthly-quota", type=typed.Whole(min=0), help="Most events a month; 0 is no limit."
)
@click.option(
    "--strict-destinations/--no-strict-destinations",
    default=None,
    help="Ask for the kinds of channel that PingPanda and PingPilot ask for.",
)
@keeping.options
@where.connected(where.ADMIN_KEY_FILE)
async def change_project(  # noqa: PLR0913 - one for each option
    client: "Client",
    name: str,
    new_name: str | None,
    origins: tuple[str, ...],
    any_origin: bool,
    monthly_quota: int | None,
    strict_destinations: bool | None,
    keep_days: int | None,
    keep_mb: int | None,
) -> None:
    """Change a project; what is not given stays."""
    given = (new_name, origins, any_origin, monthly_quota, strict_destinations)
    output.require_change(*given, keep_days, keep_mb)
    if origins and any_origin:
        raise click.UsageError("Give --origin or --any-origin, not both.")
    found = await named.project(client, name)
    unset = msgspec.UNSET
    change = ProjectChange(
        name=unset if new_name is None else new_name,
        allowed_origins=origins if origins or any_origin else unset,
        monthly_quota=unset if monthly_quota is None else monthly_quota or None,
        strict_destinations=unset if strict_destinations is None else strict_destinations,
        keep_days=keeping.change(keep_days),
        keep_mb=keeping.change(keep_mb),
    )
    changed = await client.change_project(found.id, change)
    output.talk(f"Changed the project {changed.name}.")


@project.command("remove")
@click.argument("name", metavar="PROJECT")
@output.yes_option
@where.connected(where.ADMIN_KEY_FILE)
async def remove_project(client: "Client", name: str, yes: bool) -> None:
    """Remove a project with its categories and channels, and revoke the keys at home in it.

    Its events stay in the database, but nothing shows them any more; what waits is discarded.
    """
    found = await named.project(client, name)
    output.confirm(
        f"Remove the project {found.name} with its categories and channels, and revoke its keys? "
        "Its events stay in the database, but nothing will show them.",
        yes,
    )
    await client.remove_project(found.id)
    output.talk(f"Removed the project {found.name}, and revoked its keys.")


def _row(found: Project) -> tuple[str, ...]:
    kept = retention.told(found.keep_days, found.keep_mb)
    return found.id, found.name, _quota(found), kept, output.age(found.created_at)


def _quota(found: Project) -> str:
    return "-" if found.monthly_quota is None else f"{found.monthly_quota}"
