import json
import shutil
import subprocess
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slowping.core import text
from tests.vectors import vectors

_WORDS_OF_SCRIPTS = frozenset("\u00ad\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")


def _is_harmful(letter: str) -> bool:
    """What Unicode calls a control or an invisible instruction, but for what words need."""
    if letter in "\t\n\u200d" or letter in _WORDS_OF_SCRIPTS:
        return False
    if "\u0600" <= letter <= "\u0605" or "\U00013430" <= letter <= "\U0001345f":
        return False
    return unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp")


# Visible -------------------------------------------------------------------------------------


@given(st.text(st.characters(codec=None)))
def test_no_harmful_character_stays(given_text: str) -> None:
    assert not any(map(_is_harmful, text.visible(given_text)))


def test_every_single_harmful_character_is_marked() -> None:
    everything = "".join(filter(_is_harmful, map(chr, range(0x110000))))
    assert not any(map(_is_harmful, text.visible(everything)))
    assert len(text.visible(everything)) == len(everything)


@pytest.mark.parametrize("attack", vectors("injection", "terminal"))
def test_what_attacks_a_terminal_is_only_seen(attack: str) -> None:
    assert not any(map(_is_harmful, text.visible(attack)))


@given(st.text(st.characters(codec=None)))
def test_what_is_visible_stays_as_it_is(given_text: str) -> None:
    once = text.visible(given_text)
    assert text.visible(once) == once


@pytest.mark.parametrize(
    ("given_text", "seen"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("\x1b[31m", "␛[31m"),
        ("a\rb", "a␍b"),
        ("\x00\x7f\x85", "␀␡\ufffd"),
        ("\u202egnp.exe", "\ufffdgnp.exe"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("Sil\u00adben", "Sil\u00adben"),
        ("e\u0301", "e\u0301"),
        ("z" + "\u0301" * 50, "z" + "\u0301" * 4),
        ("\u3164", "\ufffd"),
        ("\u115f\u1160", "\ufffd\ufffd"),
        ("\ufff0\U0001bca0", "\ufffd\ufffd"),
        ("\u0e01" + "\u0e47" * 50, "\u0e01" + "\u0e47" * 4),
        ("\u05d0" + "\u05b0" * 50 + "\u05d0\u05b0", "\u05d0" + "\u05b0" * 4 + "\u05d0\u05b0"),
        ("a" + "\ufe0f" * 50, "a" + "\ufe0f" * 4),
        ("a" + "\u200d" * 50, "a" + "\u200d" * 4),
        ("\u1100" + "\u1161" * 50, "\u1100" + "\u1161" * 4),
        ("\u2500" * 50, "\u2500" * 50),
        ("\U0001fae8" * 50, "\U0001fae8" * 50),
        ("\u0928\u092e\u0938\u094d\u0924\u0947", "\u0928\u092e\u0938\u094d\u0924\u0947"),
        (
            "\U0001f468\u200d\U0001f469\u200d\U0001f467",
            "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        ),
    ],
)
def test_a_harmful_character_becomes_a_mark(given_text: str, seen: str) -> None:
    assert text.visible(given_text) == seen


@given(st.text(st.characters(codec=None)))
def test_one_line_is_one_line(given_text: str) -> None:
    assert len(text.one_line(given_text).splitlines()) <= 1
    assert "\t" not in text.one_line(given_text)


def test_one_line_joins_what_stood_on_several() -> None:
    assert text.one_line("  one\n\n two\tthree ") == "one two three"


# Short ---------------------------------------------------------------------------------------


@given(st.text())
def test_length_is_counted_in_utf_16_units(given_text: str) -> None:
    assert text.utf16_length(given_text) == len(given_text.encode("utf-16-le")) // 2


@given(st.text(), st.integers(min_value=1, max_value=40))
def test_a_clipped_text_is_within_the_limit(given_text: str, limit: int) -> None:
    clipped = text.clip(given_text, limit)
    assert text.utf16_length(clipped) <= limit
    if text.utf16_length(given_text) <= limit:
        assert clipped == given_text
    else:
        assert clipped.endswith(text.ELLIPSIS)
        assert given_text.startswith(clipped.removesuffix(text.ELLIPSIS))


@pytest.mark.parametrize(
    ("given_text", "limit", "clipped"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdef", 5, "abcd…"),
        ("ab cdef", 4, "ab…"),
        ("🐛🐛", 4, "🐛🐛"),
        ("🐛🐛", 3, "🐛…"),
        ("🐛🐛", 2, "…"),
        ("a🐛🐛", 4, "a🐛…"),
        ("", 1, ""),
    ],
)
def test_a_long_text_ends_in_an_ellipsis(given_text: str, limit: int, clipped: str) -> None:
    assert text.clip(given_text, limit) == clipped


@pytest.mark.parametrize(("word", "upper"), [("bug", "Bug"), ("iOS", "IOS"), ("", ""), ("é", "É")])
def test_only_the_first_letter_changes(word: str, upper: str) -> None:
    assert text.upper_first(word) == upper


# Shown ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("text", "text"),
        ("", ""),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        (0, "0"),
        (49, "49"),
        (-7, "-7"),
        (9007199254740991, "9007199254740991"),
        (49.0, "49"),
        (49.5, "49.5"),
        (-1.5, "-1.5"),
        (0.0, "0"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (0.1 + 0.2, "0.30000000000000004"),
        (100.0, "100"),
        (1e16, "10000000000000000"),
        (12345678901234567890.0, "12345678901234567000"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (-1e21, "-1e+21"),
        (1.5e300, "1.5e+300"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (5e-324, "5e-324"),
        (1e-6, "0.000001"),
        (0.000001234, "0.000001234"),
        (1e-7, "1e-7"),
        (1.23e-7, "1.23e-7"),
        (-1e-7, "-1e-7"),
        ({"a": [1, "é", None]}, '{"a":[1,"é",null]}'),
        ([], "[]"),
    ],
)
def test_a_value_is_shown_as_javascript_would(value: object, shown: str) -> None:
    assert text.show(value) == shown


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_shown_number_reads_back_as_the_same(number: float) -> None:
    assert float(text.show(number)) == number


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no JavaScript here to ask")
def test_javascript_itself_writes_numbers_so() -> None:
    numbers = [digit * 10.0**power for power in range(-30, 30) for digit in (1, 1.5, 7.125, -9)]
    script = f"console.log(JSON.stringify({json.dumps(numbers)}.map(String)))"
    program = ["node", "--eval", script]
    answer = subprocess.run(program, capture_output=True, check=True)  # noqa: S603 - our own words
    assert [text.show(number) for number in numbers] == json.loads(answer.stdout)


def test_a_text_is_shortened_before_anything_is_done_to_it() -> None:
    assert text.shorten("abcd", 4) == "abcd"
    assert text.shorten("abcde", 4) == "abcd…"
