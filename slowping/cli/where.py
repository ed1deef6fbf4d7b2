"""Find the data folder, the server and the API key, so that on one machine nothing is typed."""

import functools
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec

import msgspec
import rich_click as click

from slowping.core import errors

if TYPE_CHECKING:
    from slowping.client.client import Client

SERVER_FILE: Final = "server.json"
ADMIN_KEY_FILE: Final = "admin.key"
INGEST_KEY_FILE: Final = "ingest.key"

_DEFAULT_SERVER: Final = "http://127.0.0.1:7464"

P = ParamSpec("P")


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where the server is, and the key to use there."""

    server: str
    api_key: str | None


class ServerFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a running server leaves in its data folder."""

    url: str


class _NoKeyHere(errors.NoCredential):
    """Nothing on this machine says which key to use."""

    def __init__(self, server: str) -> None:
        super().__init__(server)
        self.server = server

    def __str__(self) -> str:
        return f"No API key for {self.server}: give --api-key or set SLOWPING_API_KEY."


def config_file(flag: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The configuration file: what was typed, SLOWPING_CONFIG, the user's own if there is one."""
    if flag is not None:
        return flag
    if given := environ.get("SLOWPING_CONFIG"):
        return Path(given)
    import platformdirs

    usual = platformdirs.user_config_path("slowping") / "config.toml"
    return usual if usual.exists() else None


def data_folder(flag: Path | None, configured: Path | None) -> Path:
    """The data folder: what was typed, what is configured, the platform's place for it."""
    if flag is not None:
        return flag
    if configured is not None:
        return configured
    import platformdirs

    return platformdirs.user_data_path("slowping")


def connected(
    *key_files: str,
) -> Callable[[Callable[Concatenate["Client", P], Awaitable[None]]], Callable[..., None]]:
    """Give a command the options that say where the server is, and call it with a client.

    `key_files` are the files of the data folder that a key may be taken from, the best first;
    without any the command needs no key.
    """

    def decorate(run: Callable[Concatenate["Client", P], Awaitable[None]]) -> Callable[..., None]:
        @click.option("--server", metavar="URL", help="The server's address.")
        @click.option("--api-key", metavar="KEY", help="The API key to use there.")
        @click.option(
            "--data",
            type=click.Path(path_type=Path),
            metavar="DIR",
            help="The data folder of a server on this machine.",
        )
        @functools.wraps(run)
        def command(
            server: str | None, api_key: str | None, data: Path | None, **given: Any
        ) -> None:
            address = find(server, api_key, data, os.environ, key_files)
            import asyncio

            asyncio.run(_call(run, address, given))

        return command

    return decorate


async def _call(
    run: Callable[..., Awaitable[None]], address: Address, given: dict[str, Any]
) -> None:
    from slowping.client.client import Client

    async with Client(address.server, address.api_key) as client:
        await run(client, **given)


def find(
    server: str | None,
    api_key: str | None,
    data: Path | None,
    environ: Mapping[str, str],
    key_files: tuple[str, ...],
) -> Address:
    """Where the server is: what was typed, then variables, then the files of its data folder.

    Raises:
        NoCredential: a key is needed, and there is none.
        Unreachable: nothing says where a server is.
        ConfigError: the configuration names the data folder, but cannot be read.
    """
    server = server or environ.get("SLOWPING_SERVER")
    api_key = api_key or environ.get("SLOWPING_API_KEY") or None
    if server and (api_key or not key_files):
        return Address(server=server, api_key=api_key)
    folder = _folder(data, environ)
    local = _local_server(folder)
    if not (server or local or api_key):
        raise errors.Unreachable(
            f"No server has run with the data folder {folder}: start one with 'slowping serve', "
            "or say where one is with --server."
        )
    # The keys in the folder belong to the server there: no other one gets to see them.
    if not api_key and local and (not server or server.rstrip("/") == local.rstrip("/")):
        api_key = _stored_key(folder, key_files)
    server = server or local or _DEFAULT_SERVER
    if key_files and not api_key:
        raise _NoKeyHere(server)
    return Address(server=server, api_key=api_key)


def _folder(flag: Path | None, environ: Mapping[str, str]) -> Path:
    if flag is not None:
        return flag
    from slowping import config

    return data_folder(None, config.load(config_file(None, environ), environ).data)


def _local_server(folder: Path) -> str | None:
    try:
        return msgspec.json.decode((folder / SERVER_FILE).read_bytes(), type=ServerFile).url
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    except OSError as error:
        raise errors.ConfigError(f"Cannot read {error.filename}: {error.strerror}.") from error


def _stored_key(folder: Path, key_files: tuple[str, ...]) -> str | None:
    for name in key_files:
        try:
            return (folder / name).read_text(encoding="ascii").strip()
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            raise errors.ConfigError(f"Cannot read the API key in {folder / name}.") from error
    return None
