"""A line of a form: what a setting is called, and something to enter it with."""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from slowping.core import text
from slowping.tui.channel.schema import Field, Shape
from slowping.tui.widgets import drawing
from slowping.tui.widgets.picking.choice_grid import Choice, ChoiceGrid

_LABEL_WIDTH: Final = 20
_UNSET: Final = "unset"
_DEFAULT: Final = ""
"""The choice that leaves a setting as it is by default."""


class SettingField(Horizontal):
    """Holds what is entered; up and down lead to the fields before and after it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]

    def __init__(
        self, field: Field, value: Any = "", kept: str | None = None, *, proposed: bool = False
    ) -> None:
        """`value` is what it holds at first; `kept` is how a secret is shown that is set.

        What is only `proposed` makes way for what is typed.
        """
        super().__init__()
        self.field = field
        self._kept = kept
        self._proposed = proposed
        self._control = self._made(value)

    def compose(self) -> ComposeResult:
        """The name, the control, and for a secret that can be taken away a mark to do so."""
        yield Static(id="name")
        yield self._control
        if self._kept is not None and not self.field.required:
            yield ChoiceGrid([_choice(_UNSET, _UNSET)], many=True, id=_UNSET)

    def on_mount(self) -> None:
        """Nothing is wrong yet."""
        self.mark(wrong=False)

    @property
    def typed(self) -> Any:
        """What it holds: a text, or the value itself where it is chosen."""
        control = self._control
        if isinstance(control, Input):
            return control.value
        if isinstance(control, TextArea):
            return control.text
        assert isinstance(control, ChoiceGrid)  # noqa: S101 - there is no other
        return dict(self._choices())[control.chosen[0]]

    @property
    def unset(self) -> bool:
        """Whether the secret is to go back to its default."""
        return any(_UNSET in grid.chosen for grid in self.query(f"#{_UNSET}").results(ChoiceGrid))

    @property
    def help(self) -> str:
        """What it takes."""
        parts = [self.field.help]
        if self._kept is not None:
            parts.append("Left empty, the one that is set stays.")
        if self.field.shape is Shape.SECRET:
            parts.append("ctrl+r shows what is typed.")
        told = " ".join(filter(None, parts))
        return f"{self.field.label}: {told}" if told else self.field.label

    def go(self) -> None:
        """Put the focus here."""
        self._control.focus()

    def mark(self, *, wrong: bool) -> None:
        """Show whether this is the one that something is wrong with."""
        self.set_class(wrong, "-wrong")
        label = f"{'✗ ' if wrong else ''}{self.field.label}"
        required = " *" if self.field.required else ""
        name = drawing.fit(label, min(len(label), _LABEL_WIDTH - len(required))) + required
        self.query_one("#name", Static).update(Content(name))

    def show_secret(self, *, shown: bool) -> None:
        """Show what is typed into a secret, or hide it."""
        if self.field.shape is Shape.SECRET and isinstance(self._control, Input):
            self._control.password = not shown

    # What it is entered with ------------------------------------------------------------------

    def _made(self, value: Any) -> Widget:
        field = self.field
        if field.shape in (Shape.SWITCH, Shape.CHOICE):
            chosen = [key for key, choice in self._choices() if choice == value]
            shown = [_choice(key, self._called(choice)) for key, choice in self._choices()]
            return ChoiceGrid(shown, chosen[:1] or (shown[0].value,))
        if field.many_lines:
            return TextArea(value, compact=True, placeholder=self._hint(), show_line_numbers=False)
        return Input(
            value,
            compact=True,
            password=field.shape is Shape.SECRET,
            placeholder=self._hint(),
            select_on_focus=self._proposed,
        )

    def _choices(self) -> Sequence[tuple[str, Any]]:
        """The values there are, by a name of no meaning."""
        if self.field.shape is Shape.SWITCH:
            return (("no", False), ("yes", True))
        numbered = [(str(number), each) for number, each in enumerate(self.field.choices)]
        return numbered if self.field.required else [(_DEFAULT, None), *numbered]

    def _called(self, choice: Any) -> str:
        if isinstance(choice, bool):
            return "yes" if choice else "no"
        if choice is not None:
            return text.one_line(text.show(choice))
        default = self.field.default
        return "default" if default is None else f"default ({text.one_line(text.show(default))})"

    def _hint(self) -> str:
        if self._kept is not None:
            return f"{text.one_line(self._kept)} stays"
        if self.field.required:
            return "required"
        default = self.field.default
        return "optional" if default in (None, "") else text.one_line(text.show(default))


def _choice(value: str, shown: str) -> Choice:
    return Choice(value=value, shown=Content(shown))
