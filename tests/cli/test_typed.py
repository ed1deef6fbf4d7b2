import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import rich_click as click

from slowping.cli import typed


@pytest.mark.parametrize("text", ["", "tomorrow", "2", "2y", "-2h", "2026-13-01", "999999w"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="neither a span such as 2h"):
        typed.past(text)


def test_a_span_counts_backwards_or_ahead() -> None:
    assert typed.past("1d") < dt.datetime.now(dt.UTC) < typed.ahead("1d")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("0d", 0), ("90s", 90), ("5m", 300), ("24h", 86_400), ("7d", 604_800)],
)
def test_a_span_is_a_number_with_its_unit(text: str, seconds: int) -> None:
    assert typed.span(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "2", "h", "-2h", "2026-03-06", "1.5h"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="no span such as 24h"):
        typed.span(text)


@pytest.mark.parametrize(
    ("text", "color"),
    [
        ("#2ECC71", 0x2ECC71),
        ("#2ecc71", 0x2ECC71),
        ("2ECC71", 0x2ECC71),
        ("#fa0", 0xFFAA00),
        ("3066993", 3066993),
        ("123456", 123456),
        ("0", 0),
    ],
)
def test_a_color_is_hexadecimal_or_decimal(text: str, color: int) -> None:
    assert typed.color(text) == color


@pytest.mark.parametrize("text", ["", "green", "#2ECC7", "16777216", "-1", "2ECC7", "fff"])
def test_what_is_no_color_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        typed.color(text)


@pytest.mark.parametrize(
    ("text", "pair"), [("a=b", ("a", "b")), ("a=b=c", ("a", "b=c")), ("a=", ("a", ""))]
)
def test_a_pair_is_parted_at_its_first_equals_sign(text: str, pair: tuple[str, str]) -> None:
    assert typed.pair(text) == pair


@pytest.mark.parametrize("text", ["a", "=b", ""])
def test_what_is_no_pair_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        typed.pair(text)


def test_fields_are_texts_unless_they_are_said_to_be_json() -> None:
    pairs = [("version", "1.10"), ("amount:", "49.5"), ("tags:", '["a"]')]
    assert typed.fields(pairs) == {"version": "1.10", "amount": 49.5, "tags": ["a"]}


def test_a_field_that_is_not_json_is_refused() -> None:
    with pytest.raises(click.BadParameter, match="not valid JSON"):
        typed.fields([("amount:", "many")])


SCHEMA = {
    "$ref": "#/$defs/EmailSettings",
    "$defs": {
        "EmailSettings": {
            "properties": {
                "port": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                "host": {"type": "string"},
                "to": {"type": "array"},
                "retry_delays": {"anyOf": [{"type": "array"}, {"type": "null"}]},
            }
        }
    },
}


@pytest.mark.parametrize(
    ("pair", "value"),
    [
        (("port", "587"), 587),
        (("port", "many"), "many"),
        (("host", "587"), "587"),
        (("to", "a@x, b@x"), ["a@x", "b@x"]),
        (("to", '["a@x"]'), ["a@x"]),
        (("retry_delays", "5,300"), [5, 300]),
        (("unheard_of", "1"), "1"),
        (("host", "@@name"), "@name"),
    ],
)
def test_settings_are_read_as_the_kinds_schema_wants_them(
    pair: tuple[str, str], value: Any
) -> None:
    assert typed.settings([pair], SCHEMA) == {pair[0]: value}


def test_a_setting_can_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("swordfish\n", encoding="utf-8")
    assert typed.settings([("url", f"@{file}")], {}) == {"url": "swordfish"}


def test_a_missing_file_is_refused_with_a_way_to_mean_the_text() -> None:
    with pytest.raises(click.BadParameter, match="chat_id=@@mychannel"):
        typed.settings([("chat_id", "@mychannel")], {})


def test_a_missing_file_of_an_imported_key_names_the_option() -> None:
    with pytest.raises(click.BadParameter, match="--import-value: cannot read the file none"):
        typed.secret("@none")


def test_a_secret_is_not_taken_from_the_command_line() -> None:
    with pytest.raises(click.BadParameter, match="process lists"):
        typed.secret("swordfish")
