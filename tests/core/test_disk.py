import pytest

from slowping.core import disk
from slowping.core.disk import OVER, QUIET_MS, WELL_LOOKS, News, Room, Trouble

MIB = 1_048_576
GIB = 1024 * MIB

FULL = Trouble(now="It is full.", was="it was full")
MINUTE_MS = 60_000

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


class Hearing:
    """What the owner hears of looks that are a minute apart."""

    def __init__(self) -> None:
        self.news = News()
        self.now = 0
        self.heard: list[str] = []

    def look(self, trouble: Trouble | None, *, looks: int = 1, can_tell: bool = True) -> None:
        """Look once or more, find it, and tell what there is to tell if that can be done."""
        for _ in range(looks):
            self.news = disk.seen(self.news, trouble, self.now)
            text = disk.message(self.news, trouble, self.now)
            if text is not None and can_tell:
                self.heard.append(text)
                self.news = disk.told(self.news, self.now)
            self.now += MINUTE_MS


def test_what_is_told_in_time_is_told_once_and_once_when_it_is_over() -> None:
    owner = Hearing()
    owner.look(None)
    owner.look(FULL, looks=3)
    assert owner.heard == [FULL.now]
    owner.look(None, looks=10)
    assert owner.heard == [FULL.now, f"{OVER}, since 1970-01-01T00:04:00Z."]


def test_what_could_not_be_told_in_time_is_told_in_the_past() -> None:
    owner = Hearing()
    owner.look(FULL, looks=3, can_tell=False)
    owner.look(None, looks=WELL_LOOKS - 1)
    assert owner.heard == []
    owner.look(None, looks=10)
    assert owner.heard == ["From 1970-01-01T00:00:00Z to 1970-01-01T00:03:00Z it was full."]
    owner.look(FULL, looks=3)
    assert len(owner.heard) == 1  # that was less than an hour ago


def test_what_comes_and_goes_is_one_trouble_that_ends_once() -> None:
    owner = Hearing()
    for _ in range(5):
        owner.look(FULL)
        owner.look(None, looks=WELL_LOOKS - 1)
    assert owner.heard == [FULL.now]
    owner.look(None, looks=10)
    assert owner.heard == [FULL.now, f"{OVER}, since 1970-01-01T00:13:00Z."]


def test_what_follows_within_an_hour_is_told_together_after_it() -> None:
    owner = Hearing()
    owner.look(FULL)
    owner.look(None, looks=9)
    for _ in range(2):
        owner.look(FULL)
        owner.look(None, looks=9)
    assert len(owner.heard) == 2
    owner.look(None, looks=60)
    told = "2 times between 1970-01-01T00:10:00Z and 1970-01-01T00:21:00Z it was full."
    assert owner.heard[2:] == [told]


def test_what_lasts_beyond_the_hour_is_told_of_as_it_is_then() -> None:
    owner = Hearing()
    owner.look(FULL)
    owner.look(None, looks=9)
    owner.look(Trouble(now="It is full again.", was="it was full"), looks=QUIET_MS // MINUTE_MS)
    assert owner.heard[2:] == ["It is full again."]


def test_a_clock_that_was_set_back_keeps_nobody_from_being_told() -> None:
    owner = Hearing()
    owner.now = 10 * QUIET_MS
    owner.look(FULL)
    owner.look(None, looks=9)
    owner.now = 0
    owner.look(FULL)
    assert owner.heard[2:] == [FULL.now]
