import pytest
from hypothesis import given
from hypothesis import strategies as st

from slowping.core import text
from slowping.notifiers import render
from tests.vectors import vectors


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("a\r\nb\rc", "a\nb\nc"),
        ("  a\n", "a"),
        ("\x1b[31m", "\u241b[31m"),
        ("\u202egnp.exe", "\ufffdgnp.exe"),
    ],
)
def test_plain_text_keeps_lines_and_shows_control_characters(given_text: str, shown: str) -> None:
    assert render.plain(given_text) == shown


@pytest.mark.parametrize(
    ("given_text", "escaped"),
    [
        ("[pay now](https://evil.test)", r"\[pay now\]\(https://evil.test\)"),
        ("||spoiler||", r"\|\|spoiler\|\|"),
        ("```\ncode\n```", "\\`\\`\\`\ncode\n\\`\\`\\`"),
        ("<t:0:R>", r"\<t\:0:R>"),
        ("</cmd:1>", r"\</cmd\:1>"),
        ("# heading", r"\# heading"),
        ("a\n  ## b", "a\n  \\## b"),
        ("a # b > c", "a # b > c"),
        ("> quote", r"\> quote"),
        (r"a\*b", r"a\\\*b"),
        ("snake_case ~x~", r"snake\_case \~x\~"),
        ("https://x.test:80/a_b?c=d~e", "https://x.test:80/a_b?c=d~e"),
        ("https://x.test/[a](b)", r"https://x.test/\[a\]\(b\)"),
    ],
)
def test_markup_of_discord_is_escaped_but_in_addresses(given_text: str, escaped: str) -> None:
    assert render.markdown(given_text, 1_000) == escaped


@pytest.mark.parametrize("hostile", vectors("injection", "discord"))
def test_no_bracket_of_a_hostile_text_stays_markup(hostile: str) -> None:
    escaped = render.markdown(hostile, 1_000).replace("\\\\", "")
    for mark in "[]()<*`|":
        assert escaped.count(mark) == escaped.count(f"\\{mark}")


@pytest.mark.parametrize(
    ("given_text", "limit", "cut"),
    [
        ("a" * 11, 10, "a" * 9 + "…"),
        ("a" * 10, 10, "a" * 10),
        ("*" * 10, 10, r"\*\*\*\*…"),
        ("🐛" * 6, 10, "🐛🐛🐛🐛…"),
    ],
)
def test_what_is_too_long_is_cut_with_a_mark(given_text: str, limit: int, cut: str) -> None:
    assert render.markdown(given_text, limit) == cut


def test_a_title_is_one_line() -> None:
    assert render.markdown("a\n# b", 100, one_line=True) == "a # b"


@given(st.text(), st.integers(16, 64))
def test_the_limit_holds_and_no_escape_is_cut_in_half(given_text: str, limit: int) -> None:
    written = render.markdown(given_text, limit)
    assert text.utf16_length(written) <= limit
    before_mark = written.removesuffix(text.ELLIPSIS)
    assert (len(before_mark) - len(before_mark.rstrip("\\"))) % 2 == 0
