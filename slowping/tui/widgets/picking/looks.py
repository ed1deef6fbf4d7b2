"""Make the pickers for how a category looks: its emoji and its colour."""

import unicodedata
from typing import Final

from textual.content import Content

from slowping.core import text
from slowping.tui.widgets.category_look import hexadecimal
from slowping.tui.widgets.picking import color_names, presets
from slowping.tui.widgets.picking.choice_grid import Choice
from slowping.tui.widgets.picking.picker import Picker

_NAMES: Final = color_names.by_color()
_LONGEST: Final = 32
_FIRST_DRAWN: Final = "\u203c"
"""No emoji that stands alone comes before it, but two signs of which nobody makes a drawer."""
_SYMBOLS: Final = frozenset({"So", "Sm", "Sk", "Mn", "Me", "Cf", "Po", "Pd"})
_JOIN: Final = "\u200d"
_KEYCAPS: Final = frozenset("0123456789#*\u2139")
"""Letters and digits that are emojis with what varies them."""


def emoji(value: str, *, id: str) -> Picker:  # noqa: A002 - as Textual calls it
    """A picker of emojis; its value is the emoji."""
    return Picker(
        [Choice(value=e, shown=Content(e), words=words) for e, words in presets.EMOJIS.items()],
        value,
        what="emoji",
        read=read_emoji,
        draw=lambda value: Content(text.one_line(value)),
        hint="a word to search, or any emoji",
        id=id,
    )


def color(value: int, *, id: str) -> Picker:  # noqa: A002 - as Textual calls it
    """A picker of colours; its value is written as `#RRGGBB`."""
    presets_of = {each: name for name, each in presets.COLORS.items()}
    more = {each: names for each, names in _NAMES.items() if each not in presets_of}
    return Picker(
        [_swatch(each, _NAMES[each]) for each in presets_of],
        hexadecimal(value),
        what="colour",
        read=read_color,
        draw=named_color,
        hint="a word or #ff8800",
        id=id,
        more=[_swatch(each, names) for each, names in more.items()],
    )


def read_color(typed: str) -> str | None:
    """The colour that was typed, `#2ECC71` or `2ecc71` or `#fff`, as `#RRGGBB`; None if none."""
    digits = typed.removeprefix("#")
    if len(digits) == 3 and typed.startswith("#"):
        digits = "".join(digit * 2 for digit in digits)
    is_color = len(digits) == 6 and all(digit in "0123456789abcdefABCDEF" for digit in digits)
    return f"#{digits.upper()}" if is_color else None


def read_emoji(typed: str) -> str | None:
    """The emoji that was typed or pasted; None of what is a word to search for, or neither."""
    is_drawn = any(letter >= _FIRST_DRAWN for letter in typed)
    fits = 0 < len(typed) <= _LONGEST and all(map(_is_of_emojis, typed))
    return typed if is_drawn and fits else None


def _is_of_emojis(letter: str) -> bool:
    """Whether emojis are made of it: symbols, what joins and varies them, the base of a keycap."""
    is_sign = letter >= _FIRST_DRAWN or letter == _JOIN
    return letter in _KEYCAPS or (is_sign and unicodedata.category(letter) in _SYMBOLS)


def named_color(value: str) -> Content:
    """A colour with its name: a swatch, `lemon`, `#FFEB3B`."""
    names = _NAMES.get(int(value.removeprefix("#"), 16), "")
    return Content.assemble(("██", value), f" {value} ", (names, "$text-muted"))


def _swatch(color: int, names: str) -> Choice:
    value = hexadecimal(color)
    return Choice(value=value, shown=Content.styled("██", value), words=names)
