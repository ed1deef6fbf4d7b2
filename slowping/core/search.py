"""Read what a person looks for in the texts of events: words, parts of them, and phrases."""

import re
from typing import Final

import msgspec

from slowping.core import errors

MAX_PHRASES: Final = 32
"""Most that may be looked for at once."""

MAX_BEGINNINGS: Final = 8
"""Most of them that may go on: the index gathers all that begins so before it finds the first."""

MAX_LENGTH: Final = 1_000
"""Longest text, in characters, that says what is looked for."""

_PHRASE: Final = re.compile(r'"(?P<quoted>[^"]*)"?(?P<more>\*?)|(?P<word>[^\s"]+)')


class Phrase(msgspec.Struct, frozen=True):
    """Words that have to stand side by side."""

    words: str
    is_beginning: bool = False
    """Whether the last word may go on: `refund*` finds `refunded`."""


def phrases(typed: str) -> tuple[Phrase, ...]:
    """What has to be found, all of it: each word, or what stands between double quotes.

    What has no letter and no digit is left out: nobody could find it.

    Raises:
        InvalidInput: there is nothing to look for, or too much.
    """
    if len(typed) > MAX_LENGTH:
        raise errors.InvalidInput(f"text: it has at most {MAX_LENGTH} characters.")
    named = map(_phrase, _PHRASE.finditer(typed.replace("\0", " ")))
    # Each once: twice the same costs twice, and finds nothing else.
    found = tuple(dict.fromkeys(phrase for phrase in named if _has_words(phrase)))
    if not found:
        raise errors.InvalidInput("text: there is no word in it. It has letters or digits.")
    if len(found) > MAX_PHRASES:
        raise errors.InvalidInput(f"text: it has at most {MAX_PHRASES} words.")
    if sum(phrase.is_beginning for phrase in found) > MAX_BEGINNINGS:
        raise errors.InvalidInput(f"text: it has at most {MAX_BEGINNINGS} words that end in *.")
    return found


def _phrase(match: re.Match[str]) -> Phrase:
    word = match["word"]
    if word is None:
        return Phrase(match["quoted"], is_beginning=bool(match["more"]))
    return Phrase(word.rstrip("*"), is_beginning=word.endswith("*"))


def _has_words(phrase: Phrase) -> bool:
    return any(map(str.isalnum, phrase.words))
