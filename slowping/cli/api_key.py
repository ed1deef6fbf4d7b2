"""API keys on the command line, where they are called keys."""

import datetime as dt
from typing import TYPE_CHECKING

import rich_click as click

from slowping.cli import named, output, typed, where
from slowping.cli.output import Column
from slowping.core import api_key
from slowping.core.api_key import ApiKey, ApiKeyKind, ApiKeyRotation, NewApiKey, Scope

if TYPE_CHECKING:
    from slowping.client.client import Client

_COLUMNS = (
    Column("ID", whole=True),
    Column("PROJECT"),
    Column("NAME"),
    Column("PREFIX", whole=True),
    Column("SCOPES"),
    Column("LIMIT", whole=True),
    Column("STATE", whole=True),
    Column("END AND USE", below=True),
)


@click.group()
def key() -> None:
    """API keys let senders in and programs look and act."""


@key.command("list")
@named.project_option
@named.limit_option
@output.json_option
@where.connected(where.ADMIN_KEY_FILE)
async def list_api_keys(client: "Client", project: str | None, limit: int, as_json: bool) -> None:
    """List the keys, of one project or of all; their values are not kept."""
    api_keys = await named.every(client.list_api_keys, limit, project=project)
    if as_json:
        output.as_json(api_keys)
        return
    now = dt.datetime.now(dt.UTC)
    output.table("keys", _COLUMNS, [_row(found, now) for found in api_keys])


@key.command("show")
@click.argument("name", metavar="KEY")
@named.project_option
@output.json_option
@where.connected(where.ADMIN_KEY_FILE)
async def show_api_key(client: "Client", name: str, project: str | None, as_json: bool) -> None:
    """Show a key, by name or id."""
    found = await named.api_key(client, name, project)
    if as_json:
        output.as_json(found)
        return
    output.details(
        [
            ("id", found.id),
            ("name", found.name),
            ("starts with", found.prefix),
            ("kind", found.kind),
            ("scopes", ", ".join(found.scopes)),
            ("home project", found.project),
            ("further projects", "all" if found.all_projects else ", ".join(found.projects)),
            ("requests a minute", str(found.rate_limit or "no limit")),
            ("origins", ", ".join(found.origins)),
            ("created", output.moment(found.created_at)),
            ("expires", output.moment(found.expires_at)),
            ("revoked", output.moment(found.revoked_at)),
            ("last used", output.moment(found.last_used_at)),
            ("last used from", found.last_used_from or ""),
            ("rotated to", found.rotated_to or ""),
        ]
    )


@key.command("create")
@click.option("--name", required=True, help="What it is for.")
@click.option("--project", metavar="PROJECT", help="Its home, where events land that name none.")
@click.option(
    "--also", "projects", multiple=True, metavar="PROJECT", help="A further project; repeats."
)
@click.option("--all-projects", is_flag=True, help="Let it into every project.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([scope.value for scope in Scope]),
    help="What it may do: ingest and read unless said; repeats.",
)
@click.option("--browser", is_flag=True, help="For a web page: ingest only, bound to --origin.")
@click.option("--origin", "origins", multiple=True, metavar="URL", help="A web origin; repeats.")
@click.option(
    "--rate-limit", type=typed.Whole(0, 1_000_000), help="Requests a minute; 0 is no limit."
)
@click.option("--expires", type=typed.ahead, metavar="WHEN", help="A date, or a span such as 30d.")
@click.option(
    "--import-value",
    type=typed.secret,
    metavar="-|@FILE",
    help="An existing key's value, from stdin or a file, so that its client need not change.",
)
@output.json_option
@where.connected(where.ADMIN_KEY_FILE)
async def create_api_key(  # noqa: PLR0913 - one for each option
    client: "Client",
    name: str,
    project: str | None,
    projects: tuple[str, ...],
    all_projects: bool,
    scopes: tuple[Scope, ...],
    browser: bool,
    origins: tuple[str, ...],
    rate_limit: int | None,
    expires: dt.datetime | None,
    import_value: str | None,
    as_json: bool,
) -> None:
    """Issue a key, and print it alone on stdout, this once.

    The value of an imported one is not printed: you have it.
    """
    new = NewApiKey(
        name=name,
        project=project,
        projects=projects,
        all_projects=all_projects,
        kind=ApiKeyKind.BROWSER if browser else ApiKeyKind.SECRET,
        scopes=tuple(map(Scope, scopes)) or None,
        rate_limit=rate_limit,
        origins=origins,
        expires_at=expires,
        import_value=import_value,
    )
    issued = await client.issue_api_key(new)
    created = issued.api_key
    named = f"{created.name} ({created.id}, {', '.join(created.scopes)}) for {created.project}"
    if import_value is not None:
        output.talk(f"Imported the key {named}. Its value is the one that you have.")
        if as_json:
            output.as_json({"api_key": created})
        return
    output.talk(f"Issued the key {named}. It is shown this once.")
    if as_json:
        output.as_json(issued)
    else:
        output.data(issued.value)


