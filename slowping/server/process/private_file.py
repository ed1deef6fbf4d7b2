"""Write a file for its owner alone: a key, or word of where the server is."""

import contextlib
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
        with os.fdopen(create(draft), "w", encoding="utf-8") as file:
            file.write(f"{text}\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        sync_names(path.parent)
    except OSError as error:
        raise errors.ConfigError(f"Cannot write the file {path}: {error.strerror}.") from error


def create(path: pathlib.Path) -> int:
    """A new file, open for writing, that only the owner of its folder can read.

    What root makes in another's folder would lock out the server that runs as that user. Where
    nothing can be given away, as on some network drives, it stays with whoever made it.

    Raises:
        FileExistsError: something has this name; what root has not made, he does not give away.
        OSError: it cannot be made.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    if os.geteuid() == 0:
        folder = path.parent.stat()
        with contextlib.suppress(OSError):
            os.fchown(descriptor, folder.st_uid, folder.st_gid)
    return descriptor


def sync_names(folder: pathlib.Path) -> None:
    """Bring the names in a folder to the disk.

    A key whose file is lost takes with it all that it has sealed.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
