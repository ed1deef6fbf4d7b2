"""What becomes of what is typed into a form, and what is said where it is wrong."""

from typing import Any

import pytest

from slowping.core.channel import ChannelKind
from slowping.tui.channel import schema, values
from slowping.tui.channel.schema import Field
from tests.tui.channels import real_kinds

PLUG_IN = {
    "properties": {
        "topic": {"type": "string", "title": "Topic"},
        "token": {"type": "string", "writeOnly": True, "title": "Token"},
        "loud": {"type": "boolean", "default": False},
        "level": {"enum": ["low", "high"]},
        "every": {"type": "integer", "minimum": 1, "maximum": 60, "title": "Every"},
        "delays": {"type": "array", "items": {"type": "number", "minimum": 0}, "title": "Delays"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "headers": {
            "type": "object", "additionalProperties": {"type": "string"}, "title": "Headers",
        },
        "extra": {"title": "Extra"},
        "smtp": {
            "type": "object",
            "title": "SMTP",
            "properties": {
                "host": {"type": "string", "title": "Host"},
                "port": {"type": "integer", "title": "Port"},
                "tls": {"type": "boolean"},
            },
            "required": ["host", "tls"],
        },
    },
    "required": ["topic"],
}  # fmt: skip
FORM = schema.fields(PLUG_IN)


def typed(**what: Any) -> dict[schema.Path, Any]:
    """What the form holds: this, and what stands there before anything is typed."""
    empty = {field.path: values.entered(field, {}) for field in FORM}
    return empty | {tuple(name.split("__")): value for name, value in what.items()}


def kind(name: str) -> ChannelKind:
    [found] = [each for each in real_kinds() if each.kind == name]
    return found


@pytest.mark.parametrize(
    ("what", "settings"),
    [
        ({}, {}),
        ({"topic": "  ops "}, {"topic": "ops"}),
        ({"token": "s3cret"}, {"token": "s3cret"}),
        ({"loud": True}, {"loud": True}),
        ({"loud": False}, {}),
        ({"level": "high"}, {"level": "high"}),
        ({"level": None}, {}),
        ({"every": "5"}, {"every": 5}),
        ({"delays": "5, 300 1.5,"}, {"delays": [5, 300, 1.5]}),
        ({"tags": "a, b\n\n  c "}, {"tags": ["a, b", "c"]}),
        ({"headers": "X-Key: a:b\nAccept:json"}, {"headers": {"X-Key": "a:b", "Accept": "json"}}),
        ({"extra": '{"a": [1, null]}'}, {"extra": {"a": [1, None]}}),
        ({"smtp__host": "mx"}, {"smtp": {"host": "mx", "tls": False}}),
        ({"smtp__host": "mx", "smtp__tls": True}, {"smtp": {"host": "mx", "tls": True}}),
    ],
)
def test_what_is_typed_becomes_settings(what: dict[str, Any], settings: dict[str, Any]) -> None:
    assert values.settings(FORM, typed(**what)) == settings


BEFORE = {
    "topic": "ops",
    "token": "…4321",
    "loud": True,
    "level": "low",
    "delays": [5, 300.0],
    "tags": ["a", "b"],
    "headers": {"X-Key": "1"},
    "extra": {"deep": True},
    "smtp": {"host": "mx", "port": 25, "tls": True},
}


def as_it_was(**what: Any) -> dict[schema.Path, Any]:
    """What the form of that channel holds, and this."""
    held = {field.path: values.entered(field, BEFORE) for field in FORM}
    return held | {tuple(name.split("__")): value for name, value in what.items()}


def test_what_is_set_is_filled_in_but_for_secrets() -> None:
    assert {".".join(path): held for path, held in as_it_was().items()} == {
        "topic": "ops",
        "token": "",
        "loud": True,
        "level": "low",
        "every": "",
        "delays": "5, 300",
        "tags": "a\nb",
        "headers": "X-Key: 1",
        "extra": '{"deep": true}',
        "smtp.host": "mx",
        "smtp.port": "25",
        "smtp.tls": True,
    }


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ({}, {}),
        ({"topic": "ops "}, {}),
        ({"topic": "alarms"}, {"topic": "alarms"}),
        ({"token": "new"}, {"token": "new"}),
        ({"loud": False}, {"loud": None}),
        ({"level": None}, {"level": None}),
        ({"level": "high"}, {"level": "high"}),
        ({"every": "5"}, {"every": 5}),
        ({"delays": "5, 300.0"}, {}),
        ({"delays": ""}, {"delays": None}),
        ({"tags": "a\nb\nc"}, {"tags": ["a", "b", "c"]}),
        ({"headers": "X-Key: 2"}, {"headers": {"X-Key": "2"}}),
        ({"extra": "[]"}, {"extra": []}),
        ({"smtp__port": "26"}, {"smtp": {"host": "mx", "port": 26, "tls": True}}),
        ({"smtp__host": "", "smtp__port": "", "smtp__tls": False}, {"smtp": None}),
    ],
)
def test_only_what_was_changed_is_sent(what: dict[str, Any], change: dict[str, Any]) -> None:
    assert values.change(FORM, BEFORE, as_it_was(**what)) == change


