"""Say in words for a person what msgspec finds wrong with a value."""

import re
import typing
from typing import Any, Final

import msgspec

from slowping.core import channel, project

_TYPES: Final = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "names with values",
    "datetime": "a date",
    "null": "nothing",
}
_BOUNDS: Final = {
    "<=": "at most", ">=": "at least", "<": "less than", ">": "more than", "==": "exactly",
}  # fmt: skip
_UNITS: Final = {"str": "character", "array": "item"}

_MISSING: Final = re.compile(r"Object missing required field `([^`]+)`$")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `([^`]+)`$")
_OTHER_TYPE: Final = re.compile(r"Expected `([^`]+)`, got `([^`]+)`$")
_OUT_OF_BOUNDS: Final = re.compile(r"Expected `(\w+)`( of length)? ([<>=]+) (\S+)$")
_NO_DATE: Final = "Invalid RFC3339 encoded datetime"


def _form(annotated: Any) -> tuple[str, str]:  # an annotated type
    """How msgspec names a type with a pattern, and how people do."""
    [meta] = (each for each in typing.get_args(annotated) if isinstance(each, msgspec.Meta))
    return f"Expected `str` matching regex {meta.pattern!r}", meta.description or "another form"


_FORMS: Final = dict(map(_form, (project.Name, project.Origin, channel.Name)))


def taken(flaw: str) -> str | None:
    """What is taken instead, such as `takes text, not a whole number`; None for other flaws.

    `flaw` is msgspec's sentence without the place.
    """
    if other := _OTHER_TYPE.match(flaw):
        return f"takes {_types(other[1])}, not {_types(other[2])}"
    if bound := _OUT_OF_BOUNDS.match(flaw):
        return f"takes {_types(bound[1])} of {_BOUNDS[bound[3]]} {bound[4]}{_unit(bound)}"
    if flaw == _NO_DATE:
        return "takes a date with its offset, such as 2026-03-06T10:30:00Z"
    return f"takes {_FORMS[flaw]}" if flaw in _FORMS else None


def reworded(flaw: str) -> str:
    """The same flaw in words; one that has no words of ours stays as msgspec tells it."""
    if missing := _MISSING.match(flaw):
        return f"the field '{missing[1]}' is missing"
    if unknown := _UNKNOWN.match(flaw):
        return f"there is no field '{unknown[1]}'"
    return taken(flaw) or flaw


def _unit(bound: re.Match[str]) -> str:
    if not bound[2]:
        return ""
    return f" {_UNITS.get(bound[1], 'item')}{'' if bound[4] == '1' else 's'}"


def _types(names: str) -> str:
    wanted = [name for name in names.split(" | ") if name != "null"] or ["null"]
    return " or ".join(_TYPES.get(name, name) for name in wanted)
