"""Health and figures: whether the server lives, works, and how it does."""

from typing import Any, Final

import slowping
from slowping.core import errors
from slowping.core.api_key import Scope
from slowping.core.health import Health
from slowping.server.api.endpoint import Call, Endpoint, Text
from slowping.server.api.listing import NoQuery


async def tell_live(call: Call[NoQuery, None]) -> Health:
    """The process answers; nothing else is looked at."""
    del call
    return Health(status="ok", version=slowping.__version__)


async def tell_ready(call: Call[NoQuery, None]) -> Health:
    """The store answers as well, and there is room for what comes.

    Raises:
        Unavailable: events are refused now; the text says why.
    """
    services = call.services
    if (trouble := services.upkeep.disk.trouble) is not None:
        raise errors.Unavailable(trouble)
    await services.store.directory.list_projects(None, before=None, limit=1)
    return Health(
        status="ok",
        version=slowping.__version__,
        sqlite_version=services.sqlite_version,
        sqlite_faults=tuple(services.sqlite_faults),
        uptime_s=(services.now_ms() - services.started_at) / 1000,
    )


async def tell_metrics(call: Call[NoQuery, None]) -> Text:
    """The figures as Prometheus reads them; they tell of all projects.

    Raises:
        Forbidden: the key is for some projects only.
    """
    if call.principal.project_ids is not None:
        raise errors.Forbidden("The figures tell of all projects: use a key for all of them.")
    content, media_type = await call.services.metrics.exposition()
    return Text(content=content, media_type=media_type)


ENDPOINTS: Final[tuple[Endpoint[Any, Any], ...]] = (
    Endpoint(
        method="GET",
        path="/health/live",
        summary="See whether the server answers",
        scope=None,
        handle=tell_live,
        answer=Health,
    ),
    Endpoint(
        method="GET",
        path="/health/ready",
        summary="See whether the server and its store work",
        scope=None,
        handle=tell_ready,
        answer=Health,
        refusals=(errors.Unavailable,),
    ),
    Endpoint(
        method="GET",
        path="/metrics",
        summary="Read the figures, for Prometheus",
        scope=Scope.READ,
        handle=tell_metrics,
        answer=Text,
        media_type="text/plain",
        refusals=(errors.Forbidden,),
    ),
)
