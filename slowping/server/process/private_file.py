"""Write a file for its owner alone: a key, or word of where the server is."""

import os
import pathlib

from slowping.core import errors


def write(path: pathlib.Path, text: str) -> None:
    """Write a file that only its owner can read, in place of an earlier one, all or nothing.

    Raises:
        ConfigError: it cannot be written.
    """
    draft = path.with_name(f"{path.name}.new")
    try:
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f"{text}\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        sync_names(path.parent)
    except OSError as error:
        raise errors.ConfigError(f"Cannot write the file {path}: {error.strerror}.") from error


def sync_names(folder: pathlib.Path) -> None:
    """Bring the names in a folder to the disk.

    A key whose file is lost takes with it all that it has sealed.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
