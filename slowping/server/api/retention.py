"""Retention: tell what is old enough to go, and let it go now instead of within the hour."""

from typing import Any, Final

from slowping.core.api_key import Scope
from slowping.core.audit import ActKind
from slowping.core.retention import Prune, Pruned
from slowping.server.api.endpoint import Call, Endpoint
from slowping.server.api.listing import NoQuery
from slowping.store.port import ActRecord


async def prune(call: Call[NoQuery, Prune]) -> Pruned:
    """Whoever asks is answered within half a minute: where that was not enough, ask again."""
    services = call.services
    if call.body.dry_run:
        return await services.upkeep.pruner.preview()
    pruned = await services.upkeep.pruner.prune()
    gone = {str(part.what): 0 for part in pruned.parts}
    for part in pruned.parts:
        gone[str(part.what)] += part.number
    act = ActRecord(kind=ActKind.STORE_PRUNED, by=call.by, after=gone)
    await services.store.directory.note_act(act, now=services.now_ms())
    return pruned


ENDPOINTS: Final[tuple[Endpoint[Any, Any], ...]] = (
    Endpoint(
        method="POST",
        path="/prune",
        summary="Remove what is older than it is kept, or tell what that would be",
        scope=Scope.ADMIN,
        handle=prune,
        body=Prune,
        body_required=False,
        answer=Pruned,
    ),
)
