"""Decide which events match what a person has typed into the filter."""

import re
from collections.abc import Mapping
from typing import Final, Self

import msgspec

from slowping.core import text
from slowping.core.delivery import DeliveryState
from slowping.core.event import Event

_WORD: Final = re.compile(r'(?:[^\s"]|"[^"]*"?)+')
_NAMED: Final = ("category", "project", "source", "state")

Counts = dict[str, int]
"""How many deliveries are in each state."""


class Term(msgspec.Struct, frozen=True):
    """One thing that is asked for: words anywhere, or the start of what is named."""

    name: str | None
    words: str

    def __str__(self) -> str:
        words = f'"{self.words}"' if " " in self.words else self.words
        return words if self.name is None else f"{self.name}:{words}"


class Query(msgspec.Struct, frozen=True):
    """What has to be true of an event, all of it; or, inverted, must not all be true."""

    terms: tuple[Term, ...] = ()
    inverted: bool = False

    @classmethod
    def read(cls, typed: str, inverted: bool = False) -> Self:
        """What was typed: words, and `category:`, `project:`, `source:`, `state:` with a word.

        What stands between double quotes is one word.
        """
        words = (word.replace('"', "") for word in _WORD.findall(typed.casefold()))
        return cls(tuple(_term(word) for word in words if word), inverted)

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
    if counts.get(DeliveryState.FAILED):
        return "failed"
    if counts.get(DeliveryState.PENDING) or counts.get(DeliveryState.LEASED):
        return "waiting"
    if counts.get(DeliveryState.DISCARDED):
        return "discarded"
    return "delivered" if counts.get(DeliveryState.DELIVERED) else "none"


def _term(word: str) -> Term:
    name, colon, rest = word.partition(":")
    named = [full for full in _NAMED if name and full.startswith(name)] if colon else []
    return Term(named[0], rest) if len(named) == 1 else Term(None, word)


def _is_said(term: Term, facts: Mapping[str, str], haystack: str) -> bool:
    if term.name is None:
        return term.words in haystack
    return facts.get(term.name, "").casefold().startswith(term.words)


def _holds(term: Term, event: Event, counts: Counts, haystack: str) -> bool:
    match term.name:
        case None:
            return term.words in haystack or term.words == event.id
        case "state":
            return standing(counts).startswith(term.words)
        case "category":
            return event.category.casefold().startswith(term.words)
        case "project":
            return event.project.casefold().startswith(term.words)
        case _:
            return (event.source or "").casefold().startswith(term.words)
