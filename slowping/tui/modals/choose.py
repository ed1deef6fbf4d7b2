"""Let a person choose one of several things, by arrows or by typing some of its name."""

from collections.abc import Sequence
from typing import ClassVar

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
        self._answers = tuple(answers)
        self._detail = detail
        self._find = find

    def compose(self) -> ComposeResult:
        """The question, a field to search in, what there is to choose from."""
        with Vertical(classes="dialog choose"):
            yield Static(Content.styled(text.one_line(self._question), "bold"))
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
        width = max(
            (cell_len(text.one_line(each.name)) for each in answers if each.help), default=0
        )
        self.options.set_options([Option(_drawn(each, width), id=each.key) for each in answers])


def _drawn(answer: Answer, width: int) -> Content:
    """The name in a column of that many cells, so that what is told of each begins alike."""
    name = text.one_line(answer.name)
    return Content.assemble(
        "● " if answer.is_current else "  ",
        (name, "bold"),
        " " * (width - cell_len(name)),
        (f"  {text.one_line(answer.help)}", "$text-muted"),
    )
