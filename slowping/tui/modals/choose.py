"""Let a person choose one of several things, by arrows or by typing some of its name."""

from collections.abc import Sequence
from typing import ClassVar, Final

import msgspec
from rich.cells import cell_len
from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from slowping.core import text

_BESIDE: Final = 4
"""Cells beside the two columns: before the names, and between."""
_NARROW: Final = 10
_UNKNOWN: Final = 1_000
"""Cells that are taken to be there before the first picture; fewer would make it scroll."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Something that can be chosen."""

    key: str
    name: str
    help: str = ""
    is_current: bool = False
    """Whether it is what holds already."""


class ChooseModal(ModalScreen[str | None]):
    """Answers with the key of what was chosen, or with None."""

    options = getters.query_one(OptionList)

    AUTO_FOCUS = "Input, OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Cancel"),
        Binding("down,ctrl+n", "move(1)", show=False),
        Binding("up,ctrl+p", "move(-1)", show=False),
        Binding("j", "move(1)", show=False),
        Binding("k", "move(-1)", show=False),
    ]

    def __init__(
        self, question: str, answers: Sequence[Answer], detail: str = "", *, find: bool = True
    ) -> None:
        """`find` is whether there are so many that a name may be typed."""
        super().__init__()
        self._question = question
        self._answers = self._shown = tuple(answers)
        self._detail = detail
        self._find = find

    def compose(self) -> ComposeResult:
        """The question, a field to search in, what there is to choose from."""
        with Vertical(classes="dialog choose"):
            yield Static(Content.styled(text.one_line(self._question), "bold"), classes="title")
            if self._detail:
                yield Static(Content(text.visible(self._detail)), classes="detail")
            if self._find:
                yield Input(placeholder="Type to find", classes="gap")
            yield OptionList(classes="gap", compact=True)

    def on_mount(self) -> None:
        """Start at what holds already."""
        self._show(self._answers)
        current = [number for number, each in enumerate(self._answers) if each.is_current]
        self.options.highlighted = current[0] if current else 0

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what is like the words."""
        words = event.value.casefold().split()
        found = [
            each for each in self._answers if all(word in each.name.casefold() for word in words)
        ]
        self._show(found)
        self.options.highlighted = 0 if found else None

    def on_resize(self) -> None:
        """Break the lines anew."""
        self.call_after_refresh(self._break)

    def on_input_submitted(self) -> None:
        """Take what is highlighted."""
        self.options.action_select()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Answer."""
        self.dismiss(event.option.id)

    def action_move(self, by: int) -> None:
        """To the next one, or the one before."""
        if by > 0:
            self.options.action_cursor_down()
        else:
            self.options.action_cursor_up()

    def _show(self, answers: Sequence[Answer]) -> None:
        self._shown = tuple(answers)
        nothing = Option(Content.styled("  Nothing is called so.", "$text-muted"), disabled=True)
        options = [Option(each.name, id=each.key) for each in answers] or [nothing]
        self.options.set_options(options)
        self._break()

    def _break(self) -> None:
        """Begin what is told of each in one column, in as many lines as it takes there."""
        names = [cell_len(text.one_line(each.name)) for each in self._shown if each.help]
        column = max(names, default=0)
        width = self.options.scrollable_content_region.width or _UNKNOWN
        room = max(_NARROW, width - column - _BESIDE)
        for each in self._shown:
            self.options.replace_option_prompt(each.key, _drawn(each, column, room))


def _drawn(answer: Answer, column: int, room: int) -> Content:
    """The name in a column of so many cells, and what is told of it in one of so much room."""
    name = text.one_line(answer.name)
    told = Content(text.one_line(answer.help)).wrap(room)
    between = Content("\n" + " " * (column + _BESIDE))
    return Content.assemble(
        "● " if answer.is_current else "  ",
        (name, "bold"),
        " " * (column - cell_len(name) + 2),
        between.join(told).stylize("$text-muted"),
    )
