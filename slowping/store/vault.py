"""Keep channel secrets encrypted in the database, under keys that lie outside of it."""

import base64
import binascii
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from slowping.core import errors

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

_KEY_BYTES: Final = 32


class Vault:
    """Seals secrets with its newest key, and opens what any of its keys has sealed."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Take keys as `new_key` makes them, the newest first."""
        if not keys:
            raise ValueError("a vault needs a key")
        self._keys = tuple(keys)
        self._made: tuple[tuple[bytes, ...], tuple[Fernet, ...]] = ((), ())
        """Keys, and the ciphers that were made of them."""

    def take(self, keys: Sequence[bytes]) -> None:
        """Work with these keys from now on, the newest first."""
        self._keys = tuple(keys)

    def seal(self, secrets: Mapping[str, Any]) -> bytes:  # any JSON values
        """Encrypt an object of secrets."""
        return self._opened()[0].encrypt(msgspec.json.encode(secrets))

    def open(self, blob: bytes) -> dict[str, Any]:  # any JSON values
        """Decrypt what was sealed.

        Raises:
            StoreUnusable: none of the keys has sealed it.
        """
        return self.open_for_newest(blob)[0]

    def open_for_newest(self, blob: bytes) -> tuple[dict[str, Any], bool]:  # any JSON values
        """What was sealed, and whether it was with the newest key.

        Raises:
            StoreUnusable: none of the keys has sealed it.
        """
        from cryptography.fernet import InvalidToken

        for number, cipher in enumerate(self._opened()):
            try:
                content = cipher.decrypt(blob)
            except InvalidToken:
                continue
            return msgspec.json.decode(content, type=dict[str, Any]), number == 0
        raise errors.StoreUnusable(
            "The key does not belong to this database: the channels' secrets cannot be decrypted "
            "with it. Put back the key that was there before."
        )

    def _opened(self) -> "tuple[Fernet, ...]":
        # The loop and the writer's thread both seal: what one makes of old keys is not kept.
        keys, (of, ciphers) = self._keys, self._made
        if of is not keys:
            # Loaded on first use: a server without secrets saves the time and several MiB.
            from cryptography.fernet import Fernet

            ciphers = tuple(map(Fernet, keys))
            self._made = (keys, ciphers)
        return ciphers


def new_key(random_bytes: Callable[[int], bytes] = os.urandom) -> bytes:
    """A key that nothing has been sealed with yet."""
    return base64.urlsafe_b64encode(random_bytes(_KEY_BYTES))


def read_keys(content: bytes) -> tuple[bytes, ...]:
    """Keys as they are written, with white space between them: 32 bytes in base64 each.

    Raises:
        ValueError: there is none, or something that is no key.
    """
    keys = tuple(content.split())
    if not keys or not all(map(_is_key, keys)):
        raise ValueError("not a key")
    return tuple(key.replace(b"+", b"-").replace(b"/", b"_") for key in keys)


def _is_key(content: bytes) -> bool:
    try:
        return len(base64.b64decode(content, altchars=b"-_", validate=True)) == _KEY_BYTES
    except binascii.Error:
        return False
