import pytest

from slowping.core import disk
from slowping.core.disk import Room

MIB = 1_048_576
GIB = 1024 * MIB

MOUNTS = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:25 / /mnt/share rw,relatime - nfs4 nas:/export rw,vers=4.2
31 22 0:26 / /mnt/with\040blank rw - cifs //nas/share rw
32 30 0:27 / /mnt/share/local rw - tmpfs tmpfs rw
33 22 0:28 / /mnt/local rw - nfs nas:/old rw
34 22 0:29 / /mnt/local rw - xfs /dev/sdb1 rw
nonsense
"""


@pytest.mark.parametrize(
    ("total", "low", "ballast"),
    [
        (1000 * GIB, 500 * MIB, 64 * MIB),
        (20 * GIB, 500 * MIB, 64 * MIB),
        (5 * GIB, 256 * MIB, 64 * MIB),
        (200 * MIB, 10 * MIB, 10 * MIB),
    ],
)
def test_on_a_small_disk_less_has_to_be_free(total: int, low: int, ballast: int) -> None:
    marks = disk.marks(total, 500 * MIB, 64 * MIB)
    assert (marks.low, marks.ballast) == (low, ballast)


@pytest.mark.parametrize(
    ("free_mib", "was", "room"),
    [
        (600, Room.ENOUGH, Room.ENOUGH),
        (499, Room.ENOUGH, Room.LOW),
        (501, Room.ENOUGH, Room.ENOUGH),
        (501, Room.LOW, Room.LOW),
        (624, Room.SCARCE, Room.LOW),
        (625, Room.LOW, Room.ENOUGH),
        (62, Room.ENOUGH, Room.SCARCE),
        (63, Room.SCARCE, Room.LOW),
    ],
)
def test_there_has_to_be_some_more_room_before_it_is_enough_again(
    free_mib: int, was: Room, room: Room
) -> None:
    marks = disk.marks(1000 * GIB, 500 * MIB, 64 * MIB)
    assert disk.room(free_mib * MIB, marks, was) is room


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/slowping", "ext4"),
        ("/mnt/share", "nfs4"),
        ("/mnt/share/deep/down", "nfs4"),
        ("/mnt/shared", "ext4"),
        ("/mnt/share/local/data", "tmpfs"),
        ("/mnt/with blank/data", "cifs"),
        ("/mnt/local/data", "xfs"),
    ],
)
def test_a_path_lies_on_what_is_mounted_nearest_and_last(path: str, kind: str) -> None:
    assert disk.type_of(path, MOUNTS) == kind


def test_where_nothing_is_mounted_nothing_is_known() -> None:
    assert disk.type_of("/data", "") is None
