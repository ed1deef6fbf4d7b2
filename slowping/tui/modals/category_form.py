"""Ask how a category is to be called and to look, and close once the server has made it so."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual import getters, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.css.query import NoMatches
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from slowping.core import category, errors, text
from slowping.core.category import Category, CategoryChange, NewCategory
from slowping.tui import act
from slowping.tui.app import SlowpingApp
from slowping.tui.snippets import services
from slowping.tui.widgets import category_look
from slowping.tui.widgets.picking import looks
from slowping.tui.widgets.picking.choice_grid import Choice, ChoiceGrid
from slowping.tui.widgets.picking.picker import Picker


class CategoryFormModal(ModalScreen[Category | None]):
    """Answers with the category as the server has it now, or with None."""

    app = getters.app(SlowpingApp)
    called = getters.query_one("#called", Input)
    emoji = getters.query_one("#emoji", Picker)
    color = getters.query_one("#color", Picker)
    priority = getters.query_one("#priority", Input)

    AUTO_FOCUS = "#called"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Cancel"),
        Binding("ctrl+s", "save", "Save"),
    ]

    def __init__(
        self,
        before: Category | None,
        project: str,
        channels: Mapping[str, Sequence[str]],
    ) -> None:
        """`channels` has every project to choose from, with the names of its channels."""
        super().__init__()
        self._before = before
        self._project = project
        self._channels = channels
        self._saving = False

    def compose(self) -> ComposeResult:
        """A line for each thing, what it will look like, what is wrong, two buttons."""
        before = self._before or NewCategory(name="")
        title = f"Change {text.one_line(before.name)}" if self._before else "A new category"
        with Vertical(classes="dialog form") as dialog:
            dialog.border_title = Content(title)
            name = Input(
                text.one_line(before.name), id="called", max_length=100, select_on_focus=False
            )
            yield from _row("Name", name)
            yield Static(id="note")
            if self._before is None and len(self._channels) > 1:
                projects = [_choice(name) for name in self._channels]
                yield from _row("Project", ChoiceGrid(projects, (self._project,), id="project"))
            yield from _row("Emoji", looks.emoji(before.emoji, id="emoji"))
            yield from _row("Colour", looks.color(before.color, id="color"))
            yield from _row("Channels", self._channel_grid(before.channels))
            priority = Input(str(before.priority), id="priority", type="integer")
            yield from _row("Priority", priority)
            yield from _row("Looks", Static(id="preview"))
            yield Static(id="state")
            with Horizontal(classes="buttons"):
                yield Button("Save (ctrl+s)", id="save", variant="primary")
                yield Button("Cancel (esc)", id="cancel")

    def on_mount(self) -> None:
        """Show what it looks like now."""
        self._show()

    # What the person does ---------------------------------------------------------------------

    def on_input_changed(self) -> None:
        """Another name."""
        self._show()

    def on_input_submitted(self) -> None:
        """Enter goes on to the next field."""
        self.focus_next()

    def on_picker_changed(self) -> None:
        """Other looks."""
        self._show()

    def on_choice_grid_changed(self, event: ChoiceGrid.Changed) -> None:
        """Another project has other channels."""
        if event.grid.id == "project":
            [self._project] = event.grid.chosen
            grid = self.query_one("#channels", ChoiceGrid)
            grid.chosen = ()
            self._offer_channels(grid)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Save, or leave."""
        if event.button.id == "save":
            self.action_save()
        else:
            self.action_leave()

    def action_leave(self) -> None:
        """Leave, but not before the answer is there."""
        if not self._saving:
            self.dismiss(None)

    def action_save(self) -> None:
        """Ask the server for it; what it has against it is shown, and all stays as it is."""
        if not self._saving:
            self._saving = True
            self._send()

    @work
    async def _send(self) -> None:
        self._say("Saving…", "$text-muted")
        saved = await act.answer(self._save)
        self._saving = False
        if isinstance(saved, errors.SlowpingError):
            self._say(act.told(saved), "$text-error")
        else:
            self.dismiss(saved)

    async def _save(self) -> Category | None:
        wanted = self._wanted()
        if self._before is None:
            return await self.app.client.create_category(wanted)
        names = CategoryChange.__struct_fields__
        changed = {name: getattr(wanted, name) for name in names}
        changed = {
            name: value for name, value in changed.items() if value != getattr(self._before, name)
        }
        if not changed:
            return None
        return await self.app.client.change_category(self._before.id, CategoryChange(**changed))

    def _wanted(self) -> NewCategory:
        """What stands in the form.

        Raises:
            InvalidInput: it makes no sense.
        """
        for flaw in (self.emoji.flaw, self.color.flaw):
            if flaw is not None:
                raise errors.InvalidInput(flaw)
        typed = self.priority.value.strip() or "0"
        if not typed.lstrip("+-").isdigit() or abs(int(typed)) > 1_000:
            raise errors.InvalidInput("The priority is a whole number from -1000 to 1000.")
        return NewCategory(
            name=self._name_wanted(),
            project=self._project,
            emoji=self.emoji.value,
            color=int(self.color.value.removeprefix("#"), 16),
            priority=int(typed),
            channels=self.query_one("#channels", ChoiceGrid).chosen,
        )

    def _name_wanted(self) -> str:
        typed = self.called.value.strip()
        if self._before is not None and typed == text.one_line(self._before.name):
            return self._before.name  # what is shown of a name need not be all of it
        return category.checked_name(typed)

    # How it is shown --------------------------------------------------------------------------

    def _show(self) -> None:
        try:
            preview = self.query_one("#preview", Static)
        except NoMatches:  # a field tells of its first value before all fields are there
            return
        name = self.called.value.strip()
        preview.update(category_look.preview(self.emoji.value, name, self.color.value))
        note = self.query_one("#note", Static)
        note.update(Content.styled(self._note(name), "$text-warning"))
        note.display = bool(self._note(name))
        self._say("", "")

    def _note(self, name: str) -> str:
        """What the name means for those who send."""
        notes = []
        if self._before is not None and name != text.one_line(self._before.name):
            notes.append("Its past events go by the new name too.")
            notes.append(services.once_gone(text.one_line(self._before.name)))
        if name and (strangers := services.strangers(name)):
            notes.append(f"Clients of {' and '.join(strangers)} cannot send to this name.")
        return " ".join(notes)

    def _channel_grid(self, marked: Sequence[str]) -> Widget:
        note = "None is marked: every channel is told."
        grid = ChoiceGrid((), marked, many=True, note=note, id="channels")
        self._offer_channels(grid)
        return grid

    def _offer_channels(self, grid: ChoiceGrid) -> None:
        # A channel that is gone can still be unmarked.
        names = dict.fromkeys((*self._channels.get(self._project, ()), *grid.chosen))
        grid.offer([_choice(name) for name in names])

    def _say(self, what: str, style: str) -> None:
        state = self.query_one("#state", Static)
        state.update(Content.styled(what, style))
        if what:
            self.call_after_refresh(state.scroll_visible, animate=False)


def _row(label: str, field: Widget) -> ComposeResult:
    with Horizontal(classes="row"):
        yield Static(label, classes="name")
        yield field


def _choice(name: str) -> Choice:
    return Choice(value=name, shown=Content(text.one_line(name)))
