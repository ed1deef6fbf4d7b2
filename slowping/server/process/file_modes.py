"""See that a data folder and what lies in it are for their owner alone."""

import contextlib
import logging
import pathlib
import re
import stat
from typing import Final

from slowping.core import errors
from slowping.server.log import Fact

logger = logging.getLogger("slowping.data")

_OURS: Final = re.compile(
    r"slowping\.db.*|(lock|secret\.key|admin\.key|ingest\.key|server\.json|backup\.json|ballast)(\.new)?"
)
_FOR_ITS_OWNER: Final = 0o600
_FOLDER_FOR_ITS_OWNER: Final = 0o700


def close_to_others(folder: pathlib.Path) -> None:
    """Take from others what they may do with the folder and with our files in it.

    A folder that holds other things than ours is left as it is, which the log tells; then it may
    not be one in which others put files. The file of the key is left alone too: who has read it is
    not undone by a mode, so it is for a person to decide (`secret_key.find` refuses it).

    Raises:
        ConfigError: others may put files there, or modes cannot be changed.
    """
    found = list(folder.iterdir())
    ours = [path for path in found if _OURS.fullmatch(path.name)]
    closed = [path.name for path in ours if path.name != "secret.key" and _close(path)]
    if len(ours) == len(found):
        _close(folder)
    elif _others_may_write(folder):
        raise errors.ConfigError(
            f"Others may put files into the data folder {folder}, such as another database or key. "
            f"Run: chmod go-w {folder}"
        )
    elif _others_may_look(folder):
        other = min(path.name for path in found if path not in ours)
        fact = "others may look into the data folder, which holds more than is ours: chmod go= it"
        logger.warning(Fact(fact, folder=folder, other=other))
    if closed:
        logger.info(Fact("closed to others", folder=folder, files=", ".join(sorted(closed))))


def require_closed(path: pathlib.Path) -> None:
    """Make sure that not everybody on the machine can read a file with a secret in it.

    Raises:
        ConfigError: everybody can.
    """
    # Container platforms put secrets there, readable for everybody inside of the container.
    if path.is_relative_to("/run/secrets"):
        return
    with contextlib.suppress(OSError):  # whoever reads it says what is wrong
        if path.stat().st_mode & stat.S_IROTH:
            raise errors.ConfigError(
                f"The file {path} holds a secret, and everybody on this machine can read it. "
                f"Run: chmod o= {path}"
            )


def _close(path: pathlib.Path) -> bool:
    """Take from others what they may do; whether they could do anything."""
    try:
        mode = path.stat().st_mode
        if not mode & (stat.S_IRWXG | stat.S_IRWXO):
            return False
        path.chmod(_FOLDER_FOR_ITS_OWNER if stat.S_ISDIR(mode) else _FOR_ITS_OWNER)
    except FileNotFoundError:
        return False  # a draft that was on its way out
    except OSError as error:
        raise errors.ConfigError(
            f"{path} is open to others, and that cannot be changed: {error.strerror}. "
            f"Run as its owner: chmod go= {path}"
        ) from error
    return True


def _others_may_look(folder: pathlib.Path) -> bool:
    return bool(folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _others_may_write(folder: pathlib.Path) -> bool:
    mode = folder.stat().st_mode
    return bool(mode & (stat.S_IWGRP | stat.S_IWOTH)) and not mode & stat.S_ISVTX
