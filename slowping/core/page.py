"""A page of a list, and the cursor that leads to the next."""

from typing import Annotated, Final, Generic, TypeVar

import msgspec

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 1_000

MAX_BYTES: Final = 8 * 1_048_576
"""A page of events is full with the event that reaches this, counted in what was sent."""

Limit = Annotated[int, msgspec.Meta(ge=1, le=MAX_LIMIT)]

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """Some items of a list, newest first unless the list says otherwise."""

    items: tuple[T, ...]
    cursor: str | None = None
    """Give it back to get the next page; None on the last."""
