"""The database as a whole: a copy of it, for who may have everything."""

from typing import Any, Final

from slowping.core import errors, times
from slowping.core.api_key import Scope
from slowping.core.audit import ActKind
from slowping.server.api.endpoint import Call, Endpoint, Stream, Text
from slowping.server.api.listing import NoQuery
from slowping.store.port import ActRecord


async def copy_database(call: Call[NoQuery, None]) -> Stream:
    """Everything that was acknowledged before this was asked for, as a file of SQLite.

    Channels' secrets are encrypted in it, under a key that is not. Events are taken meanwhile.
    Look through it before you rely on it: `slowping backup` does.
    """
    services = call.services
    size, chunks = await services.backups.take()
    now = services.now_ms()
    taken = ActRecord(kind=ActKind.STORE_BACKED_UP, by=call.by, after={"bytes": size})
    await services.store.directory.note_act(taken, now=now)
    moment = times.to_datetime(now)
    return Stream(
        chunks=chunks,
        stop=services.feed.closed,
        headers={
            "content-length": str(size),
            "content-disposition": f'attachment; filename="slowping-{moment:%Y%m%dT%H%M%SZ}.db"',
        },
    )


ENDPOINTS: Final[tuple[Endpoint[Any, Any], ...]] = (
    Endpoint(
        method="POST",
        path="/backup",
        summary="Copy the database, while it is at work",
        scope=Scope.ADMIN,
        handle=copy_database,
        answer=Text,
        media_type="application/vnd.sqlite3",
        refusals=(errors.Unavailable,),
    ),
)
