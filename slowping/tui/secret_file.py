"""Keep a secret in a file of its own, which nobody but its owner has ever been able to read."""

import contextlib
import os
import re
from pathlib import Path
from typing import Final

_STRANGE: Final = re.compile(r"[^A-Za-z0-9._-]+")


def usual_path(name: str) -> str:
    """Where the secret of that name is best kept: `~/slowping-<name>.key`."""
    return f"~/slowping-{_STRANGE.sub('-', name).strip('-.') or 'secret'}.key"


def keep(where: str, content: str) -> str | None:
    """Write a new file, readable by its owner alone from the first byte on; `~` is the home.

    Returns what has kept it from being written, in a sentence; None where nothing has.
    """
    if not where.strip():
        return "Say which file."
    try:
        path = Path(where.strip()).expanduser()
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return f"{path} is there already, and is left as it is. Choose another name."
    except OSError as error:
        return f"{path} cannot be written: {error.strerror}."
    except (RuntimeError, ValueError) as error:  # no such home; a NUL in the name
        return f"That is no file: {error}."
    return _fill(path, number, content.encode())


def _fill(path: Path, number: int, content: bytes) -> str | None:
    try:
        with os.fdopen(number, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
    except OSError as error:
        with contextlib.suppress(OSError):
            path.unlink()
        return f"{path} could not be written: {error.strerror}."
    return None
