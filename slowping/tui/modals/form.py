"""What a form is made of: a line for each thing, a word about the one at hand, Save and Cancel."""

import abc
import re
from collections.abc import Iterable, Mapping
from typing import ClassVar, Final, Generic, TypeVar

from textual import events as textual_events
from textual import getters, work
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from slowping.core import errors, text
from slowping.tui import act
from slowping.tui.app import SlowpingApp
from slowping.tui.modals.line import Line, Row
from slowping.tui.widgets.picking.choice_grid import ChoiceGrid
from slowping.tui.widgets.picking.picker import Picker

T = TypeVar("T")

_BESIDE: Final = 8
"""Lines of the dialog that are no fields."""
_MOST_SAID: Final = 3
"""So many flaws are said at once; all of them are marked."""
_ABOUT: Final = re.compile(r"(\w+)(?:, item \d+)?: ")
"""How the server begins a sentence about one thing that it was sent."""
_LOSS: Final = "What you entered is lost then. esc once more leaves, ctrl+s keeps it."


class FormModal(ModalScreen[T | None], Generic[T]):
    """Answers with what the server has made of it, or with None; until then all of it stays."""

    app = getters.app(SlowpingApp)
    WAITING: ClassVar[str] = "Saving…"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Cancel"),
        Binding("ctrl+s", "save", "Save"),
        # With priority: they move the focus, and people type ahead.
        Binding("tab", "app.focus_next", priority=True, show=False),
        Binding("shift+tab", "app.focus_previous", priority=True, show=False),
        Binding("enter", "go_on", priority=True, show=False),
    ]

    def __init__(self, title: str, save: str = "Save", note: str = "") -> None:
        """`save` names what the form does; the `note` is shown where the title leaves room."""
        super().__init__()
        self._title = title
        self._note = note
        self._save_word = save
        self._lines: dict[str, Line] = {}
        self._first: list[object] = []
        """What stood in the lines when nobody had touched them."""
        self._saving = False
        self._warned = False

    # What a form says of itself ---------------------------------------------------------------

    @abc.abstractmethod
    def lines(self) -> Iterable[Line]:
        """What is asked for, in its order; asked once."""

    @abc.abstractmethod
    async def send(self) -> T:
        """Ask the server for it; called once nothing is wrong any more.

        Raises:
            InvalidInput: what stands in the form makes no sense; `name: ` in front says where.
        """

    def flaws(self) -> Mapping[str, str]:
        """What is wrong before the server is asked: sentences by the names of lines."""
        lines = self._lines.values()
        return {each.name: each.flaw for each in lines if each.flaw and self._is_shown(each.name)}

    def about(self, error: errors.SlowpingError) -> str:
        """The name of the line that a refusal is about; empty where it is about none."""
        named = _ABOUT.match(str(error))
        return named[1] if named else "name" if isinstance(error, errors.NameTaken) else ""

    def change(self) -> None:
        """Something else stands in the form: show what now matters, hide what does not."""

    # What it is made of -----------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """The lines, what the one with the focus takes, two buttons."""
        self._lines = {line.name: line for line in self.lines()}
        with Vertical(classes="dialog form sheet"):
            title = (
                (text.one_line(self._title), "bold"),
                "  ",
                (text.one_line(self._note), "$text-muted"),
            )
            yield Static(Content.assemble(*title), id="title")
            with VerticalScroll(can_focus=False):
                for line in self._lines.values():
                    if isinstance(line.control, Input):
                        # So that nothing typed is lost.
                        line.control.select_on_focus = line.proposed
                    yield Row(line)
            yield Static(id="told")
            with Horizontal(classes="buttons"):
                yield Button(f"{self._save_word} (ctrl+s)", id="save", variant="primary")
                yield Button("Cancel (esc)", id="cancel")

    def on_mount(self) -> None:
        """Start at the first thing."""
        self.change()
        self._first = self._stands()
        next(iter(self._lines.values())).focus()

    def on_resize(self, event: textual_events.Resize) -> None:
        """Lines that there is no room for are scrolled to."""
        self.query_one(VerticalScroll).styles.max_height = max(3, event.size.height - _BESIDE)

    def show(self, name: str, shown: bool) -> None:
        """Show a line, or hide it."""
        self.query_one(f"#line-{name}").display = shown

    def typed(self, name: str) -> str:
        """What was typed into a line."""
        control = self._lines[name].control
        assert isinstance(control, Input)  # noqa: S101 - as the form says of itself
        return control.value.strip()

    def chosen(self, name: str) -> tuple[str, ...]:
        """What was chosen in a line."""
        control = self._lines[name].control
        assert isinstance(control, ChoiceGrid)  # noqa: S101 - as the form says of itself
        return control.chosen

    def _is_shown(self, name: str) -> bool:
        return bool(self.query_one(f"#line-{name}").display)

    def _stands(self) -> list[object]:
        return [line.stands for line in self._lines.values()]

    # What the person does ---------------------------------------------------------------------

    def on_descendant_focus(self) -> None:
        """Say what the line takes."""
        if not self.query(".-wrong"):
            self._explain()

    def on_input_changed(self) -> None:
        """What was said of other values holds no more."""
        self._forget()

    def on_choice_grid_changed(self) -> None:
        """What was said of other values holds no more."""
        self._forget()

    def on_choice_grid_typed(self, event: ChoiceGrid.Typed) -> None:
        """Nothing is typed there."""
        self._say(f"Nothing here begins with {event.letter}. {event.grid.usage}", "$text-warning")

    def on_picker_changed(self) -> None:
        """What was said of other values holds no more."""
        self._forget()

    def on_text_area_changed(self) -> None:
        """What was said of other values holds no more."""
        self._forget()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Save, or leave."""
        if event.button.id == "save":
            self.action_save()
        else:
            self.action_leave()

    def action_go_on(self) -> None:
        """Enter goes on to the next line; in all else than a line of text it does what it does."""
        if not isinstance(self.focused, Input):
            raise SkipAction
        picker = next((each for each in self.focused.ancestors if isinstance(each, Picker)), None)
        if picker is None:
            self.focus_next()
        else:
            picker.go_on()

    def action_leave(self) -> None:
        """Leave; asks first where something was entered, and waits for an answer under way."""
        if self._saving:
            return  # there may be a secret in it
        if self._warned or self._stands() == self._first:
            self.dismiss(None)
        else:
            self._say(_LOSS, "$text-warning")
            self._warned = True

    def action_save(self) -> None:
        """Let the server see, where nothing is wrong."""
        if self._saving:
            return
        flaws = self.flaws()
        if flaws:
            self._complain(flaws)
        else:
            self._saving = True
            self._save()

    @work
    async def _save(self) -> None:
        self._say(self.WAITING, "$text-muted")
        made = await act.answer(self.send)
        self._saving = False
        if isinstance(made, errors.SlowpingError):
            self._complain({self.about(made): self._told(made)})
        else:
            self.dismiss(made)

    # What is said -----------------------------------------------------------------------------

    def _told(self, error: errors.SlowpingError) -> str:
        """The refusal, about a line by its label."""
        what, line = act.told(error), self._lines.get(self.about(error))
        named = _ABOUT.match(what)
        return f"{line.label} {what[named.end() :]}" if line and named else what

    def _complain(self, flaws: Mapping[str, str]) -> None:
        """Mark the lines, go to the first of them, say what is wrong with each."""
        wrong = [line for name, line in self._lines.items() if name in flaws]
        for line in wrong:
            self.query_one(f"#line-{line.name}", Row).mark(wrong=True)
        if wrong:
            wrong[0].focus()
        # In the order in which they stand there.
        said = [flaws[line.name] for line in wrong] or list(flaws.values())
        self._say(f"✗ {' '.join(said[:_MOST_SAID])}", "$text-error")

    def _forget(self) -> None:
        for row in self.query(".-wrong").results(Row):
            row.mark(wrong=False)
        if self._lines and self.query("#told"):  # controls tell of their first values before that
            self.change()
            self._explain()

    def _explain(self) -> None:
        here = self.focused.ancestors_with_self if self.focused else ()
        lines = self._lines.values()
        helps = [each.help for each in lines if each.control in here or each.beside in here]
        self._say(helps[0] if helps else "", "$text-muted")

    def _say(self, what: str, style: str) -> None:
        self._warned = False
        shown = text.visible(what).expandtabs(4)
        self.query_one("#told", Static).update(Content.styled(shown, style))
