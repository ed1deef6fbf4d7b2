"""Ask the server how it is."""

import sys
from typing import TYPE_CHECKING

import rich_click as click

from slowping.cli import output, where
from slowping.cli.output import ExitCode

if TYPE_CHECKING:
    from slowping.client.client import Client


@click.command()
@output.json_option
@where.connected()
async def health(client: "Client", as_json: bool) -> None:
    """Tell whether the server works; no key is needed."""
    found = await client.health()
    if as_json:
        output.as_json(found)
    else:
        output.data(f"{found.status} (slowping {found.version})")
    if found.status != "ok":
        sys.exit(ExitCode.FAILED)
