"""Where it is kept: one port, and adapters of the same shape behind it.

Consumers ask for the narrowest of the port's four roles. Only this file knows adapters by name.
"""

import pathlib

from slowping.core import errors
from slowping.core.ids import IdSource
from slowping.store.port import Store
from slowping.store.vault import Vault


async def open_store(url: str, vault: Vault) -> Store:
    """Open the store at a URL such as `sqlite:/var/lib/slowping/slowping.db`.

    Raises:
        StoreUnusable: it cannot be used, or no adapter knows the URL.
    """
    scheme, _, rest = url.partition(":")
    if scheme != "sqlite":
        raise errors.StoreUnusable(f"No store knows '{scheme}:'. Use 'sqlite:<path>'.")
    from slowping.store.sqlite.store import SqliteStore  # chosen by name

    return await SqliteStore.open(pathlib.Path(rest), vault)


__all__ = ["IdSource", "Store", "Vault", "open_store"]
