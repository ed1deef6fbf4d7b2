"""What every place with a table is made of: a filter, the rows, one of them whole.

A place of your own: subclass `TablePlace`, and say how things are fetched, drawn and told of. Then
list it in `places.py` and put its commands into `commands/<name>.py`.
"""

import abc
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final, Generic, TypeVar

from rich.text import Text
from textual import getters, work
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content

from slowping.core.page import Page
from slowping.tui.act import acting
from slowping.tui.live import Batch
from slowping.tui.sifting.place import SiftedPlace
from slowping.tui.widgets.empty_state import EmptyState
from slowping.tui.widgets.filter_bar import FilterBar
from slowping.tui.widgets.pane import Pane
from slowping.tui.widgets.table import Table, fitting

T = TypeVar("T")

MOST: Final = 2_000
"""Most things that are loaded: nobody looks through a longer table."""
_OFTEN: Final = 200
"""As many rows are drawn anew each second; of more, each one more seldom."""


async def every(
    fetch: Callable[..., Awaitable[Page[T]]], most: int = MOST, **filters: Any
) -> Sequence[T]:
    """All of a list, page after page, so many at most; `fetch` is a list method of the client."""
    from slowping.client.client import all_items  # by now it is loaded

    found: list[T] = []
    async for item in all_items(fetch, **filters):
        found.append(item)
        if len(found) >= most:
            break
    return found


