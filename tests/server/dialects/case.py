"""A case: a conversation with the door as a data file, and what is stored after it.

Texts may hold placeholders. In requests: `<key>`, `<other-key>`, and what an earlier answer
showed. In answers: those of `_SHAPES`, which stand for any text of that shape; names ending in a
number, and those of `_REMEMBERED`, stand for the same text wherever they come again.
"""

import datetime as dt
import json
import pathlib
import re
import tomllib
from typing import Any, Final

import msgspec

FOLDER: Final = pathlib.Path(__file__).parent / "cases"

_SHAPES: Final = {
    "event-id": r"evt_[0-9a-z]{13}",
    "any-event-id": r"evt_[0-9a-z]{13}",
    "project-id": r"prj_[0-9a-z]{13}",
    "request-id": r"req_[0-9a-f]{16}",
    "moment": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "moment-ms": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "retry": r"[1-9]\d?",
    "number": r"\d+",
    "days": r'(?:\{"date":"\d{4}-\d\d-\d\d","events":\d+\},?){7}',
}
_REMEMBERED: Final = {"event-id", "project-id", "retry"}
_PLACEHOLDER: Final = re.compile(r"<([a-z-]+?(?:-ms)?(?:-\d+)?)>")


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table in which a misspelt name is an error."""


class Repeated(_Strict, frozen=True, kw_only=True):
    """A body too large to be written down."""

    before: str
    repeat: str
    count: int
    after: str


class Answer(_Strict, frozen=True, kw_only=True):
    """What the server must say."""

    status: int
    body: str | None = None
    """To the letter, but for placeholders."""
    issues: list[dict[str, Any]] | None = None
    """What the text in `message` must hold, pretty-printed as zod does."""
    headers: dict[str, str] = {}
    absent: tuple[str, ...] = ()


class Step(_Strict, frozen=True, kw_only=True):
    """One request, or several that are alike, and the answer to each."""

    path: str
    answer: Answer
    method: str = "POST"
    headers: dict[str, str] = {}
    body: str | Repeated = ""
    times: int = 1
    later_s: float = 0.0
    """How long after the step before."""


class Setup(_Strict, frozen=True, kw_only=True):
    """A project; what is not named here is what `NewProject` takes."""

    name: str = "shop"
    channels: tuple[str, ...] = ("console",)
    categories: tuple[str, ...] = ()
    strict_destinations: bool = False
    allowed_origins: tuple[str, ...] = ()
    monthly_quota: int | None = None


class ApiKeySetup(_Strict, frozen=True, kw_only=True):
    """The key in `<key>`."""

    value: str | None = None
    scopes: tuple[str, ...] = ("ingest", "read")
    rate_limit: int = 1000


class Stored(_Strict, frozen=True, kw_only=True):
    """What an event must look like; what is left out does not matter."""

    category: str | None = None
    description: str | None = None
    described: bool | None = None
    fields: dict[str, Any] | None = None
    source: str | None = None
    color: int | None = None
    dialect: str | None = None
    occurred_at: dt.datetime | None = None
    times: int = 1
    """How many such events there are in a row."""


class Case(_Strict, frozen=True, kw_only=True):
    """Everything about one conversation."""

    about: str
    step: tuple[Step, ...]
    rows: tuple[int, ...] = ()
    """Which rows of the acceptance matrix it stands for."""
    project: Setup
    other: Setup | None = None
    """Another project, whose key is `<other-key>`."""
    api_key: ApiKeySetup = ApiKeySetup()
    event: tuple[Stored, ...] = ()
    """What is stored in the project in the end, oldest first; nothing unless told."""
    deliveries: int | None = None
    """Of all its events together."""


class Memory:
    """What placeholders stand for, as far as it is known."""

    def __init__(self, known: dict[str, str]) -> None:
        self._known = dict(known)

    def fill(self, text: str) -> str:
        """A request's text with what is known."""
        for name, value in self._known.items():
            text = text.replace(f"<{name}>", value)
        return text

    def matches(self, expected: str, text: str) -> bool:
        """Whether an answer's text is as expected; learns what it shows for the first time."""
        found = re.fullmatch(self._pattern(self.fill(expected)), text)
        if found is not None:
            shown = {name.replace("_", "-"): value for name, value in found.groupdict().items()}
            self._known |= shown
        return found is not None

    def _pattern(self, expected: str) -> str:
        parts: list[str] = []
        end = 0
        for match in _PLACEHOLDER.finditer(expected):
            parts += [re.escape(expected[end : match.start()]), _group(match[1], parts)]
            end = match.end()
        return "".join([*parts, re.escape(expected[end:])])


def _group(name: str, before: list[str]) -> str:
    shape = _SHAPES[re.sub(r"-\d+$", "", name)]
    if name not in _REMEMBERED and not name[-1].isdigit():
        return shape
    group = name.replace("-", "_")
    return f"(?P={group})" if f"(?P<{group}>{shape})" in before else f"(?P<{group}>{shape})"


def bytes_of(body: str | Repeated, memory: Memory) -> bytes:
    """A request's body as it is sent."""
    if isinstance(body, str):
        return memory.fill(body).encode()
    return f"{body.before}{body.repeat * body.count}{body.after}".encode()


def pretty(issues: list[dict[str, Any]]) -> str:
    """The issues as zod's message has them: JavaScript's JSON with an indent of two."""
    return json.dumps(issues, indent=2, ensure_ascii=False)


def paths() -> list[pathlib.Path]:
    """Every case file."""
    return sorted(FOLDER.glob("*/*.toml"))


def load(path: pathlib.Path) -> Case:
    """Read a case file."""
    return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Case)
