"""A disk that loses what was not synced: a file system in memory, whose power can be cut.

A write is lost until its file was synced, and a name (of a new file, a renamed or a removed one)
until its folder was: that is what POSIX promises, and no more. A cut keeps nothing of the rest, or
any part of it, page by page, as a real disk does.

`python -m tests.laboratory.lossy_disk FOLDER` mounts it and obeys the lines `cut` (from then on
nothing works and nothing is kept) and `end` of its standard input; after a cut it is mounted again
whenever it is unmounted. It needs libfuse, and as a rule root.
"""

import asyncio
import contextlib
import errno
import os
import random
import stat
import sys
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

PAGE: Final = 4_096
_FOREVER: Final = 1 << 40


class Node:
    """A file or a folder: what is there, and what is there after a cut."""

    def __init__(self, mode: int) -> None:
        self.mode = mode
        self.changed_at = time.time_ns()
        self.content = bytearray()
        self.synced = bytearray()
        self._unsynced: set[int] = set()
        """Pages."""

    @property
    def is_folder(self) -> bool:
        """Whether it holds names."""
        return stat.S_ISDIR(self.mode)

    def write(self, data: bytes, offset: int) -> None:
        """Change the content."""
        if offset > len(self.content):
            self.resize(offset)
        self.content[offset : offset + len(data)] = data
        self._unsynced.update(range(offset // PAGE, (offset + len(data) - 1) // PAGE + 1))
        self.changed_at = time.time_ns()

    def resize(self, length: int) -> None:
        """Cut the content off, or fill it with zeros."""
        first = min(length, len(self.content)) // PAGE
        self._unsynced.update(range(first, max(length, len(self.content)) // PAGE + 1))
        del self.content[length:]
        self.content.extend(bytes(length - len(self.content)))

    def sync(self) -> None:
        """Keep the content."""
        self._keep(self._unsynced, len(self.content))
        self._unsynced.clear()

    def lose(self, chance: random.Random, kept: float) -> int:
        """Lose what is not synced but for a part; how many bytes that is at most."""
        pages = {page for page in sorted(self._unsynced) if chance.random() < kept}
        length = len(self.content) if chance.random() < kept else len(self.synced)
        lost = PAGE * (len(self._unsynced) - len(pages))
        self._keep(pages, length)
        self.content = bytearray(self.synced)
        self._unsynced.clear()
        return lost

    def _keep(self, pages: set[int], length: int) -> None:
        del self.synced[length:]
        self.synced.extend(bytes(length - len(self.synced)))
        for page in pages:
            start, end = page * PAGE, min((page + 1) * PAGE, length, len(self.content))
            if start < end:
                self.synced[start:end] = self.content[start:end]


class Disk:
    """Files and folders by their paths."""

    def __init__(self, *, kept: float = 0.0, seed: int = 0) -> None:
        """`kept` is the share of unsynced pages that a cut leaves, picked by chance."""
        self.is_cut = False
        self._kept = kept
        self._chance = random.Random(seed)  # noqa: S311 - it picks what is lost
        root = Node(stat.S_IFDIR | 0o700)
        self._nodes: dict[str, Node] = {"/": root}
        self._synced_nodes: dict[str, Node] = {"/": root}

    def node(self, path: str) -> Node:
        """What is at a path.

        Raises:
            OSError: the power is cut, or there is nothing.
        """
        self.require_power()
        try:
            return self._nodes[path]
        except KeyError:
            raise OSError(errno.ENOENT, path) from None

    def require_power(self) -> None:
        """Nothing works without it."""
        if self.is_cut:
            raise OSError(errno.EIO, "the power is cut")

    def names(self, folder: str) -> list[str]:
        """What a folder holds."""
        self.require_power()
        return [path.rpartition("/")[2] for path in self._nodes if _is_in(path, folder)]

    def make(self, path: str, mode: int) -> None:
        """A new file or folder."""
        self.require_power()
        self._nodes[path] = Node(mode)

    def remove(self, path: str) -> None:
        """Take a name away."""
        self.require_power()
        del self._nodes[path]

    def rename(self, old: str, new: str) -> None:
        """Give a file another name."""
        self.require_power()
        self._nodes[new] = self._nodes.pop(old)

    def sync_names(self, folder: str) -> None:
        """Keep the names that a folder holds."""
        self.require_power()
        for path in [path for path in self._synced_nodes if _is_in(path, folder)]:
            del self._synced_nodes[path]
        held = {path: node for path, node in self._nodes.items() if _is_in(path, folder)}
        self._synced_nodes |= held

    def come_back(self) -> int:
        """The power is back; at most how many bytes are lost."""
        self._nodes = dict(self._synced_nodes)
        self.is_cut = False
        return sum(node.lose(self._chance, self._kept) for node in self._nodes.values())


def _is_in(path: str, folder: str) -> bool:
    return path != "/" and (path.rpartition("/")[0] or "/") == folder


# Mounted -----------------------------------------------------------------------------------------


def why_not() -> str | None:
    """Why it cannot be mounted here, or None where it can."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "/dev/fuse cannot be used"
    if os.geteuid() != 0:
        return "only root mounts it"
    try:
        import mfusepy
    except ImportError:
        return "mfusepy is not installed"
    except OSError:
        return "libfuse is not installed"
    del mfusepy
    return None


class Mount:
    """A lossy disk in a process of its own, at a folder."""

    def __init__(self, folder: Path, process: asyncio.subprocess.Process) -> None:
        self.folder = folder
        self._process = process

    async def cut(self) -> None:
        """Cut the power: nothing is kept that comes after."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(b"cut\n")
        assert await self._process.stdout.readline() == b"cut\n"

    async def come_back(self) -> None:
        """Mount again what is left; everything that used it must be gone."""
        await self._unmount()
        await self.is_there()

    async def is_there(self) -> None:
        """Wait until it can be used."""
        while not self._is_mounted():
            assert self._process.returncode is None, "it does not mount"
            await asyncio.sleep(0.01)

    def _is_mounted(self) -> bool:
        # Asked of the kernel: the disk itself does not answer while its power is cut.
        return f" {self.folder} " in Path("/proc/self/mounts").read_text(encoding="utf-8")

    async def end(self) -> None:
        """Unmount it for good."""
        if self._process.stdin and self._process.returncode is None:
            with contextlib.suppress(ConnectionError):
                self._process.stdin.write(b"end\n")
        await self._unmount()
        await self._process.wait()

    async def _unmount(self) -> None:
        while self._is_mounted():
            command = await asyncio.create_subprocess_exec(
                "umount", str(self.folder), stderr=asyncio.subprocess.DEVNULL
            )
            if await command.wait():
                await asyncio.sleep(0.02)  # somebody who was killed is not quite gone
            else:
                return


@contextlib.asynccontextmanager
async def mounted(folder: Path, *, kept: float = 0.0) -> AsyncIterator[Mount]:
    """A lossy disk at a folder, until the block ends."""
    await asyncio.to_thread(folder.mkdir)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.laboratory.lossy_disk", str(folder), str(kept),
        cwd=Path(__file__).parents[2],
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    mount = Mount(folder, process)
    try:
        await mount.is_there()
        yield mount
    finally:
        await mount.end()


class _Operations:
    """A disk as the binding asks for it; whatever it raises as OSError is the answer."""

    use_ns = True

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        node = self._disk.node(path)
        at = node.changed_at
        return {
            "st_mode": node.mode,
            "st_nlink": 2 if node.is_folder else 1,
            "st_size": len(node.content),
            "st_atime": at,
            "st_mtime": at,
            "st_ctime": at,
            "st_uid": os.geteuid(),
            "st_gid": os.getegid(),
        }

    def readdir(self, path: str, fh: int) -> Any:
        return [".", "..", *self._disk.names(path)]

    def create(self, path: str, mode: int, fi: Any = None) -> int:
        self._disk.make(path, stat.S_IFREG | stat.S_IMODE(mode))
        return 0

    def mkdir(self, path: str, mode: int) -> int:
        self._disk.make(path, stat.S_IFDIR | stat.S_IMODE(mode))
        return 0

    def open(self, path: str, flags: int) -> int:
        if flags & os.O_TRUNC:
            self._disk.node(path).resize(0)
        return 0

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return bytes(self._disk.node(path).content[offset : offset + size])

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        self._disk.node(path).write(data, offset)
        return len(data)

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        self._disk.node(path).resize(length)
        return 0

    def chmod(self, path: str, mode: int) -> int:
        node = self._disk.node(path)
        node.mode = stat.S_IFMT(node.mode) | stat.S_IMODE(mode)
        return 0

    def chown(self, path: str, uid: int, gid: int) -> int:
        return 0

    def utimens(self, path: str, times: Any = None) -> int:
        return 0

    def unlink(self, path: str) -> int:
        self._disk.remove(path)
        return 0

    def rmdir(self, path: str) -> int:
        self._disk.remove(path)
        return 0

    def rename(self, old: str, new: str) -> int:
        self._disk.rename(old, new)
        return 0

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        self._disk.node(path).sync()
        return 0

    def fsyncdir(self, path: str, datasync: int, fh: int) -> int:
        self._disk.sync_names(path)
        return 0

    def statfs(self, path: str) -> dict[str, int]:
        return {
            "f_bsize": PAGE, "f_frsize": PAGE, "f_namemax": 255,
            "f_blocks": _FOREVER, "f_bfree": _FOREVER, "f_bavail": _FOREVER,
        }  # fmt: skip


def main() -> None:
    """Mount, and again after each cut."""
    import mfusepy

    folder, kept = sys.argv[1], float(sys.argv[2])
    disk, is_over = Disk(kept=kept, seed=1), threading.Event()

    def obey() -> None:
        for line in sys.stdin:
            if line == "end\n":
                break
            disk.is_cut = True
            sys.stdout.write("cut\n")
            sys.stdout.flush()
        is_over.set()

    threading.Thread(target=obey, daemon=True).start()
    while not is_over.is_set():
        mfusepy.FUSE(_Operations(disk), folder, foreground=True, nothreads=True, fsname="lossy")
        disk.come_back()


if __name__ == "__main__":
    main()
