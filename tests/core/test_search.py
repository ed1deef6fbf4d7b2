import pytest

from slowping.core import errors
from slowping.core.search import MAX_BEGINNINGS, MAX_LENGTH, MAX_PHRASES, Phrase, phrases


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("refund", [Phrase("refund")]),
        ("  two   words ", [Phrase("two"), Phrase("words")]),
        ("anna@example.com", [Phrase("anna@example.com")]),
        ("refund*", [Phrase("refund", is_beginning=True)]),
        ('"out of stock" now', [Phrase("out of stock"), Phrase("now")]),
        ('"out of sto"*', [Phrase("out of sto", is_beginning=True)]),
        ('"never closed', [Phrase("never closed")]),
        ('say"hi there"', [Phrase("say"), Phrase("hi there")]),
        ("refund AND -x", [Phrase("refund"), Phrase("AND"), Phrase("-x")]),
        ("a:b ! * ->", [Phrase("a:b")]),
        ("a\0b", [Phrase("a"), Phrase("b")]),
        ("größe 価格 ٣", [Phrase("größe"), Phrase("価格"), Phrase("٣")]),
    ],
)
def test_each_word_is_looked_for_and_what_is_quoted_stands_together(
    typed: str, found: list[Phrase]
) -> None:
    assert list(phrases(typed)) == found


@pytest.mark.parametrize("typed", ["", "   ", '""', "*", "!!! ->", '"'])
def test_where_there_is_no_word_that_is_said(typed: str) -> None:
    with pytest.raises(errors.InvalidInput, match="there is no word in it"):
        phrases(typed)


WORDS = [f"word{number}" for number in range(MAX_PHRASES + 1)]


@pytest.mark.parametrize(
    "typed",
    ["a" * (MAX_LENGTH + 1), " ".join(WORDS), "* ".join(WORDS[: MAX_BEGINNINGS + 2])],
)
def test_too_much_is_refused(typed: str) -> None:
    with pytest.raises(errors.InvalidInput, match="it has at most"):
        phrases(typed)


def test_as_much_as_is_allowed_is_read() -> None:
    assert phrases("a" * MAX_LENGTH) == (Phrase("a" * MAX_LENGTH),)
    assert len(phrases(" ".join(WORDS[:MAX_PHRASES]))) == MAX_PHRASES
    assert len(phrases("* ".join(WORDS[: MAX_BEGINNINGS + 1]))) == MAX_BEGINNINGS + 1


def test_what_is_said_twice_is_looked_for_once() -> None:
    assert phrases("a b* a b* b") == (Phrase("a"), Phrase("b", is_beginning=True), Phrase("b"))
