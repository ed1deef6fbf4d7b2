"""A project: a tenant that owns categories, channels, events and API keys."""

import datetime as dt
import urllib.parse
from typing import Annotated, Final

import msgspec

from slowping.core.retention import KeepDays, KeepMegabytes

DEFAULT: Final = "default"
"""The name of the project that a first start makes."""

Name = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9_-]{1,64}\Z", description="letters, digits, - and _, at most 64"
    ),
]
Quota = Annotated[int, msgspec.Meta(ge=1, le=10**12)]
"""Events a calendar month."""
Origin = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^https?://[^/\s?#@]{1,250}\Z",
        description="a web origin such as https://example.org, without a path",
    ),
]
"""A web origin as browsers send it: scheme, host, and the port where it is not the usual one."""


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A project as it stands."""

    id: str
    name: str
    strict_destinations: bool
    """Whether the Ping dialects ask for the very kinds of channel that upstream asks for."""
    allowed_origins: tuple[str, ...]
    """Web origins whose pages may send; none listed means that no origin is checked."""
    monthly_quota: int | None
    """Most events a calendar month (UTC); None is no limit."""
    created_at: dt.datetime
    keep_days: int | None = None
    """Days that its events are kept; 0 is for ever, None as the server's configuration says."""
    keep_mb: int | None = None
    """Megabytes that its events may take; the oldest go beyond that. None or 0 is no limit."""


class NewProject(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What it takes to create a project."""

    name: Name
    strict_destinations: bool = False
    allowed_origins: tuple[Origin, ...] = ()
    monthly_quota: Quota | None = None
    keep_days: KeepDays | None = None
    keep_mb: KeepMegabytes | None = None


class ProjectChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change about a project; what is left out stays."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    strict_destinations: bool | msgspec.UnsetType = msgspec.UNSET
    allowed_origins: tuple[Origin, ...] | msgspec.UnsetType = msgspec.UNSET
    monthly_quota: Quota | msgspec.UnsetType | None = msgspec.UNSET
    keep_days: KeepDays | msgspec.UnsetType | None = msgspec.UNSET
    keep_mb: KeepMegabytes | msgspec.UnsetType | None = msgspec.UNSET


def canonical(origin: str) -> str:
    """An origin as browsers write it: in small letters, without the usual port, in Punycode."""
    try:
        parts = urllib.parse.urlsplit(origin)
        port = "" if parts.port in {None, _USUAL_PORTS.get(parts.scheme)} else f":{parts.port}"
        host = (parts.hostname or "").encode("idna").decode()
    except ValueError:
        return origin.lower()  # no browser has such an origin
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"


_USUAL_PORTS: Final = {"http": 80, "https": 443}
