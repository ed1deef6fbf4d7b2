"""Secrets of all channels: seal them with a new key."""

from typing import Any, Final

from slowping.core import errors
from slowping.core.api_key import Scope
from slowping.core.channel import SecretsSealed
from slowping.server.api.endpoint import Call, Endpoint
from slowping.server.api.listing import NoQuery


async def rotate_secret_key(call: Call[NoQuery, None]) -> SecretsSealed:
    """The old key stays behind the new one, for copies of the database that were made before."""
    try:
        return SecretsSealed(channels=await call.services.sealing.rotate())
    except errors.ConfigError as problem:
        raise errors.Unavailable(str(problem)) from problem


ENDPOINTS: Final[tuple[Endpoint[Any, Any], ...]] = (
    Endpoint(
        method="POST",
        path="/secrets/rotate",
        summary="Seal the secrets of all channels with a new key",
        scope=Scope.ADMIN,
        handle=rotate_secret_key,
        answer=SecretsSealed,
        refusals=(errors.WrongState,),
    ),
)
