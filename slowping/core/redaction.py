"""Take secrets out of what is said, by their value, however they are spelt."""

import base64
import collections
import contextlib
import html
import json
import re
import urllib.parse
from collections.abc import Collection, Hashable, Iterable, Iterator
from typing import Final

from slowping.core import api_key
from slowping.core.text import ELLIPSIS

MARK: Final = "[secret]"

SHORTEST: Final = 8
"""Characters of the shortest secret that is looked for everywhere: a shorter one is a word."""

_LEAST: Final = 3

_OWN_KEY: Final = re.compile(rf"{api_key.PREFIX}[0-9A-Za-z]{{49}}(?![0-9A-Za-z])")
_WEBHOOK_SECRET: Final = "whsec_"  # noqa: S105 - what such secrets start with


def redact(said: str, secrets: Iterable[str]) -> str:
    """Somebody's words without the secrets that he was told, however short these are."""
    for secret in secrets:
        if len(secret) < _LEAST:
            continue  # its letters stand in every text
        for spelling in sorted(spellings(secret), key=len, reverse=True):
            said = said.replace(spelling, MARK)
    return said


class Redaction:
    """Knows the secrets that are in use, and takes them out of any text.

    It costs about the same however many there are: whether a text holds the start of one is told
    by a dictionary.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._held: dict[Hashable, frozenset[str]] = {}
        self._holders: collections.Counter[str] = collections.Counter()
        self._by_start: dict[str, collections.Counter[str]] = {}
        """How many secrets are spelt so, by the first `SHORTEST` characters."""
        self.hold(None, secrets)

    def hold(self, owner: Hashable, secrets: Iterable[str]) -> None:
        """Know these secrets of an owner from now on, and no others of his."""
        held = frozenset(secret for secret in secrets if len(secret) >= SHORTEST)
        before = self._held.get(owner, frozenset())
        for secret in held - before:
            self._holders[secret] += 1
            if self._holders[secret] == 1:
                self._learn(secret)
        for secret in before - held:
            self._holders[secret] -= 1
            if not self._holders[secret]:
                self._forget(secret)
        if held:
            self._held[owner] = held
        else:
            self._held.pop(owner, None)

    @contextlib.contextmanager
    def holding(self, owner: Hashable, secrets: Iterable[str]) -> Iterator[None]:
        """Know these secrets as well, until the block ends."""
        self.hold(owner, secrets)
        try:
            yield
        finally:
            self.hold(owner, ())

    def clean(self, said: str) -> str:
        """The text, with a mark in place of every secret and every API key of our own form.

        Where a text was cut within a secret, what is left of it goes too, from `SHORTEST`
        characters on.
        """
        if self._by_start:
            said = self._without_known(said)
        return _OWN_KEY.sub(_shortened, said) if api_key.PREFIX in said else said

    def _without_known(self, said: str) -> str:
        places = range(len(said) - SHORTEST + 1)
        if self._by_start.keys().isdisjoint({said[at : at + SHORTEST] for at in places}):
            return said
        kept: list[str] = []
        place = done = 0
        while place <= len(said) - SHORTEST:
            end = self._end(said, place)
            if end is None:
                place += 1
                continue
            kept += (said[done:place], MARK)
            place = done = end
        return "".join((*kept, said[done:]))

    def _end(self, said: str, place: int) -> int | None:
        """Where the longest secret ends that begins here; None where none does."""
        # At once: another thread may have secrets of its own to tell of.
        begun = tuple(self._by_start.get(said[place : place + SHORTEST], ()))
        ends = [place + len(secret) for secret in begun if said.startswith(secret, place)]
        if ends or not begun:
            return max(ends, default=None)
        rest = said[place:].removesuffix(ELLIPSIS)
        return place + len(rest) if any(secret.startswith(rest) for secret in begun) else None

    def _learn(self, secret: str) -> None:
        for spelling in spellings(secret):
            start = spelling[:SHORTEST]
            self._by_start.setdefault(start, collections.Counter())[spelling] += 1

    def _forget(self, secret: str) -> None:
        del self._holders[secret]
        for spelling in spellings(secret):
            same_start = self._by_start[spelling[:SHORTEST]]
            same_start[spelling] -= 1
            if not same_start[spelling]:
                del same_start[spelling]
            if not same_start:
                del self._by_start[spelling[:SHORTEST]]


# Spellings ------------------------------------------------------------------------------------


def spellings(secret: str) -> Collection[str]:
    """Every way in which a far side or a library may repeat a secret, and what is one in it.

    Left out is what is shorter than `SHORTEST`, or than a secret that is shorter itself.
    """
    is_address = "://" in secret
    found: set[str] = set()
    for part in _parts(secret):
        found.update(_spelt(part))
        # What lets one in at an address is a part of its own, and found in base64 by that.
        if not (is_address and "/" in part):
            found.update(_in_base64(part.encode("utf-8", "replace")))
    return {spelling for spelling in found if len(spelling) >= min(SHORTEST, len(secret))}


def _parts(secret: str) -> Iterator[str]:
    """The secret, and parts of it that are sent by themselves."""
    yield secret
    if "://" in secret:
        yield from _parts_of_address(secret)
    elif secret.startswith(_WEBHOOK_SECRET):
        yield secret.removeprefix(_WEBHOOK_SECRET)
    elif _looks_random(tail := secret.rpartition(":")[2]):
        yield tail  # of a bot's token, which begins with the bot's number


def _parts_of_address(address: str) -> Iterator[str]:
    """The path and what it is made of, and the values of the query: hosts are no secrets."""
    try:
        parts = urllib.parse.urlsplit(address)
    except ValueError:
        return
    steps = [step for step in parts.path.split("/") if _looks_random(step)]
    if steps:
        yield parts.path
    if parts.query:
        yield f"{parts.path}?{parts.query}"
    yield from steps
    for _, value in urllib.parse.parse_qsl(parts.query):
        yield value


def _looks_random(step: str) -> bool:
    """Whether it is more than a word: `hooks` in a path is none of anybody's secrets."""
    return len(step) >= 16 or (len(step) >= SHORTEST and any(map(str.isdigit, step)))


def _spelt(secret: str) -> Iterator[str]:
    yield secret
    if _PLAIN.fullmatch(secret):
        return  # it is written the same everywhere
    yield " ".join(secret.split())
    yield urllib.parse.quote(secret)
    yield urllib.parse.quote(secret, safe="")
    yield urllib.parse.quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]
    yield html.escape(secret)


_PLAIN: Final = re.compile(r"[A-Za-z0-9_.~-]*")


def _in_base64(secret: bytes) -> Iterator[str]:
    """How it reads in base64, also where something stands before and behind it, as in a login."""
    for before in range(3):
        coded = base64.b64encode(bytes(before) + secret).decode()
        # Only characters that depend on nothing but the secret.
        piece = coded[(before * 8 + 5) // 6 : (before + len(secret)) * 8 // 6]
        yield piece
        yield piece.replace("+", "-").replace("/", "_")


def _shortened(key: re.Match[str]) -> str:
    return api_key.shown(key[0]) + ELLIPSIS