@key.command("rotate")
@click.argument("name", metavar="KEY")
@named.project_option
@click.option(
    "--overlap",
    type=typed.span,
    default="24h",
    metavar="SPAN",
    help="How long the old key still works, such as 7d; 0 ends it at once.  [default: 24h]",
)
@output.json_option
@where.connected(where.ADMIN_KEY_FILE)
@click.pass_context
async def rotate_api_key(
    ctx: click.RichContext,
    client: "Client",
    name: str,
    project: str | None,
    overlap: dt.timedelta,
    as_json: bool,
) -> None:
    """Issue a key that may do the same, by name or id, and let the old one end.

    The new key is printed alone on stdout, this once.
    """
    found = await named.api_key(client, name, project, rotated=False)
    rotation = ApiKeyRotation(overlap_s=round(overlap.total_seconds()))
    issued = await client.rotate_api_key(found.id, rotation)
    output.talk(_succession(found, issued.api_key, overlap))
    if advice := _inheritance(found, issued.value, ctx.meta[output.ADDRESS]):
        output.talk(advice)
    if as_json:
        output.as_json(issued)
    else:
        output.data(issued.value)


@key.command("revoke")
@click.argument("name", metavar="KEY")
@named.project_option
@output.yes_option
@where.connected(where.ADMIN_KEY_FILE)
@click.pass_context
async def revoke_api_key(
    ctx: click.RichContext, client: "Client", name: str, project: str | None, yes: bool
) -> None:
    """End a key at once, by name or id."""
    found = await named.api_key(client, name, project)
    own = _farewell(found, ctx.meta[output.ADDRESS])
    output.confirm(f"Revoke the key {found.name} ({found.prefix}…)?{own}", yes)
    await client.revoke_api_key(found.id)
    output.talk(f"Revoked the key {found.name} ({found.prefix}…).{own}")


def _succession(old: ApiKey, new: ApiKey, overlap: dt.timedelta) -> str:
    ends = min(filter(None, (old.expires_at, new.created_at + overlap)))
    until = f"works until {output.moment(ends)}" if overlap else "has ended"
    return (
        f"Rotated the key {old.name}: {new.id} takes the place of {old.id} ({old.prefix}…), which "
        f"{until}. The new value is shown this once."
    )


def _inheritance(old: ApiKey, value: str, address: where.Address) -> str:
    """What follows for whoever rotates the key that is in use; empty for any other key."""
    if not _is_in_use(old, address):
        return ""
    if address.key_file and where.stored_key(address.key_file) == value:
        return f"{address.key_file} holds the new one: commands on this machine go on with it."
    return (
        f"The old one looks like the one that this command uses, from {address.key_from}: put "
        "the new one there."
    )


def _farewell(found: ApiKey, address: where.Address) -> str:
    """What follows for whoever revokes the key that is in use, as a sentence to add."""
    if not _is_in_use(found, address):
        return ""
    return (
        f" It looks like the one that this command uses, from {address.key_from}: without it, "
        "give another with --api-key. Where no live admin key is left, the next start of the "
        "server makes one."
    )


def _is_in_use(found: ApiKey, address: where.Address) -> bool:
    """Whether it looks like the key that this command uses."""
    return address.api_key is not None and api_key.shown(address.api_key) == found.prefix


def _row(found: ApiKey, now: dt.datetime) -> tuple[str, ...]:
    return (
        found.id,
        "all" if found.all_projects else ", ".join((found.project, *found.projects)),
        found.name,
        found.prefix,
        ", ".join(found.scopes),
        str(found.rate_limit or "-"),
        _state(found, now),
        ", ".join(filter(None, (_end(found), _use(found, now)))),
    )


def _end(found: ApiKey) -> str:
    at = found.revoked_at or found.expires_at
    return "" if at is None else f"to {at:%Y-%m-%d}"


def _use(found: ApiKey, now: dt.datetime) -> str:
    if found.last_used_at is None:
        return ""
    place = f" from {found.last_used_from}" if found.last_used_from else ""
    return f"used {output.brief(now - found.last_used_at)} ago{place}"


def _state(found: ApiKey, now: dt.datetime) -> str:
    if found.revoked_at is not None:
        return "revoked"
    return "expired" if found.expires_at is not None and found.expires_at <= now else "live"
