"""Secrets of all channels: seal them with a new key."""

from typing import Any, Final

from slowping.core import errors
from slowping.core.api_key import Scope
from slowping.core.audit import ActKind
from slowping.core.channel import SecretsSealed
from slowping.server.api.endpoint import Call, Endpoint
from slowping.server.api.listing import NoQuery
from slowping.store.port import ActRecord


async def rotate_secret_key(call: Call[NoQuery, None]) -> SecretsSealed:
    """The old key stays behind the new one, for copies of the database that were made before."""
    services = call.services
    try:
        sealed = await services.sealing.rotate()
    except errors.ConfigError as problem:
        raise errors.Unavailable(str(problem)) from problem
    resealed = ActRecord(kind=ActKind.SECRETS_RESEALED, by=call.by, after={"channels": sealed})
    await services.store.directory.note_act(resealed, now=services.now_ms())
    return SecretsSealed(channels=sealed)


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
