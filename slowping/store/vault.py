"""Keep channel secrets encrypted in the database, under a key that lies outside of it."""

import base64
import binascii
import functools
import os
import pathlib
import stat
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from slowping.core import errors

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

_KEY_BYTES: Final = 32
_OWNER_ONLY: Final = 0o600


class Vault:
    """Seals secrets with the first key, and opens what any of its keys has sealed."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Take keys as `load_key_file` gives them, the newest first."""
        if not keys:
            raise ValueError("a vault needs a key")
        self._keys = tuple(keys)

    def seal(self, secrets: Mapping[str, Any]) -> bytes:  # any JSON values
        """Encrypt an object of secrets."""
        return self._fernet.encrypt(msgspec.json.encode(secrets))

    def open(self, blob: bytes) -> dict[str, Any]:  # any JSON values
        """Decrypt what was sealed.

        Raises:
            StoreUnusable: none of the keys has sealed it.
        """
        from cryptography.fernet import InvalidToken

        try:
            opened = self._fernet.decrypt(blob)
        except InvalidToken:
            raise errors.StoreUnusable(
                "The key file does not belong to this database: the channels' secrets cannot be "
                "decrypted with it. Put back the key file that was there before."
            ) from None
        return msgspec.json.decode(opened, type=dict[str, Any])

    @functools.cached_property
    def _fernet(self) -> "MultiFernet":
        # Loaded on first use: a server without secrets saves the time and several MiB.
        from cryptography.fernet import Fernet, MultiFernet

        return MultiFernet([Fernet(key) for key in self._keys])


def new_key(random_bytes: Callable[[int], bytes] = os.urandom) -> bytes:
    """A key that nothing has been sealed with yet."""
    return base64.urlsafe_b64encode(random_bytes(_KEY_BYTES))


def load_key_file(path: pathlib.Path) -> bytes:
    """The key in the file; a new one, for its owner alone to read, where there is no file.

    Raises:
        StoreUnusable: the file cannot be read or made, is open to others, or holds no key.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            content = file.read(1024).strip()
    except FileNotFoundError:
        key = new_key()
        write_key_file(path, key)
        return key
    except OSError as problem:
        raise errors.StoreUnusable(
            f"The key file {path} cannot be read: {problem.strerror}."
        ) from problem
    if mode & ~stat.S_IRWXU:
        raise errors.StoreUnusable(f"The key file {path} is open to others. Run: chmod 600 {path}")
    if not _is_key(content):
        raise errors.StoreUnusable(f"The file {path} does not hold a key. Put back the one it had.")
    return content


def write_key_file(path: pathlib.Path, key: bytes) -> None:
    """Keep a key in a new file, for its owner alone to read.

    Raises:
        StoreUnusable: the file cannot be made.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key + b"\n")
            file.flush()
            os.fsync(descriptor)
        _sync_folder(path.parent)
    except OSError as problem:
        raise errors.StoreUnusable(
            f"The key file {path} cannot be made: {problem.strerror}."
        ) from problem


def _sync_folder(folder: pathlib.Path) -> None:
    """Bring a new file's name to the disk: a key that is lost takes all it has sealed with it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_key(content: bytes) -> bool:
    try:
        return len(base64.b64decode(content, altchars=b"-_", validate=True)) == _KEY_BYTES
    except binascii.Error:
        return False
