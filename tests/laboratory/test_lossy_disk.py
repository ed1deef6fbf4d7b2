import random
import stat
from pathlib import Path

import pytest

from tests.laboratory import lossy_disk
from tests.laboratory.lossy_disk import PAGE, Disk, Node

FILE = stat.S_IFREG | 0o600


def disk_with(path: str, content: bytes) -> Disk:
    """A disk on which one file was written long ago."""
    disk = Disk()
    disk.make(path, FILE)
    disk.node(path).write(content, 0)
    disk.node(path).sync()
    disk.sync_names("/")
    return disk


def after_a_cut(disk: Disk) -> Disk:
    disk.is_cut = True
    disk.come_back()
    return disk


def test_what_was_synced_is_there_after_a_cut() -> None:
    disk = after_a_cut(disk_with("/a", b"kept"))
    assert disk.node("/a").content == b"kept"


def test_what_was_not_is_gone() -> None:
    disk = disk_with("/a", b"kept")
    disk.node("/a").write(b"lost", 2)
    assert disk.node("/a").content == b"kelost"
    assert after_a_cut(disk).node("/a").content == b"kept"


def test_so_is_a_length_that_was_not() -> None:
    disk = disk_with("/a", b"kept")
    disk.node("/a").resize(1)
    assert after_a_cut(disk).node("/a").content == b"kept"
    disk.node("/a").resize(1)
    disk.node("/a").sync()
    assert after_a_cut(disk).node("/a").content == b"k"


def test_a_name_is_gone_unless_its_folder_was_synced() -> None:
    disk = disk_with("/a", b"kept")
    disk.make("/b", FILE)
    disk.node("/b").write(b"lost", 0)
    disk.node("/b").sync()
    disk.rename("/a", "/c")
    assert after_a_cut(disk).names("/") == ["a"]
    disk.rename("/a", "/c")
    disk.sync_names("/")
    assert after_a_cut(disk).names("/") == ["c"]


def test_nothing_works_while_the_power_is_cut() -> None:
    disk = disk_with("/a", b"kept")
    disk.is_cut = True
    with pytest.raises(OSError, match="the power is cut"):
        disk.node("/a")


def test_a_disk_may_keep_any_part_of_what_was_not_synced() -> None:
    node = Node(FILE)
    node.write(b"a" * 10 * PAGE, 0)
    node.sync()
    node.write(b"b" * 10 * PAGE, 0)
    node.lose(random.Random(3), kept=0.5)  # noqa: S311 - it picks what is lost
    pages = {bytes(node.content[start : start + PAGE]) for start in range(0, 10 * PAGE, PAGE)}
    assert pages == {b"a" * PAGE, b"b" * PAGE}


@pytest.mark.skipif(lossy_disk.why_not() is not None, reason=str(lossy_disk.why_not()))
async def test_it_can_be_mounted(tmp_path: Path) -> None:
    async with lossy_disk.mounted(tmp_path / "disk") as mount:
        file = mount.folder / "a"
        file.write_bytes(b"lost")
        assert file.read_bytes() == b"lost"
        await mount.cut()
        await mount.come_back()
        assert list(mount.folder.iterdir()) == []
