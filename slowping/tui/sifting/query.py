"""Decide which rows match what a person has typed into the filter: events, or any others."""

import re
from collections.abc import Mapping
from typing import Final, Self

import msgspec

from slowping.core import text
from slowping.core.event import Event
from slowping.tui.sifting.standing import gravest

_WORD: Final = re.compile(r'(?:\\"|[^\s"]|"(?:\\"|[^"])*"?)+')
_QUOTE: Final = re.compile(r'(\\?)"')
_EXACTLY: Final = "="
_NAMED: Final = ("category", "project", "source", "state")

Counts = dict[str, int]
"""How many deliveries are in each state."""


class Term(msgspec.Struct, frozen=True):
    """One thing that is asked for: words anywhere, or the start of what is named.

    Where the words begin with `=`, the rest is all of what is named.
    """

    name: str | None
    words: str

    def __str__(self) -> str:
        words = self.words.replace('"', '\\"')
        words = f'"{words}"' if re.search(r"\s", words) else words
        return words if self.name is None else f"{self.name}:{words}"


class Query(msgspec.Struct, frozen=True):
    """What has to be true of an event, all of it; or, inverted, must not all be true."""

    terms: tuple[Term, ...] = ()
    inverted: bool = False

    @classmethod
    def read(cls, typed: str, inverted: bool = False) -> Self:
        r"""What was typed: words, and `category:`, `project:`, `source:`, `state:` with a word.

        What stands between double quotes is one word; `\"` is a quote itself.
        """
        found = _WORD.findall(typed.casefold())
        words = (_QUOTE.sub(lambda quote: '"' if quote[1] else "", word) for word in found)
        return cls(tuple(_term(word) for word in words if word), inverted)

    @classmethod
    def exactly(cls, **named: str) -> Self:
        """What is called just so: `category="sale"` leaves out `sale-eu`."""
        words = {name: f"{_EXACTLY}{value.casefold()}" for name, value in named.items()}
        return cls(tuple(Term(name, word) for name, word in words.items()))

    @property
    def is_on(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.terms)

    def matches(self, event: Event, counts: Counts, haystack: str) -> bool:
        """Whether the event is to be shown; `haystack` is its text in lower case."""
        if not self.terms:
            return True
        return all(_holds(term, event, counts, haystack) for term in self.terms) is not (
            self.inverted
        )

    def fits(self, facts: Mapping[str, str]) -> bool:
        """Whether a row of a table is to be shown, which says all this of itself."""
        if not self.terms:
            return True
        haystack = " ".join(facts.values()).casefold()
        return all(_is_said(term, facts, haystack) for term in self.terms) is not self.inverted


def haystack(event: Event) -> str:
    """All of an event that words are looked for in, in lower case."""
    fields = " ".join(f"{name} {text.show(value)}" for name, value in event.fields.items())
    return " ".join(
        (event.category, event.description or "", event.source or "", fields)
    ).casefold()


def standing(counts: Counts) -> str:
    """How the deliveries of an event stand: `failed`, `waiting`, `delivered`, `none` ..."""
    found = gravest(counts)
    return "none" if found is None else found.value


def _term(word: str) -> Term:
    name, colon, rest = word.partition(":")
    named = [full for full in _NAMED if name and full.startswith(name)] if colon else []
    return Term(named[0], rest) if len(named) == 1 else Term(None, word)


def _is_said(term: Term, facts: Mapping[str, str], haystack: str) -> bool:
    if term.name is None:
        return term.words in haystack
    return _is_called(facts.get(term.name, ""), term)


def _holds(term: Term, event: Event, counts: Counts, haystack: str) -> bool:
    match term.name:
        case None:
            return term.words in haystack or term.words == event.id
        case "state":
            return _is_called(standing(counts), term)
        case "category":
            return _is_called(event.category, term)
        case "project":
            return _is_called(event.project, term)
        case _:
            return _is_called(event.source or "", term)


def _is_called(name: str, term: Term) -> bool:
    if term.words.startswith(_EXACTLY):
        return name.casefold() == term.words.removeprefix(_EXACTLY)
    return name.casefold().startswith(term.words)
