from typing import Any

import pytest

from tests.laboratory import rules

EMBED = {"title": "x", "color": 0}


@pytest.mark.parametrize(
    ("embed", "fault"),
    [
        ({"title": "x" * 257}, "a text over its limit"),
        ({"title": " "}, "a text that is empty once it is trimmed"),
        ({"fields": [{"name": "n", "value": "\n"}]}, "a text that is empty once it is trimmed"),
        ({"fields": [{"name": "n", "value": "v" * 1_000}] * 6}, "more than 6000 characters"),
    ],
)
def test_what_discord_would_refuse_is_seen(embed: dict[str, Any], fault: str) -> None:
    body = {"embeds": [EMBED | embed], "allowed_mentions": {"parse": []}}
    assert list(rules.faults_at_discord(body)) == [fault]


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("", "a text that is empty or too long"),
        ("x" * 4_097, "a text that is empty or too long"),
        ("a\x1bb", "a text that Telegram would change"),
        ("a\u202eb", "a text that Telegram would change"),
        ("to @jane", "a mention"),
    ],
)
def test_what_telegram_would_refuse_or_change_is_seen(said: str, fault: str) -> None:
    assert list(rules.faults_at_telegram({"text": said})) == [fault]
