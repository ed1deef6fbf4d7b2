"""Say what lies in a data folder, and keep others out of it while it is used."""

import contextlib
import fcntl
import os
import pathlib
import re
from collections.abc import Iterator
from typing import Final

from slowping.core import errors
from slowping.server.process import file_modes, private_file

LOCK_FILE: Final = "lock"
DATABASE: Final = "slowping.db"

_KEPT: Final = re.compile(
    rf"{re.escape(DATABASE)}(-wal|-shm|-journal)?"
    r"|(lock|.+\.key|server\.json|backup\.json|ballast)(\.new)?"
)
"""What a server keeps in its data folder, by name."""


class InUse(errors.ConfigError):
    """A server, or somebody who mends it, uses the data folder."""


@contextlib.contextmanager
def owned(folder: pathlib.Path) -> Iterator[None]:
    """Make the data folder if need be, and keep servers and those who mend it out of it.

    Raises:
        InUse: somebody else does so already.
        ConfigError: it cannot be used, or others may put files into it.
    """
    try:
        make(folder)
        lock = _open_lock(folder / LOCK_FILE)
    except OSError as error:
        raise errors.ConfigError(
            f"The data folder {folder} cannot be used: {error.strerror}. "
            "Choose another with --data, or make it writable."
        ) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InUse(
                f"Another slowping serves the data folder {folder} already. "
                "Stop it, or choose another folder with --data."
            ) from error
        file_modes.close_to_others(folder)
        yield
    finally:
        os.close(lock)


def make(folder: pathlib.Path) -> None:
    """Make a folder for its owner alone, and those above it, unless it is there.

    One whose name is lost takes with it all that it holds, so all names are on the disk then.

    Raises:
        OSError: it cannot be made.
    """
    if folder.exists():
        return
    make(folder.parent)
    folder.mkdir(exist_ok=True, mode=0o700)
    private_file.sync_names(folder.parent)


def is_kept(path: pathlib.Path, folder: pathlib.Path) -> bool:
    """Whether a path leads to what a server keeps, in this data folder or in any other.

    It need not be there: a file in its place would be taken for the server's.
    """
    real = path.resolve()
    within = real.parent
    if _KEPT.fullmatch(real.name) and (
        os.access(within / LOCK_FILE, os.F_OK) or _is_same(within, folder)
    ):
        return True
    kept = (found for found in folder.glob("*") if _KEPT.fullmatch(found.name))
    return any(_is_same(real, found) for found in kept)  # a hard link


def _is_same(one: pathlib.Path, other: pathlib.Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _open_lock(path: pathlib.Path) -> int:
    try:
        return private_file.create(path)
    except FileExistsError:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
