"""Ask how a category is to be called and to look, and close once the server has made it so."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from textual import getters
from textual.content import Content
from textual.widgets import Input, Static

from slowping.core import text
from slowping.core.category import (
    MOST_PRIORITY,
    PRIORITY_HELP,
    Category,
    CategoryChange,
    NewCategory,
)
from slowping.tui.modals.form import FormModal
from slowping.tui.modals.line import NAMELESS, Line, choice, whole
from slowping.tui.snippets import services
from slowping.tui.widgets import category_look
from slowping.tui.widgets.picking import looks
from slowping.tui.widgets.picking.choice_grid import ChoiceGrid
from slowping.tui.widgets.picking.picker import Picker

_PRESETS: Final = "Arrows go through what is offered."


class CategoryFormModal(FormModal[Category | None]):
    """Answers with the category as the server has it now, or with None."""

    emoji = getters.query_one("#emoji", Picker)
    color = getters.query_one("#color", Picker)
    channels = getters.query_one("#channels", ChoiceGrid)

    def __init__(
        self,
        before: Category | None,
        project: str,
        channels: Mapping[str, Sequence[str]],
    ) -> None:
        """`channels` has every project to choose from, with the names of its channels."""
        super().__init__(f"Change {before.name}" if before else "A new category")
        self._before = before
        self._project = project
        self._channels = channels

    # What is asked for ------------------------------------------------------------------------

    def lines(self) -> Iterable[Line]:
        """Name, project, looks, channels; what the name means and what all of it looks like."""
        before = self._before or NewCategory(name="")
        yield Line(
            name="name",
            label="Name",
            control=Input(text.one_line(before.name), max_length=100),
            help="By which those who send call it.",
            required=True,
            missing=NAMELESS,
            check=_not_a_name,
        )
        yield Line(name="note", label="", control=Static(id="note"))
        if self._before is None and len(self._channels) > 1:
            projects = ChoiceGrid([choice(each) for each in self._channels], (self._project,))
            told = "Whose events go into it."
            yield Line(name="project", label="Project", control=projects, help=told)
        yield from self._looks(before)
        yield Line(
            name="channels",
            label="Channels",
            control=self._grid(before.channels),
            help="Which channels hear of its events. Space marks.",
        )
        yield Line(
            name="priority",
            label="Priority",
            control=Input(str(before.priority), max_length=5),
            help=PRIORITY_HELP,
            check=_not_a_priority,
        )
        yield Line(name="looks", label="Looks", control=Static(id="preview"))

    def _looks(self, before: Category | NewCategory) -> Iterable[Line]:
        yield Line(
            name="emoji",
            label="Emoji",
            control=looks.emoji(before.emoji, id="emoji"),
            help=f"A word finds one; any other can be pasted. {_PRESETS}",
        )
        yield Line(
            name="color",
            label="Colour",
            control=looks.color(before.color, id="color"),
            help=f"A word finds one; any other is typed as #ff8800. {_PRESETS}",
        )

    def _grid(self, marked: Sequence[str]) -> ChoiceGrid:
        note = "None is marked: every channel is told."
        grid = ChoiceGrid((), marked, many=True, note=note, id="channels")
        self._offer(grid)
        return grid

    def _offer(self, grid: ChoiceGrid) -> None:
        # A channel that is gone can still be unmarked.
        names = dict.fromkeys((*self._channels.get(self._project, ()), *grid.chosen))
        grid.offer([choice(name) for name in names])

    # What the person does ---------------------------------------------------------------------

    def change(self) -> None:
        """Another project has other channels; and what it looks like now."""
        if "project" in self._lines and self.chosen("project") != (self._project,):
            [self._project] = self.chosen("project")
            self.channels.chosen = ()
            self._offer(self.channels)
        name = self.typed("name")
        shown = category_look.preview(self.emoji.value, name, self.color.value)
        self.query_one("#preview", Static).update(shown)
        note = self._meaning(name)
        self.query_one("#note", Static).update(Content.styled(note, "$text-warning"))
        self.show("note", bool(note))

    def _meaning(self, name: str) -> str:
        """What the name means for those who send."""
        notes = []
        if self._before is not None and name != text.one_line(self._before.name):
            notes.append("Its past events go by the new name too.")
            notes.append(services.once_gone(text.one_line(self._before.name)))
        if name and (strangers := services.strangers(name)):
            notes.append(f"Clients of {' and '.join(strangers)} cannot send to this name.")
        return " ".join(notes)

    async def send(self) -> Category | None:
        """Ask the server for it, or for what is different; None where nothing is."""
        wanted = self._wanted()
        if self._before is None:
            return await self.app.client.create_category(wanted)
        different = {
            name: getattr(wanted, name)
            for name in CategoryChange.__struct_fields__
            if getattr(wanted, name) != getattr(self._before, name)
        }
        if not different:
            return None
        return await self.app.client.change_category(self._before.id, CategoryChange(**different))

    def _wanted(self) -> NewCategory:
        name, before = self.typed("name"), self._before
        if before is not None and name == text.one_line(before.name):
            name = before.name  # what is shown of a name need not be all of it
        return NewCategory(
            name=name,
            project=self._project,
            emoji=self.emoji.value,
            color=int(self.color.value.removeprefix("#"), 16),
            priority=whole(self.typed("priority")) or 0,
            channels=self.channels.chosen,
        )


def _not_a_name(typed: str) -> str:
    return "" if typed.isprintable() else "takes printable characters only."


def _not_a_priority(typed: str) -> str:
    number = whole(typed)
    is_one = number is not None and abs(number) <= MOST_PRIORITY
    return "" if is_one else f"is a whole number from -{MOST_PRIORITY} to {MOST_PRIORITY}."
