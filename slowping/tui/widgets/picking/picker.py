"""Pick one thing: from a grid of presets, by searching them by word, or by typing any other."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Input, Static

from slowping.tui.widgets.picking.choice_grid import Choice, ChoiceGrid


class Presets(ChoiceGrid, inherit_bindings=False):
    """A grid beside a field: all letters are for the field."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", show=False),
        Binding("right", "move(1)", show=False),
        Binding("up", "row(-1)", show=False),
        Binding("down", "row(1)", show=False),
        Binding("space", "mark", show=False),
        Binding("enter", "app.focus_next", show=False),
    ]


class Picker(Vertical):
    """What is picked, a field to search in or to type another into, and the presets below."""

    value: reactive[str] = reactive("", init=False)
    field = getters.query_one(Input)
    grid = getters.query_one(ChoiceGrid)

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", show=False),
        Binding("down", "to_grid", show=False),
    ]

    class Changed(Message):
        """Something else is picked."""

    def __init__(  # noqa: PLR0913 - one for each thing that pickers differ in
        self,
        choices: Sequence[Choice],
        value: str,
        *,
        what: str,
        read: Callable[[str], str | None],
        draw: Callable[[str], Content],
        hint: str,
        id: str,  # noqa: A002 - as Textual calls it
        more: Sequence[Choice] = (),
    ) -> None:
        """`what` is picked, such as an `emoji`; `more` there is, for who types what it is called.

        `read` says which one was typed, None where the words are to be searched for.
        """
        super().__init__(id=id)
        self._what = what
        self._kept = value
        """What was picked before something was typed, and stays where that is nothing."""
        self._choices = tuple(choices)
        self._more = tuple(more)
        self._read = read
        self._draw = draw
        self._hint = hint
        self.set_reactive(Picker.value, value)

    def compose(self) -> ComposeResult:
        """The value and the field on a line, the grid below."""
        with Horizontal():
            yield Static(self._draw(self.value), classes="picked")
            yield Input(placeholder=self._hint, select_on_focus=False)
        nothing = f"✗ No such {self._what}. Try {self._hint}."
        yield Presets(self._choices, (self.value,), nothing=nothing)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Take what was typed, or the first preset that is like it."""
        event.stop()
        typed = event.value.strip()
        value = self._read(typed)
        found = self._found(typed) if value is None else self._choices
        if not typed:
            self._kept = self.value
        elif value is None:
            value = found[0].value if found else self._kept
        self.value = value or self.value
        self.grid.offer(found)
        self.grid.choose(self.value)
        self.post_message(self.Changed())

    def on_descendant_focus(self) -> None:
        """Have what was found in sight, too, or that nothing was."""
        self.scroll_visible(animate=False)

    def go_on(self) -> None:
        """Go on behind the grid; what is not understood stays to be mended."""
        if not self.flaw:
            self.field.value = ""
            # At once: focus() would come after the next step.
            self.screen.set_focus(self.grid)
            self.screen.focus_next()

    def on_choice_grid_changed(self, event: ChoiceGrid.Changed) -> None:
        """A preset was chosen."""
        event.stop()
        [self.value] = event.grid.chosen
        self._kept = self.value
        if self._read(self.field.value.strip()) is not None:
            with self.prevent(Input.Changed):
                self.field.value = ""

    def on_choice_grid_typed(self, event: ChoiceGrid.Typed) -> None:
        """What is typed in the grid is typed into the field."""
        event.stop()
        self.screen.set_focus(self.field)
        self.field.insert_text_at_cursor(event.letter)

    @property
    def flaw(self) -> str:
        """What is wrong with what stands in the field, in a sentence; empty where nothing is."""
        typed = self.field.value.strip()
        if not typed or self._read(typed) is not None or self._found(typed):
            return ""
        return f"'{typed}' is no {self._what}. Try {self._hint}."

    def watch_value(self) -> None:
        """Show what is picked, and tell."""
        self.query_one(".picked", Static).update(self._draw(self.value))
        self.post_message(self.Changed())

    def action_search(self) -> None:
        """From the grid back to the field."""
        self.field.focus()

    def action_to_grid(self) -> None:
        """From the field to the grid, where what was found can be gone through."""
        self.grid.focus()

    def _found(self, typed: str) -> tuple[Choice, ...]:
        """Those of which every word that was typed begins a word; first what is called just so."""
        begun = typed.casefold().split()
        if not begun:
            return self._choices
        joined = "".join(begun)  # light green is lightgreen
        found = [
            choice
            for choice in (*self._choices, *self._more)
            if _begin(begun, choice) or _begin([joined], choice)
        ]
        found.sort(key=lambda choice: joined not in choice.words.split())
        return tuple(found[: len(self._choices)])


def _begin(begun: Sequence[str], choice: Choice) -> bool:
    words = choice.words.split()
    return all(any(word.startswith(each) for word in words) for each in begun)
