"""Make what a setting is entered with, and read it again."""

from collections.abc import Sequence
from typing import Any, Final

from textual.widget import Widget
from textual.widgets import Input, TextArea

from slowping.core import text
from slowping.tui.channel.schema import Field, Shape
from slowping.tui.modals.line import choice
from slowping.tui.widgets.picking.choice_grid import ChoiceGrid

_UNSET: Final = "unset"
_DEFAULT: Final = ""
"""The choice that leaves a setting as it is by default."""


def control(field: Field, value: Any, kept: str | None) -> Widget:
    """What it is entered with; `kept` is how a secret is shown that is set already."""
    if field.shape in (Shape.SWITCH, Shape.CHOICE):
        every = _choices(field)
        held = [name for name, each in every if each == value] or [every[0][0]]
        return ChoiceGrid([choice(name, _called(field, each)) for name, each in every], held[:1])
    hint = _hint(field, kept)
    if field.many_lines:
        return TextArea(value, compact=True, placeholder=hint, show_line_numbers=False)
    return Input(value, compact=True, password=field.shape is Shape.SECRET, placeholder=hint)


def typed(field: Field, given: Widget) -> Any:
    """What stands in it: a text, or the value itself where it is chosen."""
    if isinstance(given, Input):
        return given.value
    if isinstance(given, TextArea):
        return given.text
    assert isinstance(given, ChoiceGrid)  # noqa: S101 - there is no other
    return dict(_choices(field))[given.chosen[0]]


def unsetting() -> Widget:
    """A mark by which a secret goes back to its default."""
    return ChoiceGrid([choice(_UNSET)], many=True, classes=_UNSET)


def is_unset(given: Widget | None) -> bool:
    """Whether it does."""
    return isinstance(given, ChoiceGrid) and _UNSET in given.chosen


def _choices(field: Field) -> Sequence[tuple[str, Any]]:
    """The values there are, each by a name of no meaning."""
    if field.shape is Shape.SWITCH:
        return (("no", False), ("yes", True))
    numbered = [(str(number), each) for number, each in enumerate(field.choices)]
    return numbered if field.required else [(_DEFAULT, None), *numbered]


def _called(field: Field, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is not None:
        return text.show(value)
    return "default" if field.default is None else f"default ({text.show(field.default)})"


def _hint(field: Field, kept: str | None) -> str:
    if kept is not None:
        return f"{text.one_line(kept)} stays"
    if field.required:
        return "required"
    return "optional" if field.default in (None, "") else text.one_line(text.show(field.default))
