"""Write code that sends an event: in three languages, to any service.

Whatever stands in a name, a snippet means the same in every shell, file and clipboard, and looks on
the screen as what it is.
"""

import shlex
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from slowping.core import text
from slowping.tui.snippets import keys
from slowping.tui.snippets.services import Made, Service, Target

LANGUAGES: Final = ("curl", "Python", "JavaScript")

SUFFIXES: Final = {"curl": "sh", "Python": "py", "JavaScript": "js"}
"""How the name of a file ends that holds such a snippet."""


def snippet(service: Service, language: str, target: Target) -> str:
    """Code that sends an event to the target, ready to be run; without a line feed at its end."""
    return _WRITERS[language](service, target)


def _curl(service: Service, target: Target) -> str:
    body = _written(service.body(target, "curl"), _CURL, 1)
    lines = [
        f"curl {shlex.quote(_url(service, target))}",
        *(f"-H {shlex.quote(f'{name}: {value}')}" for name, value in _headers(service, target)),
        f"-d '{body}'",
    ]
    return " \\\n  ".join(lines)


def _python(service: Service, target: Target) -> str:
    sent = service.body(target, "Python")
    imports = {"import json", "import urllib.request", *_imports(sent)}
    headers = "".join(
        f"        {_quoted(name, _python_escape)}: {_quoted(value, _python_escape)},\n"
        for name, value in _headers(service, target)
    )
    return (
        # As isort has it: plain imports before those of names.
        "\n".join(sorted(imports, key=lambda line: (line.startswith("from"), line)))
        + f"\n\nbody = {_written(sent, _PYTHON, 0)}\n"
        "request = urllib.request.Request(\n"
        f"    {_quoted(_url(service, target), _python_escape)},\n"
        "    data=json.dumps(body).encode(),\n"
        f"    headers={{\n{headers}    }},\n"
        ")\n"
        "with urllib.request.urlopen(request, timeout=10) as response:\n"
        "    print(response.status, response.read().decode())"
    )


def _javascript(service: Service, target: Target) -> str:
    headers = "".join(
        f"    {_quoted(name, _json_escape)}: {_quoted(value, _json_escape)},\n"
        for name, value in _headers(service, target)
    )
    body = _written(service.body(target, "JavaScript"), _JAVASCRIPT, 1)
    # Not await, which works in modules only.
    return (
        f"fetch({_quoted(_url(service, target), _json_escape)}, {{\n"
        '  method: "POST",\n'
        f"  headers: {{\n{headers}  }},\n"
        f"  body: JSON.stringify({body}),\n"
        "})\n"
        "  .then((response) => response.text())\n"
        "  .then((answer) => console.log(answer));"
    )


_WRITERS: Final[Mapping[str, Callable[[Service, Target], str]]] = {
    "curl": _curl,
    "Python": _python,
    "JavaScript": _javascript,
}


def _url(service: Service, target: Target) -> str:
    return target.server.rstrip("/") + service.path


def _headers(service: Service, target: Target) -> tuple[tuple[str, str], ...]:
    name, before = service.header
    return (
        (name, f"{before}{target.api_key or keys.NO_KEY}"),
        ("Content-Type", "application/json"),
    )


class _Style(msgspec.Struct, frozen=True):
    """How a language writes values."""

    escape: Callable[[str], str]
    made: Callable[[Made], str]
    member: Callable[[str], str]
    """A member's name."""
    step: str
    """By how much each level stands further in."""
    pad: str
    """What stands inside of the braces of an object on one line."""
    last_comma: str


def _written(value: Any, style: _Style, depth: int) -> str:  # any JSON value
    """A value; what holds something that holds something goes over several lines."""
    match value:
        case Made():
            return style.made(value)
        case str():
            return _quoted(value, style.escape)
        case dict():
            parts = [
                f"{style.member(k)}: {_written(v, style, depth + 1)}" for k, v in value.items()
            ]
            return _joined(parts, "{}", style, depth, over_lines=_holds_more(value.values()))
        case list():
            parts = [_written(each, style, depth + 1) for each in value]
            return _joined(parts, "[]", style, depth, over_lines=True)
        case _:
            return repr(value)


def _joined(parts: list[str], brackets: str, style: _Style, depth: int, *, over_lines: bool) -> str:
    if not over_lines:
        return brackets[0] + style.pad + ", ".join(parts) + style.pad + brackets[1]
    inner = f"\n{style.step * (depth + 1)}"
    last = f"{style.last_comma}\n{style.step * depth}{brackets[1]}"
    return brackets[0] + inner + f",{inner}".join(parts) + last


def _holds_more(values: Any) -> bool:  # any JSON values
    return any(isinstance(value, dict | list) for value in values)


def _imports(value: Any) -> list[str]:  # any JSON value
    if isinstance(value, Made):
        return list(value.imports)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [line for each in inner for line in _imports(each)]


def _quoted(words: str, escape: Callable[[str], str]) -> str:
    """A text between double quotes.

    Letters of all scripts stay as they are, unless the text holds something that a terminal would
    not show as it is: what is copied from a screen has to be what was meant.
    """
    plain = text.visible(words) == words
    letters = (letter if _stays(letter, plain=plain) else escape(letter) for letter in words)
    return f'"{"".join(letters)}"'


def _stays(letter: str, *, plain: bool) -> bool:
    if letter in "\\\"'":
        return False
    return letter.isprintable() and (plain or letter.isascii())


def _json_escape(letter: str) -> str:
    if letter == "'":
        return letter
    if letter in '"\\':
        return f"\\{letter}"
    units = letter.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _shell_escape(letter: str) -> str:
    """JSON for between single quotes: shells differ in what quotes and backslashes do there."""
    return f"\\u{ord(letter):04x}" if letter in "'\\\"" else _json_escape(letter)


def _python_escape(letter: str) -> str:
    if letter == "'":
        return letter
    if letter in '"\\':
        return f"\\{letter}"
    code = ord(letter)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _member(name: str) -> str:
    return f'"{name}"'


_CURL: Final = _Style(
    escape=_shell_escape,
    # The text's quotes, then out of the shell's single quotes and in again.
    made=lambda made: f'"\'"$({made.curl})"\'"',
    member=_member,
    step="  ",
    pad="",
    last_comma="",
)
_PYTHON: Final = _Style(
    escape=_python_escape,
    made=lambda made: made.python,
    member=_member,
    step="    ",
    pad="",
    last_comma=",",
)
_JAVASCRIPT: Final = _Style(
    escape=_json_escape,
    made=lambda made: made.javascript,
    member=str,
    step="  ",
    pad=" ",
    last_comma=",",
)
