"""The feed: everything that happens, as server-sent events."""

import contextlib
import functools
from collections.abc import AsyncGenerator, Iterator
from typing import Any, Final

import msgspec

from slowping.core import errors
from slowping.core.api_key import Principal, Scope
from slowping.core.feed import FeedFilter, FeedItem, FeedReset
from slowping.server.api import reach
from slowping.server.api.endpoint import EVENT_STREAM, Call, Endpoint, Stream
from slowping.server.api.services import Services
from slowping.store.port import FeedPage

LAST_ID: Final = b"last-event-id"

_CHUNK_BYTES: Final = 65_536
_encode: Final = msgspec.json.Encoder().encode


class FeedQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to be told of."""

    project: tuple[str, ...] = ()
    """Projects' ids or names; all that the key sees where none is named."""
    category: tuple[str, ...] = ()
    """Names: of events, deliveries and categories only those, and nothing that has no category."""
    last_id: str | None = None
    """The id to go on after, for who cannot send the header `Last-Event-ID`, which goes first."""


async def follow_feed(call: Call[FeedQuery, None]) -> Stream:
    """What happens from now on, or after the id in the header `Last-Event-ID`, without an end.

    The name of an event is its `kind`, its data the thing as it is now. Blocks without data carry
    the id to go on after; one comes at the start, and one whenever there is nothing else for 15
    seconds. Where the id is none of this server's, or what came after it is no longer known, an
    event named `reset` comes first, and what follows goes on from now.
    """
    services, query = call.services, call.query
    wanted = [reach.named(services.roster, call.principal, name).id for name in query.project]
    view = functools.partial(
        _view, services, call.principal, frozenset(wanted) or None, query.category
    )
    last_id = call.headers.get(LAST_ID, b"").decode("latin-1") or query.last_id
    pages = services.feed.follow(last_id, view, key_id=call.principal.key_id)
    return Stream(chunks=_chunks(pages), stop=services.feed.closed)


def _view(
    services: Services,
    principal: Principal,
    wanted: frozenset[int] | None,
    categories: tuple[str, ...],
) -> FeedFilter:
    """What the key may see at this moment of what was asked for.

    Raises:
        UnknownApiKey: it has ended.
    """
    principal = services.gatekeeper.still(principal)
    seen = reach.seen(principal)
    if wanted is not None:
        seen = tuple(sorted(wanted if seen is None else wanted.intersection(seen)))
    return FeedFilter(project_ids=seen, categories=categories, keys=principal.may(Scope.ADMIN))


async def _chunks(pages: AsyncGenerator[FeedPage, None]) -> AsyncGenerator[bytes, None]:
    """The pages as they are sent; they end with the key, or with a database that takes too long.

    The client comes back then, and is told why it cannot, or goes on.
    """
    with contextlib.suppress(errors.Refused, errors.Unavailable):
        async with contextlib.aclosing(pages):
            async for page in pages:
                chunk = b""
                for block in blocks(page):
                    chunk += block
                    if len(chunk) >= _CHUNK_BYTES:
                        yield chunk
                        chunk = b""
                yield chunk


def blocks(page: FeedPage) -> Iterator[bytes]:
    """A page as blocks of an event stream; the last one carries the place after the page."""
    if page.reset:
        yield _block("reset", page.cursor, b"{}")
    for entry in page.entries:
        yield _block(_kind(entry.item), entry.cursor, _encode(entry.item))
    if not page.reset and (not page.entries or page.entries[-1].cursor != page.cursor):
        yield f": so far\nid: {page.cursor}\n\n".encode()


def _block(name: str, cursor: str, data: bytes) -> bytes:
    # JSON has no line breaks, so that the data is always one line.
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (cursor.encode(), name.encode(), data)


def _kind(item: FeedItem) -> str:
    return str(item.__struct_config__.tag)


ENDPOINTS: Final[tuple[Endpoint[Any, Any], ...]] = (
    Endpoint(
        method="GET",
        path="/feed",
        summary="Follow what happens, as server-sent events",
        scope=Scope.READ,
        handle=follow_feed,
        query=FeedQuery,
        answer=FeedItem | FeedReset,
        media_type=EVENT_STREAM,
        refusals=(errors.ForeignProject,),
    ),
)
