"""Texts that take a terminal for their own: the vectors of this repository, and families besides.

Every text has a mark of its own, which is to be read on the screen, and nothing else.
"""

import json
from pathlib import Path
from typing import Final, Self

import msgspec
from rich.cells import cell_len

from slowping.core import text
from tests.vectors import vectors

_BESIDE: Final = Path(__file__).parents[4] / "shared/specs/slowping-test-vectors.json"
"""A list beside the repository, which may have more than ours."""

_READ: Final = 16
"""As many cells as every column has room for."""

_ENOUGH: Final = 100
"""As much of each as fits on one screen with all the others."""

FAMILIES: Final[dict[str, tuple[str, ...]]] = {
    "C0": tuple(f"a{chr(code)}b" for code in (*range(9), *range(11, 0x20), 0x7F)),
    "ESC": (
        "\x1bc", "\x1b7\x1b8", "\x1b#8", "\x1b=", "\x1b(0lqk\x1b(B", "\x1bM\x1bM", "\x1bN",
        "\x1b%@", "a\x1b", "\x1b",
    ),
    "CSI": (
        "\x1b[31;1mred", "\x1b[2J\x1b[H", "\x1b[9;9Hthere", "\x1b[?1049l", "\x1b[?25h", "\x1b[6n",
        "\x1b[c", "\x1b[>q", "\x1b[21t", "\x1b[8;1;1t", "\x1b[5i", "\x1b[?2004l", "\x1b[1;2r",
        "\x1b[!p", "\x1b[>1u", "\x1b[3", "\x1b[?1000h\x1b[?1003h",
    ),
    "OSC": (
        "\x1b]0;titled\x07", "\x1b]2;titled\x1b\\", "\x1b]8;;https://evil.test\x1b\\click\x1b]8;;\x07",
        "\x1b]9;noticed\x07", "\x1b]9;4;1;50\x07", "\x1b]52;c;ZXZpbA==\x07", "\x1b]52;p;?\x1b\\",
        "\x1b]777;notify;evil;body\x07", "\x1b]4;1;rgb:ff/00/00\x07", "\x1b]10;?\x07",
        "\x1b]7;file://evil/\x07", "\x1b]133;A\x07", "\x1b]1337;File=inline=1:QQ==\x07",
        "\x1b]22;wait\x07", "\x1b]0;without an end",
    ),
    "DCS, APC, PM, SOS": (
        "\x1bP$q\x1b\\", "\x1bP+q544e\x1b\\", "\x1bPq#0~\x1b\\", "\x1bPtmux;\x1b\x1b]0;t\x07\x1b\\",
        "\x1b_Ga=T,f=24;QUFB\x1b\\", "\x1b_x\x1b\\", "\x1b^private\x1b\\", "\x1bXstring\x1b\\",
    ),
    "C1": (
        *(f"a{chr(code)}b" for code in range(0x80, 0xA0)), "\x9b31mred", "\x9b2J",
        "\x9d0;titled\x9c", "\x9d52;c;ZXZpbA==\x9c", "\x90q\x9c", "\x9fGx\x9c",
    ),
    "going back": ("paid\rowed", "safe\b\b\b\bevil", "over\r\nwritten", "down\x0b\x0cfurther"),
    "direction": (
        "\u202egnp.exe\u202c", "\u202dabc", "\u202aabc", "\u202babc", "\u2066a\u2069",
        "\u2067a\u2069", "\u2068a\u2069", "\u200e\u200f\u061c", "\u206a\u206f",
    ),
    "not to be seen": (
        "a\u200bd\u200cm\u2060i\ufeffn", "\u180e", "\u3164", "\u115f\u1160", "\uffa0",
        "\u2063\u2064", "\ufff9a\ufffab\ufffb", "\U0001d173\U0001d17a", "\ufff0\ufff8",
        "\U0001bca0", "\u2028line\u2029paragraph",
    ),
    "tags": (
        "\U000e0001\U000e0065\U000e0076\U000e007f",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "a" + "\U000e0100" * 50,
    ),
    "floods": (
        *(letter + mark * 200 for letter, mark in (
            "a\ufe0f", "a\u0301", "\u0e01\u0e47", "\u05d0\u05b0", "\u0627\u064b", "a\u200d",
            "a\u20dd", "a\U0001e944", "\u1100\u1161",
        )),
        "\u0301\u0301 at the start",
    ),
    "long lines": ("x" * 5_000, "word " * 1_000, "\u754c" * 3_000, "\U0001f41b" * 2_000),
    "markup": (
        "[bold]x", "[/bold]", "[/foo]", "[/]", "[]", "[@click=app.quit]x[/]",
        "[@click=app.quit()]x",
        "[link=https://evil.test]x[/link]", '[link="https://evil.test"]x[/link]', "[$error]x",
        "[on red]x[/on red]", "[red", "\\[b]", "a[b]c", "[1,2,3]", "[:smile:]", ":bug:",
        "[#ff0000]x",
        "[reverse]x[/reverse]", "[not bold]", "[b][i][/b][/i]",
    ),
    "Markdown": (
        "[x](https://evil.test)", "![x](https://evil.test/x.png)", "<https://evil.test>",
        "# heading",
        "```\ncode\n```", "| a | b |\n|---|---|\n| c | d |", "- [ ] task", "> quote", "~~struck~~",
        "[x]: https://evil.test\n\n[x]", "[x](javascript:alert(1))", "**\x1b[31mbold**", "---",
        "[x](action:app.quit)", "1. one\n2. two", "`\x1b]0;titled\x07`",
    ),
    "HTML": (
        "<b>bold</b>", "<script>alert(1)</script>", "<a href='x'>y</a>", "<!-- c -->", "&#27;[31m",
    ),
    "wide": (
        "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", "\U0001f44d\U0001f3fd",
        "\U0001f1e9\U0001f1ea", "\u754c\u9762", "1\ufe0f\u20e3", "\u0e01\u0e33", "\uff21\uff22",
        "\ud55c\uae00", "\u1112\u1161\u11ab",
    ),
    "noughts": ("\x00", "a\x00b", "\x00\x1b[31m"),
}  # fmt: skip

