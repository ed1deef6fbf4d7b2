"""Decide whether a disk has room, what its owner hears of it, and which disks are none to use."""

import enum
from typing import Final

import msgspec

from slowping.core import times

SHARE: Final = 20
"""Of a small disk a twentieth has to be free, where that is less than what is asked for."""

MARGIN: Final = 1.25
"""How much more than too little there has to be before events are accepted again."""

SCARCE: Final = 8
"""With an eighth of what is too little, not even results can be written down for long."""

WELL_LOOKS: Final = 3
"""A trouble is over after so many looks in a row that did not find it: some come and go."""

QUIET_MS: Final = 3_600_000
"""The owner is told of a trouble once in this time."""

OVER: Final = "Events are accepted again"
"""What he hears first of the end of one."""

NETWORK: Final = frozenset(
    {
        "9p", "afs", "beegfs", "ceph", "cifs", "coda", "fuse.ceph", "fuse.cephfs", "fuse.glusterfs",
        "fuse.rclone", "fuse.s3fs", "fuse.sshfs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs",
        "nfs4", "orangefs", "smb3", "smbfs",
    }
)  # fmt: skip
"""File systems whose locks and shared memory do not hold across machines, as /proc names them."""


class Room(enum.Enum):
    """How much room a disk has."""

    ENOUGH = enum.auto()
    LOW = enum.auto()
    """No more events are accepted; what becomes of those that are there is still written down."""
    SCARCE = enum.auto()
    """Something has to be let go of for that."""


class Marks(msgspec.Struct, frozen=True, kw_only=True):
    """How many bytes of a disk are how much room."""

    low: int
    """Less is too little to accept events."""
    ballast: int
    """What is kept in a file, to be let go of."""

    @property
    def enough(self) -> int:
        """With so many events are accepted again."""
        return round(self.low * MARGIN)

    @property
    def scarce(self) -> int:
        """With less the ballast goes."""
        return self.low // SCARCE


def marks(total: int, min_free: int, ballast: int) -> Marks:
    """The marks of a disk of so many bytes."""
    low = min(min_free, total // SHARE)
    return Marks(low=low, ballast=min(ballast, low))


def room(free: int, limits: Marks, was: Room) -> Room:
    """How much room there is, where there was so much before."""
    if free < limits.scarce:
        return Room.SCARCE
    if free < limits.low or (was is not Room.ENOUGH and free < limits.enough):
        return Room.LOW
    return Room.ENOUGH


# What the owner hears -----------------------------------------------------------------------


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """What keeps events from being accepted."""

    now: str
    """While it lasts, and what is to be done."""
    was: str
    """Once it is over, behind from when to when."""


class News(msgspec.Struct, frozen=True, kw_only=True):
    """What the owner has not heard yet: that there is a trouble, or that it is over."""

    trouble: Trouble | None = None
    """The first of those that he has not heard the end of."""
    since: int = 0
    until: int | None = None
    """When all was well again; None where it is not."""
    times: int = 1
    """How many there were, if he has heard of none of them."""
    well_looks: int = 0
    is_told: bool = False
    """Whether he has heard of it while it lasted."""
    told_at: int | None = None
    """When he last heard of any."""


def seen(news: News, trouble: Trouble | None, now: int) -> News:
    """The news after a look that found a trouble, or none."""
    if news.trouble is None:
        return news if trouble is None else News(trouble=trouble, since=now, told_at=news.told_at)
    if trouble is None:
        until = now if news.until is None else news.until
        return msgspec.structs.replace(news, until=until, well_looks=news.well_looks + 1)
    number = news.times + (news.well_looks >= WELL_LOOKS)
    return msgspec.structs.replace(news, until=None, times=number, well_looks=0)


def message(news: News, trouble: Trouble | None, now: int) -> str | None:
    """What the owner is to be told now, where a look has just found a trouble, or none.

    Of the end of what he was told of he hears at any time, of the rest once in `QUIET_MS`: by then
    it may be over, or he could not be told before, as nothing could be written.
    """
    if news.trouble is None or 0 < news.well_looks < WELL_LOOKS:
        return None
    if news.is_told:
        return None if news.until is None else f"{OVER}, since {times.iso_s(news.until)}."
    if news.told_at is not None and 0 <= now - news.told_at < QUIET_MS:
        return None
    return _past(news) if trouble is None else trouble.now


def told(news: News, now: int) -> News:
    """The news after the owner was told what there was to tell."""
    if news.until is None:
        return msgspec.structs.replace(news, is_told=True, told_at=now)
    return News(told_at=news.told_at if news.is_told else now)


def _past(news: News) -> str:
    since, until = times.iso_s(news.since), times.iso_s(news.until or news.since)
    was = "" if news.trouble is None else news.trouble.was
    if news.times == 1:
        return f"From {since} to {until} {was}."
    return f"{news.times} times between {since} and {until} {was}."


# Where it lies -------------------------------------------------------------------------------


def type_of(path: str, mounts: str) -> str | None:
    """The type of the file system that a path lies on; `mounts` is /proc/self/mountinfo."""
    longest, found = -1, None
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split()
        if len(fields) < 5 or not after:
            continue
        point = _unescaped(fields[4])
        is_below = path == point or path.startswith(point.rstrip("/") + "/")
        # Of several on one place the last one is seen.
        if is_below and len(point) >= longest:
            longest, found = len(point), after.split()[0]
    return found


def _unescaped(point: str) -> str:
    """A mount point as it is: blanks and the like are written in octal."""
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(code, character)
    return point
