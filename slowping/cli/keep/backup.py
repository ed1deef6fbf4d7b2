"""Copy a database into a file, whether its server runs or not."""

import asyncio
import contextlib
import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import rich_click as click

from slowping.cli import output, where
from slowping.cli.keep import place, progress
from slowping.core import errors

if TYPE_CHECKING:
    from slowping.client.whereabouts import Address
    from slowping.store.port.database import Contents


@click.command()
@click.argument("file", type=click.Path(), metavar="FILE")
@click.option("--replace", is_flag=True, help="Replace FILE where it is there already.")
@click.option("--quiet", is_flag=True, help="Print nothing where all goes well, as cron likes it.")
@where.server_options
@place.config_option
@click.pass_context
def backup(  # noqa: PLR0913 - one for each option
    ctx: click.RichContext,
    /,
    file: str,  # a path forgets whether a slash ends it
    replace: bool,
    quiet: bool,
    server: str | None,
    api_key: str | None,
    data: Path | None,
    config_file: Path | None,
) -> None:
    """Copy the database into FILE; a server that runs goes on taking events.

    The copy is as of the moment it begins, and is looked through before FILE appears. In a folder
    it gets a name with the time; one that is named with / at its end is made if need be. It is of
    the database in this machine's data folder, if there is one and no server is named, else of the
    server's that commands go to.
    """
    where.require_scheme(server)
    target = _target(file)
    named = place.folder(data, place.configured(config_file))
    _require_not_kept(target, named)
    with _appearing(target, replace) as draft:
        is_here = not (server or os.environ.get("SLOWPING_SERVER")) and place.has_database(named)
        folder = named if is_here else None
        if folder is None or not _copy(folder, draft):
            address = where.find(
                server, api_key, folder or (named if config_file else data), os.environ,
                (where.ADMIN_KEY_FILE,), where.remembered,
            )  # fmt: skip
            ctx.meta[output.ADDRESS] = address
            asyncio.run(_receive(address, draft))
        with progress.shown("Looking it through", progress.Of.NOTHING):
            contents = place.database_at(draft).verify()
    if not quiet:
        _tell(target, contents, folder)


def _target(file: str) -> Path:
    """The file that is meant, in a folder that is there if one is meant.

    Raises:
        ConfigError: the folder cannot be made.
    """
    from slowping.server.process import data_folder

    path = Path(file)
    if file.endswith(os.sep):
        try:
            data_folder.make(path)
        except OSError as error:
            raise errors.ConfigError(f"Cannot make {path}: {error.strerror}.") from error
    elif not path.is_dir():
        return path
    return path / f"slowping-{place.stamp()}.db"


def _require_not_kept(target: Path, folder: Path) -> None:
    """See that a copy does not take the place of what a server keeps, the database above all.

    Raises:
        ConfigError: it would.
    """
    from slowping.server.process import data_folder

    if data_folder.is_kept(target, folder):
        raise errors.ConfigError(
            f"{target} is what a server keeps in its data folder: a copy in its place would lose "
            "the server's own. Give another name."
        )


@contextlib.contextmanager
def _appearing(target: Path, replace: bool) -> Iterator[Path]:
    """Where to write a file that is there as a whole once the block ends, or not at all."""
    from slowping.server.process import private_file

    if target.exists() and not replace:
        raise errors.ConfigError(f"{target} is there already: give another name, or --replace.")
    draft = target.with_name(f"{target.name}.part")
    try:
        draft.unlink(missing_ok=True)
        yield draft
        draft.replace(target)
        private_file.sync_names(target.parent)
    except OSError as error:
        raise errors.ConfigError(f"Cannot write {target}: {error.strerror}.") from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def _copy(folder: Path, draft: Path) -> bool:
    """Copy what lies in a data folder; False where a server is at work on it."""
    from slowping.server.process import backups, data_folder

    try:
        with data_folder.owned(folder), progress.shown("Copying") as report:
            place.database_in(folder).copy(draft, step=report, still=True)
            backups.note(folder, dt.datetime.now(dt.UTC), draft.stat().st_size)
    except data_folder.InUse:
        return False
    return True


async def _receive(address: "Address", draft: Path) -> None:
    """Have a server make a copy, and write down what it sends."""
    from slowping.client.client import Client

    with progress.shown("The server copies") as report:
        async with (
            Client(address.server, address.api_key, data=address.data) as client,
            client.copy_database() as (size, chunks),
        ):
            with _private(draft) as file:
                done = 0
                async for chunk in chunks:
                    file.write(chunk)
                    report(done := done + len(chunk), size)


@contextlib.contextmanager
def _private(path: Path) -> Iterator[BinaryIO]:
    """A new file for its owner alone, which is on the disk once the block ends."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        yield file
        file.flush()
        os.fsync(descriptor)


def _tell(target: Path, contents: "Contents", folder: Path | None) -> None:
    output.talk(f"Copied {place.told(contents)} to {target}, and looked it through.")
    if contents.has_secrets:
        where_key = "the server's data folder" if folder is None else str(folder)
        output.talk(
            "Channels' secrets are encrypted in it, with a key that it does not hold: keep a copy "
            f"of that as well, in another place. It is secret.key in {where_key}, unless you have "
            "put it elsewhere."
        )
    output.data(str(target))
