"""Turn what was entered into a notifier's settings, or say in one sentence what is wrong."""

import difflib
import functools
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

import msgspec

from slowping.core import errors, redaction, wording
from slowping.notifiers import port
from slowping.notifiers.port import Settings

_JsonSchema = dict[str, Any]


def read(kind: str, form: type[Settings], entered: Mapping[str, Any]) -> Settings:
    """The settings; texts become numbers and lists where those are asked for, null is left out.

    Raises:
        InvalidInput: one sentence that names the setting. It never repeats a secret.
    """
    properties = _properties(form)
    unknown = entered.keys() - properties.keys()
    if unknown:
        raise errors.InvalidInput(_unknown(kind, min(unknown), properties))
    given = {
        name: _as_list(value, properties[name])
        for name, value in entered.items()
        if value is not None
    }
    try:
        return msgspec.convert(given, form, strict=False)
    except msgspec.ValidationError as error:
        # Without its cause: the settings, secrets among them, are in that traceback's frames.
        problem = _sentence(kind, str(error), properties)
    if not form.__module__.startswith("slowping."):  # ours repeat no value, and name examples
        secrets = [str(given[name]) for name in port.secret_names(form) & given.keys()]
        problem = redaction.redact(problem, secrets)
    raise errors.InvalidInput(problem)


def written(settings: Settings) -> dict[str, Any]:
    """The settings that differ from their defaults, as JSON holds them."""
    values: dict[str, Any] = msgspec.to_builtins(settings)
    defaults = {field.encode_name: field.default for field in msgspec.structs.fields(settings)}
    return {name: value for name, value in values.items() if value != defaults[name]}


def schema(form: type[Settings]) -> _JsonSchema:
    """One object schema without references; what is learned and never entered is left out."""
    whole = _resolved(_schema(form))
    properties = {
        name: field for name, field in _properties(form).items() if not field.get("readOnly")
    }
    required = [name for name in whole.get("required", ()) if name in properties]
    return {**whole, "properties": properties, "required": required}


def nearest(name: str, names: Iterable[str]) -> str:
    """A full stop, or one with the nearest right spelling behind it."""
    found = difflib.get_close_matches(name, list(names), n=1)
    return f". Did you mean '{found[0]}'?" if found else "."


# The form ------------------------------------------------------------------------------------


@functools.cache
def _schema(form: type[Settings]) -> _JsonSchema:
    return msgspec.json.schema(form)


@functools.cache
def _properties(form: type[Settings]) -> dict[str, _JsonSchema]:
    properties: dict[str, _JsonSchema] = _resolved(_schema(form))["properties"]
    return {name: _without_null(field) for name, field in properties.items()}


def _resolved(whole: _JsonSchema) -> _JsonSchema:
    """The schema with every reference replaced by what it refers to."""
    definitions: dict[str, Any] = whole.get("$defs", {})

    def follow(part: Any, above: frozenset[str]) -> Any:
        if isinstance(part, list):
            return [follow(each, above) for each in part]
        if not isinstance(part, dict):
            return part
        name = str(part.get("$ref", "")).removeprefix("#/$defs/")
        if name in above:
            return {}  # it holds itself: any value
        if name:
            return follow(definitions[name], above | {name})
        return {key: follow(value, above) for key, value in part.items() if key != "$defs"}

    resolved: _JsonSchema = follow(whole, frozenset())
    return resolved


def _without_null(field: _JsonSchema) -> _JsonSchema:
    """A setting that may be null is one that may be left out: what else it may be."""
    kept = {name: value for name, value in field.items() if name != "default" or value is not None}
    choices = [each for each in kept.pop("anyOf", ()) if each.get("type") != "null"]
    if len(choices) == 1:
        return {**choices[0], **kept}
    return {"anyOf": choices, **kept} if choices else kept


# Reading -------------------------------------------------------------------------------------


def _as_list(value: Any, field: _JsonSchema) -> Any:
    """`a, b` as a list where a list is asked for: on the command line every value is text."""
    if not isinstance(value, str) or field.get("type") != "array":
        return value
    return [part.strip() for part in value.split(",") if part.strip()]


# The sentences -------------------------------------------------------------------------------

_PLACE: Final = re.compile(r" - at `\$(?:\.(\w+))?.*`$")
_MISSING: Final = re.compile(r"Object missing required field `(\w+)`$")


def _unknown(kind: str, name: str, names: Collection[str]) -> str:
    return f"Channels of kind '{kind}' have no setting '{name}'{nearest(name, names)}"


def _sentence(kind: str, told: str, properties: Mapping[str, _JsonSchema]) -> str:
    """What msgspec tells, for a person."""
    problem = _PLACE.sub("", told)
    missing = _MISSING.match(problem)
    if missing and missing[1] in properties:
        return f"Channels of kind '{kind}' need the setting '{missing[1]}'."
    place = _PLACE.search(told)
    if place is None or place[1] is None:
        return f"{told.rstrip('.')}."  # the notifier's own words
    return f"The setting '{place[1]}' {_complaint(problem, properties[place[1]])}."


def _complaint(problem: str, field: _JsonSchema) -> str:
    if "enum" in field and problem.startswith("Invalid enum value"):
        return f"takes one of {', '.join(map(str, field['enum']))}"
    if taken := wording.taken(problem):
        return taken
    hint = field.get("description", "").rstrip(".")
    return f"has the wrong form{': ' if hint else ''}{hint}"
