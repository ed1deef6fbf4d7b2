"""Find out which of the server's API keys is in use here, and whether it may administer."""

from typing import TYPE_CHECKING

import msgspec

from slowping.core import api_key
from slowping.core.api_key import ApiKey, Scope
from slowping.tui import act

if TYPE_CHECKING:
    from slowping.client.client import Client


class Rights(msgspec.Struct, frozen=True, kw_only=True):
    """What the server says of the key."""

    may_administer: bool
    own: ApiKey | None = None
    """The key itself, where it can be told from the others by its first characters."""


async def learn(client: "Client", value: str) -> Rights | None:
    """What the key of that value may do; None where the server did not say."""
    found: list[ApiKey] = []

    async def look() -> None:
        from slowping.client.client import all_items

        live = all_items(client.list_api_keys, revoked=False)
        found.extend([each async for each in live if each.prefix == api_key.shown(value)])

    allowed = await act.is_allowed(look)
    if allowed is False:
        return Rights(may_administer=False)
    if not found:
        return None
    return Rights(
        may_administer=any(Scope.ADMIN in each.scopes for each in found),
        own=found[0] if len(found) == 1 else None,
    )
