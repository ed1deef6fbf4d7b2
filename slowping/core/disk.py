"""Decide whether a disk has room for more events, and which file systems cannot keep a database."""

import enum
from typing import Final

import msgspec

SHARE: Final = 20
"""Of a small disk a twentieth has to be free, where that is less than what is asked for."""

MARGIN: Final = 1.25
"""How much more than too little there has to be before events are accepted again."""

SCARCE: Final = 8
"""With an eighth of what is too little, not even results can be written down for long."""

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