REFUSED: Final = (
    rb'"\ud800"', rb'"a\udfff"', rb'"\ud83d\u0041"', b'"\xed\xa0\x80"', b'"\x9b31m"', b'"\x1b[31m"',
)  # fmt: skip
"""Strings of JSON that hold half a character or a bare control: no server takes them."""


class Hostile(msgspec.Struct, frozen=True):
    """A text, and the mark by which it is found on the screen."""

    mark: str
    text: str

    @property
    def marked(self) -> str:
        """The text behind its mark."""
        return f"{self.mark}|{self.text}|"

    @property
    def shown(self) -> str:
        """How it begins wherever it is shown in one line: that is to be read, letter by letter."""
        line = text.one_line(self.marked)
        return next(line[:end] for end in range(_READ, 0, -1) if cell_len(line[:end]) <= _READ)

    @property
    def let_in(self) -> Self:
        """What the doors make of it: SQLite and others cannot keep a nought."""
        return type(self)(self.mark, self.text.replace("\0", "\ufffd"))


def _beside() -> list[str]:
    try:
        found = json.loads(_BESIDE.read_text(encoding="utf-8"))["injection"]
    except FileNotFoundError:
        return []
    return [one for family in found.values() for one in family]


def _every() -> tuple[Hostile, ...]:
    listed = [one for family in vectors("injection").values() for one in family]
    ours = [one for family in FAMILIES.values() for one in family]
    every = dict.fromkeys([*listed, *_beside(), *ours])
    return tuple(Hostile(f"h{number:03}", one) for number, one in enumerate(every))


def _worst() -> Hostile:
    # What begins a block of code ends it as well, or not at all: nothing comes after it.
    parts = sorted(EVERY, key=lambda one: "```" in one.text)
    return Hostile("worst", "\n\n".join(one.marked[:_ENOUGH] for one in parts))


EVERY: Final = _every()
WORST: Final = _worst()
"""All of them in one."""
