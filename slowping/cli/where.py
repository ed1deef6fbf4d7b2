"""Give a command the options that say where the server is, and call it with a client."""

import functools
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar

import rich_click as click

from slowping.cli import output
from slowping.client.whereabouts import (
    ADMIN_KEY_FILE,
    INGEST_KEY_FILE,
    SERVER_FILE,
    Address,
    config_file,
    data_folder,
    find,
    stored_key,
)

if TYPE_CHECKING:
    from slowping.client.client import Client

__all__ = [
    "ADMIN_KEY_FILE",
    "INGEST_KEY_FILE",
    "SERVER_FILE",
    "Address",
    "config_file",
    "connected",
    "data_folder",
    "find",
    "remembered",
    "require_scheme",
    "server_options",
    "stored_key",
]

P = ParamSpec("P")
F = TypeVar("F", bound=Callable[..., Any])

_SERVER: Final = click.option(
    "--server", metavar="URL", help="The server's address; or SLOWPING_SERVER."
)
_API_KEY: Final = click.option(
    "--api-key", metavar="KEY", help="The API key to use there; or SLOWPING_API_KEY."
)
_DATA: Final = click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The data folder of a server on this machine; or SLOWPING_DATA.",
)


def connected(
    *key_files: str,
    for_project: tuple[str, ...] = (),
) -> Callable[[Callable[Concatenate["Client", P], Awaitable[None]]], Callable[..., None]]:
    """Give a command the options that say where the server is, and call it with a client.

    `key_files` are the files of the data folder that a key may be taken from, the best first;
    without any the command needs no key. `for_project` stands in for them where the command is
    given a project: the key of another one may not be enough there.
    """

    def decorate(run: Callable[Concatenate["Client", P], Awaitable[None]]) -> Callable[..., None]:
        @server_options
        @click.pass_context
        @functools.wraps(run)
        def command(
            ctx: click.RichContext,
            /,
            server: str | None,
            api_key: str | None,
            data: Path | None,
            **given: Any,
        ) -> None:
            files = for_project if for_project and given.get("project") else key_files
            require_scheme(server)
            address = find(server, api_key, data, os.environ, files, remembered)
            ctx.meta[output.ADDRESS] = address
            import asyncio

            asyncio.run(_call(run, address, given))

        return command

    return decorate


def server_options(command: F) -> F:
    """The options that say where the server is."""
    return _SERVER(_API_KEY(_DATA(command)))


def remembered() -> Sequence[Address]:
    """The servers that the live view remembers, the one that it showed last first."""
    from slowping.tui import settings

    return settings.remembered().addresses()


def require_scheme(server: str | None) -> None:
    """See that an address that was typed, or stands in a variable, is a whole one.

    Raises:
        BadParameter: it says no scheme.
    """
    place = "--server" if server else "SLOWPING_SERVER"
    given = server or os.environ.get("SLOWPING_SERVER")
    if given and "://" not in given:
        raise click.BadParameter(f"{place}: write the address as http://{given}.")


async def _call(
    run: Callable[..., Awaitable[None]], address: Address, given: dict[str, Any]
) -> None:
    from slowping.client.client import Client

    async with Client(address.server, address.api_key, data=address.data) as client:
        await run(client, **given)
