"""Where it is kept: one port, and adapters of the same shape behind it.

Consumers ask for the narrowest of the port's four roles. Only this file knows adapters by name.
"""

import pathlib

from slowping.core import errors
from slowping.core.ids import IdSource
from slowping.store.port import Store
from slowping.store.port.database import Database
from slowping.store.vault import Vault


async def open_store(url: str, vault: Vault) -> Store:
    """Open the store at a URL such as `sqlite:/var/lib/slowping/slowping.db`.

    Raises:
        StoreUnusable: it cannot be used, or no adapter knows the URL.
    """
    path = _sqlite_path(url)
    from slowping.store.sqlite.store import SqliteStore  # chosen by name

    return await SqliteStore.open(path, vault)


def database_at(url: str) -> Database:
    """The database at a URL as a whole; it is not opened yet.

    Raises:
        StoreUnusable: no adapter knows the URL.
    """
    path = _sqlite_path(url)
    from slowping.store.sqlite.database import SqliteDatabase  # chosen by name

    return SqliteDatabase(path)


def _sqlite_path(url: str) -> pathlib.Path:
    scheme, _, rest = url.partition(":")
    if scheme != "sqlite":
        raise errors.StoreUnusable(f"No store knows '{scheme}:'. Use 'sqlite:<path>'.")
    return pathlib.Path(rest)


__all__ = ["Database", "IdSource", "Store", "Vault", "database_at", "open_store"]
