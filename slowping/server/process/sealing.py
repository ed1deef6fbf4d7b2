"""See that the newest key has sealed every secret, change that key, give up what no key opens."""

import asyncio
import contextlib
import logging
import os
import pathlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Final

import msgspec

from slowping import __version__
from slowping.core import errors
from slowping.core.audit import Author
from slowping.notifiers import port
from slowping.notifiers.registry import Registry
from slowping.server.log import Fact
from slowping.server.process import data_folder, secret_key
from slowping.server.process.secret_key import KeyRing
from slowping.store import open_store
from slowping.store.port import Store
from slowping.store.vault import Vault, new_key

logger = logging.getLogger("slowping.secrets")

GIVEN_UP: Final = (
    "its secrets were lost with the key that had sealed them: enter them again with 'slowping "
    "channel change', then resume it"
)
"""Why a channel is paused that has lost them."""

_BY_HAND: Final = Author(key_id=None, name="slowping secret forget")
"""Whoever may read and write the files: no key is needed for that."""

_NAMED: Final = 5
"""How many channels are named; the others are counted."""


class Sealing:
    """The keys of a store that is open."""

    def __init__(
        self,
        ring: KeyRing,
        vault: Vault,
        store: Store,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._ring = ring
        self._vault = vault
        self._secrets = store.secrets
        self._random_bytes = random_bytes
        self._changing = asyncio.Lock()

    async def begin(self, registry: Registry) -> None:
        """See that the newest key has sealed every secret, and that it is written down.

        Raises:
            StoreUnusable: none of the keys opens some of the secrets; nothing was changed.
            ConfigError: the key file cannot be written.
        """
        if self._ring.is_unwritten:
            # Nothing may be sealed with a key that is not on the disk, and none takes the place
            # of one that has sealed something.
            await self._require_none_lost()
            self._ring = await asyncio.to_thread(secret_key.write, self._ring)
        kinds = await self._secrets.kinds_to_look_at(__version__)
        try:
            sealed = await self._secrets.seal_anew(
                _secret_names(kinds, registry), version=__version__
            )
        except errors.StoreUnusable:
            await self._require_none_lost()
            raise
        if sealed:
            logger.info(Fact("sealed secrets", channels=sealed, key=self._ring.source))
        await self._secrets.note_key_source(self._ring.source)

    async def rotate(self) -> int:
        """Seal every secret with a new key; how many channels have some.

        The new key is on the disk before anything is sealed with it, and the old ones stay behind
        it, for copies of the database that were made before: at no moment is a secret without its
        key. Where this breaks off, the next start goes on with it.

        Raises:
            WrongState: the key stands in a place that is not ours to write, or there are too many.
            ConfigError: the key file cannot be written; nothing was changed.
            Unavailable: the store cannot be written now.
        """
        # One at a time: a key that another change has made must not be left out of the file.
        async with self._changing:
            newer = self._ring.with_new(new_key(self._random_bytes))
            self._ring = await asyncio.to_thread(secret_key.write, newer)
            self._vault.take(self._ring.keys)
            return await self._secrets.seal_anew()

    async def _require_none_lost(self) -> None:
        if lost := await self._secrets.lost():
            was = await self._secrets.key_source()
            raise errors.StoreUnusable(_in_words(lost, self._ring, was))


def _secret_names(kinds: Sequence[str], registry: Registry) -> Mapping[str, frozenset[str]]:
    """The secret settings of each kind; one that is not installed any more has none."""
    names = {}
    for kind in kinds:
        with contextlib.suppress(errors.InvalidInput):
            names[kind] = port.secret_names(registry.settings_class(kind))
    return names


def _in_words(lost: Sequence[str], ring: KeyRing, was: str | None) -> str:
    """That some secrets cannot be opened, which, and what can be done."""
    problem = "is missing, and no other opens" if ring.is_unwritten else "does not open"
    before = (
        f" At the last start, the key stood in {was}." if was not in (None, ring.source) else ""
    )
    return (
        f"The key in {ring.source} {problem} the secrets of {named(lost)}.{before} Put back the "
        "key that was there before; behind another one, on a line of its own, is fine too. If it "
        "is lost for good, 'slowping secret forget' gives these secrets up, so that the server "
        "starts."
    )


def named(channels: Sequence[str]) -> str:
    """Which channels: the first ones by name, the others counted."""
    some, more = ", ".join(channels[:_NAMED]), len(channels) - _NAMED
    return f"{some} and {more} more" if more > 0 else some


# Where the key is lost --------------------------------------------------------------------------


class Loss(msgspec.Struct, frozen=True, kw_only=True):
    """Secrets that no key opens."""

    channels: Sequence[str]
    """Their channels, as `project/channel`."""
    source: str
    """Where the key was looked for, in words."""
    was: str | None
    """Where it stood when a server last started."""


async def find_lost(folder: pathlib.Path, environ: Mapping[str, str]) -> Loss:
    """What is lost in a data folder that no server uses.

    Raises:
        ConfigError: a server uses it, or it cannot be used.
        StoreUnusable: the database or the key cannot be used.
    """
    async with _at_rest(folder, environ) as (store, ring):
        return Loss(
            channels=await store.secrets.lost(),
            source=ring.source,
            was=await store.secrets.key_source(),
        )


async def forget_lost(
    folder: pathlib.Path, environ: Mapping[str, str], *, now: int
) -> Sequence[str]:
    """Give up what no key opens, and pause the channels; which ones, as `project/channel`.

    Raises:
        ConfigError: a server uses the folder, or it cannot be used.
        StoreUnusable: the database or the key cannot be used.
    """
    async with _at_rest(folder, environ) as (store, _):
        return await store.secrets.forget_lost(GIVEN_UP, now=now, by=_BY_HAND)


@contextlib.asynccontextmanager
async def _at_rest(
    folder: pathlib.Path, environ: Mapping[str, str]
) -> AsyncIterator[tuple[Store, KeyRing]]:
    """The store of a folder that no server uses."""
    with data_folder.owned(folder):
        ring = secret_key.find(folder, environ)
        database = folder / data_folder.DATABASE
        if not database.exists():
            raise errors.ConfigError(f"There is no database in the data folder {folder}.")
        store = await open_store(f"sqlite:{database}", Vault(ring.keys))
        try:
            yield store, ring
        finally:
            await store.close()
