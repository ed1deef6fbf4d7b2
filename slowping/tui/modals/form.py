"""What a form is made of: a line for each thing, a word about the one at hand, Save and Cancel."""

import abc
import re
from collections.abc import Iterable
from typing import ClassVar, Final, Generic, TypeVar

import msgspec
from textual import events as textual_events
from textual import getters, work
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from slowping.core import errors, text
from slowping.tui import act
from slowping.tui.app import SlowpingApp
from slowping.tui.widgets.picking.choice_grid import Choice, ChoiceGrid

T = TypeVar("T")

_BESIDE: Final = 8
"""Lines of the dialog that are no fields."""
_ABOUT: Final = re.compile(r"(\w+)(?:, item \d+)?: ")
"""How the server begins a sentence about one thing that it was sent."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is asked for."""

    name: str
    """What the server calls it."""
    label: str
    control: Widget
    help: str
    required: bool = False
    proposed: bool = False
    """Whether what stands there makes way for what is typed."""
    beside: Widget | None = None
    """What else can be said of it."""


class _Row(Horizontal):
    """Up and down lead to the lines before and after it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]

    def __init__(self, line: Line) -> None:
        super().__init__(classes="row", id=f"line-{line.name}")
        self._line = line

    def compose(self) -> ComposeResult:
        """What it is called, and what it is entered with."""
        yield Static(classes="name")
        yield self._line.control
        if self._line.beside is not None:
            yield self._line.beside

    def on_mount(self) -> None:
        """Nothing is wrong yet, as far as is known."""
        self.mark(wrong=False)

    def mark(self, *, wrong: bool) -> None:
        """Show whether this is the one that something is wrong with."""
        self.set_class(wrong, "-wrong")
        label = f"{'✗ ' if wrong else ''}{self._line.label}{' *' if self._line.required else ''}"
        self.query_one(".name", Static).update(Content(label))


class FormModal(ModalScreen[T | None], Generic[T]):
    """Answers with what the server has made of it, or with None; until then all of it stays."""

    app = getters.app(SlowpingApp)
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
        self._saving = False

    # What a form says of itself ---------------------------------------------------------------

    @abc.abstractmethod
    def lines(self) -> Iterable[Line]:
        """What is asked for, in its order; asked once."""

    @abc.abstractmethod
    async def send(self) -> T:
        """Ask the server for it.

        Raises:
            InvalidInput: what stands in the form makes no sense; `name: ` in front says where.
        """

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
                    yield _Row(line)
            yield Static(id="told")
            with Horizontal(classes="buttons"):
                yield Button(f"{self._save_word} (ctrl+s)", id="save", variant="primary")
                yield Button("Cancel (esc)", id="cancel")

    def on_mount(self) -> None:
        """Start at the first thing."""
        self.change()
        next(iter(self._lines.values())).control.focus()

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
        self.focus_next()

    def action_leave(self) -> None:
        """Leave, but not before the answer is there: there may be a secret in it."""
        if not self._saving:
            self.dismiss(None)

    def action_save(self) -> None:
        """Let the server see."""
        if not self._saving:
            self._saving = True
            self._save()

    @work
    async def _save(self) -> None:
        self._say("Saving…", "$text-muted")
        made = await act.answer(self.send)
        self._saving = False
        if isinstance(made, errors.SlowpingError):
            self._complain(act.told(made), self._lines.get(self.about(made)))
        else:
            self.dismiss(made)

    # What is said -----------------------------------------------------------------------------

    def _complain(self, what: str, line: Line | None) -> None:
        if line is not None:
            named = _ABOUT.match(what)
            what = f"{line.label} {what[named.end() :]}" if named else what
            self.query_one(f"#line-{line.name}", _Row).mark(wrong=True)
            line.control.focus()
        self._say(f"✗ {what}", "$text-error")

    def _forget(self) -> None:
        for row in self.query(".-wrong").results(_Row):
            row.mark(wrong=False)
        if self._lines and self.query("#told"):  # controls tell of their first values before that
            self.change()
            self._explain()

    def _explain(self) -> None:
        focused = self.focused
        lines = self._lines.values()
        helps = [each.help for each in lines if focused and focused in (each.control, each.beside)]
        self._say(helps[0] if helps else "", "$text-muted")

    def _say(self, what: str, style: str) -> None:
        shown = text.visible(what).expandtabs(4)
        self.query_one("#told", Static).update(Content.styled(shown, style))


def choice(value: str, shown: str | None = None) -> Choice:
    """Something to choose, which is called as somebody has called it."""
    return Choice(value=value, shown=Content(text.one_line(shown or value)))


def words(typed: str) -> tuple[str, ...]:
    """Words that were typed with spaces or commas between them."""
    return tuple(filter(None, re.split(r"[\s,]+", typed)))


def whole(name: str, typed: str) -> int | None:
    """The number that was typed; None where nothing was.

    Raises:
        InvalidInput: it is none.
    """
    digits = typed.replace(",", "").replace("_", "").replace(" ", "")
    if not digits:
        return None
    try:
        return msgspec.convert(digits, int, strict=False)
    except msgspec.ValidationError:
        raise errors.InvalidInput(f"{name}: takes a whole number.") from None
