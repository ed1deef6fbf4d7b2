"""Say what lies in a data folder, and keep others out of it while it is used."""

import contextlib
import fcntl
import os
import pathlib
from collections.abc import Iterator
from typing import Final

from slowping.core import errors
from slowping.server.process import file_modes, private_file

LOCK_FILE: Final = "lock"
DATABASE: Final = "slowping.db"


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
        _make(folder)
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


def _open_lock(path: pathlib.Path) -> int:
    try:
        return private_file.create(path)
    except FileExistsError:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _make(folder: pathlib.Path) -> None:
    """Make a folder, and those above it; one whose name is lost takes with it all that it holds."""
    if folder.exists():
        return
    _make(folder.parent)
    folder.mkdir(exist_ok=True, mode=0o700)
    private_file.sync_names(folder.parent)
