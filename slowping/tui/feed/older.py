"""Decide what to ask a server for, so that it finds the older events that a filter lets through."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from slowping.tui.sifting.query import Query, Term

NO_FILTER: Final = "Type what to look for; behind enter, s asks the server."
_INVERTED: Final = "A filter that is turned round cannot be searched for: ! turns it back."
_TOO_WIDE: Final = "Only words and whole categories are searched for: / adds one to the filter."


def why_not(query: Query, categories: Collection[str]) -> str | None:
    """Why a server cannot be asked for it; None where it can."""
    if query.inverted:
        return _INVERTED
    return None if asked(query, categories) else _TOO_WIDE


def asked(query: Query, categories: Collection[str]) -> Mapping[str, Any]:
    """The filters of the server's list that leave out the most, and nothing that is wanted.

    What they do not know, such as the state of deliveries, the list itself leaves out.
    """
    words = [_beginning(term.words) for term in query.terms if term.name is None]
    names = [name for term in query.terms if (name := _whole(term, categories))]
    text = {"text": " ".join(words)} if any(map(str.isalnum, "".join(words))) else {}
    return text | ({"category": names[0]} if names else {})


def _beginning(words: str) -> str:
    """Words of which the last may go on, as the list takes it while somebody types."""
    plain = words.replace('"', " ")
    return f'"{plain}"*'


def _whole(term: Term, categories: Collection[str]) -> str | None:
    """The one category that a term lets through, as it is spelt."""
    if term.name != "category":
        return None
    wanted = term.words.removeprefix("=")
    is_exact = wanted != term.words
    found = [
        name
        for name in categories
        if name.casefold() == wanted or (not is_exact and name.casefold().startswith(wanted))
    ]
    return found[0] if len(found) == 1 else None
