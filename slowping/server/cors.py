"""Let web pages of known origins send, and read what they are answered (CORS)."""

from typing import Final

from slowping.server.http import HeaderList, Headers
from slowping.server.roster import Roster

_ORIGIN: Final = b"origin"
_PREFLIGHT_AGE_S: Final = 7_200
_SENT: Final = b"Authorization, X-API-Key, Content-Type, Idempotency-Key"
_READ: Final = (
    b"Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, "
    b"RateLimit, RateLimit-Policy"
)


def origin_of(asked: Headers) -> str | None:
    """Where the page is from that sends the request; None where no page does."""
    origin = asked.get(_ORIGIN)
    return None if origin is None else origin.decode("latin-1")


def answer_headers(roster: Roster, asked: Headers) -> HeaderList:
    """What lets a page read the answer; nothing where no project or key knows its origin."""
    origin = origin_of(asked)
    if origin is None or not roster.knows_origin(origin):
        return []
    return [*_for(asked), (b"access-control-expose-headers", _READ)]


def preflight_headers(roster: Roster, asked: Headers, methods: str) -> HeaderList:
    """What lets a page send by these methods; nothing where no project or key knows its origin.

    Nobody knows yet whose key will be sent: the request itself is held to that one's origins.
    """
    origin = origin_of(asked)
    if origin is None or not roster.knows_origin(origin):
        return []
    return [
        *_for(asked),
        (b"access-control-allow-methods", methods.encode()),
        (b"access-control-allow-headers", _SENT),
        (b"access-control-max-age", b"%d" % _PREFLIGHT_AGE_S),
    ]


def _for(asked: Headers) -> HeaderList:
    return [(b"access-control-allow-origin", asked[_ORIGIN]), (b"vary", b"Origin")]
