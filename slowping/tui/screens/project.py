"""Projects: what each holds and may be sent, and which of them is looked at."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from rich.cells import cell_len
from rich.text import Text
from textual.content import Content

from slowping.core import text
from slowping.core.api_key import ApiKey
from slowping.core.category import Category
from slowping.core.channel import Channel
from slowping.core.delivery import DeliveryState
from slowping.core.feed import CategoryChanged, ChannelChanged, ProjectChanged
from slowping.core.overview import Overview
from slowping.core.project import Project
from slowping.tui import act
from slowping.tui.act import acting
from slowping.tui.command import alone, on_command
from slowping.tui.commands import project as commands
from slowping.tui.figures.periods import periods
from slowping.tui.live import Batch
from slowping.tui.project import card, holdings
from slowping.tui.project.holdings import Holdings
from slowping.tui.table_place import FittedPlace, every
from slowping.tui.widgets import drawing
from slowping.tui.widgets.table import cell

_LONGEST_NAME: Final = 28
_COUNTED: Final = 10_000
"""Most categories, and channels, that are counted into their projects."""


class ProjectScreen(FittedPlace[Project]):
    """One row a project; all that the key may see, whichever is looked at."""

    PLURAL = "projects"
    HINT = "words  strict  quota"
    TITLES = (
        "Name", "Categories", "Channels", "This month", "Web pages", "Destinations", "Age",
    )  # fmt: skip
    BY_WEIGHT = (
        "Name", "This month", "Categories", "Channels", "Destinations", "Web pages", "Age",
    )  # fmt: skip
    help_title: ClassVar[str] = "Projects"

    def __init__(self) -> None:
        super().__init__()
        self._categories: dict[str, Category] = {}
        self._channels: dict[str, Channel] = {}
        self._holdings: Mapping[str, Holdings] = {}
        """What each project holds, by its name; empty where that is to be counted anew."""
        self._all: Overview | None = None
        """Figures of all projects, from when one began to be looked at: the app's are its own."""
        self._months: Mapping[str, int] | None = None
        self._months_of_all: Mapping[str, int] | None = None

    # What is shown ----------------------------------------------------------------------------

    def come_back(self) -> None:
        """While one project is looked at, the feed tells nothing of the others."""
        if self.app.project is not None and self.app.live.link.stands:
            self.load()

    async def fetch(self) -> Sequence[Project]:
        """Projects, and what is in them."""
        client = self.app.client
        projects, categories, channels, self._all = await asyncio.gather(
            every(client.list_projects),
            every(client.list_categories, _COUNTED),
            every(client.list_channels, _COUNTED),
            self._fetch_all(),
        )
        self._categories = {each.id: each for each in categories}
        self._channels = {each.id: each for each in channels}
        self._holdings = {}
        return projects

    async def _fetch_all(self) -> Overview | None:
        if self.app.project is None:
            return None
        month = periods(self.app.now_ms()).month
        found = await act.answer(lambda: self.app.client.overview(month=month))
        return found if isinstance(found, Overview) else None

    def take(self, batch: Batch) -> None:
        """Take in what became of projects and of what is in them."""
        moved = False
        for item in batch:
            match item:
                case ProjectChanged(id=key, project=project):
                    self._take_project(key, project)
                case CategoryChanged(id=key, category=category):
                    self._categories.pop(key, None)
                    if category is not None:
                        self._categories[key] = category
                case ChannelChanged(id=key, channel=channel):
                    self._channels.pop(key, None)
                    if channel is not None:
                        self._channels[key] = channel
                case _:
                    continue
            moved = True
        if moved:
            self._holdings = {}
            self.draw_in_sight()
            self.refresh_bindings()

    def forget(self) -> None:
        """Neither projects nor what they hold are known."""
        # Whichever project is looked at, all are shown here: the cursor stays where it was.
        current = self.current.id if self.current else None
        self._categories, self._channels, self._holdings, self._all = {}, {}, {}, None
        super().forget()
        self._awaited = current

    def _take_project(self, key: str, project: Project | None) -> None:
        before = self.items.pop(key, None)
        if project is not None:
            self.items[key] = project
            if before is not None and before.name != project.name:
                self.load()  # what is in it names it otherwise from now on

    def whereabouts(self) -> object:
        """All projects are shown, whichever is looked at."""
        return self.app.profile

    def order(self, item: Project) -> Any:
        """By name."""
        return item.name.casefold()

    def draw(self) -> None:
        """Show what each was sent, as of now."""
        self._months = holdings.this_month(self.app.figures.now)
        self._months_of_all = holdings.this_month(self._all)
        super().draw()

    def every_cell(self, item: Project) -> Sequence[Text]:
        """What it holds, and what it may be sent."""
        held = self._held(item)
        return (
            self._named(item),
            cell(f"{len(held.categories):,}"),
            cell(f"{len(held.channels):,}" + (f" +{held.ad_hoc:,} ad hoc" if held.ad_hoc else "")),
            cell(holdings.month(item, self._events(item))),
            cell(_origins(len(item.allowed_origins))),
            cell("strict" if item.strict_destinations else "as it comes"),
            cell(drawing.age(item.created_at, self.app.now_ms())),
        )

    def _named(self, item: Project) -> Text:
        """Marked where it is the one that is looked at."""
        name = text.one_line(item.name)
        short = drawing.fit(name, min(cell_len(name), _LONGEST_NAME))
        if self.app.project is None:
            return cell(short)
        looked_at = item.name == self.app.project
        return Text(f"{'●' if looked_at else ' '} {short}", "bold" if looked_at else "")

    def facts(self, item: Project) -> Mapping[str, str]:
        """What the filter looks at."""
        held = self._held(item)
        return {
            "name": item.name,
            "project": item.name,
            "holds": " ".join((*held.categories, *held.channels)),
            "origins": " ".join(item.allowed_origins),
            "destinations": "strict" if item.strict_destinations else "",
            "limited": "quota" if item.monthly_quota is not None else "",
        }

    def about(self, item: Project) -> Content:
        """All there is to know of it."""
        return card.card(item, self._held(item), self._events(item))

    def nothing(self) -> tuple[str, str]:
        """What a project is."""
        return "No projects.", "A project owns categories, channels and API keys.\nn makes one."

    def _held(self, item: Project) -> Holdings:
        if not self._holdings:
            self._holdings = holdings.holdings(self._categories.values(), self._channels.values())
        return self._holdings.get(item.name, Holdings())

    def _events(self, item: Project) -> int | None:
        is_in = self.app.project in (None, item.name)
        months = self._months if is_in and self._months is not None else self._months_of_all
        return None if months is None else months.get(item.name, 0)

    # What the person does ---------------------------------------------------------------------

    @on_command(commands.LOOK)
    def look(self) -> None:
        """Look at this one only; or at all of them again."""
        if (item := self.current) is not None:
            self.app.project = None if item.name == self.app.project else item.name

    @on_command(commands.NEW)
    @alone
    async def create(self) -> None:
        """Ask for a new one."""
        from slowping.tui.modals.project_form import ProjectFormModal

        where = self.whereabouts()
        made = await self.app.push_screen_wait(ProjectFormModal())
        if made is not None:
            if self.whereabouts() == where:
                self.put(made)
                self.jump(made.id)
            self.app.tell(f"Created {made.name}: p looks at it, 4 and 3 make what belongs in it.")

    @on_command(commands.EDIT)
    @alone
    async def change(self) -> None:
        """Ask for changes."""
        from slowping.tui.modals.project_form import ProjectFormModal

        if (item := self.current) is None:
            return
        where = self.whereabouts()
        made = await self.app.push_screen_wait(ProjectFormModal(item))
        if made is None or made == item:
            return
        self.app.tell(f"Changed {made.name}.")
        if self.whereabouts() == where:
            self.put(made)
            if item.name == self.app.project:
                self.app.project = made.name

    @on_command(commands.REMOVE)
    @alone
    async def remove_project(self) -> None:
        """Say what goes with it, and ask."""
        from slowping.tui.modals.confirm import ConfirmModal

        if (item := self.current) is None:
            return
        loss, where = None, self.whereabouts()
        async with acting(self, f"Looking what goes with {item.name}"):
            loss = await self._loss(item)
        if loss is None or not await self.app.push_screen_wait(
            ConfirmModal(f"Remove {item.name}?", loss, yes="Remove", name=item.name)
        ):
            return
        async with acting(self, f"Removing {item.name}", f"Removed {item.name}."):
            await self.app.client.remove_project(item.id)
            self.drop(item.id)
            if self.whereabouts() == where and item.name == self.app.project:
                self.app.project = None

    async def _loss(self, item: Project) -> str:
        client = self.app.client
        keys, groups = await asyncio.gather(
            every(client.list_api_keys, project=item.name, revoked=False),
            client.group_deliveries(
                project=item.name, states=[DeliveryState.PENDING, DeliveryState.LEASED]
            ),
        )
        at_home: list[ApiKey] = [key for key in keys if key.project == item.name]
        waiting = sum(group.count for group in groups)
        return holdings.loss(self._held(item), at_home, waiting, self.app.own_key)


def _origins(number: int) -> str:
    if not number:
        return "any"
    return f"{number} origin{'' if number == 1 else 's'}"
