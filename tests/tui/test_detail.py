import time

import pytest

from slowping.tui.widgets import detail


@pytest.mark.parametrize("words", ["", "short", "a\nb\n", "x" * detail.MOST_LETTERS])
def test_a_text_of_usual_length_is_shown_whole(words: str) -> None:
    assert detail.beginning(words) == words


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("x" * 900_000, "x" * detail.MOST_LETTERS),
        ("\n" * 900_000, "\n" * (detail.MOST_LINES - 1)),
        ("ab\n" * 1_000 + "end", "ab\n" * (detail.MOST_LINES - 1) + "ab"),
    ],
)
def test_of_a_huge_text_the_beginning_is_shown_and_how_long_it_is(words: str, kept: str) -> None:
    shown = detail.beginning(words)
    assert shown.startswith(f"{kept}… ({len(words):,} characters in all")
    assert len(shown) < len(kept) + 100


def test_the_last_moment_that_a_sender_can_name_can_be_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "XST-9")
    time.tzset()
    assert detail.moment(253_402_300_799_999) == "9999-12-31 23:59:59"
