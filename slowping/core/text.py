"""Make text safe and short: control characters visible, numbers as JavaScript writes them."""

import decimal
import functools
import re
import unicodedata
from typing import Any, Final

import msgspec

ELLIPSIS: Final = "…"

# What a terminal or a reader could take for an instruction: C0 but tab and line feed, DEL, C1,
# direction marks and overrides, zero-width and blank characters, interlinear, shorthand and musical
# marks, tags. The zero-width joiner (U+200D) stays, because emoji are made with it, and so do the
# soft hyphen and the signs of Arabic and other scripts, which belong to words.
_HARMFUL: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u115f\u1160\u180e\u200b\u200c\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)

# Where marks may follow each other: beyond Latin-1 what is no letter, and the later parts of Hangul
# syllables, which are letters but take no room.
_CROWD: Final = re.compile("[^\\w\\s\x00-\u02ff]{5,}|[\u1160-\u11ff\ud7b0-\ud7ff]{5,}")
_MOST_MARKS: Final = 4


def visible(text: str) -> str:
    """The same text with every control character replaced by a mark that can be seen.

    Tab and line feed stay. Of what takes no room of its own, such as accents, vowel points and
    variation selectors, a letter keeps four: hundreds would cover the lines around it.
    """
    marked = _HARMFUL.sub(_marks, text)
    return marked if marked.isascii() else _CROWD.sub(_thinned, marked)


def one_line(text: str) -> str:
    """Visible text without line breaks or tabs, for places that are one line high."""
    return " ".join(visible(text).split())


def _marks(match: re.Match[str]) -> str:
    return "".join(map(_mark, match[0]))


@functools.lru_cache(256)  # a text may hold nothing else, and everyone waits meanwhile
def _mark(letter: str) -> str:
    code = ord(letter)
    # Unicode has pictures for C0 and DEL; everything else becomes the replacement character.
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"


def _thinned(match: re.Match[str]) -> str:
    kept, marks = [], 0
    for letter in match[0]:
        marks = marks + 1 if _takes_no_room(letter) else 0
        if marks <= _MOST_MARKS:
            kept.append(letter)
    return "".join(kept)


@functools.lru_cache(256)  # as above
def _takes_no_room(letter: str) -> bool:
    kind = unicodedata.category(letter)
    # What Python has not heard of is taken for a mark, but where emoji are added every year.
    is_unknown = kind == "Cn" and letter < "\U0001f000"
    return (
        is_unknown
        or kind in ("Mn", "Me", "Mc", "Cf")
        or "\u1160" <= letter <= "\u11ff"
        or "\ud7b0" <= letter <= "\ud7ff"
    )


def utf16_length(text: str) -> int:
    """How many UTF-16 units the text has: the stricter way to count a character limit."""
    return len(text) if text.isascii() else len(_in_utf16(text)) // 2


def clip(text: str, limit: int) -> str:
    """The text, cut with a visible ellipsis where it is longer than `limit` UTF-16 units."""
    if len(text) * 2 <= limit or utf16_length(text) <= limit:
        return text
    kept = _in_utf16(text[:limit])[: 2 * (limit - 1)]
    # Half of a character at the end is left out.
    return kept.decode("utf-16-le", "ignore").rstrip() + ELLIPSIS


def _in_utf16(text: str) -> bytes:
    return text.encode("utf-16-le", "replace")


def shorten(text: str, most: int) -> str:
    """The text, cut with an ellipsis where it is longer than `most` characters.

    Costs nothing, whatever the length: for texts that are worked on before they are clipped.
    """
    return text if len(text) <= most else text[:most] + ELLIPSIS


def upper_first(text: str) -> str:
    """The text with its first character in upper case and the rest as it is."""
    return text[:1].upper() + text[1:]


def show(value: Any) -> str:  # any JSON value
    """A JSON value as a person reads it: scalars as JavaScript's String(), the rest as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _js_float(value)
    if isinstance(value, int):
        return str(value)
    return "null" if value is None else msgspec.json.encode(value).decode()


def _js_float(value: float) -> str:
    """A number as ECMAScript's Number::toString writes it: 49.0 as `49`, 1e21 as `1e+21`."""
    if value == 0:
        return "0"
    sign, digits, exponent = decimal.Decimal(repr(value)).normalize().as_tuple()
    text = "".join(map(str, digits))
    point = len(text) + int(exponent)  # where the decimal point stands, counted from the left
    if 0 < point <= 21:
        body = text.ljust(point, "0") if len(text) <= point else f"{text[:point]}.{text[point:]}"
    elif -6 < point <= 0:
        body = f"0.{'0' * -point}{text}"
    else:
        fraction = f".{text[1:]}" if len(text) > 1 else ""
        body = f"{text[0]}{fraction}e{point - 1:+d}"
    return f"-{body}" if sign else body
