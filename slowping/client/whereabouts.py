"""Find the data folder, the server and the API key, so that on one machine nothing is named.

Only the standard library is loaded until a file has to be looked for: senders start with this.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from slowping.core import errors

SERVER_FILE: Final = "server.json"
ADMIN_KEY_FILE: Final = "admin.key"
INGEST_KEY_FILE: Final = "ingest.key"

DEFAULT_SERVER: Final = "http://127.0.0.1:7464"
_NAME_A_FOLDER: Final = ("SLOWPING_DATA", "SLOWPING_CONFIG")
"""Variables by which a person says that the server of a data folder is meant."""


class Address(NamedTuple):
    """Where the server is, and the key to use there."""

    server: str
    api_key: str | None
    key_from: str | None = None
    """Where the key was found, in words for a person."""
    key_file: Path | None = None
    """The file that it was found in, if it was one of the data folder's."""
    server_from: str | None = None
    """Who remembers the server, where nobody named it."""
    data: Path | None = None
    """The server's data folder, where that is on this machine and its certificate is in it."""


class _NoKeyHere(errors.NoCredential):
    """Nothing on this machine says which key to use."""

    def __init__(self, server: str) -> None:
        super().__init__(server)
        self.server = server

    def __str__(self) -> str:
        return f"No API key for {self.server}: give --api-key or set SLOWPING_API_KEY."


def find(
    server: str | None,
    api_key: str | None,
    data: Path | None,
    environ: Mapping[str, str],
    key_files: tuple[str, ...],
    remembered: Callable[[], Sequence[Address]] = tuple,
) -> Address:
    """Where the server is: what was given, variables, what is remembered, files of the data folder.

    `key_files` are the files of the data folder that a key may be taken from, the best first;
    without any no key is needed. `remembered` gives the servers that are known from before, the
    one to go to first; it is not asked where a data folder is named.

    Raises:
        NoCredential: a key is needed, and there is none.
        Unreachable: nothing says where a server is.
        ConfigError: the configuration names the data folder, but cannot be read.
    """
    server = server or environ.get("SLOWPING_SERVER")
    key_from = "--api-key" if api_key else "the variable SLOWPING_API_KEY"
    api_key = api_key or environ.get("SLOWPING_API_KEY") or None
    given = Address(server or "", api_key, key_from if api_key else None)
    if server and (api_key or not key_files):
        return given._replace(data=data)
    if data is None and not any(map(environ.get, _NAME_A_FOLDER)):
        for known in remembered():
            if not server or _is_same(server, known.server):
                return _completed(given, known, needs_key=bool(key_files))
    return _of_folder(given, _folder(data, environ), key_files)


def _completed(given: Address, known: Address, *, needs_key: bool) -> Address:
    """What was given, with what is remembered in place of what was not."""
    keyed = known if needs_key and not given.api_key else given
    return Address(
        server=given.server or known.server,
        api_key=keyed.api_key,
        key_from=keyed.key_from,
        server_from=None if given.server else known.server_from,
        data=known.data,
    )


def _of_folder(given: Address, folder: Path, key_files: tuple[str, ...]) -> Address:
    """What was given, with what the files of a data folder say in place of what was not."""
    server, local = given.server, _local_server(folder)
    if not (server or local or given.api_key):
        raise errors.Unreachable(
            f"No server is running on the data folder {folder}. Start it ('slowping serve', with "
            "the --config or --data that it has), or say where it is with --server, --data or "
            "SLOWPING_DATA."
        )
    # The keys in the folder belong to the server there: no other one gets to see them.
    is_local = local is not None and (not server or _is_same(server, local.server))
    data = folder.absolute() if local and is_local and local.certificate else None
    if not given.api_key and local and is_local:
        for file in (folder / name for name in key_files):
            if stored := stored_key(file):
                return Address(server or local.server, stored, f"the file {file}", file, data=data)
    server = server or (local and local.server) or DEFAULT_SERVER
    if key_files and not given.api_key:
        raise _NoKeyHere(server)
    return given._replace(server=server, data=data)


def _is_same(server: str, other: str) -> bool:
    return server.rstrip("/") == other.rstrip("/")


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


def _folder(flag: Path | None, environ: Mapping[str, str]) -> Path:
    if flag is not None:
        return flag
    from slowping import config

    return data_folder(None, config.load(config_file(None, environ), environ).data)


def certificate_of(server: str, data: Path | None, environ: Mapping[str, str]) -> str | None:
    """The certificate that a server has left in its data folder, if it is the one that runs there.

    Without `data` the folder is the one that variables, the configuration or the platform name.

    Raises:
        ConfigError: the folder cannot be read, or the configuration that names it.
    """
    local = _local_server(_folder(data, environ))
    return local.certificate if local and _is_same(server, local.server) else None


class _Local(NamedTuple):
    """What a running server has left in its data folder."""

    server: str
    certificate: str | None


def _local_server(folder: Path) -> _Local | None:
    """Where the server of a data folder is, and how to know it."""
    try:
        left = json.loads((folder / SERVER_FILE).read_bytes())
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    except OSError as error:
        raise errors.ConfigError(f"Cannot read {error.filename}: {error.strerror}.") from error
    if not isinstance(left, dict) or not isinstance(left.get("url"), str):
        return None
    own = left.get("certificate")
    return _Local(left["url"], own if isinstance(own, str) else None)


def stored_key(file: Path) -> str | None:
    """The key in a file, if there is one.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        return file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise errors.ConfigError(f"Cannot read the API key in {file}.") from error
