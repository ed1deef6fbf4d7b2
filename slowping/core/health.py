"""How the server is: what `GET /slowping/v1/health/ready` answers."""

import msgspec


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the server works, and what it runs on."""

    status: str
    """`ok`, or what is wrong."""
    version: str
    sqlite_version: str | None = None
    sqlite_faults: tuple[str, ...] = ()
    """What is known to be wrong with that version, and why it does no harm."""
    uptime_s: float | None = None
