"""Read the JSON schema of a kind's settings as the fields of a form."""

import enum
import functools
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from slowping.core import text

Schema = Mapping[str, Any]
Path = tuple[str, ...]
"""The names that lead to a setting: one, or more where settings stand inside of others."""

_DEEPEST: Final = 3
"""What lies deeper is written as JSON."""


class Shape(enum.Enum):
    """What a field looks like."""

    LINE = "line"
    """A text."""
    SECRET = "secret"  # noqa: S105 - a shape, not a secret
    """A text that is not shown."""
    NUMBER = "number"
    SWITCH = "switch"
    """On or off."""
    CHOICE = "choice"
    """One of several values, or none of them."""
    NUMBERS = "numbers"
    """Several numbers on one line, with commas between them."""
    LINES = "lines"
    """A text on each line."""
    PAIRS = "pairs"
    """`name: value` on each line."""
    JSON = "json"
    """Whatever else there may be."""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A setting as a form asks for it."""

    path: Path
    label: str
    shape: Shape
    required: bool = False
    help: str = ""
    default: Any = None
    """What holds where nothing is entered; None where that is not said."""
    choices: tuple[Any, ...] = ()
    schema: Schema = {}
    """What else is said of the value, such as `minimum`."""
    optional_group: Path = ()
    """What it is required of only where any of that is entered."""

    @property
    def many_lines(self) -> bool:
        """Whether it takes more than one line."""
        return self.shape in (Shape.LINES, Shape.PAIRS, Shape.JSON)


def fields(settings: Schema, common: Collection[str] = ()) -> tuple[Field, ...]:
    """The fields, what is required first, and the `common` ones, which every kind has, last."""
    found = list(_of_object(settings, ()))
    # By the setting as a whole, so that those inside of one stay together.
    required = set(settings.get("required", ()))

    def rank(field: Field) -> int:
        name = field.path[0]
        return 0 if name in required else 2 if name in common else 1

    return tuple(sorted(found, key=rank))


def common(schemas: Sequence[Schema]) -> frozenset[str]:
    """The settings that all of several kinds have: of less interest than a kind's own."""
    names = [frozenset(schema.get("properties", {})) for schema in schemas]
    return functools.reduce(frozenset.intersection, names) if len(names) > 1 else frozenset()


def bounds(schema: Schema) -> str:
    """What a number may be, such as `a whole number from 1 to 65535`."""
    noun = "a whole number" if types_of(schema) == {"integer"} else "a number"
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        return f"{noun} from {text.show(least)} to {text.show(most)}"
    if least is not None:
        return f"{noun} of at least {text.show(least)}"
    return noun if most is None else f"{noun} of at most {text.show(most)}"


def _of_object(schema: Schema, above: Path, labels: Path = (), group: Path = ()) -> Iterator[Field]:
    required = schema.get("required", ())
    for name, given in schema.get("properties", {}).items():
        member = plain(given)
        if member.get("readOnly"):
            continue
        path, titles = (*above, name), (*labels, member.get("title") or name)
        if member.get("properties") and len(path) < _DEEPEST:
            inner = group or (() if name in required else path)
            yield from _of_object(member, path, titles, inner)
        else:
            yield _field(path, titles, member, name in required, group)


def _field(path: Path, titles: Path, member: Schema, required: bool, group: Path) -> Field:
    shape = _shape(member, required)
    return Field(
        path=path,
        label=" · ".join(map(text.one_line, titles)),
        shape=shape,
        # A switch always says something.
        required=required and shape is not Shape.SWITCH,
        help=_help(member, shape),
        default=member.get("default"),
        choices=_choices(member) if shape is Shape.CHOICE else (),
        schema=member,
        optional_group=group,
    )


def plain(member: Schema) -> Schema:
    """A member that is one thing or null, as that thing: null is to leave it out."""
    several = member.get("anyOf") or member.get("oneOf") or ()
    others = [each for each in several if each.get("type") != "null"]
    rest = {name: value for name, value in member.items() if name not in ("anyOf", "oneOf")}
    if len(others) == 1:
        return {**others[0], **rest}
    return {**rest, "anyOf": others} if others else member


def types_of(member: Schema) -> set[str]:
    """What the value may be, null aside."""
    told = member.get("type", ())
    own = {told} if isinstance(told, str) else set(told)
    for other in member.get("anyOf", ()):
        own |= types_of(other) or {"anything"}
    return own - {"null"}


def _shape(member: Schema, required: bool) -> Shape:
    types = types_of(member)
    if types == {"boolean"}:
        told = required or isinstance(member.get("default"), bool)
        return Shape.SWITCH if told else Shape.CHOICE
    if _choices(member):
        return Shape.CHOICE
    if "string" in types:
        return Shape.SECRET if member.get("writeOnly") else Shape.LINE
    if types and types <= {"integer", "number"}:
        return Shape.NUMBER
    if types == {"array"}:
        return _list_shape(types_of(plain(member.get("items") or {})))
    values = member.get("additionalProperties")
    if types == {"object"} and types_of(values if isinstance(values, dict) else {}) == {"string"}:
        return Shape.PAIRS
    return Shape.JSON


def _list_shape(items: set[str]) -> Shape:
    if items and items <= {"integer", "number"}:
        return Shape.NUMBERS
    return Shape.LINES if "string" in items else Shape.JSON


def _choices(member: Schema) -> tuple[Any, ...]:
    """The only values there are, where they are named; yes and no of what may be neither."""
    if "const" in member:
        return (member["const"],)
    if "enum" in member:
        return tuple(each for each in member["enum"] if each is not None)
    others = member.get("anyOf", ())
    if others and all(_choices(each) for each in others):
        return tuple(choice for each in others for choice in _choices(each))
    return (True, False) if types_of(member) == {"boolean"} else ()


def _help(member: Schema, shape: Shape) -> str:
    told = text.one_line(member.get("description", ""))
    if shape is Shape.NUMBER:
        return told or f"{text.upper_first(bounds(member))}."
    return " ".join(filter(None, (told, _HINTS.get(shape, ""))))


_HINTS: Final = {
    Shape.NUMBERS: "Numbers, with commas between them.",
    Shape.LINES: "One on each line; tab goes on.",
    Shape.PAIRS: "name: value on each line; tab goes on.",
    Shape.JSON: "Written as JSON; tab goes on.",
}
