"""The audit on the command line: who did what."""

import datetime as dt
from typing import TYPE_CHECKING, Any

import rich_click as click

from slowping.cli import named, output, typed, where
from slowping.cli.output import Column
from slowping.core import text
from slowping.core.audit import Act

if TYPE_CHECKING:
    from slowping.client.client import Client

_COLUMNS = (
    Column("AT (UTC)", whole=True),
    Column("ACT", whole=True),
    Column("ON"),
    Column("BY"),
    Column("FROM"),
    Column("CHANGE", below=True),
)


@click.group()
def audit() -> None:
    """The audit tells who did what to administer the server, and when."""


@audit.command("list")
@named.project_option
@click.option("--act", metavar="ACT", help="Only acts such as channel.paused, or channel for all.")
@click.option("--key", metavar="KEY", help="Only what was done with this key: its name or id.")
@click.option("--since", type=typed.past, metavar="WHEN", help="A date, or a span such as 2h.")
@click.option("--until", type=typed.past, metavar="WHEN", help="A date, or a span such as 2h.")
@named.limit_option
@output.json_option
@where.connected(where.ADMIN_KEY_FILE)
async def list_acts(  # noqa: PLR0913 - one for each option
    client: "Client",
    project: str | None,
    act: str | None,
    key: str | None,
    since: dt.datetime | None,
    until: dt.datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """List administrative acts, the latest first, with what was before and after.

    Secrets are in none of them. What slowping did by itself, such as pausing a channel that its
    far side has shut, is by slowping.
    """
    with_key = None if key is None else (await named.api_key(client, key, None)).id
    acts = await named.every(
        client.list_acts, limit, project=project, act=act, key=with_key, since=since, until=until
    )
    if as_json:
        output.as_json(acts)
        return
    output.table("acts", _COLUMNS, [_row(found) for found in acts])


def _row(found: Act) -> tuple[str, ...]:
    return (
        f"{found.at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}",
        found.act,
        _place(found),
        found.author,
        found.address or "",
        _change(found.before, found.after),
    )


def _place(found: Act) -> str:
    """What it was done to, and in which project: `shop/ops`."""
    name = found.name or found.subject
    is_project = found.act.startswith("project.")
    return "/".join(filter(None, (None if is_project else found.project, name)))


def _change(before: dict[str, Any] | None, after: dict[str, Any] | None) -> str:
    """What differs: `name: shop → store`; of what is new or gone the whole of it is in the JSON."""
    if before is None or after is None:
        return _counted(after) if before is None else ""
    names = [name for name in dict.fromkeys((*before, *after)) if name not in _SAID]
    return ", ".join(f"{name}: {_value(before, name)} → {_value(after, name)}" for name in names)


def _counted(after: dict[str, Any] | None) -> str:
    """What an act on many has done."""
    done = ((name, value) for name, value in (after or {}).items() if isinstance(value, int))
    return ", ".join(f"{name}: {text.show(value)}" for name, value in done if name in _COUNTS)


_COUNTS = ("moved", "queued", "made", "imported", "bytes", "channels")
_SAID = ("paused_at", "revoked_at")  # by the act itself, and when it was


def _value(members: dict[str, Any], name: str) -> str:
    value = members.get(name)
    return "-" if value is None else text.show(value)
