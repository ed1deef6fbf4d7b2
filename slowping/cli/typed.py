"""Read what a person typed: moments, colours, `key=value` pairs, secrets in files."""

import datetime as dt
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import rich_click as click

from slowping.core import times


class Whole(click.IntRange):
    """A whole number within limits, with words for who types something else."""

    name = "whole number"


class Number(click.FloatRange):
    """The same for any number."""

    name = "number"


def past(typed: str) -> dt.datetime:
    """The moment that was typed: a date, or a span such as `2h` before now."""
    return _moment_or_complaint(typed, -1)


def ahead(typed: str) -> dt.datetime:
    """The moment that was typed: a date, or a span such as `30d` after now."""
    return _moment_or_complaint(typed, 1)


def _moment_or_complaint(typed: str, direction: int) -> dt.datetime:
    try:
        return times.read(typed, dt.datetime.now(dt.UTC), direction)
    except ValueError as error:
        raise click.BadParameter(
            f"'{typed}' is neither a span such as 2h or 7d (units s, m, h, d, w) nor a date such "
            "as yesterday, 2026-03-06 or 2026-03-06T10:30:00Z."
        ) from error


def span(typed: str) -> dt.timedelta:
    """The span that was typed, such as `24h`; `0` is one too."""
    try:
        return times.read_span("0s" if typed == "0" else typed)
    except ValueError as error:
        raise click.BadParameter(
            f"'{typed}' is no span such as 24h or 7d (units s, m, h, d, w)."
        ) from error


def color(typed: str) -> int:
    """The colour that was typed: `#2ECC71`, `2ECC71`, `#fff`, or a decimal number.

    Six digits without a `#` are hexadecimal where a letter is among them, else decimal.
    """
    if re.fullmatch(r"[0-9]{1,8}", typed) and int(typed) <= 0xFFFFFF:
        return int(typed)
    digits = typed.removeprefix("#")
    if re.fullmatch(r"[0-9A-Fa-f]{6}", digits):
        return int(digits, 16)
    if re.fullmatch(r"#[0-9A-Fa-f]{3}", typed):
        return int("".join(digit * 2 for digit in digits), 16)
    raise click.BadParameter(f"'{typed}' is neither like #2ECC71 nor a number up to 16777215.")


def pair(typed: str) -> tuple[str, str]:
    """Name and text of `name=text`."""
    name, equals, text = typed.partition("=")
    if not name or not equals:
        raise click.BadParameter(f"'{typed}' is not of the form name=value.")
    return name, text


def fields(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Fields of an event: `name=text` is a text, `name:=json` is any JSON value."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if not name.endswith(":"):
            found[name] = value
            continue
        try:
            found[name[:-1]] = json.loads(value)
        except ValueError as error:
            raise click.BadParameter(f"{name}={value} is not valid JSON after ':='.") from error
    return found


def settings(pairs: Sequence[tuple[str, str]], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a channel, each as the kind's schema wants it.

    `name=@FILE` reads the value from a file, `name=@@text` is a text that starts with an @.
    """
    members = definition(schema).get("properties", {})
    return {name: _setting(_from_file(name, value), members.get(name, {})) for name, value in pairs}


def definition(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a settings schema says of its object, which may stand behind a reference."""
    reference = schema.get("$ref")
    return schema["$defs"][reference.rpartition("/")[2]] if reference else schema


def secret(value: str) -> str:
    """A secret that is never typed on the command line: `-` is stdin, `@FILE` a file."""
    if value == "-":
        return sys.stdin.readline().rstrip("\r\n")
    if value.startswith("@"):
        return _read(value[1:], "--import-value")
    raise click.BadParameter(
        "Give - and pipe the value in, or @FILE: what is typed here shows in process lists."
    )


def _from_file(name: str, value: str) -> str:
    if not value.startswith("@"):
        return value
    if value.startswith("@@"):
        return value[1:]
    return _read(value[1:], name, f" (Write {name}=@{value} for the text {value} itself.)")


def _read(path: str, name: str, otherwise: str = "") -> str:
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = (isinstance(error, OSError) and error.strerror) or "it is no UTF-8 text"
        raise click.BadParameter(
            f"{name}: cannot read the file {path}: {why}.{otherwise}"
        ) from error


def _setting(value: str, member: Mapping[str, Any]) -> Any:
    kinds = {part.get("type") for part in (member, *member.get("anyOf", ()))} - {None, "null"}
    if not kinds or "string" in kinds:
        return value
    if kinds == {"array"} and not value.startswith("["):
        return [_loosely(item.strip()) for item in value.split(",") if item.strip()]
    return _loosely(value)


def _loosely(value: str) -> Any:
    """The JSON value if it is one; else the text, about which the server has better words."""
    try:
        return json.loads(value)
    except ValueError:
        return value