def test_a_secret_goes_back_to_its_default_where_that_is_asked_for() -> None:
    assert values.change(FORM, BEFORE, as_it_was(), unset=[("token",)]) == {"token": None}


def test_what_somebody_else_has_set_is_shown_harmless_and_stays_as_it_is() -> None:
    hostile = {"topic": "a\x1b[2J\nb\tc", "tags": ["\x9bm"]}
    held = {field.path: values.entered(field, hostile) for field in FORM}
    assert held[("topic",)] == "a␛[2J␊b␉c"
    assert held[("tags",)] == "\ufffdm"
    assert values.change(FORM, hostile, held) == {}


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ({"topic": ""}, "Topic is required."),
        ({"every": "soon"}, "Every takes a whole number from 1 to 60."),
        ({"every": "1.5"}, "Every takes a whole number from 1 to 60."),
        ({"every": "61"}, "Every takes a whole number from 1 to 60."),
        ({"every": "9" * 5_000}, "Every takes a whole number from 1 to 60."),
        ({"delays": "5, -1"}, "Delays takes a number of at least 0."),
        ({"delays": "nan"}, "Delays takes a number of at least 0."),
        ({"headers": "X-Key 1"}, "Headers takes name: value on each line."),
        ({"extra": "{"}, "Extra is not written as JSON."),
        ({"smtp__port": "25"}, "SMTP · Host is required."),
    ],
)
def test_what_is_wrong_is_said_before_the_server_is_asked(
    what: dict[str, Any], sentence: str
) -> None:
    [(field, said)] = values.problems(FORM, typed(**{"topic": "ops", **what}))
    assert f"{field.label} {said}" == sentence


@pytest.mark.parametrize(
    "what",
    [
        {"topic": "ops"},
        {"topic": "ops", "extra": '"words"', "every": "60"},
        {"topic": "ops", "smtp__host": "mx"},
    ],
)
def test_what_is_right_is_not_complained_about(what: dict[str, Any]) -> None:
    assert not list(values.problems(FORM, typed(**what)))


def test_a_secret_that_is_kept_need_not_be_typed_again() -> None:
    form = schema.fields(kind("telegram").settings)
    held: dict[schema.Path, str] = {("chat_id",): "-100123"}
    assert not list(values.problems(form, held, kept=[("bot_token",)]))
    assert list(values.problems(form, held))


@pytest.mark.parametrize(
    ("sentence", "name"),
    [
        ("The setting 'url' is no Discord webhook's.", "url"),
        ("A Discord bot needs both 'bot_token' and 'user_id'.", "bot_token"),
        ("Channels of kind 'discord' need the setting 'user_id'.", "user_id"),
        ("There is no project 'nope'.", None),
    ],
)
def test_the_field_that_the_server_speaks_of_is_found(sentence: str, name: str | None) -> None:
    found: Field | None = values.culprit(sentence, schema.fields(kind("discord").settings))
    assert (found.path[0] if found else None) == name
