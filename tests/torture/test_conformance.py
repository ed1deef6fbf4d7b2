from pathlib import Path
from typing import Any

import pytest

from tests.laboratory import events
from tests.torture import conformance
from tests.torture.bar import Run, missed


async def test_what_is_sent_for_odd_events_is_what_the_far_sides_ask_for(tmp_path: Path) -> None:
    said: list[str] = []
    figures = await conformance.BAR.run(Run(folder=tmp_path, scale=0.006, say=said.append))
    assert missed(figures) == [], said


def test_the_same_seed_makes_the_same_events() -> None:
    first, second = (list(events.notifications(7, 20)) for _ in range(2))
    assert first == second
    assert first != list(events.notifications(8, 20))


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
    assert list(conformance._by_discords_limits(body)) == [fault]


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
    assert list(conformance._by_telegrams_limits({"text": said})) == [fault]
