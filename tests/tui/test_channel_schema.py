"""Which field a form gets for each thing that a kind's settings may be."""

from typing import Annotated, Any, Literal

import msgspec
import pytest

from slowping.notifiers import settings_form
from slowping.notifiers.port import Secret, Settings
from slowping.tui.channel import schema
from slowping.tui.channel.schema import Shape
from tests.tui.channels import real_kinds


def shape_of(member: dict[str, Any], *, required: bool = False) -> Shape:
    whole = {"properties": {"it": member}, "required": ["it"] if required else []}
    [field] = schema.fields(whole)
    return field.shape


@pytest.mark.parametrize(
    ("member", "shape"),
    [
        ({"type": "string"}, Shape.LINE),
        ({"type": "string", "writeOnly": True}, Shape.SECRET),
        ({"anyOf": [{"type": "string", "writeOnly": True}, {"type": "null"}]}, Shape.SECRET),
        ({"type": ["string", "null"]}, Shape.LINE),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, Shape.LINE),
        ({"type": "integer"}, Shape.NUMBER),
        ({"anyOf": [{"type": "integer"}, {"type": "number"}]}, Shape.NUMBER),
        ({"type": "boolean", "default": False}, Shape.SWITCH),
        ({"type": "boolean"}, Shape.CHOICE),
        ({"enum": ["a", "b", None]}, Shape.CHOICE),
        ({"oneOf": [{"const": "a"}, {"enum": ["b"]}]}, Shape.CHOICE),
        ({"type": "array", "items": {"type": "number"}}, Shape.NUMBERS),
        ({"type": "array", "items": {"type": "string"}}, Shape.LINES),
        ({"type": "array", "items": {"type": "object"}}, Shape.JSON),
        ({"type": "array"}, Shape.JSON),
        ({"type": "object", "additionalProperties": {"type": "string"}}, Shape.PAIRS),
        ({"type": "object"}, Shape.JSON),
        ({"anyOf": [{"type": "string"}, {"type": "array"}]}, Shape.LINE),
        ({"anyOf": [{"type": "integer"}, {"type": "array"}]}, Shape.JSON),
        ({}, Shape.JSON),
    ],
)
def test_every_type_has_its_field(member: dict[str, Any], shape: Shape) -> None:
    assert shape_of(member) is shape


def test_what_has_to_be_yes_or_no_is_a_switch() -> None:
    assert shape_of({"type": "boolean"}, required=True) is Shape.SWITCH


def test_what_is_learned_is_never_asked_for() -> None:
    assert schema.fields({"properties": {"chat": {"type": "string", "readOnly": True}}}) == ()


def test_choices_are_named_in_their_order() -> None:
    whole = {"properties": {"tls": {"enum": ["plain", "tls"]}, "sure": {"type": "boolean"}}}
    assert [field.choices for field in schema.fields(whole)] == [("plain", "tls"), (True, False)]


def test_what_is_required_comes_first_and_what_all_kinds_have_comes_last() -> None:
    text = {"type": "string"}
    hook = {"properties": {"expire": text, "secret": text, "url": text}, "required": ["url"]}
    mail = {"properties": {"expire": text, "to": text}}
    fields = schema.fields(hook, schema.common([hook, mail]))
    assert [field.path for field in fields] == [("url",), ("secret",), ("expire",)]
    assert [field.required for field in fields] == [True, False, False]


def test_a_kind_alone_has_nothing_in_common() -> None:
    assert schema.common([{"properties": {"url": {}}}]) == frozenset()


def test_settings_inside_of_others_are_fields_of_their_own() -> None:
    smtp = {
        "title": "SMTP",
        "type": "object",
        "properties": {"host": {"type": "string", "title": "Host"}, "port": {"type": "integer"}},
        "required": ["host"],
    }
    whole = {"properties": {"smtp": {"anyOf": [smtp, {"type": "null"}]}}}
    host, port = schema.fields(whole)
    assert (host.path, host.label) == (("smtp", "host"), "SMTP · Host")
    assert (host.required, host.optional_group) == (True, ("smtp",))
    assert (port.path, port.label) == (("smtp", "port"), "SMTP · port")


def test_what_lies_too_deep_is_written_as_json() -> None:
    member: dict[str, Any] = {"type": "string"}
    for _ in range(4):
        member = {"type": "object", "properties": {"in": member}}
    [field] = schema.fields({"properties": {"out": member}})
    assert field.shape is Shape.JSON
    assert len(field.path) == 3


@pytest.mark.parametrize(
    ("member", "words"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 9}, "A whole number from 1 to 9."),
        ({"type": "number", "minimum": 0}, "A number of at least 0."),
        ({"type": "integer", "maximum": 5, "description": "So many."}, "So many."),
        ({"type": "array", "items": {"type": "string"}}, "One on each line; tab goes on."),
        ({"type": "string", "description": "An\x1b[2J address."}, "An␛[2J address."),
    ],
)
def test_a_field_says_what_it_takes(member: dict[str, Any], words: str) -> None:
    [field] = schema.fields({"properties": {"it": member}})
    assert field.help == words


class _Login(msgspec.Struct):
    user: str
    password: Secret


class _PlugInSettings(Settings, frozen=True, kw_only=True):
    """Everything that a plug-in may ask for."""

    topic: Annotated[str, msgspec.Meta(title="Topic")]
    loud: bool = False
    level: Literal["low", "high"] | None = None
    tags: tuple[str, ...] = ()
    headers: dict[str, str] | None = None
    login: _Login | None = None


def test_a_plug_in_gets_a_form_for_its_settings_class() -> None:
    fields = schema.fields(settings_form.schema(_PlugInSettings))
    assert {".".join(field.path): field.shape for field in fields} == {
        "topic": Shape.LINE,
        "loud": Shape.SWITCH,
        "level": Shape.CHOICE,
        "tags": Shape.LINES,
        "headers": Shape.PAIRS,
        "login.user": Shape.LINE,
        "login.password": Shape.SECRET,
        "retry_delays": Shape.NUMBERS,
        "expire_after_s": Shape.NUMBER,
    }


def test_every_kind_that_comes_along_has_fields_and_none_of_them_is_json() -> None:
    kinds = real_kinds()
    common = schema.common([kind.settings for kind in kinds])
    shapes = {kind.kind: schema.fields(kind.settings, common) for kind in kinds}
    assert {field.shape for fields in shapes.values() for field in fields} <= {
        Shape.LINE, Shape.SECRET, Shape.NUMBER, Shape.NUMBERS, Shape.CHOICE,
    }  # fmt: skip
    assert [field.path[0] for field in shapes["webhook"]][:2] == ["url", "secret"]
    assert shapes["email"][0].path == ("to",)
    assert shapes["discord"][-1].path == ("expire_after_s",)
