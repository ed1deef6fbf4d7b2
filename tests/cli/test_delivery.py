import pytest

from slowping.cli import delivery


@pytest.mark.parametrize(
    ("outcome", "ms", "words"),
    [
        ("delivered", 2, "delivered after 2 ms"),
        ("retry", 2, "failed after 2 ms"),
        ("unknown", 3_000, "no answer after 3.0 s, it may have arrived"),
        ("rejected", 999, "rejected after 999 ms"),
        ("unusable", 1_000, "unusable after 1.0 s"),
        ("lost", 0, "lost when the server stopped, it may have arrived"),
        ("throttled", 15, "told to wait after 15 ms"),
    ],
)
def test_how_an_attempt_ended_is_said_in_words(outcome: str, ms: int, words: str) -> None:
    assert delivery.came(outcome, ms) == words
