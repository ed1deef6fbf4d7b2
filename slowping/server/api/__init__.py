"""Door two: our own HTTP API under /slowping/v1.

Each noun has a file with its handlers and their endpoints. `endpoint.py` says what an endpoint is
and walks every request through the same steps; the router and the reference are made from it.
"""

from typing import Any, Final

from litestar import Litestar, Router

from slowping.server.api import (
    api_key,
    audit,
    backup,
    category,
    channel,
    delivery,
    event,
    feed,
    health,
    overview,
    project,
    retention,
    secret,
)
from slowping.server.api.endpoint import PREFIX, Endpoint, options_route, route
from slowping.server.api.reference import Reference
from slowping.server.api.refusing import Refuser
from slowping.server.api.services import Services

ENDPOINTS: Final[tuple[Endpoint[Any, Any], ...]] = (
    *event.ENDPOINTS,
    *delivery.ENDPOINTS,
    *channel.ENDPOINTS,
    *category.ENDPOINTS,
    *project.ENDPOINTS,
    *api_key.ENDPOINTS,
    *secret.ENDPOINTS,
    *audit.ENDPOINTS,
    *feed.ENDPOINTS,
    *overview.ENDPOINTS,
    *backup.ENDPOINTS,
    *retention.ENDPOINTS,
    *health.ENDPOINTS,
)
"""All but the reference, which is made from them, in the order in which it tells them."""


def create_api(services: Services) -> Litestar:
    """The ASGI application for everything below `/slowping/`."""
    reference = Reference(ENDPOINTS, services.dialects)
    endpoints = (*ENDPOINTS, *reference.endpoints)
    paths = dict.fromkeys(endpoint.path for endpoint in endpoints)
    routes = [
        *(options_route(path, endpoints, services) for path in paths),
        *(route(endpoint, services) for endpoint in endpoints),
    ]
    return Litestar(
        route_handlers=[Router(path=PREFIX, route_handlers=routes)],
        exception_handlers={Exception: Refuser(services, endpoints)},
        # The framework's document has errors of its own, and its generator costs memory; its
        # logging would raise the level of every logger of the process.
        openapi_config=None,
        logging_config=None,
    )


__all__ = ["ENDPOINTS", "Services", "create_api"]
