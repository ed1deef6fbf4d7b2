"""Find the keys that channel secrets are sealed with: credential, variables, file of the folder.

The first of these places that has one decides: the systemd credential `secret.key`, the file that
`SLOWPING_SECRET_KEY_FILE` names, the variable `SLOWPING_SECRET_KEY`, and `secret.key` in the data
folder, which is made where it is missing. Each may hold several keys, the newest first: that one
seals, and all of them open. Keys of the data folder go on opening after another place has one.
"""

import os
import pathlib
import stat
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from slowping.core import errors
from slowping.server.process import file_modes, private_file
from slowping.store.vault import new_key, read_keys

KEY_FILE: Final = "secret.key"
"""Also the name of the credential."""

CREDENTIALS: Final = "CREDENTIALS_DIRECTORY"
VARIABLE: Final = "SLOWPING_SECRET_KEY"
FILE_VARIABLE: Final = "SLOWPING_SECRET_KEY_FILE"

MOST_KEYS: Final = 1_000
"""In the file of the data folder."""

_MOST_BYTES: Final = 65_536
"""Of a place with keys; more than `MOST_KEYS` take."""


class KeyRing(msgspec.Struct, frozen=True, kw_only=True):
    """The keys there are, and where the newest comes from."""

    keys: tuple[bytes, ...]
    """The newest first: it seals, and all of them open."""
    source: str
    """Where the newest stands, in words for a person."""
    own_file: pathlib.Path | None = None
    """The data folder's file, where the newest stands in it: only there may we write one."""
    is_unwritten: bool = False
    """Whether the newest was made just now, and stands nowhere yet."""

    def with_new(self, key: bytes) -> "KeyRing":
        """The ring with a newer key, which stands nowhere yet."""
        return msgspec.structs.replace(self, keys=(key, *self.keys), is_unwritten=True)


def find(
    folder: pathlib.Path,
    environ: Mapping[str, str],
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> KeyRing:
    """The keys for the data in `folder`; nothing is written.

    Raises:
        StoreUnusable: a place that has a key cannot be read, is open to others, or holds no key.
        ConfigError: two variables contradict each other, or everybody can read the file.
    """
    own_file = folder / KEY_FILE
    own = _own_keys(own_file)
    given = _given(environ)
    if given is not None:
        source, keys = given
        older = tuple(key for key in own if key not in keys)
        return KeyRing(keys=keys + older, source=source)
    if own:
        return KeyRing(keys=own, source=f"the file {own_file}", own_file=own_file)
    return KeyRing(
        keys=(new_key(random_bytes),),
        source=f"the file {own_file}",
        own_file=own_file,
        is_unwritten=True,
    )


def write(ring: KeyRing) -> KeyRing:
    """Write the keys into the data folder's file, all or nothing, for its owner alone to read.

    Raises:
        WrongState: the newest stands in a place that is not ours to write, or they are too many.
        ConfigError: they cannot be written, and the file is as it was.
    """
    if ring.own_file is None:
        raise errors.WrongState(
            f"The key stands in {ring.source}. Write a new one before it there, with white space "
            "between the two, and start the server again: it seals all secrets with the new one. "
            "Then the old one can go."
        )
    if len(ring.keys) > MOST_KEYS:
        raise errors.WrongState(
            f"{ring.own_file} holds {MOST_KEYS:,} keys. Take out those at its end, which only the "
            "oldest copies of the database need, and start the server again."
        )
    private_file.write(ring.own_file, b"\n".join(ring.keys).decode())
    return msgspec.structs.replace(ring, is_unwritten=False)


# Places ---------------------------------------------------------------------------------------


def _given(environ: Mapping[str, str]) -> tuple[str, tuple[bytes, ...]] | None:
    """What a credential or a variable gives, and in which."""
    credential = pathlib.Path(environ.get(CREDENTIALS, ""), KEY_FILE)
    if environ.get(CREDENTIALS) and credential.exists():
        # Who may read it is systemd's to decide: it may show as readable for a group.
        source = f"the credential {KEY_FILE}"
        return source, _keys(source, _content(credential, source)[0])
    if environ.get(VARIABLE) and environ.get(FILE_VARIABLE):
        raise errors.ConfigError(f"{VARIABLE} and {FILE_VARIABLE} are both set: keep one of them.")
    if named := environ.get(FILE_VARIABLE):
        path = pathlib.Path(named)
        source = f"the file {path} ({FILE_VARIABLE})"
        file_modes.require_closed(path)
        return source, _keys(source, _content(path, source)[0])
    if value := environ.get(VARIABLE):
        source = f"the variable {VARIABLE}"
        return source, _keys(source, value.encode())
    return None


def _own_keys(path: pathlib.Path) -> tuple[bytes, ...]:
    """The keys of the data folder's file; none where there is no file."""
    source = f"the file {path}"
    if not path.exists():
        return ()
    content, mode = _content(path, source)
    if mode & ~stat.S_IRWXU:
        raise errors.StoreUnusable(f"The key file {path} is open to others. Run: chmod 600 {path}")
    return _keys(source, content)


def _content(path: pathlib.Path, source: str) -> tuple[bytes, int]:
    """What stands there, and who may read it."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            return file.read(_MOST_BYTES), mode
    except OSError as problem:
        raise errors.StoreUnusable(
            f"The key in {source} cannot be read: {problem.strerror}."
        ) from problem


def _keys(source: str, content: bytes) -> tuple[bytes, ...]:
    try:
        return read_keys(content)
    except ValueError:
        raise errors.StoreUnusable(
            f"What stands in {source} is not a key: 32 bytes in base64, or several of these with "
            "white space between them. Put back what was there."
        ) from None
