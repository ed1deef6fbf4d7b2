"""Baseline: a typed Litestar handler that validates the body and stores nothing."""

import litestar
import msgspec
from litestar.params import JSONBody


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """An event as it is sent."""

    category: str
    fields: dict[str, str | int | float | bool] | None = None
    description: str | None = None


class Answered(msgspec.Struct):
    """What is answered."""

    message: str
    eventId: str  # noqa: N815 - as the wire has it


@litestar.post("/api/v1/events", status_code=200)
async def take(data: JSONBody[Asked]) -> Answered:
    """Answer, and keep nothing."""
    del data
    return Answered("Event processed successfully", "evt_0000000000000")


app = litestar.Litestar([take], openapi_config=None, logging_config=None)
