"""Turn settings into what a form shows, and what was typed into settings, or say what is wrong."""

import json
import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from slowping.core import text
from slowping.tui.channel import schema
from slowping.tui.channel.schema import Field, Path, Schema, Shape

Typed = Mapping[Path, Any]
"""What the form holds: texts, and the values themselves of switches and choices; None is none."""


def entered(field: Field, settings: Mapping[str, Any]) -> Any:
    """What the field holds where these are the settings; nothing for a secret, which stays."""
    value = _at(settings, field.path)
    if field.shape is Shape.SWITCH:
        return bool(field.default) if value is None else value
    if field.shape is Shape.CHOICE:
        return value
    return "" if value is None or field.shape is Shape.SECRET else written(field, value)


def written(field: Field, value: Any) -> str:
    """A value as it is typed, made harmless: a field shows what is in it as it is."""
    shown = text.visible(_written(field, value))
    return shown if field.many_lines else shown.translate(_MARKS)


_MARKS = str.maketrans({"\n": "␊", "\t": "␉"})


def _written(field: Field, value: Any) -> str:
    match field.shape, value:
        case Shape.NUMBERS, list():
            return ", ".join(map(text.show, value))
        case Shape.LINES, list():
            return "\n".join(map(text.show, value))
        case Shape.PAIRS, dict():
            return "\n".join(f"{name}: {text.show(each)}" for name, each in value.items())
        case Shape.JSON, _:
            return json.dumps(value, ensure_ascii=False)
    return text.show(value)


def value_of(field: Field, typed: Any) -> Any:
    """What was typed, as the setting's value; None where nothing was."""
    if not isinstance(typed, str) or field.shape is Shape.CHOICE:
        return typed
    # A text that is entered on one line is taken without the spaces of a careless paste.
    words = typed.strip()
    if not words:
        return None
    match field.shape:
        case Shape.NUMBER:
            return _number(words)
        case Shape.NUMBERS:
            return [_number(word) for word in re.split(r"[,\s]+", words) if word]
        case Shape.LINES:
            return [line.strip() for line in words.splitlines() if line.strip()]
        case Shape.PAIRS:
            return _pairs(words)
        case Shape.JSON:
            return _json(words)
    return words


def settings(form: Sequence[Field], typed: Typed) -> dict[str, Any]:
    """What was typed as the settings of a new channel; what was left empty is left out."""
    found: dict[str, Any] = {}
    begun = _begun(form, typed)
    for field in form:
        value = value_of(field, typed.get(field.path))
        if value is None or (field.shape is Shape.SWITCH and value == field.default):
            continue
        if not field.optional_group or field.optional_group in begun:
            _put(found, field.path, value)
    return found


def change(
    form: Sequence[Field],
    before: Mapping[str, Any],
    typed: Typed,
    unset: Collection[Path] = (),
) -> dict[str, Any]:
    """What was changed, setting by setting; None takes one away.

    A secret of which nothing was typed stays, unless it is among the `unset` ones.
    """
    touched = {field.path[0] for field in form if _is_touched(field, before, typed, unset)}
    found: dict[str, Any] = {}
    for name in touched:
        inside = [field for field in form if field.path[0] == name]
        found[name] = settings(inside, typed).get(name)
    return found


def _is_touched(
    field: Field, before: Mapping[str, Any], typed: Typed, unset: Collection[Path]
) -> bool:
    now = typed.get(field.path)
    if field.shape is Shape.SECRET:
        return bool(value_of(field, now)) or field.path in unset
    return bool(value_of(field, now) != value_of(field, entered(field, before)))


def _begun(form: Sequence[Field], typed: Typed) -> set[Path]:
    """What something was entered of; a switch that stands as it did at first says nothing."""
    said = [
        field.path
        for field in form
        if value_of(field, typed.get(field.path)) not in _silence(field)
    ]
    return {path[:length] for path in said for length in range(1, len(path) + 1)}


def _silence(field: Field) -> tuple[Any, ...]:
    return (None, bool(field.default)) if field.shape is Shape.SWITCH else (None,)


def _at(settings: Any, path: Path) -> Any:
    for name in path:
        settings = settings.get(name) if isinstance(settings, Mapping) else None
    return settings


def _put(settings: dict[str, Any], path: Path, value: Any) -> None:
    for name in path[:-1]:
        settings = settings.setdefault(name, {})
    settings[path[-1]] = value


def _number(words: str) -> Any:
    """The number, or the words where they are none: about those there is something to say."""
    try:
        return int(words)
    except ValueError:
        pass
    try:
        return float(words)
    except ValueError:
        return words


def _pairs(words: str) -> dict[str, str]:
    lines = [line for line in words.splitlines() if line.strip()]
    parted = (line.partition(":") for line in lines)
    return {name.strip(): value.strip() for name, _, value in parted}


def _json(words: str) -> Any:
    try:
        return json.loads(words)
    except ValueError:
        return words


# What is wrong -------------------------------------------------------------------------------


def problems(
    form: Sequence[Field], typed: Typed, kept: Collection[Path] = ()
) -> Iterator[tuple[Field, str]]:
    """The fields that something is wrong with, and what.

    Secrets that are `kept` need not be typed again.
    """
    begun = _begun(form, typed)
    for field in form:
        value = value_of(field, typed.get(field.path))
        asked = not field.optional_group or field.optional_group in begun
        if value is None:
            if field.required and asked and field.path not in kept:
                yield field, "is required."
        elif complaint := _complaint(field, value, str(typed.get(field.path))):
            yield field, f"{complaint}."


def culprit(sentence: str, form: Sequence[Field]) -> Field | None:
    """The field that a server's sentence is about, if it names one."""
    for name in re.findall(r"'([^']+)'", sentence):
        for field in form:
            if field.path[0] == name:
                return field
    return None


def _complaint(field: Field, value: Any, typed: str) -> str:
    match field.shape:
        case Shape.NUMBER:
            return _not_in(field.schema, value)
        case Shape.NUMBERS:
            items = schema.plain(field.schema.get("items") or {})
            return next(filter(None, (_not_in(items, each) for each in value)), "")
        case Shape.PAIRS:
            lines = filter(str.strip, typed.splitlines())
            return "" if all(":" in line for line in lines) else "takes name: value on each line"
        case Shape.JSON:
            is_text = isinstance(value, str) and not typed.strip().startswith('"')
            return "is not written as JSON" if is_text else ""
    return ""


def _not_in(member: Schema, value: Any) -> str:
    """What a number is to be, where this one is not; empty where it is."""
    whole = schema.types_of(member) == {"integer"}
    least, most = member.get("minimum", -math.inf), member.get("maximum", math.inf)
    is_number = isinstance(value, int if whole else int | float) and math.isfinite(value)
    return "" if is_number and least <= value <= most else f"takes {schema.bounds(member)}"
