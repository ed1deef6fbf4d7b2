"""Cut lists into pages, and find one thing among those that a key may see."""

from collections.abc import Sequence
from typing import Final, Protocol, TypeVar

import msgspec

from slowping.core import errors, ids, page
from slowping.core.page import Page

_CURSOR: Final = "cur"


class Identified(Protocol):
    """A thing with an id."""

    @property
    def id(self) -> str:  # noqa: D102 - see its class
        ...


T = TypeVar("T", bound=Identified)
T_co = TypeVar("T_co", covariant=True)


class Lists(Protocol[T_co]):
    """Reads a list from the store, newest first."""

    async def __call__(self, *, before: int | None, limit: int) -> Sequence[T_co]:
        """At most `limit` things whose ids are below `before`, and one at least if there is one."""
        ...


class PageQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which part of a list is asked for."""

    limit: page.Limit = page.DEFAULT_LIMIT
    cursor: str | None = None
    """As the page before gave it."""


class NoQuery(msgspec.Struct, frozen=True):
    """Nothing is asked for; what is there all the same is not looked at."""


async def page_of(
    prefix: str, query: PageQuery, read: Lists[T], *, may_fall_short: bool = False
) -> Page[T]:
    """The page that the query asks for; `prefix` is that of the items' ids.

    `may_fall_short` says that `read` may give fewer than there are, so that only another look
    tells whether there are more.

    Raises:
        InvalidInput: the cursor is none of ours.
    """
    before = None if query.cursor is None else ids.parse(_CURSOR, query.cursor)
    if query.cursor is not None and before is None:
        raise errors.InvalidInput("cursor: give back the cursor of the page before, as it was.")
    rows = await read(before=before, limit=query.limit + 1)
    items = tuple(rows[: query.limit])
    if not items:
        return Page(items=items)
    last = ids.decode(prefix, items[-1].id)
    more = len(rows) > query.limit or (may_fall_short and await read(before=last, limit=1))
    return Page(items=items, cursor=ids.encode(_CURSOR, last) if more else None)


async def find(prefix: str, noun: str, name: str, read: Lists[T]) -> T:
    """The thing with that id, if it is on the list.

    Raises:
        NotFound: it is not: there is none, or it is out of the key's sight.
    """
    number = ids.decode(prefix, name)
    rows = await read(before=min(number + 1, ids.LARGEST), limit=1)
    if rows and rows[0].id == name:
        return rows[0]
    raise errors.NotFound(noun, name)
