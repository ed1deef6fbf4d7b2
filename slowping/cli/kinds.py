"""Find the kinds of channel that a server has, and what their settings are."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from slowping.cli import typed
from slowping.core import errors
from slowping.core.channel import ChannelKind

if TYPE_CHECKING:
    from slowping.client.client import Client


async def listed(client: "Client", kind: str | None) -> list[ChannelKind]:
    """The kinds there are, or the one that is named.

    Raises:
        InvalidInput: there is no such kind.
    """
    kinds = await client.list_channel_kinds()
    found = [each for each in kinds if kind in (None, each.kind)]
    if kind is not None and not found:
        known = ", ".join(each.kind for each in kinds)
        raise errors.InvalidInput(f"There is no channel kind '{kind}'. The kinds are {known}.")
    return found


async def schema(client: "Client", kind: str) -> Mapping[str, Any]:
    """The schema of a kind's settings; empty for an unknown kind, which the server refuses."""
    kinds = await client.list_channel_kinds()
    return next((found.settings for found in kinds if found.kind == kind), {})


def setting_rows(schema: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Name, need and meaning of each setting that a person enters."""
    definition = typed.definition(schema)
    needed = definition.get("required", ())
    return [
        (
            name,
            "yes" if name in needed else "no",
            member.get("description") or member.get("title", ""),
        )
        for name, member in definition.get("properties", {}).items()
        if not member.get("readOnly")
    ]
