"""Read what a request says: its key, its query, its body; and say in words what is wrong."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar

import msgspec

from slowping.core import errors, text, wording
from slowping.core.problem import Issue
from slowping.server import http

T = TypeVar("T")

_PLACE: Final = re.compile(r"^(?P<flaw>.*?)(?: - at `(?:key in )?\$(?P<path>.*)`)?$", re.DOTALL)
_LONGEST_FLAW: Final = 500
"""Characters of what msgspec says that are read: it repeats names as long as they are."""
_STEP: Final = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<number>\d{1,9})\]|\[\.\.\.\]")


class QueryParameters(Protocol):
    """The query of a URL, in which a name may come more than once."""

    def keys(self) -> Any:  # any view of the names
        """Every name, once."""
        ...

    def getall(self, key: str) -> Sequence[str]:
        """Every value of a name."""
        ...


def credential(headers: Mapping[str, str]) -> str:
    """The API key, from `Authorization: Bearer` or from `X-API-Key`.

    Raises:
        NoCredential, MalformedCredential, EmptyCredential: there is none.
    """
    bearer = headers.get("authorization")
    if bearer is None:
        key = headers.get("x-api-key")
        if key is None:
            raise errors.NoCredential
    else:
        scheme, _, key = bearer.strip().partition(" ")
        if scheme.lower() != "bearer":
            raise errors.MalformedCredential
    if not key.strip():
        raise errors.EmptyCredential
    return key.strip()


def query(parameters: QueryParameters, wanted: type[T]) -> T:
    """The query as a struct; where a name that is no list comes twice, the last value counts.

    Raises:
        InvalidInput: it is not what is asked for.
    """
    lists = {
        field.encode_name
        for field in msgspec.structs.fields(wanted)  # type: ignore[arg-type]  # it is a struct
        if isinstance(field.default, tuple)
    }
    given = {
        name: values if name in lists else values[-1]
        for name in parameters.keys()  # noqa: SIM118 - iterating gives a name twice
        if (values := parameters.getall(name))
    }
    try:
        return msgspec.convert(given, wanted, strict=False)
    except msgspec.ValidationError as flaw:
        raise _explained(str(flaw)) from None


def body(content: bytes, wanted: msgspec.json.Decoder[T]) -> T:
    """The body as a struct; a byte order mark is gone by now.

    Raises:
        InvalidJson: it is not JSON.
        InvalidInput: it is JSON, but not what is asked for, or too many arrays and objects.
    """
    if http.is_crowded(content):
        raise errors.InvalidInput(
            f"A body has at most {http.MAX_CONTAINERS:,} arrays and objects.",
        )
    try:
        # Through text: msgspec does not look at the UTF-8 of members that it skips.
        return wanted.decode(content.decode())
    except msgspec.ValidationError as flaw:
        raise _explained(str(flaw)) from None
    except (ValueError, RecursionError):  # all else that msgspec and UTF-8 object to
        raise errors.InvalidJson from None


def _explained(flaw: str) -> errors.InvalidInput:
    """What msgspec finds wrong, with `$[2].category` as `item 3, category`."""
    flaw = text.shorten(flaw, _LONGEST_FLAW)
    match = _PLACE.match(flaw)
    words, path = (match["flaw"], match["path"]) if match else (flaw, None)
    place = ", ".join(
        step["name"] or (f"item {int(step['number']) + 1}" if step["number"] else "one member")
        for step in _STEP.finditer(path or "")
    )
    sentence = f"{wording.reworded(words)}."
    whole = f"the request {sentence}" if sentence.startswith("takes ") else sentence
    problem = f"{place}: {sentence}" if place else text.upper_first(whole)
    return errors.InvalidInput(problem, (Issue(path=place, problem=sentence),))