class TablePlace(SiftedPlace, Generic[T]):
    """A table of things, the details of the one under the cursor, and a filter above."""

    AUTO_FOCUS = "Table"
    PLURAL: ClassVar[str]
    """What the rows are, such as `channels`."""
    HINT: ClassVar[str] = "words  project:shop"
    """What may be typed into the filter."""
    table = getters.query_one(Table)
    empty = getters.query_one(EmptyState)

    def __init__(self) -> None:
        super().__init__()
        self.items: dict[str, T] = {}
        """All that is known, by key, in the order in which it is shown."""
        self._loading = True
        self._failed = False
        self._awaited: str | None = None
        """A key or a name to go to once it is known."""
        self._ticks = 0
        self._heard: list[Batch] | None = None
        """What the feed tells while things are being loaded: it is newer than the answer."""

    # What a place says of itself --------------------------------------------------------------

    @abc.abstractmethod
    async def fetch(self) -> Sequence[T]:
        """Ask the server for the things; called inside of `acting`."""

    @abc.abstractmethod
    def titles(self) -> Sequence[str]:
        """The titles of the columns, as of now: with a project where all are looked at."""

    @abc.abstractmethod
    def cells(self, item: T) -> Sequence[Text]:
        """A row: as many cells as there are titles."""

    @abc.abstractmethod
    def facts(self, item: T) -> Mapping[str, str]:
        """What the filter looks at: `project`, `category`, `state` by name, all others as words."""

    @abc.abstractmethod
    def about(self, item: T) -> Content:
        """All there is to know of one, for the pane beside the table."""

    @abc.abstractmethod
    def nothing(self) -> tuple[str, str]:
        """Why the table is empty when the server has none, and which key helps."""

    def key(self, item: T) -> str:
        """By what a thing is told from the others."""
        return str(item.id)  # type: ignore[attr-defined]  # as nearly everything has

    def order(self, item: T) -> Any:  # whatever can be compared
        """What the rows are sorted by; where it is the same for all, the server's order stays."""
        del item
        return 0

    # What it is made of -----------------------------------------------------------------------

    def compose_place(self) -> ComposeResult:
        """A filter, the table, and the details when they are asked for."""
        yield FilterBar(self.HINT)
        with Container(id="panes"):
            with Container(id="list"):
                yield Table(*self.titles(), classes="greys")
                yield EmptyState()
            yield Pane(classes="greys")

    def on_mount(self) -> None:
        """Nothing is known yet."""
        self.pane.display = False
        self.draw()

    def load(self) -> None:
        """Load everything."""
        self._load()

    def forget(self) -> None:
        """Nothing is known yet."""
        self.items, self._awaited = {}, None
        self._loading, self._failed = True, False
        self.draw()

    @work(exclusive=True, group="load")
    async def _load(self) -> None:
        self._loading, self._failed = True, True
        self.expect()
        async with acting(self, f"Loading the {self.PLURAL}"):
            self.replace(await self.fetch())
            self._failed = False
        self._loading, self._heard = False, None
        self.draw()
        awaited, self._awaited = self._awaited, None
        if awaited is not None:
            self.jump(awaited)

    def expect(self) -> None:
        """The server is being asked for the things; `replace` ends it."""
        self._heard = []

    def replace(self, found: Iterable[T]) -> None:
        """Have these in place of what was known, and what was heard since they were asked for."""
        self.items = {self.key(item): item for item in found}
        heard, self._heard = self._heard or [], None
        for batch in heard:
            self.take(batch)

    def _hear(self, batch: Batch) -> None:
        if self._heard is not None:
            self._heard.append(batch)
        super()._hear(batch)

    def see_link(self) -> None:
        """Say why nothing is shown."""
        if self.empty.display:
            self.draw()

    def tick(self) -> None:
        """Let ages and countdowns move on."""
        self._ticks += 1
        if self._ticks % (1 + len(self.items) // _OFTEN):
            self._tell()
        else:
            self.draw()

    def draw_in_sight(self) -> None:
        """Draw; while nobody looks it waits until somebody does."""
        if self.is_current:
            self.draw()

    def on_screen_resume(self) -> None:
        """Show what has happened meanwhile."""
        if self.is_mounted:
            self.draw()

    def take_figures(self) -> None:
        """Show the figures where they are looked at."""
        self.draw_in_sight()

    @property
    def current(self) -> T | None:
        """What is under the cursor."""
        return self.items.get(self.table.current or "")

    def whereabouts(self) -> object:
        """What the rows belong to: the answer of an act is shown only if it is the same still."""
        return self.app.profile, self.app.project

    def put(self, *items: T) -> None:
        """Take these in, new ones or changed ones."""
        self.items |= {self.key(item): item for item in items}
        self.draw()

    def drop(self, *keys: str) -> None:
        """Let go of these."""
        for key in keys:
            self.items.pop(key, None)
        self.draw()

    def draw(self) -> None:
        """Show what is known, as the filter lets it."""
        query = self.filter_bar.sought
        every = sorted(self.items.values(), key=self.order)
        shown = [item for item in every if query.fits(self.facts(item))]
        self.table.entitle(*self.titles())
        self.table.show({self.key(item): tuple(self.cells(item)) for item in shown})
        self.filter_bar.say(Content.styled(f"{self._count(len(shown))} ", "$text-muted"))
        # It lies over the table, which keeps the focus and its keys.
        self.empty.display = not shown
        if self.empty.display:
            self.empty.say(*self._why_empty())
        self._tell()

    def jump(self, what: str) -> None:
        """Put the cursor on the thing of this key or name, though the filter would hide it."""
        named = {key: self.facts(item).get("name") for key, item in self.items.items()}
        found = [key for key, name in named.items() if what in (key, name)]
        if not found:
            self._awaited = what if self._loading else None
            return
        self.draw()  # what has been heard while nobody looked
        if found[0] not in self.table.shown:
            self.filter_bar.action_clear()
            self.draw()
        self.table.go_to(found[0])

    # What the person does ---------------------------------------------------------------------

    def show_details(self) -> None:
        """Tell of what is under the cursor."""
        self._tell()

    def on_filter_bar_changed(self) -> None:
        """Show what passes the filter."""
        self.draw()

    def on_table_resized(self) -> None:
        """Other columns may have room."""
        self.draw()

    def on_table_moved(self) -> None:
        """Something else is under the cursor."""
        self.refresh_bindings()
        self.pane.scroll_home(animate=False)
        self._tell()

    # How it is said ---------------------------------------------------------------------------

    def _tell(self) -> None:
        if self.pane.display:
            item = self.current
            nothing = Content.styled("Nothing is selected.", "$text-muted")
            self.pane.tell(nothing if item is None else self.about(item))

    @property
    def is_unknown(self) -> bool:
        """Whether nothing can be said of the things: the server has not told of them."""
        return not self.items and (self._loading or self._failed)

    def _count(self, shown: int) -> str:
        if self.is_unknown:
            return ""
        known = len(self.items)
        things = self.PLURAL if known != 1 else _one_of(self.PLURAL)
        more = " or more" if known >= MOST else ""
        return f"{f'{shown} of ' if shown != known else ''}{known} {things}{more}"

    def _why_empty(self) -> tuple[str, str]:
        if self.items:
            return f"No {self.PLURAL} match the filter.", "esc clears it, ! turns it round."
        if self._loading:
            return self.why_unknown()
        if self._failed:
            return f"The {self.PLURAL} could not be loaded.", "ctrl+r tries again, ctrl+e says why."
        return self.nothing()


class FittedPlace(TablePlace[T]):
    """A table that shows as many of its columns as there is room for."""

    TITLES: ClassVar[Sequence[str]]
    BY_WEIGHT: ClassVar[Sequence[str]]
    """The titles again, those that matter most first."""

    def __init__(self) -> None:
        super().__init__()
        self._columns: tuple[int, ...] = (0,)
        self._cells: dict[str, Sequence[Text]] = {}

    @abc.abstractmethod
    def every_cell(self, item: T) -> Sequence[Text]:
        """A whole row: as many cells as there are in `TITLES`."""

    def draw(self) -> None:
        """Show the columns that there is room for."""
        self._cells = {key: self.every_cell(item) for key, item in self.items.items()}
        room = self.table.size.width - 1  # for a bar to scroll with
        self._columns = fitting(self.TITLES, self._cells.values(), self.BY_WEIGHT, room)
        super().draw()

    def titles(self) -> Sequence[str]:
        """Those that there is room for."""
        return [self.TITLES[place] for place in self._columns]

    def cells(self, item: T) -> Sequence[Text]:
        """What stands in them."""
        every = self._cells[self.key(item)]
        return [every[place] for place in self._columns]


def _one_of(plural: str) -> str:
    if plural.endswith("ies"):
        return f"{plural.removesuffix('ies')}y"
    return plural.removesuffix("s")
