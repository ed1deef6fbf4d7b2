"""Say which data folder a command works on that needs no server, and what lies in it."""

import datetime as dt
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import rich_click as click

from slowping.cli import output, where
from slowping.core import api_key, errors, times

if TYPE_CHECKING:
    from slowping.config import Config
    from slowping.store.port.database import ChannelState, Contents, Database

F = TypeVar("F", bound=Callable[..., Any])

_DATA: Final = click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder that holds the database and the keys; or SLOWPING_DATA.",
)
config_option: Final = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="The server's configuration file, which may name the folder.",
)


def options(command: F) -> F:
    """The options that say which data folder is meant."""
    return _DATA(config_option(command))


def configured(config_file: Path | None) -> "Config":
    """The configuration as a server reads it.

    Raises:
        ConfigError: it cannot be used.
    """
    from slowping import config

    return config.load(where.config_file(config_file, os.environ), os.environ)


def require_installed(config: "Config") -> None:
    """See that the notifiers are installed which the configuration has options for.

    Raises:
        ConfigError: one is not.
    """
    from slowping.notifiers import registry
    from slowping.server.dispatch import toolbox

    toolbox.require_known(config.notifiers, registry.installed())


def folder(data: Path | None, config: "Config") -> Path:
    """The data folder as a server finds it."""
    return where.data_folder(data, config.data).absolute()


def database_at(path: Path) -> "Database":
    """A database, which need not be there."""
    from slowping import store

    return store.database_at(f"sqlite:{path}")


def database_in(data_folder: Path) -> "Database":
    """The database of a data folder."""
    return database_at(_path(data_folder))


def has_database(data_folder: Path) -> bool:
    """Whether there is one."""
    return _path(data_folder).exists()


def require_database(data_folder: Path) -> None:
    """See that there is one.

    Raises:
        StoreUnusable: there is none.
    """
    if not has_database(data_folder):
        raise errors.StoreUnusable(
            f"There is no database in {data_folder}. Say where it is with --data or SLOWPING_DATA."
        )


def locked_channels(data_folder: Path, channels: "Sequence[ChannelState]") -> list[str]:
    """The channels whose secrets the keys of this data folder do not open, as `project/channel`.

    Raises:
        StoreUnusable, ConfigError: the keys cannot be read.
    """
    from slowping.server.process import secret_key
    from slowping.store import Vault

    vault = Vault(secret_key.find(data_folder, os.environ).keys)
    locked = []
    for channel in channels:
        try:
            vault.open(channel.sealed or vault.seal({}))
        except errors.StoreUnusable:
            locked.append(f"{channel.project}/{channel.name}")
    return locked


def missing_secret_key(data_folder: Path) -> Path | None:
    """The key file of the data folder, where neither it nor anything else holds a key.

    Raises:
        StoreUnusable, ConfigError: the keys cannot be read.
    """
    from slowping.server.process import secret_key

    ring = secret_key.find(data_folder, os.environ)
    return ring.own_file if ring.is_unwritten else None


def admin_key_is_live(data_folder: Path, digests: "Mapping[bytes, bool]") -> bool:
    """Whether the admin key that commands on this machine use is one of these, and live."""
    value = where.stored_key(data_folder / where.ADMIN_KEY_FILE)
    return value is not None and digests.get(api_key.digest(value), False)


def stamp() -> str:
    """This moment, as it is put into the names of files."""
    return f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%SZ}"


def told(contents: "Contents") -> str:
    """What a database holds, in words."""
    size = f"{contents.size / 1e6:,.1f} MB"
    events = "1 event" if contents.events == 1 else f"{contents.events:,} events"
    if contents.newest_event_at is None:
        return f"{events} ({size})"
    newest = output.moment(times.to_datetime(contents.newest_event_at))
    return f"{events}, the newest of {newest} ({size})"


def database_name() -> str:
    """The name of the database in every data folder."""
    from slowping.server.process.data_folder import DATABASE

    return DATABASE


def _path(data_folder: Path) -> Path:
    return data_folder / database_name()
