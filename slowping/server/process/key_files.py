"""Keep the key files of the data folder true: they hold keys for commands on this machine."""

import asyncio
import logging
import pathlib
from collections.abc import Mapping, Sequence
from typing import Final

from slowping.core import api_key, errors
from slowping.core.api_key import Principal
from slowping.server.log import Fact
from slowping.server.process import private_file

logger = logging.getLogger("slowping.key_files")

ADMIN_KEY_FILE: Final = "admin.key"
INGEST_KEY_FILE: Final = "ingest.key"


class KeyFiles:
    """The key files of one data folder."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder

    async def holding(
        self, key_id: int, api_keys: Mapping[bytes, Principal]
    ) -> Sequence[pathlib.Path]:
        """The files that hold the value of this key; `api_keys` are the live ones by digest."""
        return await asyncio.to_thread(self._holding, key_id, api_keys)

    async def replace(self, files: Sequence[pathlib.Path], value: str) -> None:
        """Write another key into these files; where that fails, they stay as they are."""
        for path in files:
            try:
                await asyncio.to_thread(private_file.write, path, value)
            except errors.ConfigError as error:
                logger.warning(Fact("a key file holds a key that ends", reason=str(error)))

    def _holding(self, key_id: int, api_keys: Mapping[bytes, Principal]) -> Sequence[pathlib.Path]:
        files = (self._folder / name for name in (ADMIN_KEY_FILE, INGEST_KEY_FILE))
        return [path for path in files if _held(path, api_keys) == key_id]


def left_in(path: pathlib.Path) -> str | None:
    """The key in a file, if there is one that can be read."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None


def _held(path: pathlib.Path, api_keys: Mapping[bytes, Principal]) -> int | None:
    value = left_in(path)
    principal = None if value is None else api_keys.get(api_key.digest(value))
    return None if principal is None else principal.key_id
