"""PingPilot: POST /api/v1/event, as PingPanda but for names, and what a project has used."""

import re
from typing import Annotated, Final

import msgspec

from slowping.core import times
from slowping.core.api_key import Scope
from slowping.core.category import MAX_CATEGORIES
from slowping.server.dialects import ping_family
from slowping.server.dialects.ping_family import CategoryRule, FieldValue, PingFamily
from slowping.server.dialects.port import Call, Desk, Extra, Operation, Reply

_UNLIMITED: Final = 1_000_000_000  # clients divide by it, so it must be a number


class PingPilotEvent(msgspec.Struct, forbid_unknown_fields=True):
    """An event as PingPilot's clients send it."""

    category: Annotated[str, msgspec.Meta(extra_json_schema={"pattern": "^[A-Za-z0-9-]+$"})]
    fields: dict[str, FieldValue] | None = None
    description: str | None = None


class PingPilotUsage(msgspec.Struct, rename="camel"):
    """What the key's home project has used this month (UTC), and when the count starts anew."""

    categories_used: int
    categories_limit: int
    events_used: int
    events_limit: int
    reset_date: str


class PingPilot(PingFamily):
    """Upstream asks for two destinations, Discord first."""

    name = "pingpilot"
    destinations = ("discord", "telegram")

    def __init__(self) -> None:
        super().__init__(operation=_OPERATION, rule=_RULE, decoder=_DECODER)
        self.extras = (_usage_at("/api/v1/quota"), _usage_at("/api/project/getUsage"))


def _usage_at(path: str) -> Extra:
    operation = Operation(
        method="GET",
        path=path,
        summary="This month's usage (PingPilot)",
        answers={**ping_family.ANSWERS, 200: PingPilotUsage},
    )
    return Extra(scope=Scope.READ, operation=operation, handle=_tell_usage)


async def _tell_usage(call: Call, desk: Desk) -> Reply:
    project = desk.project_of(call.principal, None, call.origin)
    usage = PingPilotUsage(
        categories_used=desk.category_count(project.id),
        categories_limit=MAX_CATEGORIES,
        events_used=await desk.usage(project.id),
        events_limit=project.monthly_quota or _UNLIMITED,
        reset_date=times.iso_ms(times.to_ms(times.next_month(call.now_ms))),
    )
    return Reply(200, msgspec.json.encode(usage))


_OPERATION = Operation(
    method="POST",
    path="/api/v1/event",
    summary="Send an event (PingPilot)",
    body=PingPilotEvent,
    answers=ping_family.ANSWERS,
)
_RULE = CategoryRule(
    letters=re.compile("[A-Za-z0-9-]+"),
    other_letters="Category name can only contain letters, numbers or hypens.",  # sic
)
_DECODER = msgspec.json.Decoder(PingPilotEvent)
