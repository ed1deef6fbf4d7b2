"""Ask the server for what belongs to categories, and have several of them made."""

import asyncio
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from slowping.core import errors
from slowping.core.category import Category, NewCategory
from slowping.core.event import Event
from slowping.core.page import MAX_LIMIT, Page
from slowping.tui import act
from slowping.tui.category.surroundings import RECENT, Known, Surroundings
from slowping.tui.table_place import every

if TYPE_CHECKING:
    from slowping.client.client import Client

T = TypeVar("T")

_EVENTS: Final = 200
"""Events that are looked through for when each category had its last one."""


class Added(msgspec.Struct, frozen=True, kw_only=True):
    """What came of adding several."""

    made: tuple[Category, ...]
    refused: tuple[str, ...]
    """Why others were not made, in sentences."""


async def load(client: "Client", project: str | None, into: Surroundings) -> Sequence[Category]:
    """The categories; what cannot be had beside them keeps nobody from seeing them.

    Raises:
        SlowpingError: the categories themselves cannot be had.
    """
    found, channels, keys, events = await asyncio.gather(
        every(client.list_categories, project=project),
        act.answer(lambda: every(client.list_channels, project=project)),
        act.answer(lambda: every(client.list_api_keys, revoked=False)),
        act.answer(lambda: client.list_events(project=project, limit=_EVENTS)),
    )
    into.load(_had(channels) or (), _had(keys), _items(events) or ())
    return found


async def last_events(client: "Client", category: Category) -> Sequence[Event] | None:
    """The category's last events, newest first; None where they cannot be had."""
    return _items(
        await act.answer(
            lambda: client.list_events(
                project=category.project, category=category.name, limit=RECENT
            )
        )
    )


async def count_events(client: "Client", known: Known) -> str:
    """How many events a category has, in words: `no`, `12`, `1,000 or more`."""
    if known.figures is not None and known.figures.events.total:
        return f"{known.figures.events.total:,}"
    category = known.category
    found = await act.answer(
        lambda: client.list_events(
            project=category.project, category=category.name, limit=MAX_LIMIT
        )
    )
    if isinstance(found, errors.SlowpingError):
        return "an unknown number of"
    more = " or more" if found.cursor else ""
    return f"{len(found.items):,}{more}" if found.items else "no"


async def add(client: "Client", wanted: Sequence[NewCategory], project: str | None) -> Added:
    """Have these made, one after the other; one that is refused holds up no other."""
    made, refused = [], []
    for new in wanted:
        here = msgspec.structs.replace(new, project=project)
        answer = await act.answer(functools.partial(client.create_category, here))
        if isinstance(answer, Category):
            made.append(answer)
        else:
            refused.append(f"{new.name} could not be added: {act.told(answer)}")
    return Added(made=tuple(made), refused=tuple(refused))


def _had(answer: Sequence[T] | errors.SlowpingError) -> Sequence[T] | None:
    return None if isinstance(answer, errors.SlowpingError) else answer


def _items(answer: Page[T] | errors.SlowpingError) -> Sequence[T] | None:
    return answer.items if isinstance(answer, Page) else None
