"""Retention: tell what is old enough to go, and let it go now instead of within the hour."""

from typing import Any, Final

from slowping.core.api_key import Scope
from slowping.core.retention import Prune, Pruned
from slowping.server.api.endpoint import Call, Endpoint
from slowping.server.api.listing import NoQuery


async def prune(call: Call[NoQuery, Prune]) -> Pruned:
    """Whoever asks is answered within half a minute: where that was not enough, ask again."""
    pruner = call.services.upkeep.pruner
    return await (pruner.preview() if call.body.dry_run else pruner.prune())


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
