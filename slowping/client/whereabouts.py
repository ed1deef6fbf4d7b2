"""Find the data folder, the server and the API key, so that on one machine nothing is named.

Only the standard library is loaded until a file has to be looked for: senders start with this.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from slowping.core import errors

SERVER_FILE: Final = "server.json"
ADMIN_KEY_FILE: Final = "admin.key"
INGEST_KEY_FILE: Final = "ingest.key"

_DEFAULT_SERVER: Final = "http://127.0.0.1:7464"


class Address(NamedTuple):
    """Where the server is, and the key to use there."""

    server: str
    api_key: str | None
    key_from: str | None = None
    """Where the key was found, in words for a person."""
    key_file: Path | None = None
    """The file that it was found in, if it was one of the data folder's."""


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
) -> Address:
    """Where the server is: what was given, then variables, then the files of its data folder.

    `key_files` are the files of the data folder that a key may be taken from, the best first;
    without any no key is needed.

    Raises:
        NoCredential: a key is needed, and there is none.
        Unreachable: nothing says where a server is.
        ConfigError: the configuration names the data folder, but cannot be read.
    """
    server = server or environ.get("SLOWPING_SERVER")
    key_from = "--api-key" if api_key else "the variable SLOWPING_API_KEY"
    api_key = api_key or environ.get("SLOWPING_API_KEY") or None
    if server and (api_key or not key_files):
        return Address(server=server, api_key=api_key, key_from=key_from if api_key else None)
    folder = _folder(data, environ)
    local = _local_server(folder)
    if not (server or local or api_key):
        raise errors.Unreachable(
            f"No server is running on the data folder {folder}. Start it with 'slowping serve "
            f"--data {folder}', or say where it is with --server, --data or SLOWPING_DATA."
        )
    # The keys in the folder belong to the server there: no other one gets to see them.
    if not api_key and local and (not server or server.rstrip("/") == local.rstrip("/")):
        for file in (folder / name for name in key_files):
            if api_key := stored_key(file):
                return Address(server or local, api_key, f"the file {file}", file)
    server = server or local or _DEFAULT_SERVER
    if key_files and not api_key:
        raise _NoKeyHere(server)
    return Address(server=server, api_key=api_key, key_from=key_from if api_key else None)


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


def _local_server(folder: Path) -> str | None:
    """The address that a running server has left in its data folder."""
    try:
        left = json.loads((folder / SERVER_FILE).read_bytes())
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    except OSError as error:
        raise errors.ConfigError(f"Cannot read {error.filename}: {error.strerror}.") from error
    url = left.get("url") if isinstance(left, dict) else None
    return url if isinstance(url, str) else None


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
