"""A small disk that can be filled to its last byte, and processes that may write no large files."""

import contextlib
import errno
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

HOG: Final = "hog"

PAGE: Final = 4_096


def why_not() -> str | None:
    """Why none can be mounted here, or None where it can."""
    if sys.platform != "linux":
        return "this is not Linux"
    if os.geteuid() != 0:
        return "only root may mount a file system"
    with contextlib.suppress(subprocess.CalledProcessError, OSError):
        _root("unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt")
        return None
    return "no file system can be mounted here"


class SmallDisk:
    """A file system of its own, with a file on it that takes the room of all others."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._hog = folder / HOG

    @property
    def free(self) -> int:
        """Bytes."""
        told = os.statvfs(self.folder)
        return told.f_bavail * told.f_frsize

    def leave(self, free: int) -> None:
        """Take all but so many bytes."""
        with self._hog.open("ab") as hog:
            size = hog.tell() + max(0, self.free - free)
            with contextlib.suppress(OSError):
                os.posix_fallocate(hog.fileno(), 0, max(PAGE, size))

    def fill(self) -> None:
        """Take everything, whatever is given back meanwhile."""
        with self._hog.open("ab", buffering=0) as hog:
            try:
                while True:
                    hog.write(bytes(PAGE))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def clear(self) -> None:
        """Give everything back."""
        self._hog.unlink(missing_ok=True)


@contextlib.contextmanager
def mounted(folder: Path, size: int, *, read_only: bool = False) -> Iterator[SmallDisk]:
    """A disk of so many bytes at a folder that is made for it."""
    folder.mkdir()
    options = f"size={size},mode=0700" + (",ro" if read_only else "")
    _root("mount", "-t", "tmpfs", "-o", options, "none", str(folder))
    try:
        yield SmallDisk(folder)
    finally:
        _root("umount", "--lazy", str(folder))


@contextlib.contextmanager
def no_larger_files(process: int, size: int) -> Iterator[None]:
    """Let a process write no file beyond so many bytes, as a quota does."""
    before = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.prlimit(process, resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def read_only(process: int) -> Iterator[None]:
    """Answer all that a process writes to files as a file system does that has become read-only."""
    calls = "inject=pwrite64,ftruncate,fallocate:error=EROFS"
    command = ("strace", "-f", "-qq", "-p", str(process), "-o", "/dev/null", "-e", calls)
    tracing = subprocess.Popen(command)  # noqa: S603 - all of it is ours
    try:
        yield
    finally:
        tracing.send_signal(signal.SIGINT)
        tracing.wait()


def _root(*command: str) -> None:
    """Run a command of the system's."""
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - all of it is ours
