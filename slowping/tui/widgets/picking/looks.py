"""Make the pickers for how a category looks: its emoji and its colour."""

from textual.content import Content

from slowping.core import text
from slowping.tui.widgets.category_look import hexadecimal
from slowping.tui.widgets.picking import presets
from slowping.tui.widgets.picking.choice_grid import Choice
from slowping.tui.widgets.picking.picker import Picker


def emoji(value: str, *, id: str) -> Picker:  # noqa: A002 - as Textual calls it
    """A picker of emojis; its value is the emoji."""
    return Picker(
        [Choice(value=e, shown=Content(e), words=words) for e, words in presets.EMOJIS.items()],
        value,
        read=read_emoji,
        draw=lambda value: Content(text.one_line(value)),
        hint="a word to search, or any emoji",
        id=id,
    )


def color(value: int, *, id: str) -> Picker:  # noqa: A002 - as Textual calls it
    """A picker of colours; its value is written as `#RRGGBB`."""
    colors = {name: hexadecimal(each) for name, each in presets.COLORS.items()}
    return Picker(
        [Choice(value=v, shown=Content.styled("██", v), words=n) for n, v in colors.items()],
        hexadecimal(value),
        read=read_color,
        draw=named_color,
        hint="a word, or #RRGGBB",
        id=id,
    )


def read_color(typed: str) -> str | None:
    """The colour that was typed, `#2ECC71` or `2ecc71` or `#fff`, as `#RRGGBB`; None if none."""
    digits = typed.removeprefix("#")
    if len(digits) == 3 and typed.startswith("#"):
        digits = "".join(digit * 2 for digit in digits)
    is_color = len(digits) == 6 and all(digit in "0123456789abcdefABCDEF" for digit in digits)
    return f"#{digits.upper()}" if is_color else None


def read_emoji(typed: str) -> str | None:
    """The emoji that was typed or pasted; None of what is a word to search for."""
    return typed if typed and not typed.isascii() and len(typed) <= 32 else None


def named_color(value: str) -> Content:
    """A colour with its name: a swatch, `lemon`, `#FFEB3B`."""
    names = [name for name, color in presets.COLORS.items() if hexadecimal(color) == value]
    return Content.assemble(("██", value), f" {value} ", (" ".join(names), "$text-muted"))
