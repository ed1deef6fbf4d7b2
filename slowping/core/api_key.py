"""API keys: how they are made and recognised, and what they allow."""

import datetime as dt
import enum
import hashlib
import string
import zlib
from typing import Annotated, Final

import msgspec

from slowping.core import errors
from slowping.core.project import Origin

PREFIX: Final = "slp_"
DEFAULT_RATE_LIMIT: Final = 1_000
"""Requests a minute."""

SECRET_BYTES: Final = 32
"""How many random bytes a key is made of."""

_BASE62: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SECRET_LENGTH: Final = 43  # 256 bits in base62
_CHECKSUM_LENGTH: Final = 6  # 32 bits in base62
_SHOWN: Final = 8


class Scope(enum.StrEnum):
    """What a key may do."""

    INGEST = "ingest"
    READ = "read"
    ADMIN = "admin"
    """Everything, in every project."""


class ApiKeyKind(enum.StrEnum):
    """Where a key is used."""

    SECRET = "secret"  # noqa: S105 - the name of a kind
    BROWSER = "browser"
    """In a web page, for all to see: ingest only, bound to origins."""


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it stands; its value is not kept, only the first characters and a digest."""

    id: str
    name: str
    prefix: str
    kind: ApiKeyKind
    scopes: tuple[Scope, ...]
    project: str
    """The home project, where events land that name none."""
    projects: tuple[str, ...]
    """Further projects."""
    all_projects: bool
    rate_limit: int
    """Requests a minute; 0 is unlimited."""
    origins: tuple[str, ...]
    created_at: dt.datetime
    expires_at: dt.datetime | None
    revoked_at: dt.datetime | None
    last_used_at: dt.datetime | None
    last_used_from: str | None = None
    """The address of whoever used it last."""
    rotated_to: str | None = None
    """The id of the key that takes its place."""


class NewApiKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What it takes to issue a key."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    project: str | None = None
    projects: tuple[str, ...] = ()
    all_projects: bool = False
    kind: ApiKeyKind = ApiKeyKind.SECRET
    scopes: tuple[Scope, ...] | None = None
    """`ingest` and `read` where left out; `ingest` alone for a browser key."""
    rate_limit: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] | None = None
    """Requests a minute; where it is left out, the server's default."""
    origins: tuple[Origin, ...] = ()
    expires_at: dt.datetime | None = None
    import_value: str | None = None
    """An existing key's value, so that a client moves here without changing its key."""


class IssuedApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key with its value: shown this once."""

    api_key: ApiKey
    value: str


class ApiKeyRotation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a rotation: a new key that may do the same, and an end for the old one."""

    overlap_s: Annotated[int, msgspec.Meta(ge=0, le=90 * 86_400)] = 86_400
    """How long the old key still works."""


class ApiKeyFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which keys to list; what is None does not narrow."""

    project_ids: tuple[int, ...] | None = None
    name: str | None = None
    revoked: bool | None = None


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who a live key says you are."""

    key_id: int
    name: str
    scopes: frozenset[Scope]
    home_project_id: int
    project_ids: frozenset[int] | None
    """Every project that it may use, the home among them; None is all."""
    rate_limit: int
    origins: frozenset[str]
    expires_at: int | None

    def may(self, scope: Scope) -> bool:
        """Whether the key has the scope; `admin` includes the others."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def may_use(self, project_id: int) -> bool:
        """Whether the key may use the project."""
        return self.project_ids is None or project_id in self.project_ids


def mint(secret: bytes) -> str:
    """Write `SECRET_BYTES` random bytes as a key: `slp_`, 43 letters of base62, 6 of checksum."""
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"a key is made of {SECRET_BYTES} bytes")
    body = _base62(int.from_bytes(secret, "big"), _SECRET_LENGTH)
    return f"{PREFIX}{body}{_checksum(body)}"


def digest(value: str) -> bytes:
    """What is stored of a key.

    One SHA-256: the key is 256 random bits, which no slow hash makes harder to guess.
    """
    return hashlib.sha256(value.encode()).digest()


def shown(value: str) -> str:
    """The first characters of a key, by which its owner recognises it."""
    return value[:_SHOWN] if len(value) >= 3 * _SHOWN else value[:2]


def is_mistyped(value: str) -> bool:
    """Whether this looks like one of our own keys, but its checksum is wrong."""
    if not value.startswith(PREFIX):
        return False
    if len(value) != len(PREFIX) + _SECRET_LENGTH + _CHECKSUM_LENGTH:
        return False
    body = value[len(PREFIX) : -_CHECKSUM_LENGTH]
    return value[-_CHECKSUM_LENGTH:] != _checksum(body)


def checked_import(value: str) -> str:
    """The value, if a key can have it: 8 to 256 printable ASCII characters without spaces.

    Raises:
        InvalidInput: it cannot.
    """
    if not 8 <= len(value) <= 256 or not all("!" <= letter <= "~" for letter in value):
        raise errors.InvalidInput(
            "An imported key has 8 to 256 printable ASCII characters and no spaces."
        )
    if is_mistyped(value):
        raise errors.InvalidInput("This key starts like one of slowping's, but is mistyped.")
    return value


def checked_new(new: NewApiKey) -> tuple[Scope, ...]:
    """The scopes of the new key.

    Raises:
        InvalidInput: what is asked for contradicts itself.
    """
    browser = new.kind is ApiKeyKind.BROWSER
    usual = (Scope.INGEST,) if browser else (Scope.INGEST, Scope.READ)
    scopes = usual if new.scopes is None else new.scopes
    if not scopes:
        raise errors.InvalidInput("A key needs at least one scope.")
    if browser and scopes != (Scope.INGEST,):
        raise errors.InvalidInput("A browser key has the scope 'ingest' alone.")
    if browser and not new.origins:
        raise errors.InvalidInput("A browser key needs at least one origin.")
    return tuple(dict.fromkeys(scopes))


def _base62(number: int, length: int) -> str:
    letters = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        letters.append(_BASE62[digit])
    return "".join(reversed(letters))


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECKSUM_LENGTH)
