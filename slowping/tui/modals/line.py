"""Say what one line of a form asks for, what stands in it, and what is wrong with that."""

import re
from collections.abc import Callable
from typing import ClassVar, Final

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from slowping.core import text
from slowping.tui.widgets.picking.choice_grid import Choice, ChoiceGrid
from slowping.tui.widgets.picking.picker import Picker

NAMELESS: Final = "Give it a name."

_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,18}")
_BETWEEN_DIGITS: Final = str.maketrans("", "", ",_ ")


def whole(typed: str) -> int | None:
    """The number that was typed, as `5000` or `5,000`; None where it is none."""
    digits = typed.translate(_BETWEEN_DIGITS)
    return int(digits) if _WHOLE.fullmatch(digits) else None


def not_whole(typed: str) -> str:
    """What a line that takes a whole number has against what was typed."""
    return "takes a whole number." if whole(typed) is None else ""


def words(typed: str) -> tuple[str, ...]:
    """Words that were typed with spaces or commas between them."""
    return tuple(filter(None, re.split(r"[\s,]+", typed)))


def choice(value: str, shown: str | None = None) -> Choice:
    """Something to choose, which is called as somebody has called it."""
    return Choice(value=value, shown=Content(text.one_line(shown or value)))


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is asked for."""

    name: str
    """What the server calls it."""
    label: str
    control: Widget
    help: str = ""
    required: bool = False
    missing: str = ""
    """What is said where nothing was typed; empty where that is for others to judge."""
    check: Callable[[str], str] = lambda _: ""
    """What is wrong with what was typed, said after the label: `takes a whole number.`"""
    proposed: bool = False
    """Whether what stands there makes way for what is typed."""
    beside: Widget | None = None
    """What else can be said of it."""

    @property
    def flaw(self) -> str:
        """What is wrong with what stands in it, in a sentence; empty where nothing is."""
        if isinstance(self.control, Picker):
            return self.control.flaw or ""
        if not isinstance(self.control, Input):
            return ""
        typed = self.control.value.strip()
        complaint = self.check(typed) if typed else ""
        return f"{self.label} {complaint}" if complaint else "" if typed else self.missing

    @property
    def stands(self) -> tuple[object, ...]:
        """What stands in it, to see whether that has changed."""
        return _stands(self.control), _stands(self.beside)

    def focus(self) -> None:
        """Let the person go on here."""
        control = self.control
        (control.field if isinstance(control, Picker) else control).focus()


def _stands(control: Widget | None) -> object:
    match control:
        case Input():
            return control.value
        case TextArea():
            return control.text
        case ChoiceGrid():
            return control.chosen
        case Picker():
            return control.value, control.field.value
    return None


class Row(Horizontal):
    """A line as it is drawn; up and down lead to the lines before and after it."""

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

    def on_choice_grid_typed(self, event: ChoiceGrid.Typed) -> None:
        """What is typed beside a field is typed into it."""
        control = self._line.control
        if event.grid is self._line.beside and isinstance(control, Input | TextArea):
            event.stop()
            self.screen.set_focus(control)
            if isinstance(control, Input):
                control.insert_text_at_cursor(event.letter)
            else:
                control.insert(event.letter)

    def mark(self, *, wrong: bool) -> None:
        """Show whether something is wrong with it."""
        self.set_class(wrong, "-wrong")
        label = f"{'✗ ' if wrong else ''}{self._line.label}{' *' if self._line.required else ''}"
        self.query_one(".name", Static).update(Content(label))
