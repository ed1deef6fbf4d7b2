"""A grid of choices: one of them is taken, or as many as are marked."""

from collections.abc import Sequence
from typing import ClassVar

import msgspec
from textual import events as textual_events
from textual.app import RenderResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Something that can be chosen."""

    value: str
    shown: Content
    words: str = ""
    """By which it is found, beside its value."""


class ChoiceGrid(Widget, can_focus=True):
    """Moved through with arrows or hjkl; beyond its edges lie the fields before and after it.

    Any other letter leads to what begins with it, where one chooses among several.
    """

    cursor: reactive[int] = reactive(0)
    chosen: reactive[tuple[str, ...]] = reactive((), layout=True)
    """Values; those that are no choice of this grid stay until something is chosen."""
    choices: reactive[tuple[Choice, ...]] = reactive((), layout=True)

    class Changed(Message):
        """Something else is chosen."""

        def __init__(self, grid: "ChoiceGrid") -> None:
            super().__init__()
            self.grid = grid

        @property
        def control(self) -> "ChoiceGrid":
            """The grid that tells."""
            return self.grid

    class Typed(Message):
        """A letter was typed, with which nothing begins here."""

        def __init__(self, grid: "ChoiceGrid", letter: str) -> None:
            super().__init__()
            self.grid = grid
            self.letter = letter

        @property
        def control(self) -> "ChoiceGrid":
            """The grid that tells."""
            return self.grid

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "move(-1)", show=False),
        Binding("right,l", "move(1)", show=False),
        Binding("up,k", "row(-1)", show=False),
        Binding("down,j", "row(1)", show=False),
        Binding("space", "mark", show=False),
        Binding("enter", "app.focus_next", show=False),
    ]

    def __init__(
        self,
        choices: Sequence[Choice] = (),
        chosen: Sequence[str] = (),
        *,
        many: bool = False,
        note: str = "",
        nothing: str = "",
        **kwargs: str,
    ) -> None:
        """Of `many` any number can be marked with the space bar; else the cursor chooses.

        The note stands below while nothing is chosen, `nothing` where none is offered. Room is
        kept for as many as are offered first, so that nothing around moves while they are sifted.
        """
        super().__init__(**kwargs)  # type: ignore[arg-type]  # id and classes are texts
        self._many = many
        self._note = note
        self._nothing = nothing
        self._first = 0 if many else len(choices)
        self.set_reactive(ChoiceGrid.chosen, tuple(chosen))
        self.offer(choices)

    def offer(self, choices: Sequence[Choice]) -> None:
        """Let the person choose among these; the cursor is where something is chosen."""
        self.choices = tuple(choices)
        values = [choice.value for choice in choices]
        here = [values.index(value) for value in self.chosen if value in values]
        self.cursor = here[0] if here else 0

    def choose(self, *values: str) -> None:
        """Have these chosen, and nothing else."""
        self.chosen = values
        self.offer(self.choices)

    @property
    def usage(self) -> str:
        """How something is chosen here, in a sentence."""
        return "Arrows go about, space marks." if self._many else "Arrows choose."

    def action_move(self, by: int) -> None:
        """One choice on, or back."""
        self._go(max(0, min(self.cursor + by, len(self.choices) - 1)))

    def action_row(self, by: int) -> None:
        """One row on, or back; from the last one to the next field, from the first to the last."""
        to = self.cursor + by * self._columns(self.size.width)
        if to < 0:
            self.screen.focus_previous()
        elif self.cursor // self._columns(self.size.width) == self._last_row():
            self.screen.focus_next()
        else:
            self._go(min(to, len(self.choices) - 1))

    def action_mark(self) -> None:
        """Mark what is under the cursor, or take the mark away."""
        if not self.choices:
            return
        value = self.choices[self.cursor].value
        if not self._many:
            self._choose((value,))
        elif value in self.chosen:
            self._choose(tuple(each for each in self.chosen if each != value))
        else:
            self._choose((*self.chosen, value))

    def on_key(self, event: textual_events.Key) -> None:
        """Go to what begins with the letter, or tell of it."""
        if not (event.is_printable and event.character) or event.key in self.screen.active_bindings:
            return
        event.stop()
        after = [*self.choices[self.cursor + 1 :], *self.choices[: self.cursor + 1]]
        letter = event.character.casefold()
        begun = [each for each in after if each.shown.plain.casefold().startswith(letter)]
        if begun and len(self.choices) > 1:
            self._go(self.choices.index(begun[0]))
        else:
            self.post_message(self.Typed(self, event.character))

    def on_click(self, event: textual_events.Click) -> None:
        """Choose what the mouse is on."""
        columns, width = self._columns(self.size.width), self._cell_width()
        index = event.y * columns + event.x // width
        if event.x // width < columns and 0 <= index < len(self.choices):
            self.cursor = index
            self.action_mark()

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """As wide as there is room."""
        del viewport
        return container.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many rows as it takes."""
        del container, viewport
        most = max(self._first, len(self.choices))
        rows = -(-most // self._columns(width))
        return max(1, rows + self._has_note)

    def render(self) -> RenderResult:
        """Row by row; brackets around what is chosen, so that no colour is needed to see it."""
        if not self.choices and self._nothing:
            return Content.styled(self._nothing, "$text-error")
        columns = self._columns(self.size.width)
        cells = [self._cell(number, choice) for number, choice in enumerate(self.choices)]
        rows = [cells[at : at + columns] for at in range(0, len(cells), columns)]
        lines = [Content("").join(row) for row in rows]
        if self._has_note:
            lines.append(Content.styled(self._note, "$text-muted"))
        return Content("\n").join(lines)

    def _cell(self, number: int, choice: Choice) -> Content:
        chosen = choice.value in self.chosen
        room = self._cell_width() - (4 if self._many else 2)
        shown = choice.shown.pad_right(room - choice.shown.cell_length)
        if self._many:
            cell = Content.assemble("[x] " if chosen else "[ ] ", shown)
        else:
            cell = Content.assemble("[", choice.shown, "]", " " * (room - choice.shown.cell_length))
            cell = cell if chosen else Content.assemble(" ", shown, " ")
        return cell.stylize("reverse") if self.has_focus and number == self.cursor else cell

    @property
    def _has_note(self) -> bool:
        return bool(self._note) and not self.chosen

    def _go(self, to: int) -> None:
        self.cursor = max(0, to)
        if not self._many and self.choices:
            self._choose((self.choices[self.cursor].value,))

    def _choose(self, values: tuple[str, ...]) -> None:
        if values != self.chosen:
            self.chosen = values
            self.post_message(self.Changed(self))

    def _cell_width(self) -> int:
        widest = max((choice.shown.cell_length for choice in self.choices), default=0)
        return widest + (6 if self._many else 3 if widest > 2 else 2)

    def _columns(self, width: int) -> int:
        return max(1, width // max(1, self._cell_width()))

    def _last_row(self) -> int:
        return max(0, len(self.choices) - 1) // self._columns(self.size.width)
