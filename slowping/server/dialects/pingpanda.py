"""PingPanda: POST /api/v1/events, one object with a category that exists, Bearer."""

import re
from typing import Annotated

import msgspec

from slowping.server.dialects import ping_family
from slowping.server.dialects.ping_family import CategoryRule, FieldValue, PingFamily
from slowping.server.dialects.port import Operation


class PingPandaEvent(msgspec.Struct, forbid_unknown_fields=True):
    """An event as PingPanda's clients send it."""

    category: Annotated[str, msgspec.Meta(extra_json_schema={"pattern": "^[a-z0-9_-]{1,50}$"})]
    fields: dict[str, FieldValue] | None = None
    description: str | None = None


class PingPanda(PingFamily):
    """Shares its path with Adwize; `choice` tells them apart."""

    name = "pingpanda"
    # The path in upstream's own dashboard snippets, which is wrong there.
    aliases = ("/api/events",)
    destinations = ("discord",)

    def __init__(self) -> None:
        super().__init__(operation=_OPERATION, rule=_RULE, decoder=_DECODER)


_OPERATION = Operation(
    method="POST",
    path="/api/v1/events",
    summary="Send an event (PingPanda)",
    body=PingPandaEvent,
    answers=ping_family.ANSWERS,
)
_RULE = CategoryRule(
    letters=re.compile("[a-z0-9_-]+"),
    other_letters="Category name can only contain lowercase letters, numbers, hyphens or "
    "underscores.",
    max_length=50,
)
_DECODER = msgspec.json.Decoder(PingPandaEvent)
