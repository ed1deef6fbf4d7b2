"""Watch the disk: refuse events before it is full, and keep something to let go of when it is."""

import asyncio
import contextlib
import logging
import os
import pathlib
import shutil
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from slowping.core import disk, errors
from slowping.core.disk import Marks, News, Room, Trouble
from slowping.server.clock import Clock
from slowping.server.log import Fact
from slowping.store.port import Retention

logger = logging.getLogger("slowping.disk")

LOOK_EVERY_S: Final = 2.0

CALM_LOOKS: Final = 30
"""The ballast is taken on after so many looks in a row that found nothing wrong: a minute.

After a start it is after two: a disk that is full soon finds it there."""

BALLAST_FILE: Final = "ballast"

MEBIBYTE: Final = 1_048_576

_REPLACED: Final = Trouble(
    now="The file of the server's database was replaced, moved or removed while it runs, so no "
    "events are accepted: they would be lost. Put the file back if it was moved; else stop the "
    "server, and put a copy in its place: slowping restore FILE",
    was="no events were accepted: the file of the server's database was not in its place",
)

_FAILS_AT_TIMES: Final = Trouble(
    now="In the last seconds the database could not be written at times, so some events may have "
    "been refused.",
    was="some events may have been refused: the database could not be written at times",
)

_MOUNTS: Final = pathlib.Path("/proc/self/mountinfo")


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """How many bytes a file system has, and how many are left for this user."""

    total: int
    free: int


def usage_of(folder: pathlib.Path) -> Usage:
    """What the file system of a folder has.

    Raises:
        OSError: it cannot be asked.
    """
    found = shutil.disk_usage(folder)
    return Usage(total=found.total, free=found.free)


