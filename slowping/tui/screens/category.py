"""The categories: how much comes in, how they look, and code that sends to them."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import work
from textual.content import Content

from slowping.core import text, times
from slowping.core.category import QUICK_START, Category, NewCategory
from slowping.core.feed import CategoryChanged
from slowping.core.project import DEFAULT
from slowping.tui.act import acting
from slowping.tui.category import columns, loading
from slowping.tui.category.surroundings import Known, Surroundings
from slowping.tui.command import Command, alone, on_command
from slowping.tui.commands import category as commands
from slowping.tui.live import Batch
from slowping.tui.sifting.query import Query
from slowping.tui.snippets.keys import KeysAtHand
from slowping.tui.table_place import TablePlace, every
from slowping.tui.widgets import category_look


class CategoryScreen(TablePlace[Category]):
    """Every category of the project, or of all projects."""

    PLURAL: ClassVar[str] = "categories"
    HINT: ClassVar[str] = "words  category:sale  project:shop"
    READS = TablePlace.READS | {"recent"}
    help_title: ClassVar[str] = "Categories"

    def __init__(self) -> None:
        super().__init__()
        self._surroundings = Surroundings()
        self._at_hand = KeysAtHand()
        self._shown: Sequence[str] = ()
        """The titles that rows are drawn for."""
        self._drawn: dict[str, tuple[object, Sequence[Text]]] = {}
        """What each row shows, and its cells."""

    # What comes from outside ------------------------------------------------------------------

    def on_screen_resume(self) -> None:
        """Have the figures kept as they are now."""
        self.app.figures.watch(True)
        self._surroundings.count(self.app.figures.now)

    def on_screen_suspend(self) -> None:
        """Nobody looks at them."""
        self.app.figures.watch(False)

    async def fetch(self) -> Sequence[Category]:
        """The categories, and what belongs to them."""
        self._drawn.clear()
        return await loading.load(self.app.client, self.app.project, self._surroundings)

    def take(self, batch: Batch) -> None:
        """Take in what has happened."""
        self._surroundings.take(batch)
        for item in batch:
            if isinstance(item, CategoryChanged):
                if item.category is None:
                    self.items.pop(item.id, None)
                else:
                    self._change(item.category)
        self.draw_in_sight()

    def forget(self) -> None:
        """Neither categories nor what belongs to them are known."""
        self._surroundings = Surroundings()
        self._drawn.clear()
        super().forget()

    def _change(self, category: Category) -> None:
        before = self.items.get(category.id)
        if before is not None:
            self._surroundings.rename(before, category)
        self.items[category.id] = category

    def take_figures(self) -> None:
        """Count up."""
        self._surroundings.count(self.app.figures.now)
        super().take_figures()

    # How it is shown --------------------------------------------------------------------------

    def titles(self) -> Sequence[str]:
        """As many as there is room for."""
        if not self.is_mounted:
            return [columns.NAME]
        names = (cell_len(text.one_line(each.name)) for each in self.items.values())
        return columns.columns(
            self.table.size.width,
            max(names, default=0),
            all_projects=self.app.project is None,
            with_figures=self._surroundings.has_figures,
        )

    def cells(self, item: Category) -> Sequence[Text]:
        """A row; it is drawn anew where something of it has changed."""
        known, now_ms = self._surroundings.row_of(item), self.app.now_ms()
        width = self.table.size.width
        shows = (known, category_look.last(known, now_ms), self._shown, width)
        if item.id not in self._drawn or self._drawn[item.id][0] != shows:
            cells = [category_look.cell_of(title, known, now_ms, width) for title in self._shown]
            self._drawn[item.id] = (shows, cells)
        return self._drawn[item.id][1]

    def draw(self) -> None:
        """Show what is known."""
        self._shown = self.titles()
        super().draw()

    def facts(self, item: Category) -> Mapping[str, str]:
        """Names, and where its events go."""
        return {
            "name": item.name,
            "category": item.name,
            "project": item.project,
            "channels": category_look.channels(item),
        }

    def about(self, item: Category) -> Content:
        """All there is to know."""
        return category_look.about(self._known(item), self.app.now_ms())

    def nothing(self) -> tuple[str, str]:
        """The three that one can start with, or one of one's own."""
        where = f" in {text.one_line(self.app.project)}" if self.app.project else ""
        then = "a adds bug, sale and question, n makes one of your own."
        if not self.app.may_administer:
            then = "This API key may only read; the first event may make one, or an admin key."
        return (f"No categories{where} yet: they are the drawers that events go into.", then)

    def order(self, item: Category) -> Any:  # whatever can be compared
        """By project and name."""
        return (item.project, item.name.casefold(), item.name)

    def _known(self, item: Category) -> Known:
        return self._surroundings.of(item, times.to_datetime(self.app.now_ms()))

    def on_table_moved(self) -> None:
        """The details of another one are wanted."""
        self._load_recent()

    def show_details(self) -> None:
        """Tell of it, and ask for its last events."""
        super().show_details()
        self._load_recent()

    @work(exclusive=True, group="recent")
    async def _load_recent(self) -> None:
        """Load the last events of what the details are shown of."""
        item = self.current
        if item is None or not self.pane.display or self._known(item).recent is not None:
            return
        found = await loading.last_events(self.app.client, item)
        if found is not None:
            self._surroundings.remember(item, found)
            self.draw()

    # What the person does ---------------------------------------------------------------------

    def why_not(self, command: Command) -> str | None:
        """Quick start has nothing to add where all three are there."""
        if command is commands.QUICK_START and not self._missing():
            return "bug, sale and question are there already."
        return super().why_not(command)

    @on_command(commands.NEW)
    @alone
    async def create(self) -> None:
        """Ask for a category, and have it made."""
        projects: Sequence[str] = [self.app.project] if self.app.project else []
        async with acting(self, "Listing the projects"):
            if not projects:
                found = await every(self.app.client.list_projects)
                projects = sorted(project.name for project in found)
        if projects:
            usual = DEFAULT if DEFAULT in projects else projects[0]
            await self._ask(None, usual, projects)

    @on_command(commands.EDIT)
    @alone
    async def edit(self) -> None:
        """Ask what is to be changed, and have it changed."""
        if (item := self.current) is not None:
            await self._ask(item, item.project, [item.project])

    async def _ask(self, before: Category | None, project: str, projects: Sequence[str]) -> None:
        from slowping.tui.modals.category_form import CategoryFormModal

        where = self.whereabouts()
        channels = {name: self._surroundings.channels_of(name) for name in projects}
        saved = await self.app.push_screen_wait(CategoryFormModal(before, project, channels))
        if saved is not None:
            if self.whereabouts() == where:
                self._change(saved)
                self.jump(saved.id)
            self.app.tell(f"{'Changed' if before else 'Created'} {text.one_line(saved.name)}.")

    @on_command(commands.REMOVE)
    @alone
    async def remove_category(self) -> None:
        """Say what hangs on it, and remove it if it is meant."""
        if (item := self.current) is None:
            return
        from slowping.tui.modals.confirm import ConfirmModal

        count = await loading.count_events(self.app.client, self._known(item))
        question = ConfirmModal(
            f"Remove the category {text.one_line(item.name)}?",
            category_look.what_hangs_on(self._known(item), count),
            yes="Remove",
            name=None if count == "no" else item.name,
        )
        if await self.app.push_screen_wait(question):
            async with acting(self, f"Removing {item.name}", f"Removed {item.name}."):
                await self.app.client.remove_category(item.id)
                self.drop(item.id)

    @on_command(commands.QUICK_START)
    @alone
    async def quick_start(self) -> None:
        """Add what is missing of the three, and say of each that could not be added why."""
        where = self.whereabouts()
        with self.app.busy("Adding categories"):
            added = await loading.add(self.app.client, self._missing(), self.app.project)
        if self.whereabouts() == where:
            self.put(*added.made)
        names = ", ".join(each.name for each in added.made)
        said = [f"Added {names} in {added.made[0].project}."] if added.made else []
        severity = "error" if added.refused else "information"
        self.app.tell(" ".join([*said, *added.refused]), severity=severity)

    def _missing(self) -> list[NewCategory]:
        project = self.app.project or DEFAULT
        there = {each.name for each in self.items.values() if each.project == project}
        return [new for new in QUICK_START if new.name not in there]

    @on_command(commands.EVENTS)
    async def view_events(self) -> None:
        """Show its events in the feed."""
        if (item := self.current) is not None:
            sought = Query.exactly(project=item.project, category=item.name)
            await self.app.sift("feed", sought)

    @on_command(commands.SNIPPETS)
    def show_snippets(self) -> None:
        """Show code that sends to it."""
        if (item := self.current) is not None:
            from slowping.tui.modals.snippets import SnippetsModal

            has_channels = bool(self._surroundings.channels_of(item.project))
            self.app.push_screen(SnippetsModal(item, self._at_hand, has_channels=has_channels))
