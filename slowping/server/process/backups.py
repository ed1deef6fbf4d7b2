"""Make copies of the database for whoever may have them, one at a time, and hand them out."""

import asyncio
import contextlib
import datetime as dt
import os
import pathlib
import secrets
import threading
import time
from collections.abc import AsyncGenerator, Callable
from typing import BinaryIO, Final

import msgspec

from slowping.core import disk, errors, times
from slowping.server.process import private_file
from slowping.server.process.data_folder import DATABASE
from slowping.server.process.disk import Usage, usage_of
from slowping.store.port.database import Database

LAST_BACKUP_FILE: Final = "backup.json"
"""Says when the newest copy was handed out, and how large it was."""

_DRAFTS: Final = f"{DATABASE}.copy-"
_CHUNK_BYTES: Final = 65_536
"""Whoever does not take so much within half a minute is cut off: a slow line has to manage it."""


class LastBackup(msgspec.Struct, frozen=True, kw_only=True):
    """The newest copy that was handed out."""

    at: dt.datetime
    size: int
    """In bytes."""


class Backups:
    """Copies of the database of one data folder."""

    def __init__(
        self,
        database: Database,
        folder: pathlib.Path,
        *,
        now_ms: Callable[[], int],
        closing: asyncio.Event,
        min_free: int,
        usage: Callable[[pathlib.Path], Usage] = usage_of,
    ) -> None:
        """Once `closing` is set, the server stops, and copies are broken off.

        With less than `min_free` bytes on the disk no events are accepted: copies leave so many.
        """
        self._database = database
        self._folder = folder
        self._now_ms = now_ms
        self._closing = closing
        self._min_free = min_free
        self._usage_of = usage
        self._turn = asyncio.Lock()

    async def take(self) -> tuple[int, AsyncGenerator[bytes, None]]:
        """A copy as of now: how many bytes it has, and these.

        Raises:
            Unavailable: the disk has no room for it, or the server stops.
        """
        broken_off = threading.Event()
        async with self._turn:
            try:
                copy = await asyncio.to_thread(self._make, broken_off)
            finally:
                broken_off.set()
        size = os.fstat(copy.fileno()).st_size
        return size, self._chunks(copy, size)

    def _make(self, broken_off: threading.Event) -> BinaryIO:
        """The copy in a file that has no name any more, so that nothing of it can stay behind."""
        self._require_room()
        draft = self._folder / f"{_DRAFTS}{secrets.token_hex(4)}"
        try:
            self._database.copy(draft, step=_Halting(broken_off, self._closing))
            return draft.open("rb")
        except errors.StoreUnusable as error:
            raise errors.Unavailable(f"No copy could be made: {error}") from error
        finally:
            draft.unlink(missing_ok=True)

    def _require_room(self) -> None:
        files = (self._folder / f"{DATABASE}{suffix}" for suffix in ("", "-wal"))
        needed = sum(file.stat().st_size for file in files if file.exists())
        usage = self._usage_of(self._folder)
        room = max(0, usage.free - disk.marks(usage.total, self._min_free, 0).low)
        if needed > room:
            raise errors.Unavailable(
                f"The server's disk has no room for a copy: it takes {needed / 1e6:,.1f} MB, and "
                f"{room / 1e6:,.1f} MB may be used."
            )

    async def _chunks(self, copy: BinaryIO, size: int) -> AsyncGenerator[bytes, None]:
        left = size
        with copy:
            while chunk := await asyncio.to_thread(copy.read, _CHUNK_BYTES):
                left -= len(chunk)
                if not left:
                    # Whoever gets the last of it may look at once.
                    now = times.to_datetime(self._now_ms())
                    await asyncio.to_thread(note, self._folder, now, size)
                yield chunk


class _Halting:
    """Rests after each step as long as it took, so that the disk is not kept from other work."""

    def __init__(self, broken_off: threading.Event, closing: asyncio.Event) -> None:
        self._broken_off = broken_off
        self._closing = closing
        self._rested_at = time.monotonic()

    def __call__(self, copied: int, total: int) -> None:
        if self._broken_off.is_set() or self._closing.is_set():
            raise errors.Unavailable("The server is stopping.")
        if copied < total:
            time.sleep(min(1.0, time.monotonic() - self._rested_at))
        self._rested_at = time.monotonic()


def clear(folder: pathlib.Path) -> None:
    """Remove what a server that was killed has left of copies."""
    for draft in folder.glob(f"{_DRAFTS}*"):
        with contextlib.suppress(OSError):
            draft.unlink()


def note(folder: pathlib.Path, at: dt.datetime, size: int) -> None:
    """Write down which copy was the newest; that it cannot be is no reason to fail."""
    told = msgspec.json.encode(LastBackup(at=at, size=size)).decode()
    with contextlib.suppress(errors.ConfigError):
        private_file.write(folder / LAST_BACKUP_FILE, told)


def last(folder: pathlib.Path) -> LastBackup | None:
    """The newest copy that was handed out, if that is known."""
    try:
        return msgspec.json.decode((folder / LAST_BACKUP_FILE).read_bytes(), type=LastBackup)
    except (OSError, msgspec.DecodeError):
        return None
