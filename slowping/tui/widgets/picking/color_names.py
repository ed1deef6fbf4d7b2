"""List what people call colours."""

from typing import Final

from textual._color_constants import COLOR_NAME_TO_RGB  # nothing public lists the names

from slowping.tui.widgets.picking import presets

_CALLED: Final = {
    "amber": 0xFFBF00,
    "apricot": 0xFBCEB1,
    "burgundy": 0x800020,
    "charcoal": 0x36454F,
    "cream": 0xFFFDD0,
    "emerald": 0x50C878,
    "jade": 0x00A86B,
    "lilac": 0xC8A2C8,
    "mauve": 0xE0B0FF,
    "mint": 0x3EB489,
    "mustard": 0xFFDB58,
    "peach": 0xFFCBA4,
    "petrol": 0x005F6A,
    "rose": 0xFF007F,
    "ruby": 0xE0115F,
    "sand": 0xC2B280,
}
"""Names that CSS does not have."""


def by_color() -> dict[int, str]:
    """The names of each colour, with spaces between: ours first, then those of CSS."""
    of_css = {
        name: red << 16 | green << 8 | blue
        for name, (red, green, blue, *_) in COLOR_NAME_TO_RGB.items()
        if name.isalpha() and name != "transparent"  # others are named after terminals
    }
    names: dict[int, str] = {}
    for name, color in (*presets.COLORS.items(), *_CALLED.items(), *of_css.items()):
        names[color] = f"{names[color]} {name}" if color in names else name
    return names