class Disk:
    """Knows whether there is room. What it finds is told to whoever accepts events."""

    def __init__(  # noqa: PLR0913 - what it watches, what it says, and to whom
        self,
        folder: pathlib.Path,
        store: Retention,
        clock: Clock,
        *,
        min_free: int,
        ballast: int,
        refuse: Callable[[str | None], None],
        tell_owner: Callable[[str], Awaitable[bool]],
        usage: Callable[[pathlib.Path], Usage],
    ) -> None:
        """`refuse` is told why no event can be accepted, or None where it can."""
        self._folder = folder
        self._file = folder / BALLAST_FILE
        self._store = store
        self._clock = clock
        self._min_free = min_free
        self._ballast = ballast
        self._refuse = refuse
        self._tell_owner = tell_owner
        self._usage_of = usage
        self._usage = Usage(total=0, free=0)
        self._room = Room.ENOUGH
        self._is_in_place = True
        """Whether the database was the file of its name, at the last look."""
        self._calm_looks = CALM_LOOKS - 2
        self._failures = 0
        """Of the store, at the last look."""
        self._fails_at_times = False
        """Whether there were more by the last look than by the one before."""
        self._sound_looks = 0
        """How many in a row found that the store has not failed since the one before."""
        self._vague_looks = 0
        """How many in a row found no more than that the store had failed before them."""
        self._news = News()
        self._has_ballast = False
        self._is_without = False
        """Whether it could not be made, which is said once."""

    @property
    def trouble(self) -> str | None:
        """What keeps events from being accepted; None where nothing does."""
        found = self._found()
        return None if found is None else found.now

    @property
    def usage(self) -> Usage:
        """What was found at the last look."""
        return self._usage

    async def keep_watch(self) -> None:
        """Look every `LOOK_EVERY_S` seconds, for ever."""
        while True:
            await self._clock.wait(asyncio.Event(), LOOK_EVERY_S)
            # Whatever goes wrong once must not end this for good.
            [failure] = await asyncio.gather(self.look(), return_exceptions=True)
            if failure is not None:
                logger.error(Fact("cannot look after the disk"), exc_info=failure)

    async def look(self) -> None:
        """See whether the database is in its place, and how much room there is; do what follows."""
        await self._look_at_place()
        try:
            self._usage = await asyncio.to_thread(self._usage_of, self._folder)
        except OSError as error:
            logger.warning(Fact("cannot ask for the room on the disk", reason=error.strerror))
            return
        marks = disk.marks(self._usage.total, self._min_free, self._ballast)
        was, self._room = self._room, disk.room(self._usage.free, marks, self._room)
        if (was is Room.ENOUGH) is not (self._room is Room.ENOUGH):
            self._turn(marks)
        self._mind_store()
        if self._room is Room.SCARCE or not self._sound_looks:
            await asyncio.to_thread(self._let_go)
        await self._try_again()
        await self._tell()
        await self._take_on(marks)

    def _turn(self, marks: Marks) -> None:
        """There is too little room now, or enough again."""
        free_mb = self._usage.free // MEBIBYTE
        if self._room is Room.ENOUGH:
            logger.warning(Fact("the disk has room again; events are accepted", free_mb=free_mb))
        else:
            fact = Fact(
                "the disk is nearly full; no event is accepted",
                free_mb=free_mb,
                needed_mb=marks.low // MEBIBYTE,
            )
            logger.error(fact)
        self._tell_door()

    async def _look_at_place(self) -> None:
        """What is written to a file that has lost its name is gone once the server stops."""
        was, self._is_in_place = (
            self._is_in_place,
            await asyncio.to_thread(self._store.is_in_place),
        )
        if was and not self._is_in_place:
            logger.critical("the file of the database is another one; no event is accepted")
        elif self._is_in_place and not was:
            logger.warning("the file of the database is back in its place")
        if was is not self._is_in_place:
            self._tell_door()

    def _tell_door(self) -> None:
        """Say whether events can be accepted; a database that fails says so itself."""
        if not self._is_in_place:
            self._refuse(_REPLACED.now)
        else:
            self._refuse(None if self._room is Room.ENOUGH else self._too_little().now)

    def _mind_store(self) -> None:
        """See whether the store has failed since the last look."""
        failures, self._failures = self._failures, self._store.failures
        self._fails_at_times = self._failures != failures
        has_failed = self._fails_at_times or self._store.trouble is not None
        self._sound_looks = 0 if has_failed else self._sound_looks + 1
        if self._sound_looks == disk.WELL_LOOKS:
            self._store.note_well()

    async def _try_again(self) -> None:
        """Find out whether the database can be written again, while nobody else tries."""
        if self._store.trouble is not None:
            await asyncio.gather(self._store.try_writing(), return_exceptions=True)

    async def _tell(self) -> None:
        """Tell the owner what there is to tell, as soon as that can be written down."""
        trouble, now = self._found(), self._clock.now_ms()
        self._news = disk.seen(self._news, trouble, now)
        self._vague_looks = self._vague_looks + 1 if trouble is _FAILS_AT_TIMES else 0
        if self._vague_looks == 1:
            return  # it may just be over, which the next look finds
        text = disk.message(self._news, trouble, now)
        if text is not None and await self._tell_owner(text):
            self._news = disk.told(self._news, now)

    def _found(self) -> Trouble | None:
        if not self._is_in_place:
            return _REPLACED
        if (why := self._store.trouble) is not None:
            return Trouble(
                now=f"The database cannot be written: {why}.",
                was=f"no events were accepted: the database could not be written ({why})",
            )
        if self._room is not Room.ENOUGH:
            return self._too_little()
        return _FAILS_AT_TIMES if self._fails_at_times else None

    def _too_little(self) -> Trouble:
        free_mb = self._usage.free // MEBIBYTE
        return Trouble(
            now=f"The server's disk is nearly full ({free_mb} MiB are free), so no events are "
            "accepted. Make room on it; nothing has to be restarted.",
            was="no events were accepted: the server's disk was nearly full",
        )

    # The ballast -----------------------------------------------------------------------------

    def _let_go(self) -> None:
        """Give the room of the ballast to what has to be written down."""
        self._has_ballast = False
        try:
            self._file.unlink()
        except FileNotFoundError:
            return
        except OSError as error:
            logger.warning(Fact("cannot let go of the ballast", reason=error.strerror))
        else:
            logger.warning("let go of the ballast, so that results can be written")

    async def _take_on(self, marks: Marks) -> None:
        """Keep something to let go of, once all has been well for a while."""
        self._calm_looks = 0 if self.trouble is not None else self._calm_looks + 1
        if self._has_ballast or self._calm_looks < CALM_LOOKS or not marks.ballast:
            return
        self._calm_looks = 0
        if self._usage.free >= marks.enough + marks.ballast:
            self._has_ballast = await asyncio.to_thread(self._reserve, marks.ballast)

    def _reserve(self, size: int) -> bool:
        """Make the file, or find it made; whether it is there."""
        try:
            descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.ftruncate(descriptor, min(size, os.fstat(descriptor).st_size))
                os.posix_fallocate(descriptor, 0, size)
            finally:
                os.close(descriptor)
        except OSError as error:
            if not self._is_without:
                logger.warning(Fact("cannot keep a ballast", reason=error.strerror))
            self._is_without = True
            with contextlib.suppress(OSError):
                self._file.unlink(missing_ok=True)
            return False
        self._is_without = False
        return True


def refuse_network(folder: pathlib.Path) -> None:
    """See that a folder is not on another machine's disk.

    Raises:
        ConfigError: it is, as far as this machine can tell.
    """
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return  # not Linux
    kind = disk.type_of(str(folder.resolve()), mounts)
    if kind in disk.NETWORK:
        raise errors.ConfigError(
            f"The data folder {folder} lies on a network file system ({kind}), on which a database "
            "that was written by two machines, or cut off, is lost. Choose a folder on a disk of "
            "this machine with --data, or set disk.allow_network to true if you know better."
        )
